//! REST with XML bodies, as Route 53 speaks it.
//!
//! It matches no route: facades match on [`crate::uri::segments`].
//! Source: Smithy 2.0, "AWS restXml protocol".

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};

use crate::caller::Caller;
use crate::fault::Fault;
use crate::json::REQUEST_ID;
use crate::xml::{Element, XmlWriter, parse};

/// The namespace of Route 53's documents.
pub const ROUTE53: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

/// Reads a request's body, whose root must be called `root`.
///
/// Errors: `MalformedInput` for what is no XML of bounded depth, or has another root.
pub fn read(body: &[u8], root: &str) -> Result<Element, Fault> {
    let document = parse(body).map_err(|error| {
        Fault::caller(
            "MalformedInput",
            format!("Unable to parse the request: {error}"),
        )
    })?;
    if document.name == root {
        Ok(document)
    } else {
        let message = format!("Expected the element {root}, found {}", document.name);
        Err(Fault::caller("MalformedInput", message))
    }
}

/// Answers with a document.
pub fn reply(caller: &Caller, status: StatusCode, document: Bytes) -> Response<Bytes> {
    let length = document.len();
    let mut response = Response::new(document);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(REQUEST_ID, caller.request_id.uuid_header());
    response
}

/// Answers with a failure.
pub fn fault(caller: &Caller, namespace: &str, fault: &Fault) -> Response<Bytes> {
    failure(XmlWriter::declared(), caller, namespace, fault)
}

/// Answers with a failure, in the envelope that all of AWS's XML protocols share.
pub(crate) fn failure(
    mut xml: XmlWriter,
    caller: &Caller,
    namespace: &str,
    fault: &Fault,
) -> Response<Bytes> {
    xml.open_in("ErrorResponse", namespace);
    xml.within("Error", |xml| {
        xml.leaf("Type", fault.xml_type());
        xml.leaf("Code", &fault.code);
        xml.leaf("Message", &fault.message);
    });
    xml.leaf("RequestId", &caller.request_id.as_uuid());
    reply(caller, fault.status, xml.finish())
}

#[cfg(test)]
mod tests;
