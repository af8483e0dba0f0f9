//! Tests of relays on the runtime's paused clock: order, integrity, cuts and ends.
//!
//! A paused clock jumps ahead when nothing is to be done, so a wait for "nothing comes" costs
//! nothing, and "not before" is exact. No test says how soon something comes.

mod tcp;
mod udp;

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;

use crate::links::Links;
use crate::relay::{Relay, RelayError};

/// Links of 100 ms one way between `a` and `b`.
fn links() -> Links {
    let links = Links::none().expect("a thread").on_runtime_clock();
    links.set_delay("a", "b", DELAY);
    links.set_delay("b", "a", DELAY);
    links
}

#[track_caller]
fn not_before(start: Instant, delay: Duration) {
    let elapsed = start.elapsed();
    assert!(delay <= elapsed, "there after {elapsed:?}, not {delay:?}");
}

#[tokio::test]
async fn places_without_a_link_have_no_relay() {
    let target = SocketAddr::from(([127, 0, 0, 1], 9));
    let links = Links::public().expect("the table").on_runtime_clock();
    let error = Relay::tcp(&links, "a", "nowhere", target).expect_err("no such link");
    assert!(matches!(error, RelayError::NotLinked { .. }));
    assert_eq!(
        error.to_string(),
        "open a relay: a and nowhere are not linked"
    );
}

#[tokio::test]
async fn one_port_for_both() {
    let target = SocketAddr::from(([127, 0, 0, 1], 9));
    let relay = Relay::tcp_and_udp(&links(), "a", "b", target).expect("a port");
    assert!(std::net::UdpSocket::bind(relay.address()).is_err());
    assert!(std::net::TcpListener::bind(relay.address()).is_err());
}

const DELAY: Duration = Duration::from_millis(100);
