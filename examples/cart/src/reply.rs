//! What the cart answers: statuses and JSON bodies.
//!
//! It reads no table; items come in as the SDK returns them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

use crate::request::BadRequest;

/// An item as the SDK returns it.
pub type Item = HashMap<String, AttributeValue>;

/// An answer before it becomes an HTTP response.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body.
    pub body: Value,
    /// The value of `Allow`, for 405 alone.
    pub allow: Option<&'static str>,
}

impl Reply {
    fn of(status: u16, body: Value) -> Self {
        Self {
            status,
            body,
            allow: None,
        }
    }
}

/// Answers a health check of a copy that can serve.
pub fn healthy(region: &str, table: &str) -> Reply {
    Reply::of(
        200,
        json!({ "status": "ok", "region": region, "table": table }),
    )
}

/// Answers a whole cart.
///
/// Shape: lines in the order of the table's sort key; items without a quantity are left out.
pub fn cart(region: &str, customer: &str, items: &[Item]) -> Reply {
    let lines: Vec<Value> = items.iter().filter_map(line).collect();
    Reply::of(
        200,
        json!({ "customer": customer, "lines": lines, "served_by": region }),
    )
}

/// Answers a line that was put into the cart.
pub fn stored(region: &str, item: &Item) -> Reply {
    match line(item) {
        Some(line) => Reply::of(200, json!({ "line": line, "served_by": region })),
        None => table_failed(region),
    }
}

/// Answers that a line was taken out.
pub fn removed(region: &str, customer: &str, sku: &str) -> Reply {
    Reply::of(
        200,
        json!({ "customer": customer, "removed": sku, "served_by": region }),
    )
}

/// Answers that a line to take out was not in the cart.
pub fn no_such_line(customer: &str, sku: &str) -> Reply {
    let error = format!("no {sku:?} in the cart of {customer:?}");
    Reply::of(404, json!({ "error": error }))
}

/// Answers that the table did not serve; the cause stands in the log, not in the answer.
pub fn table_failed(region: &str) -> Reply {
    Reply::of(
        503,
        json!({ "error": "the cart's table cannot be reached", "region": region }),
    )
}

/// Answers a request that asks for nothing the cart can do.
pub fn refused(reason: &BadRequest) -> Reply {
    match reason {
        BadRequest::NoSuchPath => Reply::of(
            404,
            json!({ "error": "no such path; try /health, /cart/CUSTOMER or /cart/CUSTOMER/SKU" }),
        ),
        BadRequest::NoSuchMethod(allow) => Reply {
            status: 405,
            body: json!({ "error": format!("this path has {allow}") }),
            allow: Some(allow),
        },
        BadRequest::Malformed(error) => Reply::of(400, json!({ "error": error })),
    }
}

/// Returns one item as a line of the cart; `None` for an item that is none.
fn line(item: &Item) -> Option<Value> {
    let text = |name: &str| item.get(name)?.as_s().ok();
    let quantity: u32 = item.get("quantity")?.as_n().ok()?.parse().ok()?;
    Some(json!({
        "sku": text("sku")?,
        "quantity": quantity,
        "written_in": text("written_in"),
    }))
}

#[cfg(test)]
mod tests;
