//! DynamoDB expressions: parse, check and evaluate over items.
//!
//! It reads no table and no request.
