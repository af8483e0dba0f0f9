//! Whose a request is: the keys that a node was started with, users' keys, and sessions.
//!
//! It verifies no signature. Users and their keys are resources, so every region knows them; a
//! session is all in its token.
//!
//! ```text
//! find(key, token) ─► started with it? ─► root of the project's account
//!                └──► no token ─► the directory's: a user
//!                └──► token ─► opened before? ─► else opened by the project's key ─► whose is it?
//! ```

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use api_protocol::sigv4::{Credential, Credentials, SignatureError};
use base::name::AccountId;
use clock::time::WallTime;
use control::access::directory::Directory;
use control::access::tokens::{self, TokenError};
use control::project::{Project, ProjectKey};
use iam::credentials::Secret;
use iam::identity::Identity;

use crate::limits::SESSIONS_MAX;

/// The credentials that a node takes.
pub(crate) struct Keyring {
    started_with: BTreeMap<String, Credential>,
    directory: watch::Receiver<Arc<Directory>>,
    project: ProjectKey,
    sessions: Mutex<Sessions>,
}

/// Sessions that were opened, as the directory knew them.
#[derive(Default)]
struct Sessions {
    of: Arc<Directory>,
    opened: HashMap<String, Opened>,
}

struct Opened {
    access_key: String,
    expires: WallTime,
    credential: Credential,
}

impl Keyring {
    /// Makes a node's keyring. Keys that it is started with speak for the project's account.
    pub(crate) fn new(
        keys: &BTreeMap<String, String>,
        project: &Project,
        directory: watch::Receiver<Arc<Directory>>,
    ) -> Self {
        let root = root(project.account);
        let (id, secret) = function_keys(&project.key);
        let keys = keys.iter().map(|(id, secret)| (id.as_str(), secret));
        let started_with = keys
            .chain([(id.as_str(), &secret)])
            .map(|(id, secret)| {
                let credential = Credential {
                    secret: Secret::new(secret),
                    identity: Arc::clone(&root),
                };
                (id.to_owned(), credential)
            })
            .collect();
        Self {
            started_with,
            directory,
            project: project.key.clone(),
            sessions: Mutex::default(),
        }
    }

    fn of_session(
        &self,
        now: WallTime,
        access_key: &str,
        token: &str,
    ) -> Result<Credential, SignatureError> {
        let directory = Arc::clone(&self.directory.borrow());
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&sessions.of, &directory) {
            // Whoever had sessions may be no more, or be allowed less.
            *sessions = Sessions {
                of: Arc::clone(&directory),
                opened: HashMap::new(),
            };
        }
        if let Some(opened) = sessions.opened.get(token) {
            return match opened {
                opened if opened.access_key != access_key => Err(SignatureError::UnknownKey),
                opened if opened.expires <= now => Err(SignatureError::ExpiredToken),
                opened => Ok(opened.credential.clone()),
            };
        }
        let session =
            tokens::open(&self.project, now, access_key, token).map_err(|error| match error {
                TokenError::Expired => SignatureError::ExpiredToken,
                TokenError::Sealed(_) | TokenError::Session(_) => SignatureError::UnknownKey,
            })?;
        let identity = directory.of_session(&session);
        let credential = Credential {
            identity: Arc::new(identity.ok_or(SignatureError::UnknownKey)?),
            secret: session.secret,
        };
        if SESSIONS_MAX <= sessions.opened.len() {
            sessions.opened.clear();
        }
        let opened = Opened {
            access_key: access_key.to_owned(),
            expires: session.expires,
            credential: credential.clone(),
        };
        sessions.opened.insert(token.to_owned(), opened);
        Ok(credential)
    }
}

impl Credentials for Keyring {
    fn find(
        &self,
        now: WallTime,
        access_key: &str,
        token: Option<&str>,
    ) -> Result<Credential, SignatureError> {
        if let Some(credential) = self.started_with.get(access_key) {
            return Ok(credential.clone());
        }
        if let Some(token) = token {
            return self.of_session(now, access_key, token);
        }
        let directory = self.directory.borrow();
        let holder = directory
            .find(access_key)
            .ok_or(SignatureError::UnknownKey)?;
        Ok(Credential {
            secret: holder.secret.clone(),
            identity: Arc::clone(&holder.identity),
        })
    }
}

/// Returns the key that the project's functions sign with: it follows from the project's own.
pub(crate) fn function_keys(key: &ProjectKey) -> (String, String) {
    let secret = blake3::derive_key("hither 2026 functions' secret access key", &key.0);
    (
        "HITHERFUNCTIONS".to_owned(),
        blake3::Hash::from(secret).to_hex().to_string(),
    )
}

fn root(account: AccountId) -> Arc<Identity> {
    Arc::new(Identity::root(account))
}

#[cfg(test)]
mod tests;
