//! What a signed request says of itself: key, scope, headers, date, signature.
//!
//! Nothing here is verified yet.

use std::borrow::Cow;
use std::fmt;

use clock::time::WallTime;
use http::header::{AUTHORIZATION, DATE};
use http::{HeaderMap, Request};
use percent_encoding::percent_decode_str;

use super::{ALGORITHM, SignatureError, TERMINATOR};
use crate::limits::SIGNATURE_SKEW_SECS;
use crate::timestamp;

/// What a signing key is for: whose it is, and the day, region and service it was derived for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope<'r> {
    /// The access key's id.
    pub access_key: &'r str,
    /// The day, `20150830`.
    pub day: &'r str,
    /// The region, as the signer wrote it.
    pub region: &'r str,
    /// The service's signing name.
    pub service: &'r str,
}

impl<'r> Scope<'r> {
    /// Reads a credential, `KEY/DAY/REGION/SERVICE/aws4_request`; the key may contain slashes.
    ///
    /// Shape: `None` where a part is missing or the end is another.
    pub fn parse(credential: &'r str) -> Option<Self> {
        let mut parts = credential.rsplitn(5, '/');
        let terminator = parts.next()?;
        let (service, region, day) = (parts.next()?, parts.next()?, parts.next()?);
        let access_key = parts.next()?;
        (terminator == TERMINATOR && !access_key.is_empty()).then_some(Self {
            access_key,
            day,
            region,
            service,
        })
    }
}

impl fmt::Display for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            access_key,
            day,
            region,
            service,
        } = self;
        write!(f, "{access_key}/{day}/{region}/{service}/{TERMINATOR}")
    }
}

/// Returns the credential that a request names, whole or not: what [`Scope::parse`] reads.
pub fn credential<B>(request: &Request<B>) -> Option<Cow<'_, str>> {
    match authorization(request.headers()).ok()? {
        Some(header) => Some(Cow::Borrowed(HeaderParts::read(header).ok()?.credential?)),
        None => parameter(request.uri().query()?, "X-Amz-Credential").ok()?,
    }
}

/// Where a signature stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the header `Authorization`.
    Header,
    /// In the query string.
    Query {
        /// For how long after its date the request is good.
        expires_secs: i64,
    },
}

/// A signature and all that it says it covers.
#[derive(Debug)]
pub(super) struct Claim<'r> {
    pub(super) place: Place,
    credential: Cow<'r, str>,
    pub(super) signed_headers: Cow<'r, str>,
    pub(super) signature: Cow<'r, str>,
    pub(super) date: WallTime,
    pub(super) date_text: String,
    pub(super) session_token: Option<Cow<'r, str>>,
}

impl<'r> Claim<'r> {
    /// Reads the claim of a request.
    ///
    /// Errors: [`SignatureError`] up to and including what is incomplete or malformed.
    pub(super) fn read<B>(request: &'r Request<B>) -> Result<Self, SignatureError> {
        let headers = request.headers();
        let query = request.uri().query().unwrap_or_default();
        let presigned = parameter(query, "X-Amz-Algorithm")?;
        match (authorization(headers)?, presigned) {
            (Some(_), Some(_)) => Err(SignatureError::Both),
            (Some(header), None) => Self::of_header(headers, header),
            (None, Some(algorithm)) => Self::of_query(query, &algorithm),
            (None, None) => Err(SignatureError::Missing),
        }
    }

    /// Returns what the signing key was derived for.
    pub(super) fn scope(&self) -> Result<Scope<'_>, SignatureError> {
        Scope::parse(&self.credential)
            .ok_or_else(|| SignatureError::Credential(self.credential.clone().into_owned()))
    }

    fn of_header(headers: &'r HeaderMap, header: &'r str) -> Result<Self, SignatureError> {
        let parts = HeaderParts::read(header)?;
        let date = text(headers, "x-amz-date").or_else(|| text(headers, DATE.as_str()));
        let (Some(credential), Some(signature), Some(signed_headers), Some(date_sent)) = (
            parts.credential,
            parts.signature,
            parts.signed_headers,
            date,
        ) else {
            let message = parts.missing(date.is_some()) + "Authorization=" + header;
            return Err(SignatureError::Incomplete(message));
        };
        let (date, date_text) = read_date(date_sent)?;
        Ok(Self {
            place: Place::Header,
            credential: Cow::Borrowed(credential),
            signed_headers: Cow::Borrowed(signed_headers),
            signature: Cow::Borrowed(signature),
            date,
            date_text,
            session_token: text(headers, "x-amz-security-token").map(Cow::Borrowed),
        })
    }

    fn of_query(query: &'r str, algorithm: &str) -> Result<Self, SignatureError> {
        check_algorithm(algorithm)?;
        let credential = parameter(query, "X-Amz-Credential")?;
        let signature = parameter(query, "X-Amz-Signature")?;
        let signed_headers = parameter(query, "X-Amz-SignedHeaders")?;
        let date_sent = parameter(query, "X-Amz-Date")?;
        let missing = names_of_missing(&[
            ("X-Amz-Credential", credential.is_none()),
            ("X-Amz-Signature", signature.is_none()),
            ("X-Amz-SignedHeaders", signed_headers.is_none()),
            ("X-Amz-Date", date_sent.is_none()),
        ]);
        let (Some(credential), Some(signature), Some(signed_headers), Some(date_sent)) =
            (credential, signature, signed_headers, date_sent)
        else {
            let mut message = String::new();
            for name in missing {
                message += "AWS query-string parameters must include '";
                message += name;
                message += "'. ";
            }
            message += "Re-examine the query-string parameters.";
            return Err(SignatureError::Incomplete(message));
        };
        let (date, date_text) = read_date(&date_sent)?;
        let expires_secs = match parameter(query, "X-Amz-Expires")? {
            None => SIGNATURE_SKEW_SECS,
            Some(text) => text
                .parse::<u32>()
                .map(i64::from)
                .map_err(|_| SignatureError::Incomplete(EXPIRES_NUMBER.to_owned()))?,
        };
        Ok(Self {
            place: Place::Query { expires_secs },
            credential,
            signed_headers,
            signature,
            date,
            date_text,
            session_token: parameter(query, "X-Amz-Security-Token")?,
        })
    }
}

