//! Who made a call that another region's endpoint forwarded: its address, vouched for.
//!
//! It is no signature of the call. The address is sealed, together with what the call is, by the
//! key that the project's regions share: whoever has not that key can claim no other address, and
//! a seal fits no other call.

use std::net::IpAddr;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, header};

/// Marks a call that was forwarded, so that two regions with different views of the project
/// cannot hand it back and forth; it says for whom.
pub(super) const FORWARDED: HeaderName = HeaderName::from_static("x-hither-forwarded");

/// The seals of one project.
pub(super) struct Seals {
    key: [u8; 32],
}

impl Seals {
    /// Derives them from the key that the project's regions share.
    pub(super) fn new(project_key: &[u8; 32]) -> Self {
        Self {
            key: blake3::derive_key(CONTEXT, project_key),
        }
    }

    /// Returns the mark of a call that `client` made; `path` is all of it, as it is sent.
    pub(super) fn mark(&self, client: IpAddr, path: &str, request: &Request<Bytes>) -> HeaderValue {
        let seal = self.seal(client, path, request);
        let text = format!("{client} {}", seal.to_hex());
        HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("1"))
    }

    /// Returns who made a call, as the region says that forwarded it; `None` where none has, or
    /// where it is no region of the project.
    pub(super) fn client(&self, request: &Request<Bytes>) -> Option<IpAddr> {
        let mark = request.headers().get(&FORWARDED)?.to_str().ok()?;
        let (client, seal) = mark.split_once(' ')?;
        let (client, seal) = (client.parse().ok()?, blake3::Hash::from_hex(seal).ok()?);
        let path = request
            .uri()
            .path_and_query()
            .map_or("/", |path| path.as_str());
        // Hashes are compared in constant time.
        (self.seal(client, path, request) == seal).then_some(client)
    }

    fn seal(&self, client: IpAddr, path: &str, request: &Request<Bytes>) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        let authorization = request.headers().get(header::AUTHORIZATION);
        let client = client.to_string();
        let parts = [
            client.as_bytes(),
            request.method().as_str().as_bytes(),
            path.as_bytes(),
            authorization.map_or(&[][..], HeaderValue::as_bytes),
            request.body(),
        ];
        for part in parts {
            hasher.update(&(part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        hasher.finalize()
    }
}

/// What the key of the seals is for, and no other.
const CONTEXT: &str = "hither 2026 client of a forwarded call";

#[cfg(test)]
mod tests {
    //! Tests of whose word on a client's address counts.

    use bytes::Bytes;
    use http::header::AUTHORIZATION;
    use http::{HeaderValue, Method, Request};

    use super::{FORWARDED, Seals};

    fn call(path: &str, body: &'static str) -> Request<Bytes> {
        let request = Request::post(path).header("authorization", "AWS4-HMAC-SHA256 …");
        request.body(Bytes::from(body)).expect("a request")
    }

    #[test]
    fn a_seal_fits_nothing_but_the_call_that_it_was_made_for() {
        let seals = Seals::new(&[7; 32]);
        let client = "192.0.2.7".parse().expect("an address");
        let sent = call("/", "{}");
        let mark = seals.mark(client, "/", &sent);
        let other_client = mark
            .to_str()
            .expect("text")
            .replace("192.0.2.7", "192.0.2.8");
        let arrives = |change: &dyn Fn(&mut Request<Bytes>)| {
            let mut arrived = call("/", "{}");
            arrived.headers_mut().insert(FORWARDED, mark.clone());
            change(&mut arrived);
            seals.client(&arrived)
        };
        assert_eq!(arrives(&|_| {}), Some(client));
        let claimed = |call: &mut Request<Bytes>| {
            let mark = other_client.parse().expect("a value");
            call.headers_mut().insert(FORWARDED, mark);
        };
        assert_eq!(arrives(&claimed), None, "another client");
        assert_eq!(arrives(&|call| *call.method_mut() = Method::PUT), None);
        let other = |call: &mut Request<Bytes>| {
            let other = HeaderValue::from_static("AWS4-HMAC-SHA256 another");
            call.headers_mut().insert(AUTHORIZATION, other);
        };
        assert_eq!(arrives(&other), None, "another's signature");
        let unsigned = |call: &mut Request<Bytes>| {
            call.headers_mut().remove(AUTHORIZATION);
        };
        assert_eq!(arrives(&unsigned), None, "no signature");
        let body = |call: &mut Request<Bytes>| *call.body_mut() = Bytes::from_static(b"[]");
        assert_eq!(arrives(&body), None, "another body");
        let path = |call: &mut Request<Bytes>| *call.uri_mut() = "/?x=1".parse().expect("a path");
        assert_eq!(arrives(&path), None, "another path");
    }

    #[test]
    fn a_client_is_who_a_region_of_the_project_says_for_this_very_call() {
        let (ours, others) = (Seals::new(&[7; 32]), Seals::new(&[8; 32]));
        let client = "192.0.2.7".parse().expect("an address");
        let sent = call("/2015/functions?x=1", "{}");
        let marked = |seals: &Seals, mut arrived: Request<Bytes>| {
            let mark = seals.mark(client, "/2015/functions?x=1", &sent);
            arrived.headers_mut().insert(FORWARDED, mark);
            ours.client(&arrived)
        };
        let as_sent = || call("/2015/functions?x=1", "{}");
        assert_eq!(marked(&ours, as_sent()), Some(client));
        assert_eq!(marked(&others, as_sent()), None, "another project's");
        assert_eq!(marked(&ours, call("/other", "{}")), None, "another call's");
        assert_eq!(marked(&ours, call("/2015/functions?x=1", "[]")), None);
        assert_eq!(ours.client(&as_sent()), None);
        let claims = |mark: &'static str| {
            let mut arrived = as_sent();
            arrived
                .headers_mut()
                .insert(FORWARDED, mark.parse().expect("a value"));
            ours.client(&arrived)
        };
        for mark in ["1", "192.0.2.7", "192.0.2.7 ", "192.0.2.7 00", "x y"] {
            assert_eq!(claims(mark), None, "{mark}");
        }
    }
}
