//! Connections that write an item of 1 KB in one region and look for it in another.
//!
//! The servers differ; what is asked of them does not.

use std::net::SocketAddr;

use anyhow::{Context, Result};

use crate::bench::dynamodb::{Head, get_body, is_written, put_body};
use crate::bench::http;
use crate::bench::replication::cql;

/// Where connections are opened to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Server {
    /// A region of ours, by its API's address.
    Hither(&'static str, SocketAddr),
    /// A node of Cassandra, by the address of its native protocol.
    Cassandra(SocketAddr),
}

/// A connection for one kind of call.
pub(super) enum Client {
    Hither(http::Connection, Head),
    Cassandra(cql::Connection, cql::Prepared),
}

impl Server {
    /// Opens a connection that writes.
    pub(super) async fn writer(self) -> Result<Client> {
        self.open("PutItem", cql::INSERT).await
    }

    /// Opens a connection that reads.
    pub(super) async fn reader(self) -> Result<Client> {
        self.open("GetItem", cql::SELECT).await
    }

    async fn open(self, operation: &str, statement: &str) -> Result<Client> {
        match self {
            Self::Hither(region, address) => {
                let connection = http::Connection::open(address).await?;
                let head = Head::new(operation, (region, &address.to_string()));
                Ok(Client::Hither(connection, head))
            }
            Self::Cassandra(address) => {
                let mut connection = cql::Connection::open(address).await?;
                let prepared = connection.prepare(statement).await?;
                Ok(Client::Cassandra(connection, prepared))
            }
        }
    }
}

impl Client {
    /// Writes an item, and returns when that is acknowledged.
    pub(super) async fn put(&mut self, id: &str) -> Result<()> {
        match self {
            Self::Hither(connection, head) => {
                let body = connection.ok(&head.with(&put_body(id))).await;
                let body = body.context("PutItem")?;
                anyhow::ensure!(is_written(body), "a write was answered with something else");
                Ok(())
            }
            Self::Cassandra(connection, prepared) => {
                let payload = vec![b'x'; PAYLOAD_BYTES];
                connection
                    .execute(prepared, &[id.as_bytes(), &payload])
                    .await?;
                Ok(())
            }
        }
    }

    /// Returns whether an item is there.
    pub(super) async fn has(&mut self, id: &str) -> Result<bool> {
        match self {
            Self::Hither(connection, head) => {
                let response = connection.call(&head.with(&get_body(id))).await?;
                let (status, head) = (response.status, response.head);
                anyhow::ensure!(status == 200, "GetItem: {status} {head}");
                Ok(response.body.windows(6).any(|window| window == b"\"Item\""))
            }
            Self::Cassandra(connection, prepared) => {
                Ok(connection.execute(prepared, &[id.as_bytes()]).await? > 0)
            }
        }
    }
}

/// The value that makes a row 1 KB.
const PAYLOAD_BYTES: usize = 1_000;
