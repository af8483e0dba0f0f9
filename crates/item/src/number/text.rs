//! Numbers as text: what a request may say, and what an answer prints.

use super::{Number, NumberError};
use crate::limits::NUMBER_DIGITS_MAX;

/// Reads a decimal number.
pub(super) fn parse(text: &str) -> Result<Number, NumberError> {
    let not_numeric = || NumberError::NotNumeric {
        text: text.to_owned(),
    };
    let (negative, unsigned) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] | rest => (false, rest),
    };
    let mark = unsigned.iter().position(|byte| matches!(byte, b'e' | b'E'));
    let (mantissa, power) = match mark.map(|at| unsigned.split_at(at)) {
        Some((mantissa, [_, power @ ..])) => (mantissa, Some(power)),
        Some(_) | None => (unsigned, None),
    };
    let written = match power {
        Some(power) => signed_power(power).ok_or_else(not_numeric)?,
        None => 0,
    };
    let digits = significant(mantissa).ok_or_else(not_numeric)?;
    if digits.magnitude == 0 {
        return Ok(Number::ZERO);
    }
    if digits.count > NUMBER_DIGITS_MAX {
        return Err(NumberError::TooPrecise);
    }
    Number::normal(
        negative,
        digits.magnitude,
        written.saturating_add(digits.exponent),
    )
}

/// The significant digits of a mantissa, without zeros at either end.
struct Significant {
    magnitude: u128,
    /// How many digits there are; the magnitude stops at 38 of them.
    count: usize,
    /// The power of ten of the last one.
    exponent: i64,
}

/// Reads digits with at most one point among them; `None` for anything else.
fn significant(mantissa: &[u8]) -> Option<Significant> {
    let mut magnitude = 0_u128;
    let (mut count, mut zeros) = (0_usize, 0_usize);
    let (mut any, mut point) = (false, false);
    let mut exponent = 0_i64;
    for byte in mantissa {
        match byte {
            b'.' if !point => point = true,
            b'0'..=b'9' => {
                any = true;
                exponent -= i64::from(point);
                if *byte == b'0' {
                    zeros += usize::from(count > 0);
                    continue;
                }
                count += zeros + 1;
                if count <= NUMBER_DIGITS_MAX {
                    let power = u32::try_from(zeros + 1).ok()?;
                    magnitude = magnitude * 10_u128.pow(power) + u128::from(byte - b'0');
                }
                zeros = 0;
            }
            _ => return None,
        }
    }
    // Zeros after the last digit were counted but not multiplied in.
    let exponent = exponent + i64::try_from(zeros).ok()?;
    any.then_some(Significant {
        magnitude,
        count,
        exponent,
    })
}

/// Reads what follows the `e`: an optional sign and digits. Saturates far outside the range.
fn signed_power(text: &[u8]) -> Option<i64> {
    let (sign, digits) = match text {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] | rest => (1, rest),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let power = digits.iter().fold(0_i64, |power, digit| {
        power
            .saturating_mul(10)
            .saturating_add(i64::from(digit - b'0'))
    });
    Some(sign * power.min(POWER_SATURATED))
}

/// Hands the number's text to `put`, in pieces.
pub(super) fn render(number: Number, put: impl FnMut(&str)) {
    let mut buf = [b'0'; NUMBER_DIGITS_MAX];
    let mut magnitude = number.coefficient.unsigned_abs();
    let digits = number.digits();
    // Machine words divide faster than 128 bits do, and nearly all numbers fit one.
    for slot in buf.iter_mut().take(digits).rev() {
        let digit = match u64::try_from(magnitude) {
            Ok(word) => {
                magnitude = u128::from(word / 10);
                word % 10
            }
            Err(_) => {
                let digit = magnitude % 10;
                magnitude /= 10;
                u64::try_from(digit).expect("a digit is below 10")
            }
        };
        *slot = b'0' + u8::try_from(digit).expect("a digit is below 10");
    }
    let text = str::from_utf8(buf.get(..digits).unwrap_or(&buf)).expect("digits are ASCII");
    if number.is_zero() {
        render_digits(false, "0", 0, put);
    } else {
        render_digits(number.is_negative(), text, number.power(), put);
    }
}

/// Hands the text of `digits`, the first of which stands for 10^`power`, to `put`.
pub(super) fn render_digits(negative: bool, digits: &str, power: i16, mut put: impl FnMut(&str)) {
    if negative {
        put("-");
    }
    let zeros = |count: usize| ZEROS.get(..count).unwrap_or(ZEROS);
    match usize::try_from(power) {
        Ok(power) if power + 1 >= digits.len() => {
            put(digits);
            put(zeros(power + 1 - digits.len()));
        }
        Ok(power) => {
            let (whole, fraction) = digits.split_at(power + 1);
            put(whole);
            put(".");
            put(fraction);
        }
        Err(_) => {
            put("0.");
            put(zeros(usize::from(power.unsigned_abs()) - 1));
            put(digits);
        }
    }
}

/// Beyond every power of ten that a number can have, however long its digits.
const POWER_SATURATED: i64 = 1 << 40;

/// As many zeros as a number in range can need. 130.
const ZEROS: &str = concat!(
    "00000000000000000000000000000000000000000000000000",
    "00000000000000000000000000000000000000000000000000",
    "000000000000000000000000000000",
);
