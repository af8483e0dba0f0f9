//! Tests of durations, sizes and networks.

use std::time::Duration;

use super::{duration, memory_mib, subnet};

#[test]
fn durations() {
    let ok = |text: &str, micros| assert_eq!(duration(text), Ok(Duration::from_micros(micros)));
    ok("200ms", 200_000);
    ok("1.5 s", 1_500_000);
    ok("0.4ms", 400);
    ok("2m", 120_000_000);
    ok("1d", 86_400_000_000);
    let no = |text: &str, why: &str| assert_eq!(duration(text), Err(why.to_owned()));
    no("5", "it has no unit (ms, s, m, h)");
    no("5 sec", "unknown unit `sec` (ms, s, m, h)");
    no("-1s", "unknown unit `-1s` (ms, s, m, h)");
    no("1.2.3s", "`1.2.3` is no number");
    no(
        "99999999999999999999s",
        "`99999999999999999999` is no number",
    );
    no("999999999999999999d", "it is too long");
}

#[test]
fn sizes() {
    assert_eq!(memory_mib("256 MiB"), Some(256));
    assert_eq!(memory_mib("1GB"), Some(1024));
    assert_eq!(memory_mib("256"), None);
    assert_eq!(memory_mib("256 KiB"), None);
    assert_eq!(memory_mib("MiB"), None);
}

#[test]
fn networks() {
    let shown = |text: &str| subnet(text).map(|network| network.to_string());
    assert_eq!(shown("203.0.113.0/24").as_deref(), Ok("203.0.113.0/24"));
    assert_eq!(shown("0.0.0.0/0").as_deref(), Ok("0.0.0.0/0"));
    assert_eq!(shown("2001:db8::/32").as_deref(), Ok("2001:db8::/32"));
    let meant = |text: &str| {
        subnet(text)
            .unwrap_err()
            .1
            .map(|network| network.to_string())
    };
    assert_eq!(meant("203.0.113.9/24").as_deref(), Some("203.0.113.0/24"));
    assert_eq!(meant("203.0.113.9").as_deref(), Some("203.0.113.0/24"));
    assert_eq!(meant("203.0.113.0/33"), None);
    assert_eq!(meant("nonsense/8"), None);
}
