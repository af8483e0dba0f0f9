//! The process of one region: started, waited for, watched over while the laptop runs.
//!
//! It decides neither when a region is started again nor when no more: that is in
//! [`super::restarts`].

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::process::{Child, ChildStdin, Command};

use base::region::RegionName;
use clock::port::Clock;
use clock::wall::System;
use manifest::model::{Port, Site};

use super::Restart;
use super::restarts::{Next, Restarts};
use crate::http_get;

/// How long a region may take from its start to its first answer. 20 s, for a loaded machine.
const START_PATIENCE: Duration = Duration::from_secs(20);

/// How often a starting region is asked. 10 ms.
const START_PAUSE: Duration = Duration::from_millis(10);

/// The running program's own file. Unlike its path, this leads to it still when a build has put
/// another file in its place. Source: proc_pid_exe(5).
const OWN_PROGRAM: &str = "/proc/self/exe";

/// What all regions are started with.
pub(crate) struct Orders {
    /// What this program is called.
    pub(crate) program: PathBuf,
    pub(crate) manifest: PathBuf,
    pub(crate) project_key: PathBuf,
    /// Names by which the regions may be asked.
    pub(crate) hosts: Vec<String>,
}

/// One region and its process.
pub(crate) struct Region {
    pub(crate) name: RegionName,
    pub(crate) site: Site,
    pub(crate) directory: PathBuf,
    process: Option<Child>,
    /// Held open while the region is to run; waiting for the process would close its own copy.
    input: Option<ChildStdin>,
}

impl Region {
    pub(crate) fn new(name: RegionName, site: Site, directory: PathBuf) -> Self {
        Self {
            name,
            site,
            directory,
            process: None,
            input: None,
        }
    }

    /// Starts the process; it serves later.
    pub(crate) fn spawn(&mut self, orders: &Orders) -> anyhow::Result<()> {
        let log_file = self.log_file();
        let log = File::options()
            .create(true)
            .append(true)
            .open(&log_file)
            .with_context(|| format!("write {}", log_file.display()))?;
        let own = Path::new(OWN_PROGRAM);
        let mut command = Command::new(if own.exists() { own } else { &orders.program });
        command
            .arg0(&orders.program)
            .arg("serve")
            .args(["--region", self.name.as_str()])
            .args(["--laptop", "--until-stdin-ends"])
            .arg("--manifest")
            .arg(&orders.manifest)
            .arg("--data-dir")
            .arg(&self.directory)
            .arg("--project-key")
            .arg(&orders.project_key)
            .arg("--via")
            .arg(self.directory.join("via.json"))
            .args(
                orders
                    .hosts
                    .iter()
                    .map(|host| format!("--allow-host={host}")),
            )
            .stdin(Stdio::piped())
            .stdout(log.try_clone().context("share a log file")?)
            .stderr(log)
            // A signal to the terminal's group is for the parent, which drains its children.
            .process_group(0)
            .kill_on_drop(true);
        let mut process = command
            .spawn()
            .with_context(|| format!("start {}", self.name))?;
        self.input = process.stdin.take();
        self.process = Some(process);
        Ok(())
    }

    /// Waits until the process that was started serves.
    ///
    /// Errors: when it ends, or takes too long.
    pub(crate) async fn wait_until_serving(&mut self) -> anyhow::Result<()> {
        let api = self.site.socket(Port::Api);
        let process = self.process.as_mut().context("it was started")?;
        let id = process.id();
        let answers = async {
            // The process itself must answer: another one may have the address.
            loop {
                let status = http_get::get(api, "/_hither/status").await;
                if status.is_ok_and(|status| status["pid"].as_u64() == id.map(u64::from)) {
                    return;
                }
                tokio::time::sleep(START_PAUSE).await;
            }
        };
        let why = tokio::select! {
            () = answers => return Ok(()),
            ended = process.wait() => format!("it ended: {}", ended.context("wait for it")?),
            () = tokio::time::sleep(START_PATIENCE) => {
                format!("no answer within {START_PATIENCE:?}")
            }
        };
        let log = std::fs::read_to_string(self.log_file()).unwrap_or_default();
        let tail: Vec<&str> = log.lines().rev().take(8).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        bail!(
            "start {}: {why}\n{}\nhint: the whole log is {}",
            self.name,
            tail.join("\n"),
            self.log_file().display()
        )
    }

