//! Lookups that hang.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

#[tokio::test]
async fn lookups_that_hang_take_a_bounded_number_of_threads() {
    let lookups = Lookups::new();
    let gate = Arc::new(Barrier::new(LOOKUPS_MAX + 1));
    let begun = Arc::new(AtomicUsize::new(0));
    for _ in 0..LOOKUPS_MAX * 2 {
        let (gate, begun) = (Arc::clone(&gate), Arc::clone(&begun));
        let looking = lookups.run(move || {
            begun.fetch_add(1, Ordering::SeqCst);
            gate.wait();
        });
        // Whoever asks gives up at once.
        tokio::select! {
            biased;
            _ = looking => panic!("it hangs"),
            () = tokio::task::yield_now() => {}
        }
    }
    assert_eq!(lookups.0.available_permits(), 0);
    let open = tokio::task::spawn_blocking(move || gate.wait());
    open.await.unwrap();
    let all = u32::try_from(LOOKUPS_MAX).unwrap();
    drop(lookups.0.acquire_many(all).await.unwrap());
    assert_eq!(begun.load(Ordering::SeqCst), LOOKUPS_MAX);
}

#[tokio::test]
async fn a_name_of_this_machine_is_found() {
    let found = Lookups::new().ipv4("localhost".to_owned(), 80).await;
    assert_eq!(found, Some(SocketAddr::from(([127, 0, 0, 1], 80))));
}
