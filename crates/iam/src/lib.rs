//! AWS IAM policies: documents read, compiled and evaluated; and the forms of credentials.
//!
//! It authenticates nobody and stores nothing: a facade says who asks what, and about what.

pub mod limits;

pub mod policy;

pub mod kind;

pub mod mistake;

pub mod request;

pub mod principal;

pub mod identity;

pub mod context;

pub mod keys;

pub mod decision;

pub mod credentials;

pub mod session;

mod json;

mod read;

mod action;

mod arn;

mod glob;

mod template;

mod condition;

mod operator;

mod literal;
