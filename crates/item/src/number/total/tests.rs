//! Sums that are exact, and what they are rounded to.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(numbers: &[&str], expected: &str) {
    let mut total = Total::default();
    for text in numbers {
        total.add(Number::parse(text).expect("a number"));
    }
    let expected = Number::parse(expected).expect("a number");
    assert_eq!(total.rounded(), expected, "{numbers:?}");
}

#[test]
fn sums_are_exact_and_rounded_once() {
    check(&[], "0");
    check(&["1", "-1"], "0");
    check(&["-3", "1.5"], "-1.5");
    check(&["1e125", "1e-130", "-1e125"], "1e-130");
    check(&["-1e125", "-1e-130", "1e125"], "-1e-130");
    check(&["99999999999999999999999999999999999999", "1"], "1e38");
    check(&["1e38", "1.4"], "1e38");
    check(
        &["12345678901234567890123456789012345678", "0.5"],
        "12345678901234567890123456789012345679",
    );
    check(
        &["9e125", "9e125"],
        "9.9999999999999999999999999999999999999e125",
    );
    check(
        &["-9e125", "-9e125"],
        "-9.9999999999999999999999999999999999999e125",
    );
}

proptest! {
    #[test]
    fn a_sum_that_fits_is_the_number_s_own(one in any::<i64>(), two in any::<i64>(), by in -60_i16..60) {
        let number = |integer: i64| Number::parse(&format!("{integer}e{by}")).expect("fits");
        let mut total = Total::default();
        total.add(number(one));
        total.add(number(two));
        prop_assert_eq!(total.rounded(), number(one).checked_add(number(two)).expect("fits"));
    }
}
