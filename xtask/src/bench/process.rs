//! A program under measurement: started, read from `/proc`, ended when dropped.
//!
//! Linux alone: other systems have no such files, and the benchmark says so.

use std::fs::File;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// A started program.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    name: String,
}

impl Process {
    /// Starts a program; what it prints goes to `log`.
    pub(super) fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let out = File::create(log).with_context(|| format!("create {}", log.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .with_context(|| format!("start {name}"))?;
        Ok(Self { child, name })
    }

    /// Waits until `ready` says yes.
    ///
    /// Errors: when the program ends, or is not ready in time.
    pub(super) fn wait_for(
        &mut self,
        patience: Duration,
        mut ready: impl FnMut() -> bool,
    ) -> Result<()> {
        let start = Instant::now();
        while !ready() {
            if let Some(status) = self.child.try_wait()? {
                anyhow::bail!("{} ended: {status}", self.name);
            }
            anyhow::ensure!(start.elapsed() < patience, "{} is not ready", self.name);
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    /// Returns the processor time of all its threads so far.
    pub(super) fn cpu(&self) -> Result<Duration> {
        let path = format!("/proc/{}/stat", self.child.id());
        let stat = std::fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
        // The name in parentheses may hold spaces; utime and stime are the 14th and 15th field.
        let (_, rest) = stat.rsplit_once(')').context("a process's state")?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok());
        let ticks = ticks(11).zip(ticks(12)).context("a process's times")?;
        Ok(TICK * u32::try_from(ticks.0 + ticks.1)?)
    }

    /// Waits until it has little left to do, for a minute at most: after a fill, a server sorts,
    /// compacts or collects what it was given.
    pub(super) fn settle(&self) -> Result<()> {
        let began = Instant::now();
        let mut before = self.cpu()?;
        while began.elapsed() < Duration::from_mins(1) {
            std::thread::sleep(LOOK);
            let after = self.cpu()?;
            if after.saturating_sub(before) < LOOK / 20 {
                break;
            }
            before = after;
        }
        Ok(())
    }

    /// Returns its resident memory in MiB.
    pub(super) fn resident_mib(&self) -> Result<f64> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next());
        let kib: f64 = kib.context("a process's memory")?.parse()?;
        Ok(kib / 1024.0)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Returns whether something accepts connections there.
pub(super) fn accepts(address: SocketAddr) -> bool {
    std::net::TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok()
}

/// Returns a port that is free for TCP and UDP at an address.
pub(super) fn free_port(address: std::net::IpAddr) -> Result<u16> {
    for _ in 0..64 {
        let listener = TcpListener::bind((address, 0)).context("find a free port")?;
        let port = listener.local_addr()?.port();
        if UdpSocket::bind((address, port)).is_ok() {
            return Ok(port);
        }
    }
    anyhow::bail!("no free port at {address}")
}

/// The unit of times in `/proc`: 100 ticks a second on every Linux of the last twenty years.
const TICK: Duration = Duration::from_millis(10);

/// Pause between two looks at a starting program. 1 ms.
const POLL: Duration = Duration::from_millis(1);

/// Time between two looks at how busy a program is. One second.
const LOOK: Duration = Duration::from_secs(1);
