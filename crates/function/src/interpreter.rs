//! Which program runs a runtime: the code's own `bootstrap`, or an interpreter found here.
//!
//! It starts no function.
//! Source: Lambda developer guide, "Lambda runtimes", "Building a custom runtime".

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::instance::process::Program;
use crate::limits::PROBE_MAX;
use crate::locked::Locked;
use crate::spec::FunctionSpec;

/// A runtime that this region cannot run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuntimeRefused {
    /// Only custom runtimes and Python are run.
    #[error("run {0:?}: only provided, provided.al2, provided.al2023 and python3.x are run here")]
    Unknown(String),
    /// No Python that could run it was found.
    #[error(
        "run {0:?}: neither {0} nor python3 is in the search path with the module awslambdaric; \
         install it with: pip install awslambdaric"
    )]
    NoInterpreter(String),
}

/// The interpreters of this machine, looked for when a function first needs one.
#[derive(Debug)]
pub(crate) struct Interpreters {
    search_path: String,
    found: Locked<BTreeMap<String, PathBuf>>,
}

enum Runtime<'a> {
    Provided,
    Python(&'a str),
}

fn parse(runtime: &str) -> Result<Runtime<'_>, RuntimeRefused> {
    let is_minor =
        |minor: &str| (1..=2).contains(&minor.len()) && minor.bytes().all(|b| b.is_ascii_digit());
    if runtime == "provided" || runtime.starts_with("provided.") {
        Ok(Runtime::Provided)
    } else if runtime.strip_prefix("python3.").is_some_and(is_minor) {
        Ok(Runtime::Python(runtime))
    } else {
        Err(RuntimeRefused::Unknown(runtime.to_owned()))
    }
}

impl Interpreters {
    pub(crate) fn new(search_path: String) -> Self {
        Self {
            search_path,
            found: Locked::new(BTreeMap::new()),
        }
    }

    /// Checks that functions of a runtime can be run here.
    ///
    /// Errors: [`RuntimeRefused`].
    pub(crate) async fn check(&self, runtime: &str) -> Result<(), RuntimeRefused> {
        match parse(runtime)? {
            Runtime::Provided => Ok(()),
            Runtime::Python(version) => self.python(version).await.map(drop),
        }
    }

    /// Returns the program that runs a function whose code lies in `root`.
    ///
    /// Errors: [`RuntimeRefused`].
    pub(crate) async fn program(
        &self,
        spec: &FunctionSpec,
        root: &Path,
    ) -> Result<Program, RuntimeRefused> {
        match parse(&spec.runtime)? {
            Runtime::Provided => Ok(Program {
                path: root.join("bootstrap"),
                arguments: Vec::new(),
            }),
            Runtime::Python(version) => Ok(Program {
                path: self.python(version).await?,
                arguments: ["-m", "awslambdaric", &spec.handler]
                    .map(Into::into)
                    .to_vec(),
            }),
        }
    }

    /// Returns a Python with Lambda's runtime client: of the very version, or else any Python 3.
    async fn python(&self, version: &str) -> Result<PathBuf, RuntimeRefused> {
        if let Some(path) = self.found.with(|found| found.get(version).cloned()) {
            return Ok(path);
        }
        for name in [version, "python3"] {
            for directory in self.search_path.split(':').filter(|d| !d.is_empty()) {
                let path = Path::new(directory).join(name);
                if has_runtime_client(&path, &self.search_path).await {
                    self.found
                        .with(|found| found.insert(version.to_owned(), path.clone()));
                    return Ok(path);
                }
            }
        }
        Err(RuntimeRefused::NoInterpreter(version.to_owned()))
    }
}

async fn has_runtime_client(python: &Path, search_path: &str) -> bool {
    if tokio::fs::metadata(python).await.is_err() {
        return false;
    }
    let mut command = Command::new(python);
    command
        .args(["-c", "import awslambdaric"])
        .env_clear()
        .env("PATH", search_path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let asked = tokio::time::timeout(PROBE_MAX, command.status()).await;
    matches!(asked, Ok(Ok(status)) if status.success())
}

#[cfg(test)]
mod tests;
