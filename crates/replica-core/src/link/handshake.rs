//! The greeting: two regions find out whether they can talk, and of what data.
//!
//! It proves nothing: it is said inside TLS, whose certificates prove which region each side is.
//!
//! ```text
//!   Dialled::begin ── Hello ─────► hear ──► Session
//!   Dialled::end ◄── Welcome ─────
//!        └──► Session
//! ```

use std::ops::RangeInclusive;

use base::region::RegionName;

use crate::frame::Frame;
use crate::frame::greeting::{Hello, Refusal};
use crate::vector::Seq;

/// The format versions that this build speaks. Neighbouring releases have one in common.
///
/// | format | what came with it |
/// |---|---|
/// | 1 | the first; no release has it |
/// | 2 | where a log begins, which stamps are known of it, stamps of changes; no release has it |
/// | 3 | which directory a log that is asked for is known to be of |
/// | 4 | TLS around all of it, and frames without tags of their own |
/// | 5 | windows of pages |
/// | 6 | whose write it was that an expiry ends |
pub const FORMATS: RangeInclusive<u8> = 5..=6;

/// Who this side is.
#[derive(Clone, Debug)]
pub struct Identity {
    project: [u8; 32],
    region: RegionName,
    directory: Directory,
    formats: RangeInclusive<u8>,
}

/// What a region keeps its data in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    /// A number drawn when it was made.
    pub incarnation: u64,
    /// The position after which the log begins that is written to it.
    pub begins: Seq,
}

/// A connection on which both sides can talk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The peer.
    pub peer: RegionName,
    /// The peer's data directory.
    pub directory: Directory,
    /// The format that both speak.
    pub format: u8,
}

/// Why a greeting came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GreetingError {
    /// We refuse the peer; it is to be told.
    #[error("greet: we refuse the peer: {0}")]
    Ours(Refusal),
    /// The peer refuses us.
    #[error("greet: the peer refuses us: {0}")]
    Theirs(Refusal),
    /// Another frame than this one came.
    #[error("greet: the peer said {found}, not {expected}")]
    Unexpected {
        /// The frame that should have come.
        expected: &'static str,
        /// The frame that came.
        found: &'static str,
    },
}

/// A dialled connection on which Hello was said.
#[derive(Debug)]
pub struct Dialled {
    identity: Identity,
    peer: RegionName,
}

impl Identity {
    /// Makes the identity of `region` with its data directory.
    pub fn new(project: &str, region: RegionName, directory: Directory) -> Self {
        Self {
            project: *blake3::hash(project.as_bytes()).as_bytes(),
            region,
            directory,
            formats: FORMATS,
        }
    }

    /// Returns this identity as one of a build that speaks other formats.
    #[must_use]
    pub fn with_formats(self, formats: RangeInclusive<u8>) -> Self {
        Self { formats, ..self }
    }

    /// Returns this identity as that of another data directory.
    #[must_use]
    pub fn with_directory(self, directory: Directory) -> Self {
        Self { directory, ..self }
    }

    /// Returns the region.
    pub const fn region(&self) -> &RegionName {
        &self.region
    }

    fn hello(&self, peer: RegionName) -> Hello {
        Hello {
            formats: self.formats.clone(),
            project: self.project,
            region: self.region.clone(),
            peer,
            incarnation: self.directory.incarnation,
            begins: self.directory.begins,
        }
    }

    /// Returns the newest common format.
    fn format(&self, other: &RangeInclusive<u8>) -> Result<u8, Refusal> {
        let newest = *self.formats.end().min(other.end());
        let oldest = *self.formats.start().max(other.start());
        if oldest <= newest {
            Ok(newest)
        } else {
            Err(self.other_formats())
        }
    }

    fn other_formats(&self) -> Refusal {
        let (min, max) = (*self.formats.start(), *self.formats.end());
        Refusal::Format { min, max }
    }
}

