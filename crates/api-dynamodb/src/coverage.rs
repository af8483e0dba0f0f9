//! The page that says which operations are served, made of the table that decides it.
//!
//! It is written by `cargo xtask model`; a test compares.

use std::fmt::Write as _;

use crate::model::facts::Model;
use crate::operations::Support;

/// Returns `docs/reference/dynamodb.md`.
pub fn page() -> String {
    let operations = Model::get().operations();
    let is_served = |support| matches!(support, Some(Support::Served(..)));
    let served = operations.iter().filter(|one| is_served(one.support));
    let served = served.count();
    let all = operations.len();
    let mut out = format!(
        "# DynamoDB: operations\n\n\
         Made by `cargo xtask model` from the table by which calls are dispatched; do not edit.\n\n\
         {served} of the {all} operations in the models of DynamoDB and DynamoDB Streams are \
         served. Each of the others is\nchecked like any call, and then refused with a \
         `ValidationException` that names it and the reason: nothing is\n\
         accepted and forgotten.\n\n\
         | operation | | but, or why not |\n|---|---|---|\n",
    );
    for operation in operations {
        let (mark, note) = match operation.support {
            Some(Support::Served(_, but)) => ("served", but),
            Some(Support::Refused(why)) => ("refused", why),
            None => ("missing", ""),
        };
        // Writing to a text cannot fail.
        let _ = writeln!(out, "| `{}` | {mark} | {note} |", operation.name);
    }
    out
}
