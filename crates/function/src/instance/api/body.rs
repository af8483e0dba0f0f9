//! What a runtime posts, read to its end within a bound.
//!
//! It looks at no content.

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};

use crate::limits::ANSWER_BYTES_MAX;

/// A body.
#[derive(Debug, Default)]
pub(crate) struct Body {
    pub(crate) bytes: Bytes,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) is_too_large: bool,
}

/// A body that cannot be read: its connection broke, it is no HTTP, or it has no end.
#[derive(Debug)]
pub(crate) struct BodyBroken;

/// Reads a body. Of one that is too large it keeps nothing, but reads on to its end, so that
/// the runtime reads our answer and not a broken connection.
pub(crate) async fn read(mut incoming: Incoming) -> Result<Body, BodyBroken> {
    let expected = incoming.size_hint().lower();
    let mut body = Body::default();
    let mut parts = BytesMut::new();
    let mut seen = 0_u64;
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|_| BodyBroken)?;
        match frame.into_data() {
            Ok(data) => {
                seen += data.len() as u64;
                if ANSWER_BYTES_MAX.as_u64() < seen {
                    body.is_too_large = true;
                    parts = BytesMut::new();
                    body.bytes = Bytes::new();
                    if DISCARDED_MAX < seen {
                        return Err(BodyBroken);
                    }
                } else if data.len() as u64 == expected {
                    // All of it in one piece, as most answers come: no copy.
                    body.bytes = data;
                } else {
                    if parts.is_empty() {
                        let expected = usize::try_from(expected).unwrap_or(0);
                        parts.reserve(expected.min(ANSWER_BYTES_MAX.as_len()));
                    }
                    parts.extend_from_slice(&data);
                }
            }
            Err(frame) => body.trailers = frame.into_trailers().ok(),
        }
    }
    if !parts.is_empty() {
        body.bytes = parts.freeze();
    }
    Ok(body)
}

/// Most bytes read of a body that is too large. 256 MiB; beyond it the connection is closed.
const DISCARDED_MAX: u64 = 256 << 20;
