//! Ids and times against known ones.

use super::*;

#[track_caller]
fn check_time(seconds: i64, expect: &str) {
    assert_eq!(log_time(WallTime::from_micros(seconds * 1_000_000)), expect);
}

#[test]
fn times_are_those_of_the_calendar() {
    check_time(0, "01/Jan/1970:00:00:00 +0000");
    check_time(1_584_039_838, "12/Mar/2020:19:03:58 +0000");
    check_time(1_582_934_400, "29/Feb/2020:00:00:00 +0000");
    check_time(1_583_020_799, "29/Feb/2020:23:59:59 +0000");
    check_time(951_868_800, "01/Mar/2000:00:00:00 +0000");
    check_time(4_107_542_399, "28/Feb/2100:23:59:59 +0000");
    check_time(4_107_542_400, "01/Mar/2100:00:00:00 +0000");
    check_time(-1, "31/Dec/1969:23:59:59 +0000");
}

#[test]
fn ids_are_read_as_they_are_written() {
    let id = RequestId::new(0x0123_4567_89ab_cdef, u64::MAX);
    assert_eq!(RequestId::parse(id.as_str()), Some(id));
    assert_eq!(id.as_str().len(), RequestId::LENGTH);
    assert!(id.as_str().ends_with('='));
    assert_ne!(id, RequestId::new(0, u64::MAX));
    assert_eq!(RequestId::parse("short="), None);
    assert_eq!(RequestId::parse("AAAAAAAAAAAAAA\r\n"), None);
}
