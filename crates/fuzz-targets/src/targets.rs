//! Every target by the name of its corpus.
//!
//! A target panics when its input shows a mistake, and returns otherwise.

/// A function that a fuzzer calls with bytes of its choice.
pub type Target = fn(&[u8]);

/// The targets, by the names of their folders in `fuzz/corpus`.
pub const TARGETS: [(&str, Target); 15] = [
    ("cbor_body", crate::cbor_body::run),
    ("dns_message", crate::dns_message::run),
    ("dynamodb_json", crate::dynamodb_json::run),
    ("expressions", crate::expressions::run),
    ("front_door", crate::front_door::run),
    ("gzip_body", crate::gzip_body::run),
    ("iam_policy", crate::iam_policy::run),
    ("item_codec", crate::item_codec::run),
    ("item_files", crate::item_files::run),
    ("keys", crate::keys::run),
    ("numbers", crate::numbers::run),
    ("partiql_statement", crate::partiql_statement::run),
    ("replication", crate::replication::run),
    ("session_token", crate::session_token::run),
    ("sigv4_request", crate::sigv4_request::run),
];
