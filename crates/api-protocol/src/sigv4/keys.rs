//! Derived signing keys, kept so that a request costs one HMAC and not five.
//!
//! Source: IAM user guide, "Create a signed AWS API request", step 4.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::hmac::{HMAC_SHA256, Key, Tag, sign};

use iam::credentials::Secret;
use subtle::ConstantTimeEq;

use super::{Scope, TERMINATOR};
use crate::limits::SIGNING_KEYS_MAX;

/// A bounded cache of signing keys. Only keys that have made a right signature are kept, so
/// nobody without a secret can fill it.
#[derive(Debug, Default)]
pub(super) struct SigningKeys {
    kept: Mutex<HashMap<String, Kept>>,
}

#[derive(Debug)]
struct Kept {
    secret: Secret,
    key: Arc<Key>,
}

impl SigningKeys {
    /// Calls `check` with the key of `scope`, and keeps the key if it returns `Ok`.
    pub(super) fn with<T, E>(
        &self,
        scope: &Scope<'_>,
        secret: &Secret,
        check: impl FnOnce(&Key) -> Result<T, E>,
    ) -> Result<T, E> {
        let name = scope.to_string();
        if let Some(key) = self.find(&name, secret) {
            return check(&key);
        }
        let key = derived(scope, secret);
        let outcome = check(&key);
        if outcome.is_ok() {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if SIGNING_KEYS_MAX <= kept.len() {
                kept.clear();
            }
            let secret = secret.clone();
            let key = Arc::new(key);
            kept.insert(name, Kept { secret, key });
        }
        outcome
    }

    /// Returns a kept key, unless its secret has changed since.
    fn find(&self, name: &str, secret: &Secret) -> Option<Arc<Key>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.get(name)?;
        let is_same = found
            .secret
            .reveal()
            .as_bytes()
            .ct_eq(secret.reveal().as_bytes());
        bool::from(is_same).then(|| Arc::clone(&found.key))
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.kept.lock().map_or(0, |kept| kept.len())
    }
}

fn derived(scope: &Scope<'_>, secret: &Secret) -> Key {
    let first = [b"AWS4", secret.reveal().as_bytes()].concat();
    let step =
        |key: &[u8], text: &str| -> Tag { sign(&Key::new(HMAC_SHA256, key), text.as_bytes()) };
    let day = step(&first, scope.day);
    let region = step(day.as_ref(), scope.region);
    let service = step(region.as_ref(), scope.service);
    let last = step(service.as_ref(), TERMINATOR);
    Key::new(HMAC_SHA256, last.as_ref())
}
