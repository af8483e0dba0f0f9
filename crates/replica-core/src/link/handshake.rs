//! The greeting: two regions prove to each other that they belong to one project.
//!
//! It is no key exchange: whoever has the project's key can read and join. Both sides hash the
//! whole conversation under that key, so neither a proof nor a role can be used twice.
//!
//! ```text
//!   Dialled::begin ── Hello ─────► Accepted::hear
//!   Dialled::prove ◄─ Challenge ──
//!                  ── Proof ─────► Accepted::welcome ──► Session
//!   Proved::finish ◄─ Welcome ────
//!        └──► Session
//! ```

use std::ops::RangeInclusive;

use bytes::BytesMut;

use base::region::RegionName;

use crate::frame::Frame;
use crate::frame::greeting::{Hello, Refusal};
use crate::link::seal::{Key, Opener, Sealer};
use crate::vector::Seq;

/// The format versions that this build speaks. Neighbouring releases have one in common.
///
/// | format | what came with it |
/// |---|---|
/// | 1 | the first; no release has it |
/// | 2 | where a log begins, which stamps are known of it, stamps of changes; no release has it |
/// | 3 | which directory a log that is asked for is known to be of |
pub const FORMATS: RangeInclusive<u8> = 3..=3;

/// Who this side is.
#[derive(Clone, Debug)]
pub struct Identity {
    project: [u8; 32],
    region: RegionName,
    directory: Directory,
    formats: RangeInclusive<u8>,
    key: Key,
}

/// What a region keeps its data in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    /// A number drawn when it was made.
    pub incarnation: u64,
    /// The position after which the log begins that is written to it.
    pub begins: Seq,
}

/// A connection on which both sides have proved who they are.
#[derive(Debug)]
pub struct Session {
    /// The peer.
    pub peer: RegionName,
    /// The peer's data directory.
    pub directory: Directory,
    /// The format that both speak.
    pub format: u8,
    /// Seals what goes out.
    pub sealer: Sealer,
    /// Opens what comes in.
    pub opener: Opener,
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
    said: BytesMut,
}

/// A dialled connection on which Proof was said.
#[derive(Debug)]
pub struct Proved {
    keys: Keys,
    challenge: Hello,
    format: u8,
}

/// An accepted connection on which Challenge was said.
#[derive(Debug)]
pub struct Accepted {
    keys: Keys,
    hello: Hello,
    format: u8,
}

