//! What a probe saw, and how Route 53 words it.
//!
//! It judges nothing: thresholds and votes stand elsewhere.

use std::fmt;

use clock::time::WallTime;

/// What one probe saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The endpoint answered as it should.
    Success(Success),
    /// It did not.
    Failure(Failure),
}

/// An answer as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Success {
    /// A connection was made.
    Connected,
    /// The status was 2xx or 3xx.
    Status(u16),
}

/// Why an answer does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The status was neither 2xx nor 3xx.
    Status(u16),
    /// The status was right, the search string was not in the searched part of the body.
    NotFound(u16),
    /// No connection within the time limit.
    ConnectTimeout,
    /// The connection was refused: nothing listens.
    Refused,
    /// The address cannot be reached.
    Unreachable,
    /// The connection ended before an answer.
    Closed,
    /// The TLS handshake failed.
    Tls,
    /// No answer within the time limit.
    ResponseTimeout,
    /// The answer was no HTTP.
    Malformed,
    /// The name has no IPv4 address.
    Unresolved,
    /// The probe itself was lost.
    Lost,
}

/// A probe's outcome and when it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    /// What was seen.
    pub outcome: Outcome,
    /// When, by the clock of the region that keeps this.
    pub at: WallTime,
}

impl Outcome {
    /// Returns the outcome of a status line: 2xx and 3xx are healthy.
    pub fn of_status(status: u16) -> Self {
        if (200..400).contains(&status) {
            Self::Success(Success::Status(status))
        } else {
            Self::Failure(Failure::Status(status))
        }
    }

    /// Returns whether the endpoint answered as it should.
    pub fn is_success(self) -> bool {
        match self {
            Self::Success(_) => true,
            Self::Failure(_) => false,
        }
    }

    /// Returns the outcome as a code and a status for the wire.
    pub(crate) fn to_code(self) -> (u8, u16) {
        match self {
            Self::Success(Success::Connected) => (1, 0),
            Self::Success(Success::Status(status)) => (2, status),
            Self::Failure(Failure::Status(status)) => (16, status),
            Self::Failure(Failure::NotFound(status)) => (17, status),
            Self::Failure(Failure::ConnectTimeout) => (18, 0),
            Self::Failure(Failure::Refused) => (19, 0),
            Self::Failure(Failure::Unreachable) => (20, 0),
            Self::Failure(Failure::Closed) => (21, 0),
            Self::Failure(Failure::Tls) => (22, 0),
            Self::Failure(Failure::ResponseTimeout) => (23, 0),
            Self::Failure(Failure::Malformed) => (24, 0),
            Self::Failure(Failure::Unresolved) => (25, 0),
            Self::Failure(Failure::Lost) => (26, 0),
        }
    }

    /// Reads what [`Outcome::to_code`] wrote; `None` for a code that is none.
    pub(crate) fn of_code(code: u8, status: u16) -> Option<Self> {
        let outcome = match code {
            1 => Self::Success(Success::Connected),
            2 => Self::Success(Success::Status(status)),
            16 => Self::Failure(Failure::Status(status)),
            17 => Self::Failure(Failure::NotFound(status)),
            18 => Self::Failure(Failure::ConnectTimeout),
            19 => Self::Failure(Failure::Refused),
            20 => Self::Failure(Failure::Unreachable),
            21 => Self::Failure(Failure::Closed),
            22 => Self::Failure(Failure::Tls),
            23 => Self::Failure(Failure::ResponseTimeout),
            24 => Self::Failure(Failure::Malformed),
            25 => Self::Failure(Failure::Unresolved),
            26 => Self::Failure(Failure::Lost),
            _ => return None,
        };
        // A status beside a code that has none would make two encodings of one outcome.
        (outcome.to_code() == (code, status)).then_some(outcome)
    }
}

impl fmt::Display for Outcome {
    /// Writes the text of `GetHealthCheckStatus`.
    ///
    /// Source: Route 53 API reference, `GetHealthCheckStatus` and
    /// `GetHealthCheckLastFailureReason`, and their examples.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Success(success) => write!(f, "Success: {success}"),
            Self::Failure(failure) => write!(f, "Failure: {failure}"),
        }
    }
}

impl fmt::Display for Success {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected => f.write_str("TCP connection established"),
            Self::Status(status) => write_status(f, *status),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Status(status) => return write_status(f, *status),
            Self::NotFound(status) => {
                write_status(f, *status)?;
                ". The search string was not found in the response body."
            }
            Self::ConnectTimeout => {
                "The health checker could not establish a connection within the timeout limit."
            }
            Self::Refused => "Connection refused.",
            Self::Unreachable => "The endpoint could not be reached.",
            Self::Closed => "The endpoint closed the connection before it answered.",
            Self::Tls => "The SSL/TLS handshake failed.",
            Self::ResponseTimeout => {
                "The endpoint did not respond to the health check request within the timeout limit."
            }
            Self::Malformed => "The endpoint's answer was not valid HTTP.",
            Self::Unresolved => "DNS resolution failed: the domain name has no IPv4 address.",
            Self::Lost => "The health check did not finish.",
        };
        f.write_str(text)
    }
}

fn write_status(f: &mut fmt::Formatter<'_>, status: u16) -> fmt::Result {
    write!(f, "HTTP Status Code {status}")?;
    let reason = match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => return Ok(()),
    };
    write!(f, ", {reason}")
}

#[cfg(test)]
mod tests;
