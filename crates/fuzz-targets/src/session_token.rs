//! Tokens of sessions: found among headers, opened only as they were sealed.
//!
//! It waits for no position.

use base::region::RegionId;
use gateway_core::session::{self, SESSION_HEADER, Session, SessionKey};
use http::HeaderMap;
use http::header::COOKIE;

/// Takes the regions and positions of a session, a byte to harm, and a line of cookies.
pub fn run(data: &[u8]) {
    let Some(([count, at, harm], rest)) = data.split_first_chunk() else {
        return;
    };
    let (entries, cookies) = rest.split_at(rest.len().min(usize::from(*count % 17) * ENTRY));
    let key = SessionKey::derive(b"the project's secret");
    let read = strangers(cookies);
    let found = session::token(&read);
    assert!(found.is_none_or(|token| Session::open(token, &key).is_err()));
    let sealed = session(entries).seal(&key);
    assert_eq!(Session::open(&sealed, &key), Ok(session(entries)));
    let other = SessionKey::derive(b"another project's secret");
    assert!(Session::open(&sealed, &other).is_err());
    check_found(cookies, &sealed);
    let mut harmed = sealed.clone().into_bytes();
    let at = usize::from(*at) % harmed.len();
    harmed[at] ^= harm;
    if let Ok(harmed) = str::from_utf8(&harmed) {
        // The signature's letters may be of either case.
        let same = harmed.eq_ignore_ascii_case(&sealed);
        assert!(same || Session::open(harmed, &key).is_err());
    }
    assert!(Session::open(&sealed[..at], &key).is_err());
}

/// Checks that a token is found behind any cookies but one of its own name.
fn check_found(cookies: &[u8], sealed: &str) {
    let named = cookies.windows(COOKIE_NAME.len());
    if named.into_iter().any(|name| name == COOKIE_NAME.as_bytes()) {
        return;
    }
    let mut headers = strangers(cookies);
    if !headers.contains_key(SESSION_HEADER) {
        let line = format!("a=b; {COOKIE_NAME}={sealed}");
        headers.append(COOKIE, line.parse().expect("a token is a header's value"));
        assert_eq!(session::token(&headers), Some(sealed));
    }
    let sealed = sealed.parse().expect("a token is a header's value");
    headers.insert(SESSION_HEADER, sealed);
    assert_eq!(
        session::token(&headers),
        headers[SESSION_HEADER].to_str().ok()
    );
}

/// Returns the headers of a request: a line of cookies, or the header where it begins with `!`.
fn strangers(bytes: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n').take(4) {
        let (name, value) = match line.strip_prefix(b"!") {
            Some(value) => (SESSION_HEADER, value),
            None => (COOKIE, line),
        };
        if let Ok(value) = value.try_into() {
            headers.append(name, value);
        }
    }
    headers
}

fn session(entries: &[u8]) -> Session {
    let entries = entries.as_chunks::<ENTRY>().0.iter();
    let entries = entries.map(|[high, low, position @ ..]| {
        let region = RegionId(u16::from_be_bytes([*high, *low]));
        (region, u64::from_be_bytes(*position))
    });
    Session {
        holder: RegionId(1),
        seen: entries.collect(),
    }
}

const COOKIE_NAME: &str = "hither-session";

/// A region of 2 bytes and a position of 8.
const ENTRY: usize = 10;
