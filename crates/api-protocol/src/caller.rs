//! Who sent a request, and for which service and region.
//!
//! It decides nothing about permissions.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use base::name::AccountId;
use base::region::RegionName;
use clock::time::WallTime;
use http::HeaderValue;
use iam::identity::Identity;

use crate::request_id::RequestId;

/// The sender of one request, as its signature names it, and what the request is for.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The access key of the signature, empty where the request was not signed.
    pub access_key: String,
    /// The account that owns the access key.
    pub account: AccountId,
    /// The region that the request is for.
    pub region: RegionName,
    /// The service that the request is for.
    pub service: Service,
    /// The number of the request, repeated in its answer.
    pub request_id: RequestId,
    /// By what it may do something.
    pub authority: Authority,
    /// How the request came.
    pub circumstances: Circumstances,
}

/// By what a caller may do something.
#[derive(Clone, Debug)]
pub enum Authority {
    /// It may do all: nobody is asked who they are, or the process itself calls.
    Unchecked,
    /// What the policies of this identity, and of what it uses, allow.
    Checked(Arc<Identity>),
}

/// How a request came: what policies may ask about, beside who sent it and what for.
#[derive(Clone, Debug, Default)]
pub struct Circumstances {
    /// The address of the sender, where one sent it.
    pub source: Option<IpAddr>,
    /// When it came.
    pub now: WallTime,
    /// What the sender says it is.
    pub user_agent: Option<HeaderValue>,
}

impl Caller {
    /// Makes the caller of a request that the process sends itself, in the default account.
    pub fn internal(service: Service, region: RegionName, request_id: RequestId) -> Self {
        Self {
            access_key: String::new(),
            account: AccountId::DEFAULT,
            region,
            service,
            request_id,
            authority: Authority::Unchecked,
            circumstances: Circumstances::default(),
        }
    }
}

/// An AWS service.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// DynamoDB.
    DynamoDb,
    /// DynamoDB Streams: signed as DynamoDB, told apart by its targets.
    DynamoDbStreams,
    /// Route 53.
    Route53,
    /// API Gateway, both versions.
    ApiGateway,
    /// Calls of an API's own endpoint, signed because a route asks for it.
    ExecuteApi,
    /// Lambda.
    Lambda,
    /// Certificate Manager.
    Acm,
    /// Security Token Service.
    Sts,
    /// Identity and Access Management.
    Iam,
    /// `CloudWatch`.
    CloudWatch,
    /// Any other, by its signing name or by what else names it.
    Unknown(String),
}

/// How a service's requests and answers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// AWS JSON 1.0.
    Json10,
    /// AWS JSON 1.1.
    Json11,
    /// REST with JSON bodies.
    RestJson,
    /// REST with XML bodies.
    RestXml,
    /// A form in, XML out.
    Query,
}

impl Service {
    /// Returns the service that is signed under `name`.
    pub fn of_signing_name(name: &str) -> Self {
        match name {
            "dynamodb" => Self::DynamoDb,
            "route53" => Self::Route53,
            "apigateway" => Self::ApiGateway,
            "execute-api" => Self::ExecuteApi,
            "lambda" => Self::Lambda,
            "acm" => Self::Acm,
            "sts" => Self::Sts,
            "iam" => Self::Iam,
            "monitoring" => Self::CloudWatch,
            other => Self::Unknown(other.to_owned()),
        }
    }

    /// Returns the name under which requests to the service are signed.
    pub fn signing_name(&self) -> &str {
        match self {
            Self::DynamoDb | Self::DynamoDbStreams => "dynamodb",
            Self::Route53 => "route53",
            Self::ApiGateway => "apigateway",
            Self::ExecuteApi => "execute-api",
            Self::Lambda => "lambda",
            Self::Acm => "acm",
            Self::Sts => "sts",
            Self::Iam => "iam",
            Self::CloudWatch => "monitoring",
            Self::Unknown(name) => name,
        }
    }

    /// Returns whether every region answers for the service, whatever region a request names.
    pub fn is_global(&self) -> bool {
        match self {
            Self::Route53 | Self::Sts | Self::Iam => true,
            Self::DynamoDb
            | Self::DynamoDbStreams
            | Self::ApiGateway
            | Self::ExecuteApi
            | Self::Lambda
            | Self::Acm
            | Self::CloudWatch
            | Self::Unknown(_) => false,
        }
    }

    /// Returns how the service writes; `None` for an unknown one. `CloudWatch` answers in whatever
    /// way it is asked, and has the failures of the oldest.
    pub fn wire(&self) -> Option<Wire> {
        match self {
            Self::DynamoDb | Self::DynamoDbStreams => Some(Wire::Json10),
            Self::Acm => Some(Wire::Json11),
            Self::ApiGateway | Self::ExecuteApi | Self::Lambda => Some(Wire::RestJson),
            Self::Route53 => Some(Wire::RestXml),
            Self::Sts | Self::Iam | Self::CloudWatch => Some(Wire::Query),
            Self::Unknown(_) => None,
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DynamoDbStreams => f.write_str("streams.dynamodb"),
            Self::DynamoDb
            | Self::Route53
            | Self::ApiGateway
            | Self::ExecuteApi
            | Self::Lambda
            | Self::Acm
            | Self::Sts
            | Self::Iam
            | Self::CloudWatch
            | Self::Unknown(_) => f.write_str(self.signing_name()),
        }
    }
}
