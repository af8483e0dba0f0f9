//! The AWS query protocol: a form in, XML out, as STS and IAM speak it.
//!
//! It knows no operation. Source: Smithy 2.0, "AWS query protocol".

use bytes::Bytes;
use http::{Request, Response, StatusCode};

use crate::caller::Caller;
use crate::fault::Fault;
use crate::rest_xml;
use crate::uri::Parameters;
use crate::xml::XmlWriter;

/// The namespace of STS's documents.
pub const STS: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// The namespace of IAM's documents.
pub const IAM: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// The namespace of `CloudWatch`'s documents.
pub const CLOUDWATCH: &str = "http://monitoring.amazonaws.com/doc/2010-08-01/";

/// Returns a call's parameters, those of the query string before those of the body.
pub fn parameters(request: &Request<Bytes>) -> Parameters {
    let query = request.uri().query().unwrap_or_default().as_bytes();
    if query.is_empty() {
        return Parameters::parse(request.body());
    }
    Parameters::parse(&[query, b"&", request.body()].concat())
}

/// Answers a call of `action` that succeeded; `result` writes the members of its result.
///
/// Shape: `<ActionResponse><ActionResult>…</ActionResult><ResponseMetadata>`.
pub fn reply(
    caller: &Caller,
    namespace: &str,
    action: &str,
    result: impl FnOnce(&mut XmlWriter),
) -> Response<Bytes> {
    let mut xml = XmlWriter::undeclared();
    xml.open_in(&format!("{action}Response"), namespace);
    xml.within(&format!("{action}Result"), result);
    xml.within("ResponseMetadata", |xml| {
        xml.leaf("RequestId", &caller.request_id.as_uuid());
    });
    rest_xml::reply(caller, StatusCode::OK, xml.finish())
}

/// Answers with a failure.
pub fn fault(caller: &Caller, namespace: &str, fault: &Fault) -> Response<Bytes> {
    rest_xml::failure(XmlWriter::undeclared(), caller, namespace, fault)
}

#[cfg(test)]
mod tests;
