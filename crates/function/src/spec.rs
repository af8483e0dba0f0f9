//! What a region is to run: its functions, and what they find around them.
//!
//! It holds no process and no code; code is named by its hash.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base::region::RegionName;
use gateway_core::invoke::FunctionName;

/// One function as it was deployed last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionSpec {
    /// Its name.
    pub name: FunctionName,
    /// The region it belongs to.
    pub region: RegionName,
    /// Its full name, handed to each invocation.
    pub arn: String,
    /// Its code.
    pub code: CodeHash,
    /// The handler, for runtimes that have one.
    pub handler: String,
    /// The runtime, as AWS names it: `provided.al2023`, `python3.13`.
    pub runtime: String,
    /// The user's own environment variables.
    pub environment: BTreeMap<String, String>,
    /// How long one invocation may take.
    pub timeout: Duration,
    /// The memory size, in MiB.
    pub memory_mb: u32,
    /// What changes with every change of the function.
    pub revision: String,
    /// Most instances at once; `None` for the default, 0 for a function that must not run.
    pub concurrency: Option<u32>,
}

impl FunctionSpec {
    /// Returns whether an instance started from `other` may serve invocations of this.
    pub fn is_served_by(&self, other: &Self) -> bool {
        let Self {
            name,
            region,
            arn,
            code,
            handler,
            runtime,
            environment,
            timeout,
            memory_mb,
            revision: _,
            concurrency: _,
        } = self;
        *name == other.name
            && *region == other.region
            && *arn == other.arn
            && *code == other.code
            && *handler == other.handler
            && *runtime == other.runtime
            && *environment == other.environment
            && *timeout == other.timeout
            && *memory_mb == other.memory_mb
    }
}

/// All functions of one region, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Functions {
    /// The functions by their names.
    pub by_name: BTreeMap<FunctionName, Arc<FunctionSpec>>,
}

impl FromIterator<FunctionSpec> for Functions {
    fn from_iter<I: IntoIterator<Item = FunctionSpec>>(specs: I) -> Self {
        let by_name = specs
            .into_iter()
            .map(|spec| (spec.name.clone(), Arc::new(spec)))
            .collect();
        Self { by_name }
    }
}

/// What every function of a region finds in its environment.
#[derive(Clone)]
pub struct Surroundings {
    /// The region.
    pub region: RegionName,
    /// The region's own AWS endpoint, as in `http://127.0.0.11:4566`.
    pub endpoint_url: String,
    /// The access key that functions sign with.
    pub access_key_id: String,
    /// The secret of that key.
    pub secret_access_key: String,
    /// The session's token, where the key has one.
    pub session_token: Option<String>,
    /// Where programs are looked for, as in `PATH`.
    pub search_path: String,
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the secrets: this ends in logs.
        f.debug_struct("Surroundings")
            .field("region", &self.region)
            .field("endpoint_url", &self.endpoint_url)
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// The SHA-256 of a deployment package.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CodeHash([u8; 32]);

impl CodeHash {
    /// Makes a hash from its bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Computes the hash of a deployment package.
    pub fn of(package: &[u8]) -> Self {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, package);
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest.as_ref());
        Self(bytes)
    }

    /// Reads a hash as it is displayed: 64 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        let is_lower_hex = |b: &u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        if digits.len() != 64 || !digits.iter().all(is_lower_hex) {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// Returns the bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for CodeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CodeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
