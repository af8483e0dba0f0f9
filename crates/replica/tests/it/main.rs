//! Tests of running links: regions over memory stores, real sockets, a relay that can fail.
//!
//! Whatever is waited for is waited for by watching; the limits of patience only end a hang.

mod relay;

mod world;

use std::collections::BTreeMap;
use std::time::Duration;

use replica::status::PeerStatus;
use replica_core::link::seal::Key;
use replica_core::vector::Seq;

use world::{CARTS, World};

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
async fn another_key_or_project_is_refused_by_name_and_nothing_passes() {
    let world = World::start_with(2, |number, config| match number {
        0 => {}
        _ => config.key = Key([9; 32]),
    });
    let world = world.await;
    let (a, b) = (&world.regions[0], &world.regions[1]);
    let problem = |peer: &PeerStatus| peer.sending.line.problem.clone().unwrap_or_default();
    a.put("ann", "tea", "1").await;
    a.until(b, |peer| problem(peer).contains("the project keys differ"))
        .await;
    assert_eq!(b.tables.applied().at(a.id()), Seq(0));

    let world = World::start_with(2, |number, config| {
        config.project.push_str(["", "2"][number]);
    });
    let world = world.await;
    let (a, b) = (&world.regions[0], &world.regions[1]);
    a.until(b, |peer| problem(peer).contains("another project"))
        .await;
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
async fn a_region_that_comes_back_empty_is_refused() {
    let mut world = World::start(2).await;
    world.regions[1].put("ann", "tea", "1").await;
    world.regions[0].until_applied(&world.regions[1]).await;
    world.replace(1).await;
    let (a, b) = (&world.regions[0], &world.regions[1]);
    let problem = |peer: &PeerStatus| peer.sending.line.problem.clone().unwrap_or_default();
    b.until(a, |peer| problem(peer).contains("another data directory"))
        .await;
    a.until(b, |peer| problem(peer).contains("another data directory"))
        .await;
}

#[tokio::test]
async fn a_region_that_lost_its_last_writes_is_told_so() {
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
    c.fill(BTreeMap::from([(CARTS, vec![a.id(), b.id()])]));
    a.define(&all, false);
    a.put("ann", "tea", "2").await;
    b.define(&all, false);
    b.put("bob", "tea", "3").await;
    assert_eq!(c.until_filled().await, Some(CARTS));
    c.define(&all, false);
    c.fill(BTreeMap::new());
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
