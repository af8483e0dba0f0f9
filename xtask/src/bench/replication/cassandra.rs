//! Apache Cassandra in two datacentres, one node each, beside ours; neither with a delay.
//!
//! Its archives come from Maven once. It runs by its own defaults but for its memory, which is
//! bounded as for a small machine: it acknowledges a write before the disk has it, ours after.

use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::runtime::Runtime;

use crate::bench::folder;
use crate::bench::process::{Process, accepts, free_port};
use crate::bench::region::Binary;
use crate::bench::replication::client::Server;
use crate::bench::replication::cql;
use crate::bench::replication::steady::Seen;
use crate::bench::replication::{USUAL, millis, visible};
use crate::bench::report::Figure;
use crate::run;
use crate::tools::target;

pub(super) fn measure(binary: &Binary, runtime: &Runtime) -> Result<Vec<Figure>> {
    let ours = visible(binary, runtime, USUAL, None).context("ours")?;
    let (theirs, resident_mib) = theirs(runtime).context("Cassandra")?;
    let of = |name, value: fn(&Seen) -> Duration| {
        Figure::new(name, millis(value(&ours)), "ms").beside(NAME, millis(value(&theirs)))
    };
    Ok(vec![
        of(
            "visible after acknowledgement, no delay, 2,000/s, p50",
            |seen| seen.visible(0.5),
        ),
        of(
            "visible after acknowledgement, no delay, 2,000/s, p99",
            |seen| seen.visible(0.99),
        ),
        of("acknowledged, no delay, 2,000/s, p50", |seen| {
            seen.acknowledged(0.5)
        }),
        of("acknowledged, no delay, 2,000/s, p99", |seen| {
            seen.acknowledged(0.99)
        }),
        Figure::new("memory of one node of Cassandra", resident_mib, "MiB"),
    ])
}

fn theirs(runtime: &Runtime) -> Result<(Seen, f64)> {
    let jars = jars().context("install Cassandra with Maven")?;
    let folder = folder("cassandra")?;
    let ports = (free_port(HOSTS[0].into())?, free_port(HOSTS[0].into())?);
    let mut nodes = Vec::new();
    for (at, host) in HOSTS.into_iter().enumerate() {
        let node = Node {
            folder: folder.join(format!("dc{}", at + 1)),
            centre: at + 1,
            host,
            ports,
        };
        nodes.push(node.start(&jars)?);
    }
    let [near, far] = HOSTS.map(|host| SocketAddr::from((host, ports.0)));
    runtime.block_on(set_up(near, far))?;
    let clients = (Server::Cassandra(near), Server::Cassandra(far));
    // Twice: the first is the warm-up that its compiler needs.
    runtime.block_on(USUAL.run(clients, Duration::ZERO))?;
    let seen = runtime.block_on(USUAL.run(clients, Duration::ZERO))?;
    let resident_mib = nodes[0].resident_mib()?;
    Ok((seen, resident_mib))
}

/// Makes the table. A node refuses datacentres that gossip has not told it of, and statements
/// over tables that it has not heard of.
async fn set_up(near: SocketAddr, far: SocketAddr) -> Result<()> {
    let began = Instant::now();
    loop {
        let made = async {
            let mut connection = cql::Connection::open(near).await?;
            connection.query(cql::KEYSPACE).await?;
            connection.query(cql::TABLE).await?;
            let mut connection = cql::Connection::open(far).await?;
            connection.prepare(cql::SELECT).await
        };
        match made.await {
            Ok(_) => return Ok(()),
            Err(error) if PATIENCE < began.elapsed() => return Err(error),
            Err(_) => tokio::time::sleep(Duration::from_millis(500)).await,
        }
    }
}

/// One node, which is a datacentre of its own.
struct Node {
    folder: PathBuf,
    centre: usize,
    host: Ipv4Addr,
    /// Of clients, and of nodes.
    ports: (u16, u16),
}

impl Node {
    fn start(&self, jars: &Path) -> Result<Process> {
        std::fs::create_dir_all(&self.folder)?;
        std::fs::write(self.folder.join("cassandra.yaml"), self.settings()?)?;
        let place = format!("dc=dc{}\nrack=r1\n", self.centre);
        std::fs::write(self.folder.join("cassandra-rackdc.properties"), place)?;
        std::fs::write(self.folder.join("logback.xml"), LOGBACK)?;
        let mut java = Command::new("java");
        for opened in OPENED {
            java.args(["--add-opens", &format!("java.base/{opened}=ALL-UNNAMED")]);
        }
        for exported in EXPORTED {
            java.args(["--add-exports", &format!("{exported}=ALL-UNNAMED")]);
        }
        let folder = self.folder.display();
        let agent = find(jars, "jamm-")?;
        let path = format!("{folder}:{}/*", jars.display());
        java.arg(format!("-javaagent:{}", agent.display()))
            .args(["-Xms64m", "-Xmx384m", "-Xss256k", "-XX:+UseSerialGC"])
            .args(["-XX:MaxDirectMemorySize=192m", "-XX:-UsePerfData"])
            .arg("-Djdk.attach.allowAttachSelf=true")
            .arg("-Dio.netty.tryReflectionSetAccessible=true")
            .arg(format!("-Dcassandra.config=file://{folder}/cassandra.yaml"))
            .arg(format!(
                "-Dcassandra-rackdc.properties=file://{folder}/cassandra-rackdc.properties"
            ))
            .arg(format!("-Dlogback.configurationFile={folder}/logback.xml"))
            .arg(format!("-Dcassandra.logdir={folder}"))
            .arg(format!("-Dcassandra.storagedir={folder}"))
            .args([
                "-Dcassandra.ring_delay_ms=1000",
                "-Dcassandra.superuser_setup_delay_ms=0",
            ])
            .args(["-cp", &path, "org.apache.cassandra.service.CassandraDaemon"]);
        let log = self.folder.join("out.txt");
        let mut process = Process::start(&mut java, &log)?;
        let clients = SocketAddr::from((self.host, self.ports.0));
        process
            .wait_for(PATIENCE, || accepts(clients))
            .with_context(|| format!("see {}", log.display()))?;
        Ok(process)
    }

