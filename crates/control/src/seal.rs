//! Secrets inside resources: sealed with the project's key, opened only where they are used.
//!
//! It guards what is on disk and in logs, not memory. A sealed text opens only under the purpose
//! it was sealed for, so that one secret cannot be put in another's place.
//! Source: NIST SP 800-38D (AES-GCM); RFC 5869 (HKDF).

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use clock::port::Entropy;

use crate::project::ProjectKey;

/// What stands before every sealed text: the version of its form.
const VERSION: &str = "s1:";

/// A text that cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It has no form that this build knows.
    #[error("read a sealed secret")]
    Malformed,
    /// It was sealed with another key, for another purpose, or was changed.
    #[error("open a sealed secret with this project's key")]
    Refused,
}

/// Seals a secret for `purpose`, which names the resource that holds it.
///
/// Shape: printable text. The same secret is sealed differently each time.
pub fn seal(key: &ProjectKey, entropy: &dyn Entropy, purpose: &str, secret: &[u8]) -> String {
    let random = [entropy.random(), entropy.random()];
    let mut nonce = [0; NONCE_LEN];
    let bytes = random.iter().flat_map(|word| word.to_be_bytes());
    nonce
        .iter_mut()
        .zip(bytes)
        .for_each(|(at, byte)| *at = byte);
    let mut sealed = secret.to_vec();
    sealing_key(key)
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(purpose.as_bytes()),
            &mut sealed,
        )
        .expect("a secret is far smaller than what AES-GCM can seal");
    let mut whole = nonce.to_vec();
    whole.append(&mut sealed);
    format!("{VERSION}{}", STANDARD.encode(whole))
}

/// Opens what [`seal`] made for the same purpose.
///
/// Errors: [`SealError`].
pub fn open(key: &ProjectKey, purpose: &str, sealed: &str) -> Result<Vec<u8>, SealError> {
    let text = sealed.strip_prefix(VERSION).ok_or(SealError::Malformed)?;
    let whole = STANDARD.decode(text).map_err(|_| SealError::Malformed)?;
    let (nonce, sealed) = whole
        .split_first_chunk::<NONCE_LEN>()
        .ok_or(SealError::Malformed)?;
    let mut secret = sealed.to_vec();
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let length = sealing_key(key)
        .open_in_place(nonce, Aad::from(purpose.as_bytes()), &mut secret)
        .map_err(|_| SealError::Refused)?
        .len();
    secret.truncate(length);
    Ok(secret)
}

/// Derives the key that seals, so that the project's own key is used for nothing else.
fn sealing_key(key: &ProjectKey) -> LessSafeKey {
    let derived = Salt::new(HKDF_SHA256, &[]).extract(&key.0);
    let derived = derived
        .expand(&[b"hither secrets in resources"], &AES_256_GCM)
        .expect("an AES key is shorter than HKDF's limit");
    LessSafeKey::new(UnboundKey::from(derived))
}

#[cfg(test)]
mod tests;
