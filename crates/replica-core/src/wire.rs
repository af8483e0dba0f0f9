//! Bytes of records and frames: big-endian, length-prefixed, bounded.
//!
//! It is no general codec; both ends are ours, and every structure carries a version.

use bytes::{Buf, BufMut, Bytes};

use base::region::RegionId;
use clock::hlc::{Hlc, Version};

use crate::vector::{Seq, VersionVector};

/// Bytes that are not what they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The bytes end within a field.
    #[error("the bytes end within {0}")]
    Short(&'static str),
    /// A length or count is above its bound.
    #[error("{what} of {found} is above the bound of {bound}")]
    TooLong {
        /// The field.
        what: &'static str,
        /// The length found.
        found: usize,
        /// The most allowed.
        bound: usize,
    },
    /// A format version that this build does not know.
    #[error("{what} has format version {found}; this build reads up to {known}")]
    Newer {
        /// The structure.
        what: &'static str,
        /// The version found.
        found: u8,
        /// The newest version known.
        known: u8,
    },
    /// A tag that no field has.
    #[error("{what} has unknown tag {found}")]
    Tag {
        /// The field.
        what: &'static str,
        /// The tag found.
        found: u8,
    },
    /// A text is not what it should be, as a region's name.
    #[error("{0} is malformed")]
    Shape(&'static str),
    /// Bytes are left over after the structure's end.
    #[error("{0} bytes are left over")]
    Trailing(usize),
}

pub(crate) fn u8(buf: &mut Bytes, what: &'static str) -> Result<u8, WireError> {
    buf.try_get_u8().map_err(|_| WireError::Short(what))
}

pub(crate) fn u16(buf: &mut Bytes, what: &'static str) -> Result<u16, WireError> {
    buf.try_get_u16().map_err(|_| WireError::Short(what))
}

pub(crate) fn u32(buf: &mut Bytes, what: &'static str) -> Result<u32, WireError> {
    buf.try_get_u32().map_err(|_| WireError::Short(what))
}

pub(crate) fn u64(buf: &mut Bytes, what: &'static str) -> Result<u64, WireError> {
    buf.try_get_u64().map_err(|_| WireError::Short(what))
}

pub(crate) fn i64(buf: &mut Bytes, what: &'static str) -> Result<i64, WireError> {
    buf.try_get_i64().map_err(|_| WireError::Short(what))
}

pub(crate) fn array<const N: usize>(
    buf: &mut Bytes,
    what: &'static str,
) -> Result<[u8; N], WireError> {
    let mut array = [0; N];
    buf.try_copy_to_slice(&mut array)
        .map_err(|_| WireError::Short(what))?;
    Ok(array)
}

/// Reads one byte that must be 0 or 1.
pub(crate) fn flag(buf: &mut Bytes, what: &'static str) -> Result<bool, WireError> {
    match u8(buf, what)? {
        0 => Ok(false),
        1 => Ok(true),
        found => Err(WireError::Tag { what, found }),
    }
}

/// Reads a flag and, where it is set, what it announces.
pub(crate) fn option<T>(
    buf: &mut Bytes,
    what: &'static str,
    read: impl FnOnce(&mut Bytes) -> Result<T, WireError>,
) -> Result<Option<T>, WireError> {
    flag(buf, what)?.then(|| read(buf)).transpose()
}

/// Reads a count of at most `bound`.
pub(crate) fn count(buf: &mut Bytes, what: &'static str, bound: usize) -> Result<usize, WireError> {
    let found = usize::try_from(u32(buf, what)?).unwrap_or(usize::MAX);
    if found > bound {
        Err(WireError::TooLong { what, found, bound })
    } else {
        Ok(found)
    }
}

/// Reads length-prefixed bytes of at most `bound`, without copying them.
pub(crate) fn bytes(buf: &mut Bytes, what: &'static str, bound: usize) -> Result<Bytes, WireError> {
    let length = count(buf, what, bound)?;
    if buf.len() < length {
        Err(WireError::Short(what))
    } else {
        Ok(buf.split_to(length))
    }
}

pub(crate) fn put_bytes(buf: &mut impl BufMut, bytes: &[u8]) {
    buf.put_u32(u32::try_from(bytes.len()).expect("records are bounded far below 4 GiB"));
    buf.put_slice(bytes);
}

pub(crate) fn version(buf: &mut Bytes) -> Result<Version, WireError> {
    let hlc = Hlc(i64(buf, "a stamp")?);
    Ok(Version {
        hlc,
        origin: RegionId(u16(buf, "an origin")?),
    })
}

pub(crate) fn put_version(buf: &mut impl BufMut, version: Version) {
    buf.put_i64(version.hlc.0);
    buf.put_u16(version.origin.0);
}

pub(crate) fn vector(buf: &mut Bytes) -> Result<VersionVector, WireError> {
    let entries = usize::from(u8(buf, "a vector")?);
    (0..entries)
        .map(|_| {
            let origin = RegionId(u16(buf, "a vector's origin")?);
            Ok((origin, Seq(u64(buf, "a vector's position")?)))
        })
        .collect()
}

pub(crate) fn put_vector(buf: &mut impl BufMut, vector: &VersionVector) {
    buf.put_u8(u8::try_from(vector.iter().len()).expect("a project has at most 32 regions"));
    for (origin, seq) in vector.iter() {
        buf.put_u16(origin.0);
        buf.put_u64(seq.0);
    }
}
