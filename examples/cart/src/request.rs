//! What an HTTP request asks of the cart.
//!
//! It performs nothing; it only decides between an operation and a complaint.

use percent_encoding::percent_decode_str;
use serde::Deserialize;

/// One thing a client can ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Whether this copy of the app can serve.
    Health,
    /// The whole cart of a customer.
    List {
        /// Whose cart.
        customer: String,
    },
    /// That so many of one article lie in the cart.
    Put {
        /// Whose cart.
        customer: String,
        /// Which article.
        sku: String,
        /// How many of it.
        quantity: u32,
    },
    /// That none of one article lies in the cart.
    Remove {
        /// Whose cart.
        customer: String,
        /// Which article.
        sku: String,
    },
}

/// A request that asks for nothing the cart can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadRequest {
    /// The path is none of the app's.
    NoSuchPath,
    /// The path exists, but not with this method; the methods it has.
    NoSuchMethod(&'static str),
    /// A part of the request has the wrong shape; which, and the right one.
    Malformed(&'static str),
}

/// Most articles of one kind in a cart. 10,000.
pub const QUANTITY_MAX: u32 = 10_000;

/// Longest customer or article name. 128 bytes, far below DynamoDB's 1,024 for a sort key.
pub const NAME_BYTES_MAX: usize = 128;

/// Decides what a request asks for.
///
/// Errors: [`BadRequest`], to be answered with 400, 404 or 405.
pub fn parse(method: &str, path: &str, body: &[u8]) -> Result<Operation, BadRequest> {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    let head = segments.next();
    let (first, second, rest) = (segments.next(), segments.next(), segments.next());
    match (head, first, second, rest) {
        (Some("health"), None, None, None) => match method {
            "GET" | "HEAD" => Ok(Operation::Health),
            _ => Err(BadRequest::NoSuchMethod("GET, HEAD")),
        },
        (Some("cart"), Some(customer), None, None) => match method {
            "GET" | "HEAD" => Ok(Operation::List {
                customer: name(customer)?,
            }),
            _ => Err(BadRequest::NoSuchMethod("GET, HEAD")),
        },
        (Some("cart"), Some(customer), Some(sku), None) => match method {
            "PUT" => Ok(Operation::Put {
                customer: name(customer)?,
                sku: name(sku)?,
                quantity: quantity(body)?,
            }),
            "DELETE" => Ok(Operation::Remove {
                customer: name(customer)?,
                sku: name(sku)?,
            }),
            _ => Err(BadRequest::NoSuchMethod("PUT, DELETE")),
        },
        _ => Err(BadRequest::NoSuchPath),
    }
}

fn name(segment: &str) -> Result<String, BadRequest> {
    let text = percent_decode_str(segment)
        .decode_utf8()
        .map_err(|_| BadRequest::Malformed("names in the path must be UTF-8"))?;
    if text.len() > NAME_BYTES_MAX || text.chars().any(char::is_control) {
        return Err(BadRequest::Malformed(
            "names in the path must be at most 128 bytes without control characters",
        ));
    }
    Ok(text.into_owned())
}

fn quantity(body: &[u8]) -> Result<u32, BadRequest> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Line {
        quantity: u32,
    }
    match serde_json::from_slice::<Line>(body) {
        Ok(line) if (1..=QUANTITY_MAX).contains(&line.quantity) => Ok(line.quantity),
        Ok(_) | Err(_) => Err(BadRequest::Malformed(
            r#"the body must be {"quantity": n} with n from 1 to 10000"#,
        )),
    }
}

#[cfg(test)]
mod tests;
