//! Sessions: a client carries what it has seen, and is shown nothing older in any region.
//!
//! It waits for nothing and asks no region. Positions are those of the regions' change logs.
//!
//! ```text
//! request ─► token ─► has this region applied it? ─ yes ─► serve ─► token of all that is here
//!                        └─ no, for as long as is waited ─► the region that gave the token
//!                                                             └─ out of reach ─► serve, and say so
//! ```
//! Source: Session Guarantees for Weakly Consistent Replicated Data, Terry et al., 1994.

use std::collections::BTreeMap;
use std::fmt::Write;

use base::region::RegionId;
use http::header::{CACHE_CONTROL, COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::limits::{SESSION_BYTES_MAX, SESSION_SECS_MAX};
use crate::uri::Security;

/// The header that carries a token, in requests and responses.
pub const SESSION_HEADER: HeaderName = HeaderName::from_static("x-hither-session");

/// The response header that tells whether the request's session was met.
pub const SESSION_STATE_HEADER: HeaderName = HeaderName::from_static("x-hither-session-state");

/// The cookie that carries a token.
const COOKIE_NAME: &str = "hither-session";

/// The version of a token's form.
const VERSION: &str = "v1";

/// The tag of a domain, or of an API for its own endpoint, that gives their clients sessions.
pub const SESSIONS_TAG: &str = "hither:sessions";

/// Whether clients have sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sessions {
    /// They do.
    On,
    /// They do not, and nothing of it is seen.
    #[default]
    Off,
}

impl Sessions {
    /// Returns what the value of [`SESSIONS_TAG`] says.
    pub fn of_tag(value: Option<&str>) -> Self {
        match value {
            Some("on") => Self::On,
            Some(_) | None => Self::Off,
        }
    }
}

/// For each region, a position in its log. Regions without an entry are at 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Positions(BTreeMap<RegionId, u64>);

/// What one region has of all regions' logs.
pub trait Log: Send + Sync + 'static {
    /// Returns up to where every record can be read here.
    fn applied(&self) -> Positions;

    /// Returns up to where some record may be read here: nothing that was read lies beyond it.
    fn touched(&self) -> Positions;

    /// Returns whether another region is heard, so that it can be asked.
    fn hears(&self, region: RegionId) -> bool;
}

/// What a client has seen, and a region that had all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The region that had applied all of it.
    pub holder: RegionId,
    /// What is to be applied wherever the client is served.
    pub seen: Positions,
}

/// Whether a session's positions were applied where its client was served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// They were.
    Met,
    /// They were not, and no region that has them was in reach.
    Unmet,
}

/// The key that the regions of a project share.
#[derive(Clone)]
pub struct SessionKey([u8; 32]);

/// A token that is not of this project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSession {
    /// It has another form.
    #[error("read the session's token")]
    Malformed,
    /// It is not signed with the project's key.
    #[error("verify the signature of the session's token")]
    Forged,
}

impl Positions {
    /// Notes that a region's log was seen up to a position; never goes back.
    pub fn advance(&mut self, region: RegionId, position: u64) {
        if position > 0 {
            let at = self.0.entry(region).or_default();
            *at = position.max(*at);
        }
    }

    /// Returns whether all of `other` lies within.
    pub fn covers(&self, other: &Self) -> bool {
        let at = |region| self.0.get(region).copied().unwrap_or_default();
        let mut others = other.0.iter();
        others.all(|(region, position)| *position <= at(region))
    }

    /// Notes all that `other` has.
    pub fn join(&mut self, other: &Self) {
        for (region, position) in &other.0 {
            self.advance(*region, *position);
        }
    }
}

impl FromIterator<(RegionId, u64)> for Positions {
    fn from_iter<I: IntoIterator<Item = (RegionId, u64)>>(entries: I) -> Self {
        let mut positions = Self::default();
        for (region, position) in entries {
            positions.advance(region, position);
        }
        positions
    }
}

impl SessionKey {
    /// Derives the key from the project's secret.
    pub fn derive(project_secret: &[u8]) -> Self {
        Self(blake3::derive_key(
            "hither 2026 gateway session",
            project_secret,
        ))
    }
}

impl std::fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionKey")
    }
}

impl Session {
    /// Returns the session after `here` has served a request that came with `before`: nothing of
    /// what was read there lies beyond `touched`.
    ///
    /// What a region lacks of its own log can be had nowhere any more: data was lost, and the
    /// session forgets that part in place of asking for it for ever. What it lacks of others' logs,
    /// a disk that is being filled again among the reasons, will come.
    pub fn after(before: Option<(Self, State)>, here: RegionId, touched: Positions) -> Self {
        match before {
            Some((before, State::Unmet)) => {
                let Self { holder, mut seen } = before;
                if holder == here {
                    seen.0.remove(&here);
                }
                seen.join(&touched);
                Self { holder, seen }
            }
            Some((_, State::Met)) | None => Self {
                holder: here,
                seen: touched,
            },
        }
    }