/// The parts of an `Authorization` header, some of them missing.
#[derive(Debug, Default)]
struct HeaderParts<'r> {
    credential: Option<&'r str>,
    signature: Option<&'r str>,
    signed_headers: Option<&'r str>,
}

impl<'r> HeaderParts<'r> {
    /// Errors: another algorithm, or a part that comes twice.
    fn read(header: &'r str) -> Result<Self, SignatureError> {
        let (algorithm, rest) = header.split_once(' ').unwrap_or((header, ""));
        check_algorithm(algorithm)?;
        let mut parts = Self::default();
        for pair in rest.split(',') {
            let Some((name, value)) = pair.trim().split_once('=') else {
                continue;
            };
            let slot = match name {
                "Credential" => &mut parts.credential,
                "Signature" => &mut parts.signature,
                "SignedHeaders" => &mut parts.signed_headers,
                _ => continue,
            };
            if slot.replace(value.trim()).is_some() {
                let message = format!("Authorization header has more than one '{name}' parameter.");
                return Err(SignatureError::Incomplete(message));
            }
        }
        Ok(parts)
    }

    /// Says what is missing, all of it at once.
    fn missing(&self, has_date: bool) -> String {
        let missing = names_of_missing(&[
            ("requires 'Credential' parameter", self.credential.is_none()),
            ("requires 'Signature' parameter", self.signature.is_none()),
            (
                "requires 'SignedHeaders' parameter",
                self.signed_headers.is_none(),
            ),
            (
                "requires existence of either a 'X-Amz-Date' or a 'Date' header",
                !has_date,
            ),
        ]);
        let mut message = String::new();
        for what in missing {
            message += "Authorization header ";
            message += what;
            message += ". ";
        }
        message
    }
}

fn names_of_missing(parts: &[(&'static str, bool)]) -> Vec<&'static str> {
    parts
        .iter()
        .filter(|(_, is_missing)| *is_missing)
        .map(|(name, _)| *name)
        .collect()
}

/// Returns the `Authorization` header where it is one of AWS's; other schemes count as none.
fn authorization(headers: &HeaderMap) -> Result<Option<&str>, SignatureError> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let first = all.next();
    if all.next().is_some() {
        let message = "Found more than one Authorization header.".to_owned();
        return Err(SignatureError::Incomplete(message));
    }
    Ok(first
        .and_then(|value| value.to_str().ok())
        .filter(|value| value.starts_with("AWS4-")))
}

fn check_algorithm(algorithm: &str) -> Result<(), SignatureError> {
    if algorithm == ALGORITHM {
        Ok(())
    } else {
        Err(SignatureError::Algorithm(algorithm.to_owned()))
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// Reads a date, and returns it also in the form in which it is signed.
fn read_date(sent: &str) -> Result<(WallTime, String), SignatureError> {
    let date = timestamp::parse_basic(sent)
        .or_else(|| timestamp::parse_http_date(sent))
        .ok_or_else(|| {
            SignatureError::Incomplete(format!(
                "Date must be in ISO-8601 'basic format'. Got '{sent}'. \
                 See http://en.wikipedia.org/wiki/ISO_8601"
            ))
        })?;
    Ok((date, timestamp::basic(date)))
}

/// Returns the decoded value of a parameter of the signature.
///
/// Errors: one that comes twice, since signer and reader could mean different ones.
fn parameter<'q>(query: &'q str, name: &str) -> Result<Option<Cow<'q, str>>, SignatureError> {
    let mut values = query.split('&').filter_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (percent_decode_str(key).eq(name.bytes())).then_some(value)
    });
    let first = values.next();
    if values.next().is_some() {
        let message = format!("AWS query-string parameter '{name}' must not be given twice.");
        return Err(SignatureError::Incomplete(message));
    }
    Ok(first.map(|value| percent_decode_str(value).decode_utf8_lossy()))
}

const EXPIRES_NUMBER: &str = "X-Amz-Expires should be a number of seconds.";