impl Identity {
    /// Makes the identity of `region` with its data directory.
    pub fn new(project: &str, region: RegionName, directory: Directory, key: &Key) -> Self {
        Self {
            project: *blake3::hash(project.as_bytes()).as_bytes(),
            region,
            directory,
            formats: FORMATS,
            key: Key(blake3::derive_key(CONTEXT, &key.0)),
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

    fn hello(&self, peer: RegionName, nonce: [u8; 32]) -> Hello {
        Hello {
            formats: self.formats.clone(),
            project: self.project,
            region: self.region.clone(),
            peer,
            incarnation: self.directory.incarnation,
            begins: self.directory.begins,
            nonce,
        }
    }

    /// Returns the newest common format.
    fn format(&self, other: &RangeInclusive<u8>) -> Result<u8, Refusal> {
        let newest = *self.formats.end().min(other.end());
        let oldest = *self.formats.start().max(other.start());
        if oldest <= newest {
            Ok(newest)
        } else {
            let (min, max) = (*self.formats.start(), *self.formats.end());
            Err(Refusal::Format { min, max })
        }
    }
}

impl Dialled {
    /// Starts a greeting with `peer`. Returns the frame to send.
    pub fn begin(identity: &Identity, peer: RegionName, nonce: [u8; 32]) -> (Self, Frame) {
        let hello = Frame::Hello(identity.hello(peer.clone(), nonce));
        let mut said = BytesMut::new();
        hello.encode(&mut said, 0);
        let identity = identity.clone();
        let dialled = Self {
            identity,
            peer,
            said,
        };
        (dialled, hello)
    }

    /// Answers the peer's challenge. Returns the frame to send.
    ///
    /// Errors: [`GreetingError`]; of kind `Ours` with the refusal to send.
    pub fn prove(mut self, frame: Frame) -> Result<(Proved, Frame), GreetingError> {
        let Frame::Challenge(challenge) = frame else {
            return Err(unexpected("challenge", frame));
        };
        let format = self.check(&challenge).map_err(GreetingError::Ours)?;
        Frame::Challenge(challenge.clone()).encode(&mut self.said, 0);
        let keys = Keys::new(&self.identity.key, &self.said);
        let proof = Frame::Proof(*keys.dialler.as_bytes());
        let proved = Proved {
            keys,
            challenge,
            format,
        };
        Ok((proved, proof))
    }

    fn check(&self, challenge: &Hello) -> Result<u8, Refusal> {
        let format = self.identity.format(&challenge.formats)?;
        if challenge.project != self.identity.project {
            return Err(Refusal::Project);
        }
        if challenge.region != self.peer {
            return Err(Refusal::Stranger(challenge.region.clone()));
        }
        Ok(format)
    }
}

impl Proved {
    /// Ends the greeting with the peer's welcome.
    ///
    /// Errors: [`GreetingError`]; of kind `Ours` with the refusal to send.
    pub fn finish(self, frame: Frame) -> Result<Session, GreetingError> {
        let Frame::Welcome(proof) = frame else {
            return Err(unexpected("welcome", frame));
        };
        if self.keys.listener != blake3::Hash::from_bytes(proof) {
            return Err(GreetingError::Ours(Refusal::Key));
        }
        let directory = self.challenge.directory();
        Ok(Session {
            peer: self.challenge.region,
            directory,
            format: self.format,
            sealer: Sealer::new(self.keys.downward),
            opener: Opener::new(self.keys.upward),
        })
    }
}

impl Accepted {
    /// Answers a dialling peer's first frame. Returns the frame to send.
    ///
    /// Errors: [`GreetingError`]; of kind `Ours` with the refusal to send.
    pub fn hear(
        identity: &Identity,
        nonce: [u8; 32],
        frame: Frame,
        is_peer: impl FnOnce(&RegionName) -> bool,
    ) -> Result<(Self, Frame), GreetingError> {
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
        let challenge = Frame::Challenge(identity.hello(hello.region.clone(), nonce));
        let mut said = BytesMut::new();
        Frame::Hello(hello.clone()).encode(&mut said, 0);
        challenge.encode(&mut said, 0);
        let keys = Keys::new(&identity.key, &said);
        let accepted = Self {
            keys,
            hello,
            format,
        };
        Ok((accepted, challenge))
    }

    /// Ends the greeting with the peer's proof. Returns the frame to send.
    ///
    /// Errors: [`GreetingError`]; of kind `Ours` with the refusal to send.
    pub fn welcome(self, frame: Frame) -> Result<(Session, Frame), GreetingError> {
        let Frame::Proof(proof) = frame else {
            return Err(unexpected("proof", frame));
        };
        if self.keys.dialler != blake3::Hash::from_bytes(proof) {
            return Err(GreetingError::Ours(Refusal::Key));
        }
        let welcome = Frame::Welcome(*self.keys.listener.as_bytes());
        let directory = self.hello.directory();
        let session = Session {
            peer: self.hello.region,
            directory,
            format: self.format,
            sealer: Sealer::new(self.keys.upward),
            opener: Opener::new(self.keys.downward),
        };
        Ok((session, welcome))
    }
}

impl Hello {
    fn directory(&self) -> Directory {
        Directory {
            incarnation: self.incarnation,
            begins: self.begins,
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
    /// Errors: [`Refusal::Incarnation`], to be sent over the sealed connection, so that the
    /// region can believe it.
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

/// What follows from the key and the conversation: one secret for each role and purpose.
#[derive(Debug)]
struct Keys {
    dialler: blake3::Hash,
    listener: blake3::Hash,
    downward: Key,
    upward: Key,
}

impl Keys {
    fn new(key: &Key, said: &[u8]) -> Self {
        let derive = |purpose: &[u8; 8]| {
            let mut hasher = blake3::Hasher::new_keyed(&key.0);
            hasher.update(purpose);
            hasher.update(said);
            hasher.finalize()
        };
        Self {
            dialler: derive(b"dialler "),
            listener: derive(b"listener"),
            downward: Key(*derive(b"downward").as_bytes()),
            upward: Key(*derive(b"upward  ").as_bytes()),
        }
    }
}

/// Separates the links' use of the project's key from every other use.
const CONTEXT: &str = "hither 2026-11-23 region links";

#[cfg(test)]
mod tests;
