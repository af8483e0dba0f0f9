//! Digests of a table: equal digests at equal positions prove equal items.
//!
//! It is a sum, so it follows each write without a scan. Tombstones are not counted: they are
//! dropped at different times in different regions.

use clock::hlc::Version;

/// A wrapping sum of 128-bit hashes, one for each live item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest(pub u128);

impl Digest {
    /// Returns the digest of one item alone.
    pub fn of(key: &[u8], version: Version, image: &[u8]) -> Self {
        Self(hash(key, version, image))
    }

    /// Counts an item in.
    pub fn add(&mut self, key: &[u8], version: Version, image: &[u8]) {
        self.0 = self.0.wrapping_add(hash(key, version, image));
    }

    /// Counts an item out.
    pub fn remove(&mut self, key: &[u8], version: Version, image: &[u8]) {
        self.0 = self.0.wrapping_sub(hash(key, version, image));
    }

    /// Counts another digest's items in.
    pub fn merge(&mut self, other: Self) {
        self.0 = self.0.wrapping_add(other.0);
    }
}

fn hash(key: &[u8], version: Version, image: &[u8]) -> u128 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(key.len() as u64).to_be_bytes());
    hasher.update(key);
    hasher.update(&version.hlc.0.to_be_bytes());
    hasher.update(&version.origin.0.to_be_bytes());
    hasher.update(image);
    let first = hasher.finalize().as_bytes().first_chunk::<16>().copied();
    u128::from_be_bytes(first.expect("a hash has 32 bytes"))
}

#[cfg(test)]
mod tests;
