//! Cassandra's native protocol as a load generator needs it: one prepared statement at a time.
//!
//! It is no client for anything else: no pool, no paging, no types but blobs and texts.
//! Source: Cassandra, "CQL binary protocol v4".

use std::net::SocketAddr;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Makes the keyspace: one copy in each datacentre.
pub(super) const KEYSPACE: &str = "CREATE KEYSPACE IF NOT EXISTS bench WITH replication = \
    {'class': 'NetworkTopologyStrategy', 'dc1': 1, 'dc2': 1}";

/// Makes the table.
pub(super) const TABLE: &str =
    "CREATE TABLE IF NOT EXISTS bench.items (id text PRIMARY KEY, payload blob)";

/// Writes an item.
pub(super) const INSERT: &str = "INSERT INTO bench.items (id, payload) VALUES (?, ?)";

/// Reads an item.
pub(super) const SELECT: &str = "SELECT id, payload FROM bench.items WHERE id = ?";

/// A connection to one node.
pub(super) struct Connection {
    stream: TcpStream,
    buf: Vec<u8>,
}

/// A statement that a node has prepared.
pub(super) struct Prepared(Vec<u8>);

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("connect to {address}"))?;
        stream.set_nodelay(true)?;
        let buf = Vec::new();
        let mut connection = Self { stream, buf };
        let mut body = 1_u16.to_be_bytes().to_vec();
        for text in ["CQL_VERSION", "3.0.0"] {
            body.extend(u16::try_from(text.len())?.to_be_bytes());
            body.extend(text.as_bytes());
        }
        connection.call(STARTUP, &body).await?;
        Ok(connection)
    }

    /// Runs a statement without values.
    pub(super) async fn query(&mut self, statement: &str) -> Result<()> {
        let mut body = long(statement.as_bytes())?;
        body.extend(LOCAL_QUORUM.to_be_bytes());
        body.push(0);
        self.call(QUERY, &body).await?;
        Ok(())
    }

    pub(super) async fn prepare(&mut self, statement: &str) -> Result<Prepared> {
        let answer = self.call(PREPARE, &long(statement.as_bytes())?).await?;
        // What kind of result it is, then the id.
        let (kind, rest) = answer.split_first_chunk().context("a result")?;
        anyhow::ensure!(*kind == PREPARED, "no prepared statement");
        let (length, rest) = rest.split_first_chunk().context("an id")?;
        let id = rest.get(..usize::from(u16::from_be_bytes(*length)));
        Ok(Prepared(id.context("an id")?.to_vec()))
    }

    /// Runs a prepared statement; returns how many rows it gave.
    pub(super) async fn execute(&mut self, of: &Prepared, values: &[&[u8]]) -> Result<u32> {
        let mut body = Vec::with_capacity(1_100);
        body.extend(u16::try_from(of.0.len())?.to_be_bytes());
        body.extend(&of.0);
        body.extend(LOCAL_QUORUM.to_be_bytes());
        body.push(WITH_VALUES | WITHOUT_METADATA);
        body.extend(u16::try_from(values.len())?.to_be_bytes());
        for value in values {
            body.extend(long(value)?);
        }
        let answer = self.call(EXECUTE, &body).await?;
        let field = |at: usize| {
            let bytes = answer.get(at..at + 4)?;
            Some(u32::from_be_bytes(bytes.try_into().ok()?))
        };
        match field(0).context("a result")? {
            1 => Ok(0),
            // Flags and the number of columns stand before the number of rows.
            2 => field(12).context("a number of rows"),
            other => anyhow::bail!("a result of kind {other}"),
        }
    }

    /// Sends a frame and reads its answer; returns its body.
    async fn call(&mut self, opcode: u8, body: &[u8]) -> Result<&[u8]> {
        self.buf.clear();
        self.buf.extend([VERSION, 0, 0, 0, opcode]);
        self.buf.extend(long(body)?);
        self.stream.write_all(&self.buf).await?;
        let mut head = [0; 9];
        self.stream.read_exact(&mut head).await?;
        let [_, _, _, _, opcode, length @ ..] = head;
        let length = usize::try_from(u32::from_be_bytes(length))?;
        anyhow::ensure!(length <= ANSWER_BYTES_MAX, "an answer of {length} bytes");
        self.buf.resize(length, 0);
        self.stream.read_exact(&mut self.buf).await?;
        let text = || String::from_utf8_lossy(self.buf.get(6..).unwrap_or_default());
        anyhow::ensure!(opcode != ERROR, "Cassandra: {}", text());
        Ok(&self.buf)
    }
}

/// Writes bytes behind their length.
fn long(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut out = u32::try_from(bytes.len())?.to_be_bytes().to_vec();
    out.extend(bytes);
    Ok(out)
}

const VERSION: u8 = 4;

const ERROR: u8 = 0;
const STARTUP: u8 = 1;
const QUERY: u8 = 7;
const PREPARE: u8 = 9;
const EXECUTE: u8 = 10;

const PREPARED: [u8; 4] = [0, 0, 0, 4];

const LOCAL_QUORUM: u16 = 6;

const WITH_VALUES: u8 = 1;
const WITHOUT_METADATA: u8 = 2;

/// Far more than an item of 1 KB.
const ANSWER_BYTES_MAX: usize = 1 << 20;
