//! One process of a function: started in its own group, ended with the whole group.
//!
//! It speaks no protocol.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};

use crate::limits::{BUSY_FILE_PAUSE, BUSY_FILE_RETRIES, STOP_GRACE};

/// What to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) arguments: Vec<OsString>,
}

/// A running process and its group. Dropping it kills the group.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    group: Group,
}

/// A process group of our own.
#[derive(Debug)]
struct Group(Pid);

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
    }
}

impl Group {
    fn signal(&self, signal: Signal) {
        match killpg(self.0, signal) {
            // Nobody is left in the group.
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(errno) => tracing::warn!(group = %self.0, %signal, %errno, "cannot signal"),
        }
    }
}

impl Process {
    /// Starts a program and returns it with what it writes, standard output and error in one.
    ///
    /// Errors: those of the operating system.
    pub(crate) async fn start(
        program: &Program,
        directory: &Path,
        variables: &BTreeMap<String, String>,
    ) -> io::Result<(Self, pipe::Receiver)> {
        let (reader, writer) = io::pipe()?;
        let output = pipe::Receiver::from_owned_fd(OwnedFd::from(reader))?;
        let mut command = Command::new(&program.path);
        command
            .args(&program.arguments)
            .current_dir(directory)
            .env_clear()
            .envs(variables)
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .process_group(0)
            .kill_on_drop(true);
        let mut tries = 0;
        let child = loop {
            match command.spawn() {
                Err(error)
                    if error.kind() == io::ErrorKind::ExecutableFileBusy
                        && tries < BUSY_FILE_RETRIES =>
                {
                    tries += 1;
                    tokio::time::sleep(BUSY_FILE_PAUSE).await;
                }
                spawned => break spawned?,
            }
        };
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
        let pid = pid.ok_or_else(|| io::Error::other("the process has no number"))?;
        let group = Group(Pid::from_raw(pid));
        Ok((Self { child, group }, output))
    }

    /// Waits for the process to end. May be called again after it was cancelled.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Returns the process's number.
    pub(crate) fn number(&self) -> i32 {
        self.group.0.as_raw()
    }

    /// Asks the group to end, and ends it after [`STOP_GRACE`].
    pub(crate) async fn stop(mut self) {
        self.group.signal(Signal::SIGTERM);
        // Whether it heeded that or not, dropping the group ends whoever is left.
        let _ = within(STOP_GRACE, self.child.wait()).await;
        self.kill().await;
    }

    /// Ends the group at once.
    pub(crate) async fn kill(mut self) {
        self.group.signal(Signal::SIGKILL);
        if let Err(error) = self.child.wait().await {
            tracing::warn!(%error, "cannot wait for a function's process");
        }
    }
}

/// Returns the most memory a process has had, in MiB; `None` once it is gone.
pub(crate) fn memory_peak_mb(number: i32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{number}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib.div_ceil(1024))
}

async fn within<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    tokio::time::timeout(limit, future).await.ok()
}
