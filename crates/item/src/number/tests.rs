//! Tests of numbers: reading, printing, arithmetic, order.

use proptest::prelude::*;

use super::{Number, NumberError, NumberRef};

#[track_caller]
fn reads(text: &str, printed: &str) {
    let number = Number::parse(text).unwrap();
    assert_eq!(number.to_string(), printed, "{text}");
    assert_eq!(Number::parse(printed), Ok(number), "{text}");
}

#[track_caller]
fn refuses(text: &str, error: NumberError) {
    assert_eq!(Number::parse(text), Err(error), "{text}");
}

fn number(text: &str) -> Number {
    Number::parse(text).unwrap()
}

#[test]
fn reads_what_dynamodb_reads_and_prints_its_normal_form() {
    reads("0", "0");
    reads("-0", "0");
    reads("0E500", "0");
    reads("0000.0000", "0");
    reads("1E2", "100");
    reads("+007", "7");
    reads("1.50", "1.5");
    reads(".5", "0.5");
    reads("5.", "5");
    reads("-12.30e1", "-123");
    reads("1e-3", "0.001");
    reads("100", "100");
    reads("10.01", "10.01");
    reads(&"9".repeat(38), &"9".repeat(38));
    reads(
        &format!("{}.{}", "0".repeat(80), "1".repeat(38)),
        &format!("0.{}", "1".repeat(38)),
    );
    reads("1E125", &format!("1{}", "0".repeat(125)));
    reads("1E-130", &format!("0.{}1", "0".repeat(129)));
    let digits = "1".repeat(38);
    reads(&format!("{digits}00000"), &format!("{digits}00000"));
}

#[test]
fn refuses_what_dynamodb_refuses() {
    let not_numeric = |text: &str| {
        refuses(
            text,
            NumberError::NotNumeric {
                text: text.to_owned(),
            },
        );
    };
    for text in [
        "", ".", "-", "+", "e5", "1e", "1e+", "1.2.3", "0x10", "NaN", " 1", "1 ", "1e5.5", "--1",
        "1_0", "١",
    ] {
        not_numeric(text);
    }
    refuses(&"1".repeat(39), NumberError::TooPrecise);
    refuses(&format!("1{}1", "0".repeat(37)), NumberError::TooPrecise);
    refuses("1E126", NumberError::Overflow);
    refuses("-1E126", NumberError::Overflow);
    refuses("1E99999999999999999999999", NumberError::Overflow);
    refuses("9E-131", NumberError::Underflow);
    refuses("1E-99999999999999999999999", NumberError::Underflow);
}

#[test]
fn messages_are_dynamodbs() {
    let message = |text| Number::parse(text).unwrap_err().to_string();
    assert_eq!(
        message(""),
        "The parameter cannot be converted to a numeric value"
    );
    assert_eq!(
        message("b"),
        "The parameter cannot be converted to a numeric value: b"
    );
}

#[test]
fn sums_are_exact_or_refused() {
    let sum = |one, two| {
        number(one)
            .checked_add(number(two))
            .map(|sum| sum.to_string())
    };
    assert_eq!(sum("0.1", "0.2").as_deref(), Ok("0.3"));
    assert_eq!(
        sum("1E37", "1").as_deref(),
        Ok(format!("1{}1", "0".repeat(36)).as_str())
    );
    assert_eq!(sum("1E38", "1"), Err(NumberError::TooPrecise));
    assert_eq!(sum("1E125", "1E-130"), Err(NumberError::TooPrecise));
    assert_eq!(sum("1E125", "-1E-130"), Err(NumberError::TooPrecise));
    assert_eq!(sum("5E125", "5E125"), Err(NumberError::Overflow));
    assert_eq!(sum("1.1E-130", "-1E-130"), Err(NumberError::Underflow));
    assert_eq!(sum("5", "-5").as_deref(), Ok("0"));
    // 39 digits before the subtraction, 38 after it.
    let nines = "9".repeat(38);
    assert_eq!(sum("1E38", "-1").as_deref(), Ok(nines.as_str()));
    assert_eq!(
        sum("-1E38", "1").as_deref(),
        Ok(format!("-{nines}").as_str())
    );
}

