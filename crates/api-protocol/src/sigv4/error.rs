//! Why a signature is refused, in AWS's words.
//!
//! Source: answers of AWS's endpoints as recorded by public clients and compatible servers.

use http::StatusCode;

use crate::caller::Wire;
use crate::fault::Fault;
use crate::limits::SIGNATURE_SKEW_SECS;

/// A request that is not let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// It carries two signatures.
    #[error(
        "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."
    )]
    Both,
    /// It carries none.
    #[error("Request is missing Authentication Token")]
    Missing,
    /// Its signature is of another kind.
    #[error("Unsupported AWS 'algorithm': '{0}'. ")]
    Algorithm(String),
    /// Its signature lacks something, or cannot be read.
    #[error("{0}")]
    Incomplete(String),
    /// Its credential does not have five parts, or ends otherwise.
    #[error(
        "Credential must have exactly 5 slash-delimited elements, \
         e.g. keyid/date/region/service/aws4_request, got '{0}'"
    )]
    Credential(String),
    /// Its access key is not known, or its session token is not the key's.
    #[error("The security token included in the request is invalid.")]
    UnknownKey,
    /// Its session token is good no more.
    #[error("The security token included in the request is expired")]
    ExpiredToken,
    /// Its scope names a region that this project does not have.
    #[error("Credential should be scoped to a valid region, not '{0}'. ")]
    Region(String),
    /// Its scope's day is not its date's.
    #[error(
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from \
         HTTP: '{scope}' != '{day}', from '{date}'."
    )]
    DayMismatch {
        /// The day of the scope.
        scope: String,
        /// The day of the date.
        day: String,
        /// The date.
        date: String,
    },
    /// It was signed too long ago.
    #[error("Signature expired: {date} is now earlier than {limit} ({now} - {life_mins} min.)")]
    Expired {
        /// When it was signed.
        date: String,
        /// The earliest date that is taken.
        limit: String,
        /// Our time.
        now: String,
        /// For how long a signature is good.
        life_mins: i64,
    },
    /// It was signed in the future.
    #[error(
        "Signature not yet current: {date} is still later than {limit} ({now} + {mins} min.)",
        mins = SIGNATURE_SKEW_SECS / 60
    )]
    NotYetCurrent {
        /// When it was signed.
        date: String,
        /// The latest date that is taken.
        limit: String,
        /// Our time.
        now: String,
    },
    /// It leaves out of the signature what must be in it.
    #[error("{0}")]
    Unsigned(String),
    /// Its signature is not the one that its contents and key give.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check \
         your AWS Secret Access Key and signing method. Consult the service documentation for \
         details."
    )]
    Mismatch,
}

impl SignatureError {
    /// Returns the fault to answer with where the service writes as `wire`.
    pub fn fault(&self, wire: Wire) -> Fault {
        let kind = self.kind();
        let (code, status) = match wire {
            Wire::Json10 | Wire::Json11 => (kind.json_code(), StatusCode::BAD_REQUEST),
            Wire::RestJson => (kind.json_code(), StatusCode::FORBIDDEN),
            Wire::RestXml | Wire::Query => (kind.xml_code(), kind.xml_status()),
        };
        Fault::caller(code, self.to_string()).with_status(status)
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Missing => Kind::Missing,
            Self::Algorithm(_) | Self::Incomplete(_) | Self::Credential(_) => Kind::Incomplete,
            Self::UnknownKey => Kind::UnknownKey,
            Self::ExpiredToken => Kind::ExpiredToken,
            Self::Both
            | Self::Region(_)
            | Self::DayMismatch { .. }
            | Self::Expired { .. }
            | Self::NotYetCurrent { .. }
            | Self::Unsigned(_)
            | Self::Mismatch => Kind::Invalid,
        }
    }
}

/// The exceptions that AWS has for signatures.
#[derive(Clone, Copy)]
enum Kind {
    Missing,
    Incomplete,
    UnknownKey,
    ExpiredToken,
    Invalid,
}

impl Kind {
    fn json_code(self) -> &'static str {
        match self {
            Self::Missing => "MissingAuthenticationTokenException",
            Self::Incomplete => "IncompleteSignatureException",
            Self::UnknownKey => "UnrecognizedClientException",
            Self::ExpiredToken => "ExpiredTokenException",
            Self::Invalid => "InvalidSignatureException",
        }
    }

    fn xml_code(self) -> &'static str {
        match self {
            Self::Missing => "MissingAuthenticationToken",
            Self::Incomplete => "IncompleteSignature",
            Self::UnknownKey => "InvalidClientTokenId",
            Self::ExpiredToken => "ExpiredToken",
            Self::Invalid => "SignatureDoesNotMatch",
        }
    }

    fn xml_status(self) -> StatusCode {
        match self {
            Self::Incomplete => StatusCode::BAD_REQUEST,
            Self::Missing | Self::UnknownKey | Self::ExpiredToken | Self::Invalid => {
                StatusCode::FORBIDDEN
            }
        }
    }
}
