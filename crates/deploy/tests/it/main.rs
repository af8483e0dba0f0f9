//! Tests of the client and of whole runs, against a scripted endpoint.

mod client;
mod endpoint;
mod run;
