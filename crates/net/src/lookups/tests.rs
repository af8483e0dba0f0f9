//! Lookups that hang, and those that do not.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// How many names may be looked up at a time here.
const MAX: usize = 3;

/// Lookups that hang at a gate until `MAX` of them and the test are there; and how many began.
fn hanging() -> (Lookups, Arc<Barrier>, Arc<AtomicUsize>) {
    let gate = Arc::new(Barrier::new(MAX + 1));
    let begun = Arc::new(AtomicUsize::new(0));
    let (hold, count) = (Arc::clone(&gate), Arc::clone(&begun));
    let look = move |_: &str, port| {
        count.fetch_add(1, Ordering::SeqCst);
        hold.wait();
        Ok(vec![SocketAddr::from(([192, 0, 2, 1], port))])
    };
    (Lookups::with(MAX, Box::new(look)), gate, begun)
}

async fn open(gate: Arc<Barrier>) {
    let opened = tokio::task::spawn_blocking(move || gate.wait());
    opened.await.expect("opened");
}

/// Asks for a name, and gives up at once.
async fn give_up(lookups: &Lookups, name: &str) {
    tokio::select! {
        biased;
        _ = lookups.addresses(name, 80) => panic!("it hangs"),
        () = tokio::task::yield_now() => {}
    }
}

#[tokio::test]
async fn lookups_that_hang_take_a_bounded_number_of_threads() {
    let (lookups, gate, begun) = hanging();
    for number in 0..MAX * 3 {
        give_up(&lookups, &format!("{number}.test")).await;
    }
    assert_eq!(lookups.0.places.available_permits(), 0);
    open(gate).await;
    let all = u32::try_from(MAX).expect("few");
    drop(lookups.0.places.acquire_many(all).await.expect("open"));
    assert_eq!(begun.load(Ordering::SeqCst), MAX);
    assert!(lookups.0.under_way().is_empty(), "nothing is under way");
}

#[tokio::test]
async fn a_name_that_hangs_holds_one_place_and_answers_all_that_wait() {
    let (lookups, gate, begun) = hanging();
    for _ in 0..MAX * 3 {
        give_up(&lookups, "silent.test").await;
    }
    assert_eq!(lookups.0.places.available_permits(), MAX - 1);
    for number in 1..MAX {
        give_up(&lookups, &format!("{number}.test")).await;
    }
    let (one, two, ()) = tokio::join!(
        lookups.addresses("silent.test", 80),
        lookups.addresses("silent.test", 80),
        open(gate),
    );
    assert_eq!(one.expect("found"), two.expect("found"));
    assert_eq!(begun.load(Ordering::SeqCst), MAX);
}

#[tokio::test]
async fn who_waits_for_one_that_gave_up_is_answered_too() {
    let (lookups, gate, _) = hanging();
    for number in 0..MAX {
        give_up(&lookups, &format!("{number}.test")).await;
    }
    // Both wait for a place, the second for the first; the first leaves.
    let first = lookups.addresses("late.test", 80);
    let mut first = Box::pin(first);
    tokio::select! {
        biased;
        _ = &mut first => panic!("there is no place"),
        () = tokio::task::yield_now() => {}
    }
    let mut second = Box::pin(lookups.addresses("late.test", 80));
    tokio::select! {
        biased;
        _ = &mut second => panic!("there is no place"),
        () = tokio::task::yield_now() => {}
    }
    drop(first);
    open(Arc::clone(&gate)).await;
    // The gate opens for as many again.
    let (found, _, _, ()) = tokio::join!(
        second,
        lookups.addresses("1.test", 81),
        lookups.addresses("2.test", 81),
        open(gate),
    );
    assert_eq!(found.expect("found").len(), 1);
}

#[tokio::test]
async fn a_name_of_this_machine_is_found_and_an_address_is_its_own() {
    let lookups = Lookups::new(1);
    let found = lookups.addresses("localhost", 80).await.expect("found");
    assert!(
        found.iter().all(|address| address.ip().is_loopback()),
        "{found:?}"
    );
    let own = lookups
        .addresses("192.0.2.7", 80)
        .await
        .expect("an address");
    assert_eq!(own, [SocketAddr::from(([192, 0, 2, 7], 80))]);
    let error = lookups.addresses("no such name", 80).await;
    assert!(error.is_err(), "{error:?}");
}
