//! Ids of changes: the place in the log and the time, so that none has to be kept.
//!
//! They are no secret and prove nothing; the sum only tells a typing error from a change.

use clock::time::WallTime;
use control::control::Position;

/// What a change's id says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChangeId {
    /// Where the change stands.
    pub(crate) position: Position,
    /// When it was submitted, exact to the millisecond.
    pub(crate) submitted: WallTime,
}

impl ChangeId {
    /// Writes the id.
    ///
    /// Shape: `C` and 31 hexadecimal digits: region, place in its log, milliseconds, sum.
    pub(crate) fn as_text(&self) -> String {
        let Position { origin, seq } = self.position;
        let millis = self.submitted.as_millis();
        let digits = format!("{origin:04X}{seq:012X}{millis:011X}");
        let sum = sum(&digits);
        format!("C{digits}{sum:04X}")
    }

    /// Reads an id; `None` for a text that is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('C').filter(|digits| digits.len() == 31)?;
        let (digits, given) = digits.split_at_checked(27)?;
        let number = |digits: &str| u64::from_str_radix(digits, 16).ok();
        if number(given)? != u64::from(sum(digits)) {
            return None;
        }
        let millis = i64::try_from(number(digits.get(16..)?)?).ok()?;
        Some(Self {
            position: Position {
                origin: u16::try_from(number(digits.get(..4)?)?).ok()?,
                seq: number(digits.get(4..16)?)?,
            },
            submitted: WallTime::from_micros(millis.checked_mul(1_000)?),
        })
    }
}

/// FNV-1a, folded to 16 bits.
fn sum(digits: &str) -> u16 {
    let hash = digits.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    u16::try_from((hash ^ (hash >> 16)) & 0xffff).unwrap_or(0)
}

#[cfg(test)]
mod tests;
