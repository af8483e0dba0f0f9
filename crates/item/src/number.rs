//! Exact decimal numbers with 38 significant digits, and their byte order.
//!
//! No binary floating point is involved anywhere.
//! Source: DynamoDB developer guide, "Data types" (number).

use std::cmp::Ordering;
use std::fmt;

use crate::limits::{NUMBER_DIGITS_MAX, NUMBER_POWER_MAX, NUMBER_POWER_MIN};

mod bytes;
mod text;
mod total;

pub use bytes::{BadNumberBytes, NumberRef};
pub use total::Total;

pub(crate) use bytes::{NEGATIVE, POSITIVE, ZERO};

/// An exact decimal number, always in its one normal form.
///
/// Shape: `coefficient × 10^exponent`; the coefficient does not end in the digit 0, and zero is
/// `0 × 10^0`. The first digit's power of ten lies in -130..=125.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Number {
    coefficient: i128,
    exponent: i16,
}

/// A text or a result that is no number DynamoDB can hold. `Display` is DynamoDB's own wording.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// The text is no decimal number.
    #[error(
        "The parameter cannot be converted to a numeric value{}{text}",
        colon(text)
    )]
    NotNumeric {
        /// The text, empty where it was empty.
        text: String,
    },
    /// The number needs more than 38 digits.
    #[error("Attempting to store more than 38 significant digits in a Number")]
    TooPrecise,
    /// The number is 1E+126 or more away from zero.
    #[error(
        "Number overflow. Attempting to store a number with magnitude larger than supported range"
    )]
    Overflow,
    /// The number is not zero, but nearer to it than 1E-130.
    #[error(
        "Number underflow. Attempting to store a number with magnitude smaller than supported range"
    )]
    Underflow,
}

impl Number {
    /// The number zero.
    pub const ZERO: Self = Self {
        coefficient: 0,
        exponent: 0,
    };

