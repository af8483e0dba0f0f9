//! What every AWS API shares on the wire: SigV4, envelopes, faults, request ids.
//!
//! It knows no operation and opens no socket.
//!
//! A request's walk: [`dispatch`] says which service and region it is for, [`sigv4`] who sent
//! it ([`front`] does both and answers what is no call), the facade reads it with [`json`],
//! [`rest_json`], [`rest_xml`], [`query`] or [`cbor`], and answers through the same module, a
//! failure as a [`fault::Fault`].

pub mod caller;

pub mod authority;
pub mod cbor;
pub mod cors;
pub mod dispatch;
pub mod fault;
pub mod front;
pub mod hosts;
pub mod json;
pub mod limits;
pub mod query;
pub mod request_id;
pub mod rest_json;
pub mod rest_xml;
pub mod sigv4;
pub mod timestamp;
pub mod uri;
pub mod xml;

mod gzip;
