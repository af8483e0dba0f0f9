//! What a client is told when its request is not served.
//!
//! The reason stays here, for logs and explanations; the client sees AWS's words.
//! Source: API Gateway developer guide, "Troubleshooting HTTP API", and the observed bodies.

use http::StatusCode;

/// Why a request is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// The request names no host, or one that is no name.
    #[error("the request names no host")]
    NoHost,
    /// The method makes no sense to a gateway.
    #[error("the gateway opens no tunnels")]
    Tunnel,
    /// The path cannot be passed on to the backend.
    #[error("the path cannot be passed on")]
    BadPath,
    /// No API and no domain has the host's name.
    #[error("no API or domain has this host name")]
    UnknownHost,
    /// The API's own endpoint is switched off.
    #[error("the API's own endpoint is disabled")]
    EndpointDisabled,
    /// The domain maps no API to the path.
    #[error("the domain maps no API to this path")]
    NoMapping,
    /// The API has no stage of that name, and no `$default` stage.
    #[error("the API has no such stage")]
    NoStage,
    /// The stage has no route for the request.
    #[error("no route matches")]
    NoRoute,
    /// The route leads to no integration, or to one that cannot be used.
    #[error("the route's integration cannot be used")]
    BrokenIntegration,
    /// Request line and headers are too large.
    #[error("request line and headers are too large")]
    HeadersTooLarge,
    /// The body is too large.
    #[error("the body is too large")]
    BodyTooLarge,
    /// The body did not arrive, or not in time.
    #[error("the body did not arrive")]
    BodyIncomplete,
    /// The integration failed while it worked on the request.
    #[error("the integration failed")]
    Failed,
    /// The integration answered with something that is no response.
    #[error("the integration's answer is malformed")]
    BadReply,
    /// The integration could not be reached or did not begin.
    #[error("the integration cannot be reached")]
    Unavailable,
    /// The integration did not answer in time.
    #[error("the integration did not answer in time")]
    TimedOut,
}

impl Refusal {
    /// Returns the status of the answer.
    pub fn status(self) -> StatusCode {
        match self {
            Self::NoHost | Self::BadPath => StatusCode::BAD_REQUEST,
            Self::Tunnel => StatusCode::METHOD_NOT_ALLOWED,
            Self::UnknownHost | Self::NoMapping => StatusCode::FORBIDDEN,
            Self::EndpointDisabled | Self::NoStage | Self::NoRoute => StatusCode::NOT_FOUND,
            Self::BrokenIntegration | Self::Failed | Self::BadReply => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Self::HeadersTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyIncomplete => StatusCode::REQUEST_TIMEOUT,
            Self::Unavailable | Self::TimedOut => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Returns the JSON body of the answer.
    pub fn body(self) -> &'static str {
        match self {
            Self::NoHost | Self::BadPath => r#"{"message":"Bad Request"}"#,
            Self::Tunnel => r#"{"message":"Method Not Allowed"}"#,
            Self::UnknownHost | Self::NoMapping => r#"{"message":"Forbidden"}"#,
            Self::EndpointDisabled | Self::NoStage | Self::NoRoute => r#"{"message":"Not Found"}"#,
            Self::BrokenIntegration | Self::Failed | Self::BadReply => {
                r#"{"message":"Internal Server Error"}"#
            }
            Self::HeadersTooLarge => r#"{"message":"Request Header Fields Too Large"}"#,
            Self::BodyTooLarge => r#"{"message":"Request Entity Too Large"}"#,
            Self::BodyIncomplete => r#"{"message":"Request Timeout"}"#,
            Self::Unavailable | Self::TimedOut => r#"{"message":"Service Unavailable"}"#,
        }
    }
}
