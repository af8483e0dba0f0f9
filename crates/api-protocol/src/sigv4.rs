//! AWS Signature Version 4, the verifier's side, in headers and presigned.
//!
//! It signs nothing and keeps no credentials: secrets come through the port [`Credentials`].
//! Source: IAM user guide, "AWS Signature Version 4 for API requests".
//!
//! ```text
//! request ─► claim: who, scope, which headers ─► secret of the key ─► date in the window?
//!                                                                         │
//!      Verified ◄── equal? ◄── HMAC of the canonical request ◄── signing key (cached)
//! ```

mod canonical;
mod claim;
mod error;
mod keys;

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::hmac;
use bytes::Bytes;
use clock::time::WallTime;
use http::Request;
use iam::credentials::Secret;
use iam::identity::Identity;
use subtle::ConstantTimeEq;

use crate::limits::{PRESIGNED_SECS_MAX, SIGNATURE_SKEW_SECS};
use crate::timestamp;

pub use claim::{Scope, credential};
pub use error::SignatureError;

use canonical::{canonical_request_hash, hex, payload_hash};
use claim::{Claim, Place};
use keys::SigningKeys;

/// Finds the secret of an access key. Never blocks.
pub trait Credentials: Send + Sync + 'static {
    /// Returns what belongs to `access_key`, where the session token that came with it, if one
    /// did, is right.
    ///
    /// Errors: [`SignatureError::UnknownKey`] for a key that does not exist or is off, and for
    /// another key's token; [`SignatureError::ExpiredToken`].
    fn find(
        &self,
        now: WallTime,
        access_key: &str,
        token: Option<&str>,
    ) -> Result<Credential, SignatureError>;
}

/// What belongs to an access key.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The secret that its requests are signed with.
    pub secret: Secret,
    /// Whose it is.
    pub identity: Arc<Identity>,
}

/// The sender of a request whose signature is right.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The access key that signed.
    pub access_key: String,
    /// Whose it is.
    pub identity: Arc<Identity>,
}

/// Verifies signatures.
pub struct Verifier {
    credentials: Arc<dyn Credentials>,
    keys: SigningKeys,
}

impl Verifier {
    /// Makes a verifier for the keys that `credentials` finds.
    pub fn new(credentials: Arc<dyn Credentials>) -> Self {
        Self {
            credentials,
            keys: SigningKeys::default(),
        }
    }

    /// Verifies that the holder of a known key signed `request`, not long ago.
    ///
    /// Errors: [`SignatureError`], in the order in which AWS finds them.
    /// Source: IAM user guide, "Create a signed AWS API request", steps 1 to 4.
    pub fn verify(
        &self,
        now: WallTime,
        request: &Request<Bytes>,
    ) -> Result<Verified, SignatureError> {
        let claim = Claim::read(request)?;
        let scope = claim.scope()?;
        let token = claim.session_token.as_deref();
        let credential = self.credentials.find(now, scope.access_key, token)?;
        check_date(now, &claim, &scope)?;
        let payload = payload_hash(request)?;
        let hash = canonical_request_hash(request, &claim, scope.service, &payload)?;
        let string_to_sign = string_to_sign(&claim.date_text, &scope, &hash);
        self.keys.with(&scope, &credential.secret, |key| {
            let signature = hex(hmac::sign(key, string_to_sign.as_bytes()).as_ref());
            let equal = signature.as_bytes().ct_eq(claim.signature.as_bytes());
            bool::from(equal)
                .then(|| Verified {
                    access_key: scope.access_key.to_owned(),
                    identity: Arc::clone(&credential.identity),
                })
                .ok_or(SignatureError::Mismatch)
        })
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}

/// Checks that the signature's date is near `now`, and on the day that its scope names.
fn check_date(now: WallTime, claim: &Claim<'_>, scope: &Scope<'_>) -> Result<(), SignatureError> {
    let date = claim.date_text.clone();
    let day = date.get(..8).unwrap_or_default();
    if day != scope.day {
        return Err(SignatureError::DayMismatch {
            scope: scope.day.to_owned(),
            day: day.to_owned(),
            date,
        });
    }
    let shifted = |secs: i64| WallTime::from_micros(now.as_micros() + secs * 1_000_000);
    let latest = shifted(SIGNATURE_SKEW_SECS);
    if latest < claim.date {
        return Err(SignatureError::NotYetCurrent {
            date,
            limit: timestamp::basic(latest),
            now: timestamp::basic(now),
        });
    }
    let life_secs = match claim.place {
        Place::Header => SIGNATURE_SKEW_SECS,
        Place::Query { expires_secs } => expires_secs,
    };
    if PRESIGNED_SECS_MAX < life_secs {
        let message = format!(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given \
             X-Amz-Expires must be less than {PRESIGNED_SECS_MAX} seconds"
        );
        return Err(SignatureError::Incomplete(message));
    }
    let earliest = shifted(-life_secs);
    if claim.date < earliest {
        return Err(SignatureError::Expired {
            date,
            limit: timestamp::basic(earliest),
            now: timestamp::basic(now),
            life_mins: life_secs / 60,
        });
    }
    Ok(())
}

/// Source: IAM user guide, "Create a signed AWS API request", step 3.
fn string_to_sign(date: &str, scope: &Scope<'_>, canonical_request_hash: &str) -> String {
    let Scope {
        day,
        region,
        service,
        ..
    } = scope;
    format!("{ALGORITHM}\n{date}\n{day}/{region}/{service}/{TERMINATOR}\n{canonical_request_hash}")
}

/// The only algorithm of version 4 with shared secrets.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The last part of every scope.
const TERMINATOR: &str = "aws4_request";

#[cfg(test)]
mod tests;
