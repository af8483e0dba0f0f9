//! Whom a guarded dialer connects, and whom it does not.

use std::net::Ipv4Addr;

use tokio::net::TcpListener;

use super::*;

const PATIENCE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_guard_keeps_users_off_this_machine_and_lets_its_own_parts_through() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let target = listener.local_addr().unwrap();
    let open = Dialer::default();
    open.connect_for_user(target, PATIENCE).await.unwrap();
    let guarded = Dialer::default().guarded();
    let refused = guarded.connect_for_user(target, PATIENCE).await;
    let kind = refused.unwrap_err().kind();
    assert_eq!(kind, io::ErrorKind::PermissionDenied);
    guarded.connect(target, PATIENCE).await.unwrap();
}

#[test]
fn addresses_of_one_machine_are_told_from_those_of_networks() {
    for address in [
        "127.0.0.1",
        "127.9.9.9",
        "0.0.0.0",
        "0.1.2.3",
        "169.254.169.254",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "fe80::1",
        "ff02::1",
        "fd00:ec2::254",
    ] {
        assert!(is_of_this_machine(address.parse().unwrap()), "{address}");
    }
    for address in [
        "10.0.0.1",
        "192.168.1.1",
        "203.0.113.1",
        "2001:db8::1",
        "fd12:3456::1",
    ] {
        assert!(!is_of_this_machine(address.parse().unwrap()), "{address}");
    }
}
