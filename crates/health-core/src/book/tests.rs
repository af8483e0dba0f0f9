//! Verdicts on checks: who votes, what counts, inversion, disabling, children.

use std::sync::Arc;
use std::time::Duration;

use base::region::RegionId;
use clock::time::{Moment, WallTime};

use super::{Book, Electorate};
use crate::check::{
    CalculatedCheck, CheckId, CheckKind, CheckSpec, EndpointCheck, FailureThreshold, Interval,
    Protocol, Target,
};
use crate::gossip::{SeenRow, VoteRow};
use crate::limits::VOTE_LIFE;
use crate::observation::Outcome;
use crate::prober::Status;
use crate::view::CheckBecause;

const OURS: RegionId = RegionId(1);
const WALL: WallTime = WallTime::from_micros(1_000_000_000);

fn id(text: &str) -> CheckId {
    CheckId::parse(text).expect("short")
}

fn endpoint(text: &str) -> CheckSpec {
    CheckSpec {
        id: id(text),
        kind: CheckKind::Endpoint(EndpointCheck {
            protocol: Protocol::Tcp,
            target: Target::try_new(None, Some("a.test")).expect("a name"),
            port: 80,
            interval: Interval::try_new(Duration::from_secs(1)).expect("allowed"),
            threshold: FailureThreshold::try_new(1).expect("allowed"),
        }),
        inverted: false,
        disabled: false,
    }
}

fn calculated(text: &str, children: &[&str], threshold: u16) -> CheckSpec {
    let children = children.iter().map(|child| id(child)).collect();
    CheckSpec {
        kind: CheckKind::Calculated(
            CalculatedCheck::try_new(children, threshold).expect("few children"),
        ),
        ..endpoint(text)
    }
}

fn book(specs: Vec<CheckSpec>) -> Book {
    let mut book = Book::default();
    let specs: Vec<Arc<CheckSpec>> = specs.into_iter().map(Arc::new).collect();
    book.replace(WALL, &specs);
    book
}

fn hear(book: &mut Book, from: u16, check: &str, status: u16, now: Moment) {
    let outcome = Outcome::of_status(status);
    let status = if outcome.is_success() {
        Status::Healthy
    } else {
        Status::Unhealthy
    };
    let vote = VoteRow {
        check: id(check).key(),
        seen: Some(SeenRow {
            status,
            wavering: false,
            outcome,
            age_tenths: 3,
        }),
    };
    book.heard(now, WALL, RegionId(from), (1, now.as_micros()), &[vote]);
}

fn decide(book: &mut Book, now: Moment, silent: &[u16]) {
    let counts = |region: RegionId| !silent.contains(&region.0);
    book.decide(
        WALL,
        &Electorate {
            now,
            ourselves: OURS,
            counts: &counts,
            votes_expire: true,
        },
    );
}

fn verdict(book: &Book, check: &str) -> (Status, CheckBecause) {
    let electorate = Electorate {
        now: Moment::default(),
        ourselves: OURS,
        counts: &|_| true,
        votes_expire: true,
    };
    let verdict = book
        .verdicts(&electorate)
        .remove(&id(check))
        .expect("known");
    (verdict.status, verdict.because)
}

#[track_caller]
fn is(book: &Book, check: &str, expect: Status) {
    let (status, because) = verdict(book, check);
    assert_eq!(status, expect, "{check}: {because}");
}

#[test]
fn a_check_without_data_is_healthy_and_an_inverted_one_is_not() {
    let inverted = CheckSpec {
        inverted: true,
        ..endpoint("b")
    };
    let mut book = book(vec![endpoint("a"), inverted]);
    decide(&mut book, Moment::default(), &[]);
    is(&book, "a", Status::Healthy);
    is(&book, "b", Status::Unhealthy);
    assert_eq!(verdict(&book, "a").1, CheckBecause::NoData);
}

#[test]
fn a_disabled_check_is_healthy_whatever_was_voted_and_inversion_drains_it() {
    let disabled = |text: &str, inverted| CheckSpec {
        disabled: true,
        inverted,
        ..endpoint(text)
    };
    let mut book = book(vec![disabled("a", false), disabled("b", true)]);
    for check in ["a", "b"] {
        hear(&mut book, 2, check, 500, Moment::default());
    }
    decide(&mut book, Moment::default(), &[]);
    is(&book, "a", Status::Healthy);
    is(&book, "b", Status::Unhealthy);
    assert!(book.to_probe(id("a").key()).is_none());
}

#[test]
fn votes_of_six_regions_fall_under_the_eighteen_percent_rule() {
    let mut book = book(vec![endpoint("a")]);
    for region in 2..7 {
        hear(&mut book, region, "a", 503, Moment::default());
    }
    book.probed(WALL, id("a").key(), Outcome::of_status(200));
    decide(&mut book, Moment::default(), &[]);
    is(&book, "a", Status::Unhealthy);
    // With one region fewer, our one vote is 20 %.
    decide(&mut book, Moment::default(), &[6]);
    is(&book, "a", Status::Healthy);
    // A region that is down itself does not vote in its own view either.
    decide(&mut book, Moment::default(), &[1, 6]);
    is(&book, "a", Status::Unhealthy);
}

