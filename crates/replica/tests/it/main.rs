//! Tests of running links: regions over memory stores, real sockets, a relay that can fail.
//!
//! Whatever is waited for is waited for by watching; the limits of patience only end a hang.

mod certificates;

mod inquiries;

mod joins;

mod relay;

mod world;

use std::time::Duration;

use replica::limits::GREETINGS_OF_ADDRESS_MAX;
use replica::status::{Failure, PeerStatus};
use replica_core::vector::Seq;
use tokio::io::AsyncReadExt;

use world::{CARTS, World, patiently};

#[tokio::test]
async fn a_write_in_one_region_is_read_in_the_others() {
    let world = World::start(3).await;
    world.regions[0].put("ann", "tea", "3").await;
    for region in &world.regions[1..] {
        region.until_applied(&world.regions[0]).await;
        assert_eq!(region.quantity("ann", "tea").await.as_deref(), Some("3"));
    }
    world.assert_converged();
}

#[tokio::test]
async fn writes_on_both_sides_of_a_cut_meet_when_it_heals() {
    let world = World::start(2).await;
    let (a, b) = (&world.regions[0], &world.regions[1]);
    a.put("ann", "tea", "1").await;
    b.until_applied(a).await;
    world.break_links(0, 1);
    a.until(b, |peer| !peer.sending.line.is_up()).await;
    b.until(a, |peer| !peer.sending.line.is_up()).await;
    for number in 0..50 {
        a.put("bob", &format!("a{number}"), "1").await;
        b.put("bob", &format!("b{number}"), "1").await;
    }
    a.put("ann", "tea", "2").await;
    b.put("ann", "tea", "3").await;
    world.heal_links(0, 1);
    world.until_converged().await;
    assert_eq!(a.quantity("ann", "tea").await.as_deref(), Some("3"));
    assert_eq!(a.quantity("bob", "b49").await.as_deref(), Some("1"));
    assert_eq!(b.conflicts().await, 1);
}

#[tokio::test]
async fn a_way_that_swallows_everything_is_noticed_and_found_again() {
    let world = World::start(2).await;
    let (a, b) = (&world.regions[0], &world.regions[1]);
    a.until(b, |peer| peer.sending.line.is_up()).await;
    world.relay(0, 1).swallow();
    a.put("ann", "tea", "1").await;
    a.until(b, |peer| !peer.sending.line.is_up()).await;
    b.until(a, |peer| !peer.receiving.line.is_up()).await;
    assert!(
        b.status(a).sending.line.is_up(),
        "the other way still works"
    );
    world.relay(0, 1).pass();
    b.until_applied(a).await;
}

#[tokio::test]
async fn a_write_that_reached_one_survivor_reaches_all() {
    let world = World::start(3).await;
    let [a, b, c] = &world.regions[..] else {
        panic!("three regions");
    };
    c.until(a, |peer| peer.receiving.line.is_up()).await;
    world.relay(0, 2).stop();
    a.put("ann", "tea", "1").await;
    c.until_applied(a).await;
    assert!(!c.status(a).receiving.line.is_up());
    assert!(c.links.status().borrow().unreachable.contains(&a.id()));
    c.until(b, |peer| peer.receiving.latencies.contains_key(&a.id()))
        .await;
}

#[tokio::test]
async fn a_clock_far_ahead_parks_its_records_and_loses_none() {
    let world = World::start(2).await;
    let (a, b) = (&world.regions[0], &world.regions[1]);
    a.skew(Duration::from_secs(2));
    a.put("ann", "tea", "1").await;
    b.until(a, PeerStatus::is_clock_ahead).await;
    assert_eq!(b.tables.applied().at(a.id()), Seq(0));
    b.put("bob", "tea", "1").await;
    a.until_applied(b).await;
    // Nobody waits for the stamp to come of age: B's clock is set right in A's sense.
    b.skew(Duration::from_secs(2));
    b.until_applied(a).await;
    b.until(a, |peer| !peer.is_clock_ahead()).await;
    world.assert_converged();
}

