//! Sequences of tries and what follows from them.

use bytes::Bytes;

use super::*;

fn answer(ending: Ending) -> Answer {
    Answer {
        request_id: String::new(),
        payload: Bytes::new(),
        ending,
        log_tail: None,
    }
}

#[test]
fn a_function_that_fails_is_tried_twice_more() {
    for failure in [
        Ok(answer(Ending::Reported)),
        Ok(answer(Ending::TimedOut)),
        Err(InvokeError::Crashed("too large".to_owned())),
    ] {
        let mut tries = Tries::default();
        let [first, second] = EVENT_PAUSES;
        assert_eq!(tries.ended(&failure), Next::After(first));
        assert_eq!(tries.ended(&failure), Next::After(second));
        assert_eq!(tries.ended(&failure), Next::GivenUp);
    }
}

#[test]
fn one_that_was_not_run_is_tried_on_and_costs_no_try() {
    let mut tries = Tries::default();
    let mut pauses = Vec::new();
    for _ in 0..100 {
        let next = tries.ended(&Err(InvokeError::Throttled));
        let Next::After(pause) = next else {
            panic!("{next:?}");
        };
        pauses.push(pause.as_secs());
    }
    assert_eq!(pauses[..10], [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
    assert_eq!(pauses[99], 300);
    let [first, _] = EVENT_PAUSES;
    assert_eq!(tries.ended(&Ok(answer(Ending::Exited))), Next::After(first));
    assert_eq!(tries.ended(&Ok(answer(Ending::Returned))), Next::Done);
}

#[test]
fn one_whose_function_is_gone_or_whose_time_is_over_is_given_up() {
    for error in [InvokeError::NotFound, InvokeError::TimedOut] {
        assert_eq!(Tries::default().ended(&Err(error)), Next::GivenUp);
    }
}
