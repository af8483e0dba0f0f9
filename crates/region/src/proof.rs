//! The proof that a call of Hither itself comes from whoever has the project's key.
//!
//! It is no signature of an AWS call and names nobody. It fits one call, for a short time: whoever
//! hears it can repeat that call until then, and make no other.

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use clock::time::WallTime;
use control::project::ProjectKey;

use crate::limits::PROOF_AGE_MAX;

/// The header that carries it.
pub const PROOF_HEADER: HeaderName = HeaderName::from_static("x-hither-proof");

/// What the key of the proofs is for, and no other.
const CONTEXT: &str = "hither 2026 proof of a call of hither itself";

/// The proofs of one project.
pub struct Proofs([u8; 32]);

impl Proofs {
    /// Derives them from the key that the project's regions share.
    pub fn new(key: &ProjectKey) -> Self {
        Self(blake3::derive_key(CONTEXT, &key.0))
    }

    /// Makes the proof of a call; `path` is all of it, with its query.
    pub fn make(&self, now: WallTime, method: &Method, path: &str) -> HeaderValue {
        let micros = now.as_micros();
        let text = format!("{micros} {}", self.seal(micros, method, path).to_hex());
        HeaderValue::from_str(&text).expect("digits and letters")
    }

    /// Returns whether a call has a proof that is of about this time.
    pub(crate) fn has(
        &self,
        now: WallTime,
        (method, path): (&Method, &str),
        headers: &HeaderMap,
    ) -> bool {
        let proof = headers.get(PROOF_HEADER);
        let proof = proof.and_then(|proof| proof.to_str().ok()?.split_once(' '));
        let Some((micros, seal)) = proof else {
            return false;
        };
        let (Ok(micros), Ok(seal)) = (micros.parse::<i64>(), blake3::Hash::from_hex(seal)) else {
            return false;
        };
        let age = now.as_micros().abs_diff(micros);
        // Hashes are compared in constant time.
        u128::from(age) <= PROOF_AGE_MAX.as_micros() && self.seal(micros, method, path) == seal
    }

    fn seal(&self, micros: i64, method: &Method, path: &str) -> blake3::Hash {
        // Neither a method nor a path has a space.
        let text = format!("{micros} {method} {path}");
        blake3::keyed_hash(&self.0, text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    //! Tests of which calls a proof fits.

    use clock::time::WallTime;
    use control::project::ProjectKey;
    use http::{HeaderMap, Method};

    use super::{PROOF_HEADER, Proofs};

    const PATH: &str = "/_hither/conflicts/restore?table=carts&id=00";
    const AT: i64 = 1_700_000_000_000_000;

    #[track_caller]
    fn check(key: u8, after: i64, (method, path): (Method, &str), expect: bool) {
        let made = Proofs::new(&ProjectKey([7; 32]));
        let mut headers = HeaderMap::new();
        let now = WallTime::from_micros;
        headers.insert(PROOF_HEADER, made.make(now(AT), &Method::POST, PATH));
        let asked = Proofs::new(&ProjectKey([key; 32]));
        let has = asked.has(now(AT + after), (&method, path), &headers);
        assert_eq!(has, expect, "{key} {after} {method} {path}");
    }

    #[test]
    fn a_proof_fits_one_call_for_a_while() {
        check(7, 0, (Method::POST, PATH), true);
        check(7, 59_000_000, (Method::POST, PATH), true);
        check(7, -59_000_000, (Method::POST, PATH), true);
        check(7, 61_000_000, (Method::POST, PATH), false);
        check(7, -61_000_000, (Method::POST, PATH), false);
        check(8, 0, (Method::POST, PATH), false);
        check(7, 0, (Method::GET, PATH), false);
        check(7, 0, (Method::POST, &format!("{PATH}&force=yes")), false);
        let none = Proofs::new(&ProjectKey([7; 32]));
        let now = WallTime::from_micros(AT);
        for proof in ["", "1", "x y", " "] {
            let mut headers = HeaderMap::new();
            headers.insert(PROOF_HEADER, proof.parse().expect("a value"));
            assert!(!none.has(now, (&Method::POST, PATH), &headers), "{proof:?}");
        }
        assert!(!none.has(now, (&Method::POST, PATH), &HeaderMap::new()));
    }
}
