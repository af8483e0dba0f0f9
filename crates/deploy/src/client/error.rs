//! Why a call has no good answer.

use base::region::RegionName;
use http::{HeaderMap, StatusCode};

use super::Reply;

/// A call that failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The service refused the call.
    #[error(transparent)]
    Refused(ServiceError),
    /// The region has no endpoint here.
    #[error("call {0}: its endpoint is not given")]
    NoEndpoint(RegionName),
    /// No connection could be opened.
    #[error("connect to {endpoint}")]
    Unreachable {
        /// Where to.
        endpoint: String,
        /// What went wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The connection broke before the answer was there.
    #[error("call {operation} of {endpoint}: the connection broke")]
    Broken {
        /// Where to.
        endpoint: String,
        /// The operation.
        operation: &'static str,
        /// What went wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The answer took too long.
    #[error("call {operation} of {endpoint}: no answer in time")]
    Slow {
        /// Where to.
        endpoint: String,
        /// The operation.
        operation: &'static str,
    },
    /// The answer is no AWS answer.
    #[error("read the answer to {operation} (status {status}): {why}")]
    Unreadable {
        /// The operation.
        operation: &'static str,
        /// The HTTP status.
        status: StatusCode,
        /// What is wrong with it.
        why: String,
    },
    /// The call could not be signed.
    #[error("sign {operation}")]
    Unsigned {
        /// The operation.
        operation: &'static str,
        /// What went wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ClientError {
    /// Returns the service's own code, where the service has answered.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(error) => Some(&error.code),
            Self::NoEndpoint(_)
            | Self::Unreachable { .. }
            | Self::Broken { .. }
            | Self::Slow { .. }
            | Self::Unreadable { .. }
            | Self::Unsigned { .. } => None,
        }
    }

    /// Returns whether the same call may succeed a little later.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Refused(error) => error.may_pass(),
            Self::Unreachable { .. } => true,
            Self::NoEndpoint(_)
            | Self::Broken { .. }
            | Self::Slow { .. }
            | Self::Unreadable { .. }
            | Self::Unsigned { .. } => false,
        }
    }
}

/// A service's refusal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("call {operation}: {code} ({message}), status {status}, request {request_id}")]
pub struct ServiceError {
    /// The operation.
    pub operation: &'static str,
    /// The HTTP status.
    pub status: StatusCode,
    /// The exception's name, without prefix.
    pub code: String,
    /// What the service says.
    pub message: String,
    /// The number under which the service has logged the call.
    pub request_id: String,
}

impl ServiceError {
    /// Reads a refusal in any of the forms that services use.
    pub(super) fn read(
        operation: &'static str,
        status: StatusCode,
        headers: &HeaderMap,
        reply: &Reply,
    ) -> Self {
        let header = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
        let text = |paths: &[&[&str]]| paths.iter().find_map(|path| reply.text(path));
        // `prefix#Code:uri` in bodies, `Code:uri` in headers.
        let code = text(&[&["__type"], &["Error", "Code"], &["code"]])
            .or_else(|| header("x-amzn-errortype"))
            .or_else(|| reply.root_name())
            .map(|code| {
                let code = code.rsplit('#').next().unwrap_or_default();
                code.split(':').next().unwrap_or_default().to_owned()
            });
        let message = text(&[
            &["message"],
            &["Message"],
            &["Error", "Message"],
            &["Messages", "Message"],
        ]);
        Self {
            operation,
            status,
            code: code.unwrap_or_default(),
            message: message.unwrap_or_default(),
            request_id: header("x-amzn-requestid")
                .or_else(|| text(&[&["RequestId"]]))
                .unwrap_or_default(),
        }
    }

    fn may_pass(&self) -> bool {
        let throttled = [
            "ThrottlingException",
            "Throttling",
            "TooManyRequestsException",
            "RequestLimitExceeded",
            "PriorRequestNotComplete",
        ];
        self.status.is_server_error()
            || self.status == StatusCode::TOO_MANY_REQUESTS
            || throttled.contains(&&*self.code)
    }
}
