//! New identifiers, in the shape of API Gateway's.
//!
//! They are unique by chance alone: ten characters hold 51 bits.

use clock::port::Entropy;

/// Returns a new identifier of `length` characters of `a-z` and `0-9`.
///
/// Shape: at most 12 characters, what 64 random bits can fill.
pub(crate) fn new(entropy: &dyn Entropy, length: usize) -> String {
    const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    debug_assert!(length <= 12, "64 bits hold no more characters");
    let mut bits = entropy.random();
    (0..length)
        .map(|_| {
            let digit = usize::try_from(bits % 36).unwrap_or(0);
            bits /= 36;
            char::from(ALPHABET.get(digit).copied().unwrap_or(b'a'))
        })
        .collect()
}
