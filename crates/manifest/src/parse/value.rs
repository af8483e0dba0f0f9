//! Durations, sizes and networks, from text.
//!
//! Numbers without a unit are refused: what they mean would be a guess.

use std::net::IpAddr;
use std::time::Duration;

use crate::model::Subnet;

/// Reads a duration such as `200ms`, `1.5s`, `5m` or `1h`.
///
/// Errors: why the text is none, as a fragment.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let micros_per_unit: u64 = match unit.trim() {
        "us" | "µs" => 1,
        "ms" => 1_000,
        "s" => 1_000_000,
        "m" | "min" => 60_000_000,
        "h" => 3_600_000_000,
        "d" => 86_400_000_000,
        "" => return Err("it has no unit (ms, s, m, h)".to_owned()),
        unit => return Err(format!("unknown unit `{unit}` (ms, s, m, h)")),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let not_a_number = || format!("`{number}` is no number");
    if whole.is_empty() || fraction.contains('.') || fraction.len() > 6 {
        return Err(not_a_number());
    }
    let whole: u64 = whole.parse().map_err(|_| not_a_number())?;
    let part: u64 = match fraction {
        "" => 0,
        digits => digits.parse().map_err(|_| not_a_number())?,
    };
    let scale = 10_u64.pow(u32::try_from(fraction.len()).unwrap_or(0));
    whole
        .checked_mul(micros_per_unit)
        .and_then(|micros| {
            micros.checked_add(part.checked_mul(micros_per_unit)?.checked_div(scale)?)
        })
        .map(Duration::from_micros)
        .ok_or_else(|| "it is too long".to_owned())
}

/// Reads a memory size such as `256 MiB`, as Lambda counts them.
///
/// Units: MiB; `MB` means the same, as in Lambda's own texts.
pub(super) fn memory_mib(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    match unit.trim() {
        "MiB" | "MB" => Some(number),
        "GiB" | "GB" => number.checked_mul(1024),
        _ => None,
    }
}

/// Reads a network such as `203.0.113.0/24`; bits beyond the prefix must be zero.
///
/// Errors: why the text is none, and the network that was perhaps meant.
pub(super) fn subnet(text: &str) -> Result<Subnet, (String, Option<Subnet>)> {
    let (address, prefix) = text.split_once('/').unwrap_or((text, ""));
    let address: IpAddr = address
        .parse()
        .map_err(|_| (format!("`{address}` is no IP address"), None))?;
    let bits = if address.is_ipv4() { 32 } else { 128 };
    if prefix.is_empty() {
        let prefix = if bits == 32 { 24 } else { 56 };
        let meant = masked(address, prefix);
        return Err(("it has no prefix length".to_owned(), Some(meant)));
    }
    let prefix: u8 = prefix
        .parse()
        .ok()
        .filter(|prefix| *prefix <= bits)
        .ok_or_else(|| (format!("the prefix must be 0 to {bits}"), None))?;
    let network = masked(address, prefix);
    if network.address == address {
        Ok(network)
    } else {
        let why = format!("bits beyond the first {prefix} are set");
        Err((why, Some(network)))
    }
}

fn masked(address: IpAddr, prefix: u8) -> Subnet {
    let address = match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V4((u32::from(v4) & mask).into())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V6((u128::from(v6) & mask).into())
        }
    };
    Subnet { address, prefix }
}

/// Returns whether a text is 1 to `longest` characters of `a-z`, `0-9` and `-`, a letter first.
pub(super) fn is_plain_name(text: &str, longest: usize) -> bool {
    text.len() <= longest
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests;
