//! Peers of the same API: fetched once, started, filled and left.
//!
//! Each runs as its makers say to run it; none is tuned, none is held back.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::bench::folder;
use crate::bench::process::{Process, accepts, free_port};
use crate::run;
use crate::tools::target;

/// Another server of DynamoDB's API, and where it keeps its items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    DynamoDbLocalMemory,
    DynamoDbLocalDisk,
    DynoxideMemory,
    DynoxideDisk,
    DynaliteMemory,
}

/// A server under measurement.
pub(super) struct Server {
    pub(super) name: &'static str,
    pub(super) address: SocketAddr,
    pub(super) process: Process,
    /// From its start until it accepted connections.
    pub(super) started: Duration,
    /// Where its items are on disk.
    pub(super) folder: Option<PathBuf>,
}

impl Peer {
    /// The peers of a whole run.
    pub(super) const ALL: [Self; 5] = [
        Self::DynamoDbLocalMemory,
        Self::DynamoDbLocalDisk,
        Self::DynoxideMemory,
        Self::DynoxideDisk,
        Self::DynaliteMemory,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::DynamoDbLocalMemory => "DynamoDB Local, memory",
            Self::DynamoDbLocalDisk => "DynamoDB Local, disk",
            Self::DynoxideMemory => "dynoxide, memory",
            Self::DynoxideDisk => "dynoxide, disk",
            Self::DynaliteMemory => "dynalite, memory",
        }
    }

    /// Returns whether it has `TransactWriteItems`.
    pub(super) const fn transacts(self) -> bool {
        match self {
            Self::DynamoDbLocalMemory
            | Self::DynamoDbLocalDisk
            | Self::DynoxideMemory
            | Self::DynoxideDisk => true,
            Self::DynaliteMemory => false,
        }
    }

    /// Starts it with no items.
    ///
    /// Errors: where it cannot be fetched, or does not answer within a minute.
    pub(super) fn start(self) -> Result<Server> {
        let port = free_port(Ipv4Addr::LOCALHOST.into())?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let folder = folder("peer")?;
        let mut command = self.command(port, &folder)?;
        let began = Instant::now();
        let mut process = Process::start(&mut command, &folder.join("log.txt"))?;
        process.wait_for(Duration::from_mins(1), || accepts(address))?;
        Ok(Server {
            name: self.name(),
            address,
            process,
            started: began.elapsed(),
            folder: self.is_on_disk().then_some(folder),
        })
    }

    const fn is_on_disk(self) -> bool {
        match self {
            Self::DynamoDbLocalDisk | Self::DynoxideDisk => true,
            Self::DynamoDbLocalMemory | Self::DynoxideMemory | Self::DynaliteMemory => false,
        }
    }

    fn command(self, port: u16, folder: &Path) -> Result<Command> {
        let port = port.to_string();
        match self {
            Self::DynamoDbLocalMemory | Self::DynamoDbLocalDisk => {
                let jars = dynamodb_local().context("install DynamoDB Local with Maven")?;
                let mut command = Command::new("java");
                command
                    .arg(format!("-Djava.library.path={}", jars.display()))
                    .arg("-cp")
                    .arg(jars.join("*"))
                    .arg("software.amazon.dynamodb.services.local.main.ServerRunner")
                    .args(["-port", &port, "-disableTelemetry", "-sharedDb"]);
                if self.is_on_disk() {
                    command.arg("-dbPath").arg(folder);
                } else {
                    command.arg("-inMemory");
                }
                Ok(command)
            }
            Self::DynoxideMemory | Self::DynoxideDisk => {
                let program = dynoxide().context("install dynoxide with cargo")?;
                let mut command = Command::new(program);
                command.args(["serve", "-p", &port]);
                if self.is_on_disk() {
                    command.arg("--db-path").arg(folder.join("items.db"));
                }
                Ok(command)
            }
            Self::DynaliteMemory => {
                let program = dynalite().context("install dynalite with npm")?;
                let mut command = Command::new("node");
                command.arg(program).args([
                    "--host",
                    "127.0.0.1",
                    "--port",
                    &port,
                    "--createTableMs",
                    "0",
                ]);
                Ok(command)
            }
        }
    }
}

/// Fetches DynamoDB Local and what it needs, once; returns the folder of its archives.
fn dynamodb_local() -> Result<PathBuf> {
    let home = target().join("tools/dynamodb-local");
    let jars = home.join("lib");
    let has_jar = || {
        let jar = format!("DynamoDBLocal-{DYNAMODB_LOCAL}.jar");
        jars.join(jar).is_file()
    };
    if has_jar() {
        return Ok(jars);
    }
    std::fs::create_dir_all(&home)?;
    let pom = POM.replace("VERSION", DYNAMODB_LOCAL);
    std::fs::write(home.join("pom.xml"), pom)?;
    let mut maven = Command::new("mvn");
    maven
        .args([
            "-q",
            "-B",
            "-Dstyle.color=never",
            "dependency:copy-dependencies",
            "-DoutputDirectory=lib",
        ])
        .current_dir(&home);
    run::must(&mut maven)?;
    anyhow::ensure!(has_jar(), "Maven copied no DynamoDBLocal");
    Ok(jars)
}

/// Builds dynoxide, once; returns its program.
fn dynoxide() -> Result<PathBuf> {
    let home = target().join("tools/dynoxide");
    let program = home.join("bin/dynoxide");
    if !program.is_file() {
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(["install", "dynoxide-rs", "--locked", "--quiet"])
            .args(["--version", DYNOXIDE, "--no-default-features"])
            .args(["--features", "native-sqlite,http-server,cli", "--root"])
            .arg(&home)
            .env("CARGO_TARGET_DIR", home.join("build"))
            .current_dir(target());
        run::must(&mut cargo)?;
    }
    Ok(program)
}

/// Fetches dynalite, once; returns its script.
fn dynalite() -> Result<PathBuf> {
    let home = target().join("tools/dynalite");
    let script = home.join("node_modules/dynalite/cli.js");
    if !script.is_file() {
        std::fs::create_dir_all(&home)?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"])
            .arg(&home)
            .arg(format!("dynalite@{DYNALITE}"));
        run::must(&mut npm)?;
    }
    Ok(script)
}

const DYNAMODB_LOCAL: &str = "3.1.0";

const DYNOXIDE: &str = "3.2.0";

const DYNALITE: &str = "4.0.0";

const POM: &str = r#"<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>bench</groupId><artifactId>bench</artifactId><version>1</version>
  <dependencies><dependency>
    <groupId>software.amazon.dynamodb</groupId>
    <artifactId>DynamoDBLocal</artifactId>
    <version>VERSION</version>
  </dependency></dependencies>
</project>
"#;