    /// Reads a decimal number: sign, digits with at most one point, power of ten after `e`.
    ///
    /// Errors: [`NumberError`], as DynamoDB tells them apart.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        text::parse(text)
    }

    /// Returns the sum, exactly.
    ///
    /// Errors: [`NumberError`] when the exact sum does not fit.
    pub fn checked_add(self, other: Self) -> Result<Self, NumberError> {
        if self.coefficient == 0 {
            return Ok(other);
        }
        if other.coefficient == 0 {
            return Ok(self);
        }
        let (high, low) = if self.exponent >= other.exponent {
            (self, other)
        } else {
            (other, self)
        };
        // The low number's last digit is not 0 and survives in the sum, so a sum whose aligned
        // parts leave 128 bits (3.4E38) has more than 38 digits: the difference of 2E38 and a
        // 38-digit number does already.
        let shift = u32::from(high.exponent.abs_diff(low.exponent));
        let aligned = 10_u128
            .checked_pow(shift)
            .and_then(|power| high.coefficient.unsigned_abs().checked_mul(power))
            .ok_or(NumberError::TooPrecise)?;
        let small = low.coefficient.unsigned_abs();
        let (negative, magnitude) = if high.is_negative() == low.is_negative() {
            let sum = aligned.checked_add(small).ok_or(NumberError::TooPrecise)?;
            (high.is_negative(), sum)
        } else if aligned >= small {
            (high.is_negative(), aligned - small)
        } else {
            (low.is_negative(), small - aligned)
        };
        Self::normal(negative, magnitude, i64::from(low.exponent))
    }

    /// Returns the difference, exactly.
    ///
    /// Errors: [`NumberError`] when the exact difference does not fit.
    pub fn checked_sub(self, other: Self) -> Result<Self, NumberError> {
        self.checked_add(other.negated())
    }

    /// Returns the number with the other sign; zero stays zero.
    pub const fn negated(self) -> Self {
        Self {
            coefficient: -self.coefficient,
            exponent: self.exponent,
        }
    }

    /// Returns whether the number is below zero.
    pub const fn is_negative(self) -> bool {
        self.coefficient < 0
    }

    /// Returns whether the number is zero.
    pub const fn is_zero(self) -> bool {
        self.coefficient == 0
    }

    /// Returns the number as an integer; `None` for fractions and for what does not fit.
    pub fn to_i64(self) -> Option<i64> {
        let power = 10_i128.checked_pow(u32::try_from(self.exponent).ok()?)?;
        i64::try_from(self.coefficient.checked_mul(power)?).ok()
    }

    /// Returns the number of significant digits; 0 for zero.
    pub fn digits(self) -> usize {
        digits(self.coefficient.unsigned_abs())
    }

    /// Returns the power of ten of the last significant digit.
    pub(crate) const fn exponent(self) -> i16 {
        self.exponent
    }

    /// Returns the power of ten of the first digit; meaningless for zero.
    fn power(self) -> i16 {
        let digits = i16::try_from(self.digits()).expect("a number has at most 38 digits");
        self.exponent + digits - 1
    }

    /// Brings a sign, digits and a power of ten into normal form, if they fit.
    fn normal(negative: bool, magnitude: u128, exponent: i64) -> Result<Self, NumberError> {
        if magnitude == 0 {
            return Ok(Self::ZERO);
        }
        let (mut magnitude, mut exponent) = (magnitude, exponent);
        while magnitude.is_multiple_of(10) {
            magnitude /= 10;
            exponent += 1;
        }
        let digits = digits(magnitude);
        if digits > NUMBER_DIGITS_MAX {
            return Err(NumberError::TooPrecise);
        }
        let power = exponent + i64::try_from(digits).expect("at most 39 digits") - 1;
        if power > i64::from(NUMBER_POWER_MAX) {
            return Err(NumberError::Overflow);
        }
        if power < i64::from(NUMBER_POWER_MIN) {
            return Err(NumberError::Underflow);
        }
        let coefficient = i128::try_from(magnitude).expect("38 digits fit in 127 bits");
        Ok(Self {
            coefficient: if negative { -coefficient } else { coefficient },
            exponent: i16::try_from(exponent).expect("the power and the digits are in range"),
        })
    }
}

impl From<i64> for Number {
    fn from(integer: i64) -> Self {
        Self::normal(integer < 0, u128::from(integer.unsigned_abs()), 0)
            .expect("an i64 has at most 19 digits")
    }
}

impl From<u64> for Number {
    fn from(integer: u64) -> Self {
        Self::normal(false, u128::from(integer), 0).expect("a u64 has at most 20 digits")
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let signs = self.coefficient.signum().cmp(&other.coefficient.signum());
        if signs.is_ne() || self.coefficient == 0 {
            return signs;
        }
        let magnitudes = self.power().cmp(&other.power()).then_with(|| {
            // Equal powers of the first digit: written with the same exponent, both have at
            // most 38 digits.
            let lowest = self.exponent.min(other.exponent);
            let at = |number: &Self| {
                let shift = u32::from(number.exponent.abs_diff(lowest));
                number.coefficient.unsigned_abs() * 10_u128.pow(shift)
            };
            at(self).cmp(&at(other))
        });
        if self.is_negative() {
            magnitudes.reverse()
        } else {
            magnitudes
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Number {
    /// Writes the number as DynamoDB prints it: all digits, no power of ten.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut written = Ok(());
        text::render(*self, |part| {
            written = written.and_then(|()| f.write_str(part));
        });
        written
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Returns the number of decimal digits; 0 for zero.
fn digits(magnitude: u128) -> usize {
    magnitude.checked_ilog10().map_or(0, |log| log as usize + 1)
}

/// Returns what stands between the fixed text of a message and the offending text.
fn colon(text: &str) -> &'static str {
    if text.is_empty() { "" } else { ": " }
}

#[cfg(test)]
mod tests;
