//! Tests of the date formats.

use clock::time::WallTime;
use proptest::prelude::{ProptestConfig, proptest};
use proptest::{prop_assert_eq, prop_assume};
use serde_json::Number;

use super::{
    basic, epoch, http_date, iso_millis, iso_offset, iso_seconds, parse_basic, parse_epoch,
    parse_http_date, parse_iso,
};

/// 2015-08-30 12:36:00.789 UTC.
const SAMPLE: WallTime = WallTime::from_micros(1_440_938_160_789_000);

#[test]
fn one_time_in_every_form() {
    assert_eq!(basic(SAMPLE), "20150830T123600Z");
    assert_eq!(iso_millis(SAMPLE), "2015-08-30T12:36:00.789Z");
    assert_eq!(iso_seconds(SAMPLE), "2015-08-30T12:36:00Z");
    assert_eq!(iso_offset(SAMPLE), "2015-08-30T12:36:00.789+0000");
    assert_eq!(http_date(SAMPLE), "Sun, 30 Aug 2015 12:36:00 GMT");
    assert_eq!(epoch(SAMPLE).to_string(), "1440938160.789");
}

#[test]
fn leap_days_and_ends_of_years() {
    for text in [
        "19700101T000000Z",
        "20000229T235959Z",
        "20240229T120000Z",
        "20991231T235959Z",
        "19991231T235959Z",
        "21000228T000000Z",
    ] {
        let time = parse_basic(text).unwrap_or_else(|| panic!("{text} is a date"));
        assert_eq!(basic(time), text);
    }
}

#[test]
fn dates_that_do_not_exist_are_refused() {
    for text in [
        "20230229T000000Z",
        "21000229T000000Z",
        "20231301T000000Z",
        "20230001T000000Z",
        "20230100T000000Z",
        "20230101T240000Z",
        "20230101T006000Z",
        "20230101T000000",
        "20230101000000Z",
        "2023-01-01T00:00:00Z",
        "+0230101T000000Z",
        "20230101T0000ö0Z",
        "",
    ] {
        assert_eq!(parse_basic(text), None, "{text}");
    }
}

#[test]
fn iso_takes_fractions_and_offsets() {
    assert_eq!(parse_iso("2015-08-30T12:36:00.789Z"), Some(SAMPLE));
    assert_eq!(parse_iso("2015-08-30T14:36:00.789+02:00"), Some(SAMPLE));
    assert_eq!(parse_iso("2015-08-30T07:06:00.789-0530"), Some(SAMPLE));
    for text in [
        "2015-08-30",
        "2015-08-30T12:36Z",
        "2015-08-30T12:36:00.Z",
        "T",
        "TZ",
    ] {
        assert_eq!(parse_iso(text), None, "{text}");
    }
}

#[test]
fn http_dates_are_read_strictly() {
    let whole = WallTime::from_micros(1_440_938_160_000_000);
    assert_eq!(
        parse_http_date("Sun, 30 Aug 2015 12:36:00 GMT"),
        Some(whole)
    );
    for text in [
        "Sun, 30 Aug 2015 12:36:00",
        "Sunday, 30-Aug-15 12:36:00 GMT",
        "Sun, 31 Feb 2015 12:36:00 GMT",
    ] {
        assert_eq!(parse_http_date(text), None, "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_form_reads_back(secs in -62_135_596_800_i64..253_402_300_799, millis in 0_i64..1_000) {
        let time = WallTime::from_micros((secs * 1_000 + millis) * 1_000);
        let whole = WallTime::from_micros(secs * 1_000_000);
        prop_assert_eq!(parse_basic(&basic(time)), Some(whole));
        prop_assert_eq!(parse_iso(&iso_millis(time)), Some(time));
        prop_assert_eq!(parse_iso(&iso_offset(time)), Some(time));
        prop_assert_eq!(parse_http_date(&http_date(time)), Some(whole));
    }

    #[test]
    fn epoch_numbers_read_back(millis in 0_i64..32_503_680_000_000) {
        let time = WallTime::from_micros(millis * 1_000);
        let read = parse_epoch(&epoch(time)).map(WallTime::as_micros);
        prop_assert_eq!(read.map(|micros| (micros + 500).div_euclid(1_000)), Some(millis));
    }

    #[test]
    fn later_times_sort_later(a in 0_i64..4_102_444_800, b in 0_i64..4_102_444_800) {
        prop_assume!(a < b);
        let text = |secs: i64| basic(WallTime::from_micros(secs * 1_000_000));
        prop_assert_eq!(text(a).cmp(&text(b)), std::cmp::Ordering::Less);
    }
}

#[test]
fn numbers_out_of_range_are_no_times() {
    assert_eq!(parse_epoch(&Number::from(i64::MAX)), None);
    assert_eq!(parse_epoch(&Number::from_f64(1e300).expect("finite")), None);
}
