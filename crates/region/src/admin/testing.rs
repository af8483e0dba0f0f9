//! The calls for whoever tests an application: faults on purpose, and a fresh start.
//!
//! They decide nothing: faults are tags of tables, and tables go by the deletions that users ask
//! for. A region for production refuses both.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::time::{self, Instant};

use base::region::RegionName;
use control::control::ControlError;
use control::reset::Emptied;
use store::port::Store;

use super::{Admin, Mode, answer, no_table};
use crate::limits::{RESET_PATIENCE, RESET_PAUSE};

/// The other regions that do not know yet that the region's tables are gone.
#[derive(Default)]
struct Others {
    /// Those that are linked.
    behind: Vec<RegionName>,
    /// Those that learn of it once they are.
    away: Vec<RegionName>,
}

impl Mode {
    /// Returns the mode as callers are told it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Tests => "tests",
            Self::Production => "production",
        }
    }
}

impl<S: Store> Admin<S> {
    /// Tells the faults of each table of this region, and whether they act.
    pub(super) fn faults(&self) -> Response<Bytes> {
        let faults = json!({
            "region": self.sources.control.project().region.as_str(),
            "mode": self.mode.word(),
            "tables": self.dynamodb.faults(),
        });
        answer(StatusCode::OK, &faults)
    }

    /// Sets the faults of a table in place of those that it has.
    pub(super) async fn set_faults(&self, table: &str, body: &[u8]) -> Response<Bytes> {
        if self.mode == Mode::Production {
            return refused();
        }
        let faults: BTreeMap<String, String> = match serde_json::from_slice(body) {
            Ok(faults) => faults,
            Err(error) => {
                let text = format!("read the faults, such as {{\"throttle\": \"0.1\"}}: {error}");
                return answer(StatusCode::BAD_REQUEST, &json!({"message": text}));
            }
        };
        if self.sources.control.table_named(table).is_none() {
            return no_table(table);
        }
        match self.dynamodb.set_faults(table, &faults).await {
            Ok(()) => self.faults(),
            Err(fault) => answer(fault.status, &json!({"message": fault.message})),
        }
    }

    /// Removes the faults of a table, or of all tables of this region.
    pub(super) async fn clear_faults(&self, table: Option<&String>) -> Response<Bytes> {
        if self.mode == Mode::Production {
            return refused();
        }
        let known = self.dynamodb.faults();
        if let Some(table) = table.filter(|table| !known.contains_key(*table)) {
            return no_table(table);
        }
        let is_asked = |name: &String| table.is_none_or(|table| table == name);
        let known = known.into_iter();
        let faulty = known.filter(|(name, faults)| is_asked(name) && !faults.is_empty());
        for (name, _) in faulty {
            let cleared = self.dynamodb.set_faults(&name, &BTreeMap::new()).await;
            // A table that is gone has no faults any more.
            if let Err(fault) = cleared
                && self.sources.control.table_named(&name).is_some()
            {
                return answer(fault.status, &json!({"message": fault.message}));
            }
        }
        self.faults()
    }

    /// Deletes this region's replicas of all tables. Returns once nothing of them is left here, and
    /// every region that can be reached knows that they are gone.
    pub(super) async fn reset(&self, confirmed: Option<&String>) -> Response<Bytes> {
        match self.mode {
            Mode::Production => return refused(),
            Mode::Tests if confirmed.is_none_or(|word| word != "yes") => {
                let text = "callers of this region must sign: repeat the call with ?confirm=yes";
                return answer(StatusCode::CONFLICT, &json!({"message": text}));
            }
            Mode::Tests | Mode::Development => {}
        }
        let mut emptied = Emptied::default();
        let deadline = Instant::now() + RESET_PATIENCE;
        loop {
            match self.reset_step(&mut emptied).await {
                Ok(true) => {
                    return answer(StatusCode::OK, &told(&emptied, &self.others(&emptied)));
                }
                Ok(false) => {}
                Err(error) => {
                    let error = json!({"message": error.to_string()});
                    return answer(StatusCode::INTERNAL_SERVER_ERROR, &error);
                }
            }
            if deadline <= Instant::now() {
                let mut left = told(&emptied, &self.others(&emptied));
                left["message"] =
                    format!("delete all tables: not done within {RESET_PATIENCE:?}").into();
                return answer(StatusCode::SERVICE_UNAVAILABLE, &left);
            }
            time::sleep(RESET_PAUSE).await;
        }
    }

    /// Deletes what there is; returns whether all of it is gone.
    async fn reset_step(&self, emptied: &mut Emptied) -> Result<bool, ControlError> {
        let control = &self.sources.control;
        control.empty(emptied).await?;
        Ok(self.others(emptied).behind.is_empty() && control.is_empty().await?)
    }

    /// A region that this one is not linked to is away, whatever health says of it: alone, a
    /// region holds nobody for down.
    fn others(&self, emptied: &Emptied) -> Others {
        let Some(last) = emptied.last else {
            return Others::default();
        };
        let lacking = self.sources.control.lacking(last).into_iter();
        let links = self.sources.links.borrow();
        let is_linked = |name: &RegionName| {
            let peer = links.peers.get(name);
            peer.is_some_and(|peer| peer.sending.line.is_up())
        };
        let (behind, away) = lacking.partition(is_linked);
        Others { behind, away }
    }
}

fn refused() -> Response<Bytes> {
    let text = "this region is for production, where callers sign: it neither fails on purpose nor \
                deletes its tables at once; one for tests is started with --test-controls";
    answer(StatusCode::FORBIDDEN, &json!({"message": text}))
}

fn told(emptied: &Emptied, others: &Others) -> Value {
    let names = |regions: &[RegionName]| {
        let names = regions.iter().map(ToString::to_string);
        names.collect::<Vec<_>>()
    };
    json!({
        "tables": emptied.tables,
        "streams": emptied.streams,
        "backups": emptied.backups,
        "exports": emptied.exports,
        "behind": names(&others.behind),
        "away": names(&others.away),
    })
}
