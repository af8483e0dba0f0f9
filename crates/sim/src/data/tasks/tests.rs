//! Tests of polling by hand.

use std::future::{pending, poll_fn};
use std::task::Poll;

use super::Tasks;

#[test]
fn what_wakes_is_polled_in_the_order_of_spawning_and_what_waits_is_not() {
    let mut tasks = Tasks::default();
    for name in 0..3 {
        let mut turns = 3 - name;
        tasks.spawn(poll_fn(move |context| {
            turns -= 1;
            if turns == 0 {
                return Poll::Ready(name);
            }
            context.waker().wake_by_ref();
            Poll::Pending
        }));
    }
    tasks.spawn(pending());
    assert_eq!(tasks.run(), [2, 1, 0]);
    assert_eq!(tasks.run(), [0; 0]);
}