impl Dialled {
    /// Starts a greeting with `peer`, whose certificate is known to be its own. Returns the frame
    /// to send.
    pub fn begin(identity: &Identity, peer: RegionName) -> (Self, Frame) {
        let hello = Frame::Hello(identity.hello(peer.clone()));
        let identity = identity.clone();
        (Self { identity, peer }, hello)
    }

    /// Ends the greeting with the peer's answer.
    ///
    /// Errors: [`GreetingError`]; of kind `Ours` with the refusal to send.
    pub fn end(self, frame: Frame) -> Result<Session, GreetingError> {
        let Frame::Welcome(welcome) = frame else {
            return Err(unexpected("welcome", frame));
        };
        let format = self.check(&welcome).map_err(GreetingError::Ours)?;
        Ok(welcome.session(format))
    }

    fn check(&self, welcome: &Hello) -> Result<u8, Refusal> {
        let format = self.identity.format(&welcome.formats)?;
        if welcome.project != self.identity.project {
            return Err(Refusal::Project);
        }
        if welcome.region != self.peer {
            return Err(Refusal::Stranger(welcome.region.clone()));
        }
        Ok(format)
    }
}

/// Answers a dialling peer's first frame. Returns the frame to send, too.
///
/// `is_peer` tells whether there is such a region, and `is_certified` whether the peer's
/// certificate is that region's.
/// Errors: [`GreetingError`]; of kind `Ours` with the refusal to send.
pub fn hear(
    identity: &Identity,
    frame: Frame,
    is_peer: impl FnOnce(&RegionName) -> bool,
    is_certified: impl FnOnce(&RegionName) -> bool,
) -> Result<(Session, Frame), GreetingError> {
    let Frame::Hello(hello) = frame else {
        return Err(unexpected("hello", frame));
    };
    let refuse = |refusal| Err(GreetingError::Ours(refusal));
    let format = match identity.format(&hello.formats) {
        Ok(format) => format,
        Err(refusal) => return refuse(refusal),
    };
    if hello.project != identity.project {
        return refuse(Refusal::Project);
    }
    if hello.peer != identity.region {
        return refuse(Refusal::Misdirected(identity.region.clone()));
    }
    if !is_peer(&hello.region) {
        return refuse(Refusal::Stranger(hello.region));
    }
    if !is_certified(&hello.region) {
        return refuse(Refusal::Certificate(hello.region));
    }
    let welcome = Frame::Welcome(identity.hello(hello.region.clone()));
    Ok((hello.session(format), welcome))
}

/// Answers what a peer says without TLS, as builds before format 4 do: that it is too old.
pub fn hear_plain(identity: &Identity, frame: Frame) -> GreetingError {
    if matches!(frame, Frame::Hello(_)) {
        return GreetingError::Ours(identity.other_formats());
    }
    unexpected("hello", frame)
}

impl Hello {
    fn session(self, format: u8) -> Session {
        Session {
            peer: self.region,
            directory: Directory {
                incarnation: self.incarnation,
                begins: self.begins,
            },
            format,
        }
    }
}

impl Directory {
    /// Decides whether a region's directory may be talked to by a peer that knows the `known` one
    /// of that region, and its log up to `had`.
    ///
    /// One may take the place of another only where its log begins above all that is known of
    /// the other's: no position may mean two records.
    ///
    /// Errors: [`Refusal::Incarnation`].
    pub fn admit(self, region: &RegionName, known: Option<u64>, had: Seq) -> Result<(), Refusal> {
        if known.is_none_or(|known| known == self.incarnation) || had <= self.begins {
            return Ok(());
        }
        let region = region.clone();
        Err(Refusal::Incarnation { region, had })
    }
}

fn unexpected(expected: &'static str, frame: Frame) -> GreetingError {
    let found = frame.name();
    if let Frame::Refuse(refusal) = frame {
        return GreetingError::Theirs(refusal);
    }
    GreetingError::Unexpected { expected, found }
}

#[cfg(test)]
mod tests;
