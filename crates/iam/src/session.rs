//! Sessions: temporary credentials that carry all that is needed to verify them.
//!
//! It seals nothing: whoever holds the project's key seals the bytes that it makes, and hands
//! them out as the session token. So any region verifies a session without asking another.
//! Source: IAM user guide, "Temporary security credentials in IAM".
//!
//! ```text
//! version 1 │ subject │ account │ key id │ secret │ issued │ expires │ policies │ tags
//! ```

use base::name::AccountId;
use clock::time::WallTime;

use crate::credentials::{AccessKeyId, Secret};
use crate::limits::{
    ROOT_SESSION_SECS_MAX, SESSION_BYTES_MAX, SESSION_SECS_MAX, SESSION_SECS_MIN, TAGS_MAX,
};

/// Temporary credentials, and what they were given for.
#[derive(Clone, Debug)]
pub struct Session {
    /// Whose session it is.
    pub subject: Subject,
    /// The account.
    pub account: AccountId,
    /// The id of its key.
    pub access_key: AccessKeyId,
    /// The secret of its key.
    pub secret: Secret,
    /// When it was issued.
    pub issued: WallTime,
    /// From when on it is good no more.
    pub expires: WallTime,
    /// The policies that limit it, as documents; none where nothing does.
    pub policies: Vec<String>,
    /// Tags that it was given, by name.
    pub tags: Vec<(String, String)>,
}

/// Whose a session is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The root user's.
    Root,
    /// A user's.
    User {
        /// The name.
        name: String,
        /// The unique id: a later user of the same name is another one.
        id: String,
    },
}

/// A session that cannot be made, or bytes that are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// It carries too much.
    #[error("session policies and tags take more than {SESSION_BYTES_MAX} bytes")]
    TooLarge,
    /// Its life is too short or too long.
    #[error("a session lives from {least} to {most} seconds")]
    Life {
        /// The shortest.
        least: i64,
        /// The longest.
        most: i64,
    },
    /// The bytes are no session's that this build knows.
    #[error("read a session")]
    Malformed,
}

impl Session {
    /// Returns whether it is good at a time.
    pub fn is_live(&self, now: WallTime) -> bool {
        now < self.expires
    }

    /// Returns its contents as bytes, to be sealed.
    ///
    /// Errors: [`SessionError::TooLarge`].
    pub fn encode(&self) -> Result<Vec<u8>, SessionError> {
        let mut out = vec![VERSION];
        match &self.subject {
            Subject::Root => out.push(ROOT),
            Subject::User { name, id } => {
                out.push(USER);
                put_all(&mut out, [name, id])?;
            }
        }
        let account = self.account.to_string();
        let (key, secret) = (self.access_key.as_str(), self.secret.reveal());
        put_all(&mut out, [account.as_str(), key, secret])?;
        out.extend(self.issued.as_micros().to_be_bytes());
        out.extend(self.expires.as_micros().to_be_bytes());
        put_count(&mut out, self.policies.len())?;
        put_all(&mut out, &self.policies)?;
        put_count(&mut out, self.tags.len())?;
        put_all(
            &mut out,
            self.tags.iter().flat_map(|(key, value)| [key, value]),
        )?;
        if SESSION_BYTES_MAX < out.len() {
            return Err(SessionError::TooLarge);
        }
        Ok(out)
    }

    /// Reads what [`Session::encode`] made.
    ///
    /// Errors: [`SessionError::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, SessionError> {
        let mut rest = Rest(bytes);
        if rest.byte()? != VERSION {
            return Err(SessionError::Malformed);
        }
        let subject = match rest.byte()? {
            ROOT => Subject::Root,
            USER => Subject::User {
                name: rest.text()?,
                id: rest.text()?,
            },
            _ => return Err(SessionError::Malformed),
        };
        let account = AccountId::parse(&rest.text()?).ok_or(SessionError::Malformed)?;
        let access_key = AccessKeyId::parse(&rest.text()?).ok_or(SessionError::Malformed)?;
        let secret = Secret::new(&rest.text()?);
        let (issued, expires) = (rest.time()?, rest.time()?);
        let policies = (0..rest.byte()?)
            .map(|_| rest.text())
            .collect::<Result<_, _>>()?;
        let tags = (0..rest.byte()?)
            .map(|_| Ok((rest.text()?, rest.text()?)))
            .collect::<Result<_, _>>()?;
        if !rest.0.is_empty() {
            return Err(SessionError::Malformed);
        }
        Ok(Self {
            subject,
            account,
            access_key,
            secret,
            issued,
            expires,
            policies,
            tags,
        })
    }
}

/// Returns how long a session lives: what was asked for, or the usual.
///
/// Units: seconds.
/// Errors: [`SessionError::Life`].
/// Source: IAM user guide, "Temporary security credentials in IAM"; botocore's model of
/// `GetSessionToken`.
pub fn life_secs(subject: &Subject, asked: Option<i64>) -> Result<i64, SessionError> {
    let (usual, most) = match subject {
        Subject::Root => (ROOT_SESSION_SECS_MAX, ROOT_SESSION_SECS_MAX),
        Subject::User { .. } => (43_200, SESSION_SECS_MAX),
    };
    let least = SESSION_SECS_MIN;
    match asked {
        None => Ok(usual),
        // The root user is given what it may have, and no error.
        Some(secs) if *subject == Subject::Root && (least..=SESSION_SECS_MAX).contains(&secs) => {
            Ok(secs.min(most))
        }
        Some(secs) if (least..=most).contains(&secs) => Ok(secs),
        Some(_) => Err(SessionError::Life { least, most }),
    }
}

const VERSION: u8 = 1;
const ROOT: u8 = 0;
const USER: u8 = 1;

fn put_count(out: &mut Vec<u8>, count: usize) -> Result<(), SessionError> {
    let fits = count <= TAGS_MAX;
    let count = u8::try_from(count).ok().filter(|_| fits);
    out.push(count.ok_or(SessionError::TooLarge)?);
    Ok(())
}

fn put_all<T: AsRef<str>>(
    out: &mut Vec<u8>,
    texts: impl IntoIterator<Item = T>,
) -> Result<(), SessionError> {
    for text in texts {
        let text = text.as_ref();
        let length = u16::try_from(text.len()).map_err(|_| SessionError::TooLarge)?;
        out.extend(length.to_be_bytes());
        out.extend(text.bytes());
    }
    Ok(())
}

/// What is still to be read.
struct Rest<'b>(&'b [u8]);

impl Rest<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], SessionError> {
        let (head, rest) = self.0.split_first_chunk().ok_or(SessionError::Malformed)?;
        self.0 = rest;
        Ok(*head)
    }

    fn byte(&mut self) -> Result<u8, SessionError> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn time(&mut self) -> Result<WallTime, SessionError> {
        Ok(WallTime::from_micros(i64::from_be_bytes(self.take()?)))
    }

    fn text(&mut self) -> Result<String, SessionError> {
        let length = usize::from(u16::from_be_bytes(self.take()?));
        let (head, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(SessionError::Malformed)?;
        self.0 = rest;
        String::from_utf8(head.to_vec()).map_err(|_| SessionError::Malformed)
    }
}

#[cfg(test)]
mod tests;