#[tokio::test]
async fn a_region_that_comes_back_goes_on_where_it_was() {
    let mut world = World::start(2).await;
    for number in 0..20 {
        world.regions[0].put("ann", &number.to_string(), "1").await;
    }
    world.regions[1].until_applied(&world.regions[0]).await;
    world.restart(1).await;
    world.regions[0].put("ann", "tea", "2").await;
    world.until_converged().await;
    let tea = world.regions[1].quantity("ann", "tea").await;
    assert_eq!(tea.as_deref(), Some("2"));
}

#[tokio::test]
async fn a_region_that_comes_back_empty_is_filled_and_goes_on() {
    let mut world = World::start(3).await;
    for number in 0..5 {
        world.regions[1].put("ann", &number.to_string(), "1").await;
        world.regions[0].put("bob", &number.to_string(), "1").await;
    }
    world.regions[1].delete("ann", "4").await;
    world.until_converged().await;
    // The others forget nothing of it when they start again, too.
    world.restart(0).await;
    world.restart(2).await;
    world.replace(1).await;
    let [a, b, c] = &world.regions[..] else {
        panic!("three regions");
    };
    a.put("bob", "tea", "2").await;
    b.until_applied(a).await;
    b.put("ann", "tea", "3").await;
    world.until_converged().await;
    assert!(
        Seq(6) < b.tables.directory().begins,
        "6 positions are taken"
    );
    assert_eq!(b.quantity("ann", "3").await.as_deref(), Some("1"));
    assert_eq!(b.quantity("ann", "4").await, None);
    assert_eq!(c.quantity("ann", "tea").await.as_deref(), Some("3"));
    for region in &world.regions {
        assert_eq!(region.conflicts().await, 0);
        assert_eq!(region.links.status().borrow().failure, None);
    }
}

#[tokio::test]
async fn a_region_that_comes_back_empty_has_the_log_of_whom_it_reaches() {
    let mut world = World::start(3).await;
    world.regions[0].put("bob", "tea", "1").await;
    world.until_converged().await;
    world.break_links(1, 2);
    world.replace(1).await;
    let [a, b, c] = &world.regions[..] else {
        panic!("three regions");
    };
    let all = [a.id(), b.id(), c.id()];
    b.define(&all, true);
    b.fill(&[a.id(), c.id()]);
    a.put("bob", "tea", "2").await;
    b.until_applied(a).await;
    assert_eq!(b.quantity("bob", "tea").await.as_deref(), Some("2"));
    world.heal_links(1, 2);
    assert_eq!(b.until_filled().await, Some((CARTS, 1)));
    b.define(&all, false);
    b.fill(&[]);
    world.until_converged().await;
}

#[tokio::test]
async fn the_log_of_a_region_that_comes_back_empty_waits_for_nobody() {
    let mut world = World::start(3).await;
    world.regions[1].put("ann", "tea", "1").await;
    world.until_converged().await;
    // What B writes last reaches C alone.
    world.break_links(0, 1);
    world.break_links(0, 2);
    world.regions[1].put("ann", "milk", "1").await;
    world.regions[2].until_applied(&world.regions[1]).await;
    world.break_links(1, 2);
    world.replace(1).await;
    world.heal_links(0, 1);
    let [a, b, c] = &world.regions[..] else {
        panic!("three regions");
    };
    let all = [a.id(), b.id(), c.id()];
    b.define(&all, true);
    b.fill(&[a.id(), c.id()]);
    let own = b.id();
    // It tells B of no position of its log while something of it is owed.
    let mut progress = a.tables.progress();
    patiently(async {
        while a.tables.applied().at(own) < Seq(1 << 40) {
            progress.changed().await.expect("the tables are open");
        }
    })
    .await;
    b.put("bob", "tea", "2").await;
    a.until_applied(b).await;
    assert_eq!(a.quantity("bob", "tea").await.as_deref(), Some("2"));
    // It is forgotten neither with a link nor with a process that something is to come yet.
    world.restart(1).await;
    world.restart(0).await;
    let [a, b, c] = &world.regions[..] else {
        panic!("three regions");
    };
    b.define(&all, true);
    b.fill(&[a.id(), c.id()]);
    b.put("bob", "milk", "2").await;
    a.until_applied(b).await;
    assert_eq!(a.quantity("ann", "milk").await, None, "C alone has it");
    world.heal_links(1, 2);
    assert_eq!(b.until_filled().await, Some((CARTS, 1)));
    b.define(&all, false);
    b.fill(&[]);
    a.until_repaid().await;
    assert_eq!(a.quantity("ann", "milk").await.as_deref(), Some("1"));
    world.heal_links(0, 2);
    world.until_converged().await;
    for region in &world.regions {
        assert_eq!(region.conflicts().await, 0);
    }
}