    /// Writes the token.
    ///
    /// Shape: letters, digits, `.`, `-` and `_`, as cookies take them.
    pub fn seal(&self, key: &SessionKey) -> String {
        let mut text = format!("{VERSION}.{}.", self.holder.0);
        for (at, (region, position)) in self.seen.0.iter().enumerate() {
            let between = if at == 0 { "" } else { "_" };
            write!(text, "{between}{}-{position}", region.0).expect("a string takes any text");
        }
        let mac = mac(key, &text);
        write!(text, ".{}", mac.to_hex()).expect("a string takes any text");
        text
    }

    /// Reads and verifies a token.
    ///
    /// Errors: [`BadSession`]; the request is then one without a session.
    pub fn open(text: &str, key: &SessionKey) -> Result<Self, BadSession> {
        if SESSION_BYTES_MAX < text.len() {
            return Err(BadSession::Malformed);
        }
        let (signed, theirs) = text.rsplit_once('.').ok_or(BadSession::Malformed)?;
        let theirs = blake3::Hash::from_hex(theirs).map_err(|_| BadSession::Malformed)?;
        // This comparison takes the same time wherever the two differ.
        if mac(key, signed) != theirs {
            return Err(BadSession::Forged);
        }
        Self::read(signed).ok_or(BadSession::Malformed)
    }

    fn read(text: &str) -> Option<Self> {
        let mut fields = text.split('.');
        if fields.next()? != VERSION {
            return None;
        }
        let holder = RegionId(fields.next()?.parse().ok()?);
        let seen = fields.next()?;
        let seen = seen.split('_').filter(|entry| !entry.is_empty());
        let seen = seen.map(|entry| {
            let (region, position) = entry.split_once('-')?;
            Some((RegionId(region.parse().ok()?), position.parse().ok()?))
        });
        let seen = seen.collect::<Option<Positions>>()?;
        fields.next().is_none().then_some(Self { holder, seen })
    }
}

fn mac(key: &SessionKey, text: &str) -> blake3::Hash {
    blake3::keyed_hash(&key.0, text.as_bytes())
}

/// Returns the token of a request: its header's, else its cookie's.
pub fn token(headers: &HeaderMap) -> Option<&str> {
    let header = headers.get(SESSION_HEADER);
    let cookies = headers.get_all(COOKIE).iter();
    let cookies = cookies.filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';'));
    let cookie = || {
        pairs.find_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            (name == COOKIE_NAME).then_some(value)
        })
    };
    let header = header.and_then(|value| value.to_str().ok());
    header.or_else(cookie)
}

/// Writes a token, and whether the request's session was met, into a response.
pub fn tell(headers: &mut HeaderMap, token: &str, state: Option<State>) {
    if let Ok(value) = HeaderValue::from_str(token) {
        headers.insert(SESSION_HEADER, value);
    }
    let state = state.map(|state| match state {
        State::Met => "met",
        State::Unmet => "unmet",
    });
    if let Some(state) = state {
        headers.insert(SESSION_STATE_HEADER, HeaderValue::from_static(state));
    }
}

/// Has a browser keep a token, and no shared cache the response that brings it: caches keep
/// responses with cookies like others.
///
/// Source: RFC 9111, section 7.3.
pub fn set_cookie(headers: &mut HeaderMap, token: &str, security: Security) {
    let secure = match security {
        Security::Tls => "; Secure",
        Security::Plain => "",
    };
    let cookie = format!(
        "{COOKIE_NAME}={token}; Path=/; Max-Age={SESSION_SECS_MAX}; HttpOnly; SameSite=Lax{secure}"
    );
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        headers.append(SET_COOKIE, value);
        keep_private(headers);
    }
}

/// Adds `private` to what a response says of caches, in place of what speaks against it.
fn keep_private(headers: &mut HeaderMap) {
    let said = headers.get_all(CACHE_CONTROL).iter();
    let said = said.filter_map(|value| value.to_str().ok());
    let said = said.collect::<Vec<_>>().join(", ");
    let mut kept = vec!["private"];
    // A comma may stand between quotes, in a list of names.
    let mut is_quoted = false;
    let directives = said.split(|at: char| {
        is_quoted ^= at == '"';
        at == ',' && !is_quoted
    });
    kept.extend(directives.map(str::trim).filter(|directive| {
        let name = directive.split('=').next().unwrap_or_default().trim();
        let is_told = |other: &str| name.eq_ignore_ascii_case(other);
        // `private="name"` would hold for the header of that name alone.
        !(name.is_empty() || is_told("public") || is_told("private") || is_told("s-maxage"))
    }));
    if let Ok(value) = HeaderValue::from_str(&kept.join(", ")) {
        headers.insert(CACHE_CONTROL, value);
    }
}

#[cfg(test)]
mod tests;
