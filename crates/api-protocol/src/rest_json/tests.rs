//! Tests of `rest_json`.
