//! SigV4, AWS JSON, REST-JSON and REST-XML envelopes, request ids.
//!
//! It knows no operation.
