//! What a node is started with.
//!
//! It is resolved: nothing here reads a file or an environment variable.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use base::units::ByteCount;
use control::project::Project;
use net::dial::Dialer;

/// What a node is started with.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// What was built, as it is told to whoever asks.
    pub version: String,
    /// The project, with this node's region in it.
    pub project: Project,
    /// Where this node keeps its data.
    pub data_dir: PathBuf,
    /// When writes count as done.
    pub durability: Durability,
    /// How much memory is taken for what was read from disk.
    pub cache: ByteCount,
    /// A second address of the AWS APIs, as tools of DynamoDB Local expect it.
    pub dynamodb: Option<SocketAddr>,
    /// How callers of the AWS APIs prove who they are.
    pub access: Access,
    /// Whether faults act and the region can be emptied although callers must sign.
    pub test_controls: TestControls,
    /// Names, beside those of the machine itself, by which a node in development may be asked.
    pub hosts: Vec<String>,
    /// In which words DynamoDB's requests are refused.
    pub wording: Wording,
    /// Whether DynamoDB's tables are throttled that say nothing of it.
    pub throttling: Throttling,
    /// How others are reached.
    pub dialer: Dialer,
    /// Where functions look for programs, as in `PATH`.
    pub search_path: String,
    /// The authorities, in PEM, that `https` backends are verified by; empty for none.
    pub backend_roots: Vec<u8>,
}

/// In which words DynamoDB's requests are refused that are not as its model wants them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wording {
    /// All that is wrong, with its values: what us-east-1 says.
    #[default]
    Classic,
    /// The first that is wrong, without its value: what more and more regions say since 2026.
    Newer,
}

/// When a region's writes count as done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Once they are on disk.
    #[default]
    Disk,
    /// Once the operating system has them: a power loss takes the last ones.
    Async,
}

impl Durability {
    /// Returns it as it is written and told.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Disk => "disk",
            Self::Async => "async",
        }
    }
}

/// Whether a region whose callers must sign may fail on purpose, and be emptied by its owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TestControls {
    /// It may not: it is for production.
    #[default]
    Refused,
    /// It may: it is for tests.
    Allowed,
}

impl NodeConfig {
    /// Returns whether tables may suffer faults on purpose, and the region may be emptied.
    pub(crate) fn is_for_tests(&self) -> bool {
        matches!(self.access, Access::Development) || self.test_controls == TestControls::Allowed
    }
}

/// Whether DynamoDB's tables are held to their throughput.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Throttling {
    /// They are not.
    #[default]
    Off,
    /// They are.
    On,
}

/// How callers of the AWS APIs prove who they are.
#[derive(Clone, Debug)]
pub enum Access {
    /// They need not. Refused unless the APIs listen on loopback.
    Development,
    /// By the signature of one of these keys.
    Keys(BTreeMap<String, String>),
}
