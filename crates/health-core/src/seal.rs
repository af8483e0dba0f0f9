//! The seal on every gossip datagram: a keyed hash under the project's key.
//!
//! It hides nothing: votes and delays are readable on the wire, and cannot be forged.
//! Source: the BLAKE3 paper, §2.2 (keyed hashing) and §2.3 (key derivation).

use std::fmt;

/// Bytes of a seal. 32.
pub const SEAL_BYTES: usize = 32;

/// The key's purpose, so that no other use of the project's key makes the same seals.
const CONTEXT: &str = "hither 2026-10 gossip datagram seal v1";

/// The project's name, short, as every datagram carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProjectTag(pub u64);

/// Seals and checks datagrams of one project.
#[derive(Clone)]
pub struct Seal {
    project: ProjectTag,
    key: [u8; blake3::KEY_LEN],
}

impl Seal {
    /// Makes the seal of the project named `project` from its secret key.
    pub fn new(project: &str, key: &[u8; 32]) -> Self {
        Self {
            project: ProjectTag(hash64(project.as_bytes())),
            key: blake3::derive_key(CONTEXT, key),
        }
    }

    /// Returns the project's tag.
    pub fn project(&self) -> ProjectTag {
        self.project
    }

    /// Returns the seal of `text`.
    pub fn of(&self, text: &[u8]) -> [u8; SEAL_BYTES] {
        *blake3::keyed_hash(&self.key, text).as_bytes()
    }

    /// Returns whether `seal` is the seal of `text`, in a time that does not depend on where
    /// they differ.
    pub fn is_of(&self, text: &[u8], seal: &[u8; SEAL_BYTES]) -> bool {
        // blake3::Hash compares in constant time; two arrays would not.
        blake3::keyed_hash(&self.key, text) == blake3::Hash::from_bytes(*seal)
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal")
            .field("project", &self.project)
            .finish_non_exhaustive()
    }
}

/// Returns the first 64 bits of the hash of `text`.
pub(crate) fn hash64(text: &[u8]) -> u64 {
    let mut head = [0; 8];
    blake3::Hasher::new()
        .update(text)
        .finalize_xof()
        .fill(&mut head);
    u64::from_be_bytes(head)
}