    /// Ends the process at once, as a power cut does (SIGKILL).
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        let name = &self.name;
        let process = self.process.take();
        let mut process = process.with_context(|| format!("kill {name}: it does not run"))?;
        process
            .start_kill()
            .with_context(|| format!("kill {name}"))?;
        process
            .wait()
            .await
            .with_context(|| format!("wait for {name}"))?;
        Ok(())
    }

    /// Tells the process to drain and to end.
    pub(crate) fn dismiss(&mut self) {
        // Its standard input ends, which it listens for.
        self.input = None;
    }

    /// Waits for the process to end, and kills it where that takes longer than `patience`.
    pub(crate) async fn gone(&mut self, patience: Duration) {
        if let Some(process) = &mut self.process
            && tokio::time::timeout(patience, process.wait())
                .await
                .is_err()
        {
            eprintln!("{} did not end within {patience:?}; killing it", self.name);
            drop(process.kill().await);
        }
    }

    /// Tells of a process that has ended by itself.
    pub(crate) fn tell_if_ended(&mut self) {
        let process = self.process.as_mut();
        if let Some(Ok(Some(status))) = process.map(Child::try_wait) {
            eprintln!("warning: {}", self.obituary(status));
        }
    }

    /// Keeps the region running: returns once it is left as it is, ended, and that was told.
    pub(crate) async fn supervise(&mut self, orders: &Orders, restart: Restart) {
        let mut restarts = Restarts::default();
        let mut ended = self.end().await;
        while let Err(why) = ended {
            if restart == Restart::Never {
                return eprintln!("warning: {why}; it is left dead, as --no-restart says");
            }
            match restarts.failed(System.now()) {
                Next::After(pause) => {
                    eprintln!("warning: {why}; it is started again in {pause:?}");
                    tokio::time::sleep(pause).await;
                    ended = match self.start_again(orders).await {
                        Ok(()) => self.end().await,
                        Err(why) => Err(why),
                    };
                }
                Next::GiveUp => {
                    eprintln!("error: {why}; it was started again too often and is left dead");
                    return eprintln!(
                        "hint: mend what its log tells of, then stop all with Ctrl-C and start anew"
                    );
                }
            }
        }
    }

    /// Waits until the process ends, where there is one.
    ///
    /// Errors: what to tell, unless it ended in order.
    async fn end(&mut self) -> Result<(), String> {
        let Some(process) = &mut self.process else {
            return Ok(());
        };
        let ended = process.wait().await;
        self.process = None;
        match ended {
            Ok(status) if status.success() => {
                eprintln!("{}; it was told to, and is left so", self.obituary(status));
                Ok(())
            }
            Ok(status) => Err(self.obituary(status)),
            Err(error) => Err(format!("{} cannot be waited for: {error}", self.name)),
        }
    }

    /// Starts the process anew, and waits until it serves.
    ///
    /// Errors: what to tell; no process is left then.
    async fn start_again(&mut self, orders: &Orders) -> Result<(), String> {
        let started = match self.spawn(orders) {
            Ok(()) => self.wait_until_serving().await,
            Err(error) => Err(error),
        };
        match started {
            Ok(()) => {
                eprintln!("{} serves again", self.name);
                Ok(())
            }
            Err(error) => {
                // It may have ended already.
                drop(self.kill().await);
                eprintln!("warning: {error:#}");
                Err(format!("{} does not start", self.name))
            }
        }
    }

    fn obituary(&self, status: ExitStatus) -> String {
        let log = self.log_file();
        format!(
            "{} ended, {status}; its log is {}",
            self.name,
            log.display()
        )
    }

    /// Returns the file that the process writes its log to; there is none before the first start.
    pub(crate) fn log_file(&self) -> PathBuf {
        self.directory.join("node.log")
    }
}