#[test]
fn bytes_that_are_no_number_are_refused() {
    for bytes in [
        &[][..],
        &[0x10],
        &[0x13],
        &[0x13, 130],
        &[0x13, 130, 0],          // no digit
        &[0x13, 130, 2, 0],       // the first digit is 0
        &[0x13, 130, 11, 1, 0],   // the last pair is 0
        &[0x13, 130, 102, 0],     // a pair of 101
        &[0x13, 130, 12],         // no end
        &[0x11, !130, !12, 0x00], // the other sign's end
    ] {
        assert!(Number::decode(bytes).is_err(), "{bytes:?}");
    }
    let mut long = vec![0x13, 130];
    long.extend([12; 20]);
    long.push(0);
    assert!(Number::decode(&long).is_err());
}

fn any_number() -> impl Strategy<Value = Number> {
    let small = (-2000_i64..2000).prop_map(Number::from);
    let wide = ("-?[0-9]{1,38}", -130_i32..100).prop_filter_map("in range", |(digits, power)| {
        Number::parse(&format!("{digits}E{power}")).ok()
    });
    prop_oneof![small, wide]
}

proptest! {
    #[test]
    fn text_and_bytes_lead_back(number in any_number()) {
        prop_assert_eq!(Number::parse(&number.to_string()), Ok(number));
        let mut bytes = Vec::new();
        number.encode_into(&mut bytes);
        prop_assert!(bytes.len() <= 22);
        bytes.push(7);
        prop_assert_eq!(Number::decode(&bytes), Ok((number, &[7_u8][..])));
        let mut text = Vec::new();
        NumberRef::read(&bytes).unwrap().0.text_into(&mut text);
        prop_assert_eq!(String::from_utf8(text).unwrap(), number.to_string());
    }

    #[test]
    fn the_order_of_bytes_is_the_order_of_numbers(one in any_number(), two in any_number()) {
        let bytes = |number: Number| {
            let mut out = Vec::new();
            number.encode_into(&mut out);
            out
        };
        prop_assert_eq!(bytes(one).cmp(&bytes(two)), one.cmp(&two));
        prop_assert_eq!(one.cmp(&two), two.cmp(&one).reverse());
        if let Ok(difference) = one.checked_sub(two) {
            prop_assert_eq!(one.cmp(&two), difference.cmp(&Number::ZERO));
        }
    }

    #[test]
    fn small_sums_agree_with_machine_integers(
        one in -1_000_000_000_000_i64..1_000_000_000_000,
        two in -1_000_000_000_000_i64..1_000_000_000_000,
        scale in 0_u32..12,
    ) {
        // The fixed-point sum of one and two, each with `scale` decimals.
        let fixed = |value: i128| {
            let text = format!("{value}E-{scale}");
            Number::parse(&text).unwrap()
        };
        let (a, b) = (i128::from(one), i128::from(two));
        prop_assert_eq!(fixed(a).checked_add(fixed(b)), Ok(fixed(a + b)));
        prop_assert_eq!(fixed(a).checked_sub(fixed(b)), Ok(fixed(a - b)));
        prop_assert_eq!(fixed(a).cmp(&fixed(b)), one.cmp(&two));
        prop_assert_eq!(Number::from(one).to_i64(), Some(one));
    }

    #[test]
    fn no_bytes_break_the_decoder(bytes in proptest::collection::vec(any::<u8>(), 0..30)) {
        if let Ok((number, rest)) = Number::decode(&bytes) {
            let mut again = Vec::new();
            number.encode_into(&mut again);
            again.extend_from_slice(rest);
            prop_assert_eq!(again, bytes);
        }
    }

    #[test]
    fn no_text_breaks_the_parser(text in "[-+0-9.eE]{0,60}") {
        if let Ok(number) = Number::parse(&text) {
            prop_assert_eq!(Number::parse(&number.to_string()), Ok(number));
        }
    }
}