#[tokio::test]
async fn a_directory_whose_place_was_taken_is_refused() {
    let mut world = World::start(2).await;
    world.regions[1].put("ann", "tea", "1").await;
    world.regions[0].until_applied(&world.regions[1]).await;
    world.regions[1]
        .until(&world.regions[0], |peer| {
            peer.sending.applied.iter().len() > 0
        })
        .await;
    let old = world.regions[1].store.copy();
    world.replace(1).await;
    // Whether before or after the directory has got its place, a write reaches the others.
    world.regions[1].put("ann", "tea", "2").await;
    let (a, b) = (&world.regions[0], &world.regions[1]);
    let own = b.id();
    b.until(a, |peer| Seq(1 << 40) <= peer.sending.applied.at(own))
        .await;
    world.until_converged().await;
    world.restart_from(1, old).await;
    let b = &world.regions[1];
    let failure = b.until_failed().await;
    assert!(
        matches!(failure, Failure::OtherDirectory { .. }),
        "{failure}"
    );
    assert!(!b.takes_writes().await);
}

#[tokio::test]
async fn a_region_that_lost_its_last_writes_stops() {
    let mut world = World::start(2).await;
    world.regions[1].put("ann", "tea", "1").await;
    let before = world.regions[1].store.copy();
    world.regions[1].put("ann", "tea", "2").await;
    world.regions[0].until_applied(&world.regions[1]).await;
    world.restart_from(1, before).await;
    let (a, b) = (&world.regions[0], &world.regions[1]);
    let problem = |peer: &PeerStatus| peer.sending.line.problem.clone().unwrap_or_default();
    b.until(a, |peer| problem(peer).contains("its data is older"))
        .await;
    let failure = b.until_failed().await;
    assert!(matches!(failure, Failure::Rewound { .. }), "{failure}");
    assert!(!b.takes_writes().await);
    assert_eq!(a.links.status().borrow().failure, None);
}

#[tokio::test]
async fn a_region_that_wrote_over_what_it_had_lost_stops() {
    let mut world = World::start(2).await;
    world.regions[1].put("ann", "tea", "1").await;
    let before = world.regions[1].store.copy();
    world.regions[1].put("ann", "tea", "2").await;
    world.regions[0].until_applied(&world.regions[1]).await;
    world.break_links(0, 1);
    world.restart_from(1, before).await;
    let (a, b) = (&world.regions[0], &world.regions[1]);
    for number in 0..5 {
        b.put("bob", &number.to_string(), "1").await;
    }
    world.heal_links(0, 1);
    let failure = b.until_failed().await;
    assert!(matches!(failure, Failure::Rewound { .. }), "{failure}");
    assert_eq!(a.quantity("ann", "tea").await.as_deref(), Some("2"));
    assert_eq!(a.quantity("bob", "4").await, None);
}

#[tokio::test]
async fn a_region_whose_data_is_too_old_to_catch_up_stops() {
    let mut world = World::start(2).await;
    world.regions[0].put("ann", "tea", "1").await;
    world.regions[1].until_applied(&world.regions[0]).await;
    let before = world.regions[1].store.copy();
    world.regions[0].delete("ann", "tea").await;
    world.regions[1].until_applied(&world.regions[0]).await;
    let own = world.regions[0].id();
    world.regions[0].until_swept(own).await;
    world.restart_from(1, before).await;
    let failure = world.regions[1].until_failed().await;
    assert!(matches!(failure, Failure::TooOld { .. }), "{failure}");
}

#[tokio::test]
async fn strangers_at_one_address_are_greeted_a_few_at_a_time() {
    let world = World::start(1).await;
    let connect = || async {
        let stream = tokio::net::TcpStream::connect(world.addresses[0]).await;
        stream.expect("connected")
    };
    let mut held = Vec::new();
    for _ in 0..GREETINGS_OF_ADDRESS_MAX {
        held.push(connect().await);
    }
    let mut one_more = connect().await;
    let read = patiently(one_more.read(&mut [0; 1])).await;
    assert!(!matches!(read, Ok(1..)), "it is hung up on: {read:?}");
    let still = held
        .iter()
        .all(|stream| stream.try_read(&mut [0; 1]).is_err());
    assert!(still, "the others are not");
}

