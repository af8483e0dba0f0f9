//! Tests of waiting: never too early, everybody woken.

use std::time::Duration;

use clock::time::Moment;

use super::Pace;

#[tokio::test]
async fn nobody_wakes_early_and_everybody_wakes() {
    let pace = Pace::precise().expect("a thread");
    let start = pace.now();
    let waits = [900, 100, 500, 0, 100, 1_700].map(Duration::from_micros);
    let mut tasks = Vec::new();
    for wait in waits {
        let pace = pace.clone();
        tasks.push(async move {
            pace.until(start + wait).await;
            assert!(start + wait <= pace.now(), "woken early");
        });
    }
    for task in tasks {
        task.await;
    }
}

#[tokio::test]
async fn a_sleeper_that_gave_up_is_no_hindrance() {
    let pace = Pace::precise().expect("a thread");
    let soon = pace.now() + Duration::from_micros(300);
    let later = soon + Duration::from_micros(300);
    {
        let given_up = pace.until(soon);
        tokio::pin!(given_up);
        tokio::select! {
            biased;
            () = &mut given_up => {}
            () = std::future::ready(()) => {}
        }
    }
    pace.until(later).await;
    assert!(later <= pace.now());
}

#[tokio::test(start_paused = true)]
async fn the_runtime_pace_follows_a_paused_clock() {
    let pace = Pace::of_runtime();
    pace.until(Moment::default() + Duration::from_hours(9))
        .await;
    assert!(Moment::default() + Duration::from_hours(9) <= pace.now());
}
