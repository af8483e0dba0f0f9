//! Numbers as bytes whose order is the numbers' order.
//!
//! ```text
//! negative  0x11  !(power + 130)  !(pair + 1)…  0xff
//! zero      0x12
//! positive  0x13   (power + 130)   (pair + 1)…  0x00
//! ```
//!
//! `power` is the power of ten of the first digit and fills one byte exactly; a pair is two
//! digits, 0..=99. The form delimits itself, and is used for keys and for stored values alike.
//! It is on disk: it never changes.

use super::text::render_digits;
use super::{Number, NumberError};
use crate::limits::{NUMBER_DIGITS_MAX, NUMBER_POWER_MIN};

/// First byte of a negative number.
pub(crate) const NEGATIVE: u8 = 0x11;
/// The only byte of zero.
pub(crate) const ZERO: u8 = 0x12;
/// First byte of a positive number.
pub(crate) const POSITIVE: u8 = 0x13;

/// Bytes that are no number in its normal form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stored number is malformed")]
pub struct BadNumberBytes;

/// A number still in its stored bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberRef<'a> {
    class: u8,
    /// The power's byte, as stored.
    power: u8,
    /// The pairs' bytes, as stored, without the end mark.
    pairs: &'a [u8],
}

impl Number {
    /// Appends the order-preserving bytes of the number.
    ///
    /// Shape: 1 byte for zero, else 4..=22 bytes; no encoding is a prefix of another one.
    pub fn encode_into(self, out: &mut Vec<u8>) {
        if self.is_zero() {
            out.push(ZERO);
            return;
        }
        let mask = if self.is_negative() { 0xff } else { 0x00 };
        out.push(if self.is_negative() {
            NEGATIVE
        } else {
            POSITIVE
        });
        let power = u8::try_from(self.power() - NUMBER_POWER_MIN).expect("the power fits a byte");
        out.push(power ^ mask);
        let start = out.len();
        let mut rest = self.coefficient.unsigned_abs();
        if !self.digits().is_multiple_of(2) {
            rest *= 10; // 38 digits are even, so this is at most 38 again
        }
        while rest > 0 {
            let pair = match u64::try_from(rest) {
                Ok(word) => {
                    rest = u128::from(word / 100);
                    word % 100
                }
                Err(_) => {
                    let pair = rest % 100;
                    rest /= 100;
                    u64::try_from(pair).expect("a pair is below 100")
                }
            };
            out.push((u8::try_from(pair).expect("a pair is below 100") + 1) ^ mask);
        }
        if let Some(pairs) = out.get_mut(start..) {
            pairs.reverse();
        }
        out.push(mask);
    }

    /// Reads a number from the start of `bytes`, and returns what follows it.
    ///
    /// Errors: [`BadNumberBytes`] for anything that [`Number::encode_into`] does not write.
    pub fn decode(bytes: &[u8]) -> Result<(Self, &[u8]), BadNumberBytes> {
        let (number, rest) = NumberRef::read(bytes)?;
        Ok((number.to_number(), rest))
    }
}

impl<'a> NumberRef<'a> {
    /// Reads a number from the start of `bytes` without decoding it.
    ///
    /// Errors: [`BadNumberBytes`] for anything that [`Number::encode_into`] does not write.
    pub fn read(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), BadNumberBytes> {
        let (class, rest) = bytes.split_first().ok_or(BadNumberBytes)?;
        let mask = match *class {
            ZERO => {
                let zero = Self {
                    class: ZERO,
                    power: 0,
                    pairs: &[],
                };
                return Ok((zero, rest));
            }
            NEGATIVE => 0xff,
            POSITIVE => 0x00,
            _ => return Err(BadNumberBytes),
        };
        let (power, rest) = rest.split_first().ok_or(BadNumberBytes)?;
        let end = rest
            .iter()
            .take(PAIRS_MAX + 1)
            .position(|byte| *byte == mask)
            .ok_or(BadNumberBytes)?;
        let (pairs, rest) = rest.split_at_checked(end).ok_or(BadNumberBytes)?;
        let pair = |byte: &u8| (byte ^ mask) - 1; // not the end mark, so at least 1
        let normal = pairs.iter().all(|byte| pair(byte) < 100)
            && pairs.first().is_some_and(|byte| pair(byte) >= 10)
            && pairs.last().is_some_and(|byte| pair(byte) != 0);
        if !normal {
            return Err(BadNumberBytes);
        }
        let number = Self {
            class: *class,
            power: *power,
            pairs,
        };
        Ok((number, rest.get(1..).unwrap_or_default()))
    }

    /// Returns the number.
    pub fn to_number(self) -> Number {
        if self.class == ZERO {
            return Number::ZERO;
        }
        let magnitude = self
            .pairs()
            .fold(0_u128, |magnitude, pair| magnitude * 100 + u128::from(pair));
        let digits = i64::try_from(self.pairs.len() * 2).expect("at most 38 digits");
        let exponent = i64::from(self.power()) + 1 - digits;
        let number: Result<Number, NumberError> =
            Number::normal(self.class == NEGATIVE, magnitude, exponent);
        number.expect("the pairs and the power were checked when read")
    }

    /// Appends the number's text, as [`Number`]'s `Display` prints it, without decoding it.
    pub fn text_into(self, out: &mut Vec<u8>) {
        let mut buf = [0_u8; NUMBER_DIGITS_MAX];
        for (slot, pair) in buf.chunks_exact_mut(2).zip(self.pairs()) {
            slot.copy_from_slice(&[b'0' + pair / 10, b'0' + pair % 10]);
        }
        let odd = usize::from(self.pairs().last().is_some_and(|pair| pair % 10 == 0));
        let digits = buf.get(..self.pairs.len() * 2 - odd).unwrap_or_default();
        let digits = str::from_utf8(digits).expect("digits are ASCII");
        let put = |part: &str| out.extend_from_slice(part.as_bytes());
        if self.class == ZERO {
            render_digits(false, "0", 0, put);
        } else {
            render_digits(self.class == NEGATIVE, digits, self.power(), put);
        }
    }

    fn pairs(self) -> impl Iterator<Item = u8> + use<'a> {
        let mask = self.mask();
        self.pairs.iter().map(move |byte| (byte ^ mask) - 1)
    }

    fn power(self) -> i16 {
        i16::from(self.power ^ self.mask()) + NUMBER_POWER_MIN
    }

    fn mask(self) -> u8 {
        if self.class == NEGATIVE { 0xff } else { 0x00 }
    }
}

/// Most pairs of a number. 19.
const PAIRS_MAX: usize = NUMBER_DIGITS_MAX / 2;
