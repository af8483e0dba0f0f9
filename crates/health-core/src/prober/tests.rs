//! Tables of the hysteresis: `+` a success, `-` a failure; the votes after each.

use clock::time::WallTime;

use super::{Effect, Prober, Status};
use crate::check::FailureThreshold;
use crate::observation::{Failure, Observation, Outcome, Success};

fn seen(answer: char) -> Observation {
    let outcome = match answer {
        '+' => Outcome::Success(Success::Connected),
        _ => Outcome::Failure(Failure::Refused),
    };
    Observation {
        outcome,
        at: WallTime::default(),
    }
}

#[track_caller]
fn check(threshold: u8, answers: &str, votes: &str) {
    let threshold = FailureThreshold::try_new(threshold).expect("1 to 10");
    let mut prober = Prober::new();
    let got: String = answers
        .chars()
        .map(|answer| {
            prober.observe(seen(answer), threshold);
            match prober.vote() {
                Some(Status::Healthy) => 'H',
                Some(Status::Unhealthy) => 'U',
                None => '?',
            }
        })
        .collect();
    assert_eq!(got, votes);
}

#[test]
fn as_many_equal_answers_as_the_threshold_turn_the_vote_both_ways() {
    check(1, "+-+-", "HUHU");
    check(2, "--++", "HUUH");
    check(3, "---+++", "HHUUUH");
    check(3, "--+--+---", "HHHHHHHHU");
    check(3, "---++-+++", "HHUUUUUUH");
    check(10, "---------", "HHHHHHHHH");
    check(10, "----------", "HHHHHHHHHU");
}

#[test]
fn there_is_no_vote_before_the_first_probe() {
    assert_eq!(Prober::new().vote(), None);
}

#[test]
fn the_first_failure_already_wavers_and_is_news() {
    let threshold = FailureThreshold::try_new(3).expect("1 to 10");
    let mut prober = Prober::new();
    assert_eq!(prober.observe(seen('+'), threshold), Effect::Changed);
    assert_eq!(prober.observe(seen('+'), threshold), Effect::Same);
    assert_eq!(prober.observe(seen('-'), threshold), Effect::Changed);
    assert!(prober.is_wavering());
    assert_eq!(prober.observe(seen('-'), threshold), Effect::Same);
    assert_eq!(prober.observe(seen('-'), threshold), Effect::Changed);
    assert!(!prober.is_wavering());
    assert_eq!(prober.last_failure(), Some(seen('-')));
}
