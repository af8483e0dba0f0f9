//! Which requests move on, where to, and how often.

use super::*;

fn peer(region: &str, delay_ms: u64, health: Health) -> Peer {
    Peer {
        region: RegionName::parse(region).unwrap(),
        address: "127.0.0.1:1".parse().unwrap(),
        health,
        delay: Duration::from_millis(delay_ms),
    }
}

fn peers() -> Vec<Peer> {
    vec![
        peer("far", 100, Health::Healthy),
        peer("near", 40, Health::Healthy),
        peer("ill", 1, Health::Unhealthy),
    ]
}

fn failed(method: &Method, progress: Progress) -> Failed<'_> {
    Failed {
        method,
        progress,
        left: Duration::from_secs(10),
        body: Replay::Kept,
        source: Source::Client,
        named: Named::Domain,
    }
}

#[track_caller]
fn check(failed: Failed<'_>, asked: &[&str], expect: Result<&str, Stop>) {
    let asked: Vec<_> = asked
        .iter()
        .map(|r| RegionName::parse(r).unwrap())
        .collect();
    let peers = peers();
    let next = next_region(&peers, &asked, failed, &mut Budget::new());
    assert_eq!(next.map(|peer| peer.region.as_str()), expect);
}

#[test]
fn the_nearest_healthy_region_is_next() {
    let get = failed(&Method::GET, Progress::Sent);
    check(get, &[], Ok("near"));
    check(get, &["near"], Ok("far"));
    check(get, &["near", "far"], Err(Stop::Attempts));
}

#[test]
fn what_a_backend_saw_is_repeated_only_if_idempotent() {
    for method in [
        Method::GET,
        Method::HEAD,
        Method::PUT,
        Method::DELETE,
        Method::OPTIONS,
    ] {
        check(failed(&method, Progress::Sent), &[], Ok("near"));
    }
    for method in [Method::POST, Method::PATCH] {
        check(
            failed(&method, Progress::Sent),
            &[],
            Err(Stop::NotRepeatable),
        );
        check(failed(&method, Progress::Unsent), &[], Ok("near"));
    }
}

#[test]
fn a_region_that_cannot_answer_in_time_is_left_out() {
    let mut get = failed(&Method::GET, Progress::Unsent);
    get.left = Duration::from_millis(150);
    check(get, &[], Ok("near"));
    check(get, &["near"], Err(Stop::NoRegion));
    get.left = Duration::from_millis(80);
    check(get, &[], Err(Stop::NoRegion));
}

#[test]
fn handed_over_and_streamed_requests_stop() {
    let mut get = failed(&Method::GET, Progress::Unsent);
    get.source = Source::Gateway;
    check(get, &[], Err(Stop::HandedOver));
    let mut get = failed(&Method::GET, Progress::Unsent);
    get.body = Replay::Gone;
    check(get, &[], Err(Stop::BodyGone));
}

#[test]
fn a_regions_own_endpoint_is_served_there_or_not_at_all() {
    let mut get = failed(&Method::GET, Progress::Unsent);
    get.named = Named::Endpoint;
    check(get, &[], Err(Stop::ThisRegionOnly));
}

#[test]
fn repeats_are_a_tenth_of_requests() {
    let peers = peers();
    let mut budget = Budget::new();
    let mut repeats = 0;
    for _ in 0..100_000 {
        budget.earn();
        let get = failed(&Method::GET, Progress::Sent);
        repeats += u64::from(next_region(&peers, &[], get, &mut budget).is_ok());
    }
    assert_eq!(repeats, 10_000 + REPEATS_SAVED_MAX - 1);
}

#[test]
fn a_request_that_no_backend_saw_costs_no_repeat() {
    let peers = peers();
    let mut budget = Budget::new();
    for _ in 0..100_000 {
        let post = failed(&Method::POST, Progress::Unsent);
        next_region(&peers, &[], post, &mut budget).unwrap();
    }
    let get = failed(&Method::GET, Progress::Sent);
    next_region(&peers, &[], get, &mut budget).unwrap();
}
