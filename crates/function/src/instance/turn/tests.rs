//! Every state against every call.

use super::*;

#[derive(Debug, PartialEq, Eq)]
struct Job(&'static str);

impl Numbered for Job {
    fn request_id(&self) -> &str {
        self.0
    }
}

fn ready() -> Turn<Job> {
    let mut turn = Turn::new();
    assert_eq!(turn.next(), Ok(Next::JustReady));
    turn
}

fn running() -> Turn<Job> {
    let mut turn = ready();
    turn.assign(Job("a")).unwrap();
    turn
}

fn transition<T>(from: &'static str, to: &'static str) -> Result<T, Refused> {
    Err(Refused::Transition(from, to))
}

#[test]
fn an_invocation_goes_round() {
    let mut turn = ready();
    assert_eq!(turn.next(), Ok(Next::Wait));
    assert_eq!(turn.assign(Job("a")), Ok(()));
    assert_eq!(turn.next(), Ok(Next::Take(&Job("a"))));
    assert_eq!(turn.answer("a", "InvocationResponse"), Ok(Job("a")));
    assert_eq!(turn.next(), Ok(Next::JustReady));
    assert_eq!(turn.end(), (None, Readiness::WasReady));
}

#[test]
fn a_lost_event_is_handed_out_again() {
    let mut turn = running();
    assert_eq!(turn.next(), Ok(Next::Take(&Job("a"))));
    assert_eq!(turn.next(), Ok(Next::Take(&Job("a"))));
}

#[test]
fn only_the_invocation_handed_out_can_be_answered() {
    let mut turn = running();
    for id in ["b", "", "A"] {
        let refused = turn.answer(id, "InvocationResponse");
        assert_eq!(refused, Err(Refused::InvalidRequestId));
    }
    assert_eq!(
        Turn::<Job>::new().answer("", "x"),
        Err(Refused::InvalidRequestId)
    );
    turn.answer("a", "InvocationResponse").unwrap();
    assert_eq!(
        turn.answer("a", "InvocationResponse"),
        transition("RuntimeResponseSentState", "InvocationResponse")
    );
    assert_eq!(turn.next(), Ok(Next::JustReady));
    assert_eq!(
        turn.answer("a", "InvocationErrorResponse"),
        transition("Ready", "InvocationErrorResponse")
    );
}

#[test]
fn starting_fails_only_while_starting() {
    let mut turn = Turn::<Job>::new();
    assert_eq!(turn.init_error(), Ok(()));
    assert_eq!(turn.init_error(), transition("InitError", "InitError"));
    assert_eq!(turn.next(), transition("InitError", "Ready"));
    assert_eq!(turn.end(), (None, Readiness::NeverReady));
    assert_eq!(ready().init_error(), transition("Ready", "InitError"));
    assert_eq!(running().init_error(), transition("Running", "InitError"));
}

#[test]
fn only_an_instance_that_waits_takes_work() {
    assert_eq!(Turn::new().assign(Job("a")), Err(Job("a")));
    assert_eq!(running().assign(Job("b")), Err(Job("b")));
    let mut answered = running();
    answered.answer("a", "InvocationResponse").unwrap();
    assert_eq!(answered.assign(Job("b")), Err(Job("b")));
}

#[test]
fn an_end_gives_the_work_back_once() {
    let mut turn = running();
    assert_eq!(turn.end(), (Some(Job("a")), Readiness::WasReady));
    assert_eq!(turn.end(), (None, Readiness::WasReady));
    assert_eq!(turn.next(), transition("Ended", "Ready"));
    assert_eq!(turn.assign(Job("b")), Err(Job("b")));
    assert_eq!(
        turn.answer("a", "InvocationResponse"),
        transition("Ended", "InvocationResponse")
    );
}
