//! Exact sums of numbers whose result does not depend on their order.
//!
//! It is no number: it holds more digits than one may have, and is rounded once, at the end.

use super::{Number, digits};
use crate::limits::{NUMBER_DIGITS_MAX, NUMBER_POWER_MAX, NUMBER_POWER_MIN};

/// An exact sum of numbers.
#[derive(Clone, Debug)]
pub struct Total {
    /// Nine digits each, the lowest first; a limb may be negative or larger until they are carried.
    limbs: [i64; LIMBS],
}

/// The power of ten of the lowest digit that any number has.
const LOWEST: i16 = NUMBER_POWER_MIN + 1 - DIGITS;
/// [`NUMBER_DIGITS_MAX`], as powers of ten are counted.
const DIGITS: i16 = 38;
const _: () = assert!(DIGITS as usize == NUMBER_DIGITS_MAX);
const LIMB_DIGITS: usize = 9;
const BASE: i64 = 1_000_000_000;
/// Room for all 293 digits, and for a sum of 10^12 of the largest numbers.
const LIMBS: usize = 34;

impl Default for Total {
    fn default() -> Self {
        Self { limbs: [0; LIMBS] }
    }
}

impl Total {
    /// Adds a number.
    pub fn add(&mut self, number: Number) {
        let offset = usize::try_from(number.exponent() - LOWEST).unwrap_or(0);
        let sign = if number.is_negative() { -1 } else { 1 };
        let shift = 10_i64.pow(u32::try_from(offset % LIMB_DIGITS).unwrap_or(0));
        let mut rest = number.coefficient.unsigned_abs();
        let mut at = offset / LIMB_DIGITS;
        while rest > 0 {
            let nine = i64::try_from(rest % u128::from(BASE.unsigned_abs())).unwrap_or(0) * shift;
            rest /= u128::from(BASE.unsigned_abs());
            for part in [nine % BASE, nine / BASE] {
                if let Some(limb) = self.limbs.get_mut(at) {
                    *limb += sign * part;
                }
                at += 1;
            }
            at -= 1;
        }
    }

    /// Returns the sum, rounded half away from zero to the digits that a number has; what is larger
    /// than every number is the largest one, and what is nearer to zero than every number is zero.
    pub fn rounded(&self) -> Number {
        let mut limbs = self.limbs;
        let is_negative = carry(&mut limbs) < 0;
        if is_negative {
            limbs = self.limbs.map(|limb| -limb);
            carry(&mut limbs);
        }
        let nonzero = limbs.iter().rposition(|limb| *limb != 0);
        let Some(top) = nonzero else {
            return Number::ZERO;
        };
        let (mut magnitude, mut exponent) = (0_u128, None);
        let mut rounds = false;
        for (at, limb) in limbs.iter().enumerate().take(top + 1).rev() {
            for place in (0..LIMB_DIGITS).rev() {
                let power = 10_i64.pow(u32::try_from(place).unwrap_or(0));
                let digit = u128::from((limb / power % 10).unsigned_abs());
                if digits(magnitude) < NUMBER_DIGITS_MAX {
                    magnitude = magnitude * 10 + digit;
                    exponent = Some(at * LIMB_DIGITS + place);
                } else if exponent == Some(at * LIMB_DIGITS + place + 1) {
                    rounds = 5 <= digit;
                }
            }
        }
        magnitude += u128::from(rounds);
        let exponent = i64::try_from(exponent.unwrap_or(0)).unwrap_or(0) + i64::from(LOWEST);
        let is_large = exponent + i64::try_from(digits(magnitude)).unwrap_or(0)
            > i64::from(NUMBER_POWER_MAX) + 1;
        if is_large {
            return largest(is_negative);
        }
        Number::normal(is_negative, magnitude, exponent).unwrap_or(Number::ZERO)
    }
}

/// Brings every limb into 0..10^9; returns what is left over: below zero for a negative sum.
fn carry(limbs: &mut [i64; LIMBS]) -> i64 {
    let mut carried = 0;
    for limb in limbs {
        let value = *limb + carried;
        carried = value.div_euclid(BASE);
        *limb = value.rem_euclid(BASE);
    }
    carried
}

fn largest(is_negative: bool) -> Number {
    let coefficient = 10_i128.pow(DIGITS.unsigned_abs().into()) - 1;
    Number {
        coefficient: if is_negative {
            -coefficient
        } else {
            coefficient
        },
        exponent: NUMBER_POWER_MAX + 1 - DIGITS,
    }
}

#[cfg(test)]
mod tests;
