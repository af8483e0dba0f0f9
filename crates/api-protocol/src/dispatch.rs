//! Which service and region a request is for, before anything in it is believed.
//!
//! It verifies nothing. The signature's scope decides, then the target, then the path: one
//! endpoint serves every service, as `AWS_ENDPOINT_URL` expects.

use std::collections::BTreeSet;

use base::limits::{API_BODY_BYTES_MAX, FUNCTION_BODY_BYTES_MAX};
use base::region::RegionName;
use base::units::ByteCount;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request};

use crate::caller::Service;
use crate::json;
use crate::sigv4::{Scope, credential};
use crate::uri::{Parameters, segments};

/// The regions of the project, and what to do with the names of others.
#[derive(Clone, Debug)]
pub struct Regions {
    /// The region that this node belongs to.
    pub own: RegionName,
    /// All regions of the project.
    pub all: BTreeSet<RegionName>,
    /// Whether a request for a region that is none of them is served here.
    pub strangers: Strangers,
}

/// What becomes of a request for a region that the project does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strangers {
    /// It is served here, as if it had named this region: for development.
    Own,
    /// It is refused.
    Refuse,
}

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The service.
    pub service: Service,
    /// The region.
    pub region: TargetRegion,
}

/// The region that a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetRegion {
    /// One of the project's.
    Known(RegionName),
    /// None of them, and strangers are refused.
    Unknown(String),
}

/// Returns what a request is for.
pub fn target(regions: &Regions, request: &Request<Bytes>) -> Target {
    let credential = credential(request);
    let scope = credential.as_deref().and_then(Scope::parse);
    let service = match scope {
        Some(scope) => of_scope(scope.service, request.headers()),
        None => of_target(request.headers())
            .or_else(|| of_path(request.uri().path()))
            .or_else(|| of_form(request))
            .unwrap_or_else(|| Service::Unknown(String::new())),
    };
    let region = match scope {
        Some(scope) if !service.is_global() => of_region(regions, scope.region),
        Some(_) | None => TargetRegion::Known(regions.own.clone()),
    };
    Target { service, region }
}

/// Returns how large a request's body may be, from its head alone.
pub fn body_bytes_max<B>(request: &Request<B>) -> ByteCount {
    match of_path(request.uri().path()) {
        Some(Service::Lambda) => FUNCTION_BODY_BYTES_MAX,
        Some(_) | None => API_BODY_BYTES_MAX,
    }
}

fn of_scope(name: &str, headers: &HeaderMap) -> Service {
    match (Service::of_signing_name(name), of_target(headers)) {
        (Service::DynamoDb, Some(Service::DynamoDbStreams)) => Service::DynamoDbStreams,
        (service, _) => service,
    }
}

fn of_target(headers: &HeaderMap) -> Option<Service> {
    let target = headers.get(json::TARGET)?.to_str().ok()?;
    let prefix = target.split('.').next().unwrap_or_default();
    Some(match prefix {
        _ if prefix == json::DYNAMODB.target_prefix => Service::DynamoDb,
        _ if prefix == json::DYNAMODB_STREAMS.target_prefix => Service::DynamoDbStreams,
        _ if prefix == json::ACM.target_prefix => Service::Acm,
        _ if prefix == json::CLOUDWATCH.target_prefix => Service::CloudWatch,
        _ => Service::Unknown(prefix.to_owned()),
    })
}

fn of_path(path: &str) -> Option<Service> {
    let segments = segments(path);
    match (
        segments.first()?.as_ref(),
        segments.get(1).map(AsRef::as_ref),
    ) {
        ("2013-04-01", _) => Some(Service::Route53),
        ("v2" | "restapis" | "domainnames" | "apikeys" | "usageplans" | "vpclinks", _) => {
            Some(Service::ApiGateway)
        }
        ("service", Some(name)) if name == json::CLOUDWATCH.target_prefix => {
            Some(Service::CloudWatch)
        }
        (version, Some(_)) if is_date(version) => Some(Service::Lambda),
        _ => None,
    }
}

fn of_form(request: &Request<Bytes>) -> Option<Service> {
    let is_form = request.headers().get(CONTENT_TYPE).is_some_and(|kind| {
        kind.as_bytes()
            .starts_with(b"application/x-www-form-urlencoded")
    });
    let version = |parameters: Parameters| match parameters.first("Version")? {
        "2011-06-15" => Some(Service::Sts),
        "2010-05-08" => Some(Service::Iam),
        "2010-08-01" => Some(Service::CloudWatch),
        _ => None,
    };
    version(Parameters::of_uri(request.uri()))
        .or_else(|| is_form.then(|| version(Parameters::parse(request.body())))?)
}

fn of_region(regions: &Regions, name: &str) -> TargetRegion {
    match RegionName::parse(name) {
        Ok(name) if regions.all.contains(&name) => TargetRegion::Known(name),
        Ok(_) | Err(_) => match regions.strangers {
            Strangers::Own => TargetRegion::Known(regions.own.clone()),
            Strangers::Refuse => TargetRegion::Unknown(name.to_owned()),
        },
    }
}

/// Returns whether a segment is an API version, `2015-03-31`. Lambda has many of them.
fn is_date(segment: &str) -> bool {
    segment.len() == 10
        && segment.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

#[cfg(test)]
mod tests;
