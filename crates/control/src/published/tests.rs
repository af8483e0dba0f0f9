//! Tests of waiting for those who publish.

use tokio::sync::watch;

use super::Published;

#[tokio::test]
async fn a_change_waits_for_all_who_publish_and_for_nobody_who_is_gone() {
    let published = Published::default();
    let (generation, watch) = watch::channel(0);
    let mut one = published.join(watch.clone());
    let gone = published.join(watch.clone());
    let mut two = published.join(watch);
    drop(gone);
    generation.send_replace(1);
    let mut waiting = std::pin::pin!(published.reached(1));
    for follower in [&mut one, &mut two] {
        tokio::select! {
            biased;
            () = &mut waiting => panic!("not everybody has published"),
            () = tokio::task::yield_now() => {}
        }
        assert!(follower.changed().await);
        follower.published();
        tokio::select! {
            biased;
            () = &mut waiting => panic!("what it published was made before"),
            () = tokio::task::yield_now() => {}
        }
        follower.look();
        follower.published();
    }
    waiting.await;
    published.reached(1).await;
}