#[test]
fn a_vote_not_heard_again_stops_counting_and_the_last_verdict_stays() {
    let mut book = book(vec![endpoint("a")]);
    hear(&mut book, 2, "a", 503, Moment::default());
    decide(&mut book, Moment::default(), &[]);
    is(&book, "a", Status::Unhealthy);
    decide(&mut book, Moment::default() + VOTE_LIFE, &[]);
    is(&book, "a", Status::Unhealthy);
    assert_eq!(verdict(&book, "a").1, CheckBecause::NoData);
}

#[test]
fn an_overtaken_vote_does_not_undo_a_later_one() {
    let mut book = book(vec![endpoint("a")]);
    let late = Moment::from_micros(20);
    hear(&mut book, 2, "a", 503, late);
    hear(&mut book, 2, "a", 200, Moment::from_micros(10));
    decide(&mut book, late, &[]);
    is(&book, "a", Status::Unhealthy);
}

#[test]
fn the_last_failure_another_region_saw_is_remembered() {
    let mut book = book(vec![endpoint("a")]);
    hear(&mut book, 2, "a", 503, Moment::from_micros(1));
    hear(&mut book, 2, "a", 200, Moment::from_micros(2));
    let electorate = Electorate {
        now: Moment::from_micros(2),
        ourselves: OURS,
        counts: &|_| true,
        votes_expire: true,
    };
    let vote = book.verdicts(&electorate)[&id("a")].votes[&RegionId(2)];
    assert_eq!(vote.last.outcome, Outcome::of_status(200));
    assert_eq!(
        vote.last_failure.map(|failure| failure.outcome),
        Some(Outcome::of_status(503))
    );
    assert_eq!(
        vote.last.at,
        WallTime::from_micros(WALL.as_micros() - 300_000)
    );
}

#[track_caller]
fn counted(children: &[u16], threshold: u16, inverted: bool, expect: Status) {
    let names: Vec<String> = (0..children.len()).map(|at| format!("c{at}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let parent = CheckSpec {
        inverted,
        ..calculated("parent", &names, threshold)
    };
    let mut specs = vec![parent];
    specs.extend(names.iter().map(|name| endpoint(name)));
    let mut book = book(specs);
    for (name, status) in names.iter().zip(children) {
        hear(&mut book, 2, name, *status, Moment::default());
    }
    decide(&mut book, Moment::default(), &[]);
    is(&book, "parent", expect);
}

#[test]
fn a_calculated_check_counts_its_children() {
    use Status::{Healthy, Unhealthy};
    counted(&[200, 500, 500], 1, false, Healthy);
    counted(&[200, 500, 500], 2, false, Unhealthy);
    counted(&[200, 200, 500], 2, false, Healthy);
    // Threshold 0 is always healthy, one above the number of children never.
    counted(&[500, 500], 0, false, Healthy);
    counted(&[200, 200], 3, false, Unhealthy);
    counted(&[200, 500], 1, true, Unhealthy);
    counted(&[500, 500], 1, true, Healthy);
}

#[test]
fn calculated_checks_may_stand_on_each_other_in_any_order() {
    for names in [["a", "b", "c"], ["c", "b", "a"], ["b", "c", "a"]] {
        let [top, middle, low] = names;
        let mut book = book(vec![
            calculated(top, &[middle], 1),
            calculated(middle, &[low], 1),
            endpoint(low),
        ]);
        hear(&mut book, 2, low, 500, Moment::default());
        decide(&mut book, Moment::default(), &[]);
        is(&book, top, Status::Unhealthy);
        hear(&mut book, 2, low, 200, Moment::from_micros(1));
        decide(&mut book, Moment::from_micros(1), &[]);
        is(&book, top, Status::Healthy);
    }
}

#[test]
fn a_circle_of_checks_ends_and_an_unknown_child_is_healthy() {
    let mut book = book(vec![
        calculated("a", &["b"], 1),
        calculated("b", &["a"], 1),
        calculated("c", &["nowhere"], 1),
    ]);
    decide(&mut book, Moment::default(), &[]);
    is(&book, "a", Status::Healthy);
    is(&book, "c", Status::Healthy);
}

#[test]
fn a_changed_check_keeps_what_is_known_of_it() {
    let mut book = book(vec![endpoint("a"), endpoint("b")]);
    hear(&mut book, 2, "a", 503, Moment::default());
    decide(&mut book, Moment::default(), &[]);
    let inverted = CheckSpec {
        inverted: true,
        ..endpoint("a")
    };
    let replaced = book.replace(WALL, &[Arc::new(inverted)]);
    assert_eq!(replaced.leave, [id("b").key()]);
    decide(&mut book, Moment::default(), &[]);
    is(&book, "a", Status::Healthy);
    assert_eq!(book.own_votes(WALL).len(), 1);
}