#[tokio::test]
async fn stamps_that_a_wrong_clock_took_ahead_are_told() {
    let world = World::start(2).await;
    let a = &world.regions[0];
    a.skew(Duration::from_secs(20));
    a.put("ann", "tea", "1").await;
    a.skew(Duration::ZERO);
    let mut status = a.links.status();
    let told = patiently(status.wait_for(|status| status.stamps_ahead.is_some())).await;
    let ahead = told.expect("the links run").stamps_ahead;
    assert!(ahead.is_some_and(|ahead| Duration::from_millis(500) < ahead));
}

#[tokio::test]
async fn a_replica_is_filled_while_writes_go_on() {
    let world = World::start(3).await;
    let [a, b, c] = &world.regions[..] else {
        panic!("three regions");
    };
    a.define(&[a.id(), b.id()], false);
    b.define(&[a.id(), b.id()], false);
    for number in 0..700 {
        a.put("ann", &format!("a{number}"), "1").await;
        b.put("bob", &format!("b{number}"), "1").await;
    }
    // The new replica asks before its sources know of it: they say "later".
    let all = [a.id(), b.id(), c.id()];
    c.define(&all, true);
    c.fill(&[a.id(), b.id()]);
    a.define(&all, false);
    a.put("ann", "tea", "2").await;
    b.define(&all, false);
    b.put("bob", "tea", "3").await;
    assert_eq!(c.until_filled().await, Some((CARTS, 1)));
    c.define(&all, false);
    c.fill(&[]);
    world.until_converged().await;
    assert_eq!(c.quantity("bob", "b699").await.as_deref(), Some("1"));
    assert_eq!(c.quantity("ann", "tea").await.as_deref(), Some("2"));
}

#[tokio::test]
async fn tombstones_and_logs_are_swept_once_every_region_has_them() {
    let world = World::start(2).await;
    let (a, b) = (&world.regions[0], &world.regions[1]);
    a.put("ann", "tea", "1").await;
    a.delete("ann", "tea").await;
    b.until_applied(a).await;
    for region in [a, b] {
        region.until_swept(a.id()).await;
    }
    world.assert_converged();
}

#[tokio::test]
async fn draining_waits_for_peers_that_listen_and_for_no_others() {
    let mut world = World::start(2).await;
    let (a, b) = (&world.regions[0], &world.regions[1]);
    a.until(b, |peer| peer.sending.line.is_up()).await;
    for number in 0..100 {
        a.put("ann", &number.to_string(), "1").await;
    }
    let (head, own) = (a.tables.horizon().0, a.id());
    let a = world.regions.remove(0);
    assert!(a.links.drain(Duration::from_secs(20)).await);
    assert_eq!(world.regions[0].tables.applied().at(own), head);
    let b = world.regions.remove(0);
    b.put("ann", "tea", "1").await;
    assert!(
        b.links.drain(Duration::from_secs(20)).await,
        "nobody listens"
    );
}

#[tokio::test]
async fn status_tells_lag_round_trip_and_what_peers_have() {
    let world = World::start(2).await;
    let (a, b) = (&world.regions[0], &world.regions[1]);
    a.put("ann", "tea", "1").await;
    b.until_applied(a).await;
    let (own, head) = (a.id(), a.tables.horizon().0);
    let told = a.until(b, |peer| {
        let sending = &peer.sending;
        sending.durable.at(own) == head && sending.backlog == 0 && sending.rtt.is_some()
    });
    let told = told.await;
    assert!(told.sending.line.bytes_out > 0 && told.sending.line.bytes_in > 0);
    assert!(a.links.status().borrow().have_applied(a.id(), Seq(1)));
    assert!(!a.links.status().borrow().have_applied(a.id(), Seq(2)));
    let told = b.until(a, |peer| {
        let latency = peer.receiving.latencies.get(&own);
        latency.is_some_and(|latency| latency.count == 1)
    });
    let origins = told.await.receiving.latencies.into_keys();
    assert_eq!(origins.collect::<Vec<_>>(), [own]);
}
