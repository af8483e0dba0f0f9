//! What a node is started with.
//!
//! It is resolved: nothing here reads a file or an environment variable.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use control::project::Project;
use net::dial::Dialer;

/// What a node is started with.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// The project, with this node's region in it.
    pub project: Project,
    /// Where this node keeps its data.
    pub data_dir: PathBuf,
    /// A second address of the AWS APIs, as tools of DynamoDB Local expect it.
    pub dynamodb: Option<SocketAddr>,
    /// How callers of the AWS APIs prove who they are.
    pub access: Access,
    /// Names, beside those of the machine itself, by which a node in development may be asked.
    pub hosts: Vec<String>,
    /// How others are reached.
    pub dialer: Dialer,
    /// Where functions look for programs, as in `PATH`.
    pub search_path: String,
    /// The authorities, in PEM, that `https` backends are verified by; empty for none.
    pub backend_roots: Vec<u8>,
}

/// How callers of the AWS APIs prove who they are.
#[derive(Clone, Debug)]
pub enum Access {
    /// They need not. Refused unless the APIs listen on loopback.
    Development,
    /// By the signature of one of these keys.
    Keys(BTreeMap<String, String>),
}
