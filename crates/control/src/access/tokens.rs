//! Session tokens: sessions, sealed with the project's key, that any region opens by itself.
//!
//! It keeps none. A token opens only for the access key that it was issued with.
//! Source: IAM user guide, "Temporary security credentials in IAM".
//!
//! ```text
//! session ─► bytes ─► sealed for "session token of ASIA…" ─► token ─► any region: opened, live?
//! ```

use base::name::AccountId;
use clock::time::WallTime;
use iam::credentials::{AccessKeyId, KeyKind, Secret};
use iam::session::{self, Session, SessionError, Subject};
use store::port::Store;

use crate::control::Control;
use crate::project::ProjectKey;
use crate::seal::{self, SealError};

/// Temporary credentials, as they are handed out.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The session.
    pub session: Session,
    /// Its token.
    pub token: String,
}

/// What a session is asked for.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Whose it is to be.
    pub subject: Subject,
    /// The account.
    pub account: AccountId,
    /// How long it is to live, in seconds; the usual where nothing is said.
    pub life_secs: Option<i64>,
    /// The policies that are to limit it.
    pub policies: Vec<String>,
    /// Its tags.
    pub tags: Vec<(String, String)>,
}

/// A token that lets nobody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is none of this project's, or not of this access key.
    #[error("open a session token")]
    Sealed(#[from] SealError),
    /// What is in it is not known to this build.
    #[error("read a session token")]
    Session(#[from] SessionError),
    /// It is good no more.
    #[error("use a session token that has expired")]
    Expired,
}

/// Issues temporary credentials.
///
/// Errors: [`SessionError`] for a life out of bounds, or for what is too large for a token.
pub fn issue<S: Store>(control: &Control<S>, wish: Wish) -> Result<Issued, SessionError> {
    let life_secs = session::life_secs(&wish.subject, wish.life_secs)?;
    let entropy = control.entropy();
    let issued = control.clock().wall();
    let session = Session {
        subject: wish.subject,
        account: wish.account,
        access_key: AccessKeyId::generate(KeyKind::Session, entropy),
        secret: Secret::generate(entropy),
        issued,
        expires: WallTime::from_micros(issued.as_micros() + life_secs * 1_000_000),
        policies: wish.policies,
        tags: wish.tags,
    };
    let purpose = purpose(session.access_key.as_str());
    let bytes = session.encode()?;
    let token = seal::seal(&control.project().key, entropy, &purpose, &bytes);
    Ok(Issued { session, token })
}

/// Opens a token that came with a request of `access_key`.
///
/// Errors: [`TokenError`]; AWS answers the first two alike, and the last as an expired token.
pub fn open(
    key: &ProjectKey,
    now: WallTime,
    access_key: &str,
    token: &str,
) -> Result<Session, TokenError> {
    let bytes = seal::open(key, &purpose(access_key), token)?;
    let session = Session::decode(&bytes)?;
    if session.access_key.as_str() != access_key {
        return Err(TokenError::Session(SessionError::Malformed));
    }
    if !session.is_live(now) {
        return Err(TokenError::Expired);
    }
    Ok(session)
}

fn purpose(access_key: &str) -> String {
    format!("session token of {access_key}")
}