    fn settings(&self) -> Result<String> {
        let (folder, host, (clients, nodes)) = (self.folder.display(), self.host, self.ports);
        let mut text = SETTINGS.to_owned();
        write!(
            text,
            "listen_address: {host}\nrpc_address: {host}\nnative_transport_port: {clients}\n\
             storage_port: {nodes}\ndata_file_directories: [ {folder}/data ]\n\
             commitlog_directory: {folder}/commitlog\nhints_directory: {folder}/hints\n\
             saved_caches_directory: {folder}/caches\ncdc_raw_directory: {folder}/cdc\n\
             seed_provider:\n  - class_name: org.apache.cassandra.locator.SimpleSeedProvider\n\
             \x20   parameters: [ {{ seeds: \"{}\" }} ]\n",
            HOSTS[0]
        )?;
        Ok(text)
    }
}

/// Fetches Cassandra and what it needs, once; returns the folder of its archives.
fn jars() -> Result<PathBuf> {
    let home = target().join("tools/cassandra");
    let jars = home.join("lib");
    if find(&jars, "cassandra-all-").is_ok() {
        return Ok(jars);
    }
    std::fs::create_dir_all(&home)?;
    std::fs::write(home.join("pom.xml"), POM.replace("VERSION", VERSION))?;
    let mut maven = Command::new("mvn");
    maven
        .args([
            "-q",
            "-B",
            "-Dstyle.color=never",
            "dependency:copy-dependencies",
        ])
        .args(["-DincludeScope=runtime", "-DoutputDirectory=lib"])
        .current_dir(&home);
    run::must(&mut maven)?;
    find(&jars, "cassandra-all-")?;
    Ok(jars)
}

/// Returns the archive whose name begins so.
fn find(jars: &Path, name: &str) -> Result<PathBuf> {
    let entries = std::fs::read_dir(jars).with_context(|| format!("read {}", jars.display()))?;
    let is_it = |path: &PathBuf| {
        let file = path.file_name().and_then(|file| file.to_str());
        file.is_some_and(|file| file.starts_with(name))
    };
    let mut found = entries.flatten().map(|entry| entry.path()).filter(is_it);
    found
        .next()
        .with_context(|| format!("there is no {name}*.jar"))
}

const NAME: &str = "Cassandra";

const VERSION: &str = "5.0.9";

const HOSTS: [Ipv4Addr; 2] = [Ipv4Addr::new(127, 0, 0, 31), Ipv4Addr::new(127, 0, 0, 32)];

/// How long a node may take to start, and both to agree.
const PATIENCE: Duration = Duration::from_mins(2);

/// What it reaches of the runtime's inside.
const OPENED: [&str; 12] = [
    "java.io",
    "java.lang",
    "java.lang.module",
    "java.lang.reflect",
    "java.nio",
    "java.util",
    "jdk.internal.loader",
    "jdk.internal.math",
    "jdk.internal.module",
    "jdk.internal.ref",
    "jdk.internal.reflect",
    "sun.nio.ch",
];

const EXPORTED: [&str; 7] = [
    "java.base/jdk.internal.misc",
    "java.base/jdk.internal.ref",
    "java.base/sun.nio.ch",
    "java.management.rmi/com.sun.jmx.remote.internal.rmi",
    "java.rmi/sun.rmi.registry",
    "java.rmi/sun.rmi.server",
    "java.sql/java.sql",
];

const SETTINGS: &str = "cluster_name: bench
num_tokens: 4
allocate_tokens_for_local_replication_factor: 1
auto_bootstrap: false
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
endpoint_snitch: GossipingPropertyFileSnitch
commitlog_sync: periodic
commitlog_sync_period: 10000ms
memtable_heap_space: 96MiB
memtable_offheap_space: 64MiB
file_cache_size: 32MiB
key_cache_size: 8MiB
";

const LOGBACK: &str = r#"<configuration>
  <appender name="F" class="ch.qos.logback.core.FileAppender">
    <file>${cassandra.logdir}/system.log</file>
    <encoder><pattern>%-5level %date{ISO8601} %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="F"/></root>
</configuration>
"#;

const POM: &str = r#"<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>bench</groupId><artifactId>bench</artifactId><version>1</version>
  <dependencies><dependency>
    <groupId>org.apache.cassandra</groupId>
    <artifactId>cassandra-all</artifactId>
    <version>VERSION</version>
  </dependency></dependencies>
</project>
"#;
