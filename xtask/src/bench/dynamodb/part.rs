//! Which part of the whole run is asked for: some servers, some works, some sizes.
//!
//! It runs nothing.

use anyhow::Result;

use crate::bench::dynamodb::whole::{CONNECTIONS, FEW, MANY};
use crate::bench::dynamodb::work::Work;
use crate::bench::dynamodb::{restart, stall};
use crate::bench::start;

/// A part of the whole; what is not named is all of its kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Part {
    servers: Vec<String>,
    works: Vec<String>,
    items: Vec<u64>,
    connections: Vec<u64>,
}

impl Part {
    /// Reads words such as `ours,GetItem,items=10000,connections=16`.
    ///
    /// Errors: for a word that names nothing.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut part = Self::default();
        for word in text.split(',').filter(|word| !word.is_empty()) {
            let number = |(name, value): (&str, &str)| Some((name.to_owned(), value.parse().ok()?));
            match word.split_once('=').and_then(number) {
                Some((name, value)) if name == "items" && [FEW, MANY].contains(&value) => {
                    part.items.push(value);
                }
                Some((name, value)) if name == "connections" && CONNECTIONS.contains(&value) => {
                    part.connections.push(value);
                }
                None if is_work(word) => part.works.push(word.to_owned()),
                None if SERVERS.contains(&word) => part.servers.push(word.to_owned()),
                Some(_) | None => anyhow::bail!(
                    "{word:?} names no part: servers are {SERVERS:?}, works are operations and \
                     {EXTRA:?}, sizes are items={FEW}, items={MANY} and connections= with one of \
                     {CONNECTIONS:?}"
                ),
            }
        }
        Ok(part)
    }

    /// Returns whether nothing is left out.
    pub(super) fn is_whole(&self) -> bool {
        *self == Self::default()
    }

    /// Returns whether a server of this name is asked for.
    pub(super) fn has_server(&self, name: &str) -> bool {
        let named = |server: &String| name.to_lowercase().starts_with(&server.to_lowercase());
        self.servers.is_empty() || self.servers.iter().any(named)
    }

    /// Returns whether a work is asked for.
    pub(super) fn has_work(&self, work: Work) -> bool {
        self.works.is_empty() || self.works.iter().any(|name| name == work.operation())
    }

    /// Returns whether a work that is no operation is asked for, or the whole is.
    pub(super) fn has_extra(&self, name: &str) -> bool {
        self.is_whole() || self.works.iter().any(|work| work == name)
    }

    /// Returns whether an operation is asked for, at so many items.
    pub(super) fn has_items(&self, items: u64) -> bool {
        let is_asked = Work::ALL.into_iter().any(|work| self.has_work(work));
        is_asked && (self.items.is_empty() || self.items.contains(&items))
    }

    /// Returns whether so many connections are asked for.
    pub(super) fn has_connections(&self, connections: u64) -> bool {
        self.connections.is_empty() || self.connections.contains(&connections)
    }
}

fn is_work(word: &str) -> bool {
    EXTRA.contains(&word) || Work::ALL.into_iter().any(|work| work.operation() == word)
}

/// Works that are no operation by themselves.
const EXTRA: [&str; 3] = [start::NAME, stall::NAME, restart::NAME];

/// What servers' names begin with.
const SERVERS: [&str; 6] = [
    "ours",
    "signed",
    "ceiling",
    "DynamoDB Local",
    "dynoxide",
    "dynalite",
];

#[cfg(test)]
mod tests;
