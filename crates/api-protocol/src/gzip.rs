//! Compression of bodies, with a bound on what they unpack to.
//!
//! It chooses nothing: callers say whether a client takes it.

use std::io::{self, Read, Write};

use base::units::ByteCount;
use bytes::Bytes;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

/// A body that cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InflateError {
    #[error("unpack more than {0}")]
    TooLarge(ByteCount),
    #[error("unpack a damaged gzip body")]
    Damaged(#[source] io::Error),
}

/// Unpacks a gzip body of at most `limit` bytes.
pub(crate) fn inflate(packed: &[u8], limit: ByteCount) -> Result<Bytes, InflateError> {
    let mut body = Vec::with_capacity(packed.len().saturating_mul(4).min(limit.as_len()));
    let read = MultiGzDecoder::new(packed)
        .take(limit.as_u64().saturating_add(1))
        .read_to_end(&mut body)
        .map_err(InflateError::Damaged)?;
    if limit.as_len() < read {
        return Err(InflateError::TooLarge(limit));
    }
    Ok(body.into())
}

/// Packs a body, quickly rather than tightly.
pub(crate) fn deflate(body: &[u8]) -> io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 3), Compression::fast());
    encoder.write_all(body)?;
    Ok(encoder.finish()?.into())
}

/// Returns whether the sender of `headers` takes gzip.
/// Source: RFC 9110 §12.5.3.
pub(crate) fn is_accepted(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| {
            let mut parts = coding.split(';').map(str::trim);
            let named = parts
                .next()
                .is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
            let weight = parts.find_map(|part| part.strip_prefix("q="));
            named && weight.is_none_or(|q| q.parse::<f32>().is_ok_and(|q| 0.0 < q))
        })
}

#[cfg(test)]
mod tests;
