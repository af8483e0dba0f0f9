//! The tables of this region by name, kept as long as no definition has changed.
//!
//! Finding a table costs one comparison and one lookup; nothing is read from the store.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, PoisonError};

use api_protocol::fault::Fault;
use base::arn::Arn;
use control::tables::{ReplicaStatus, TableView};
use iam::policy::Policy;
use store::port::Store;
use table::def::TableDef;

use crate::facade::DynamoDb;
use crate::fault;
use crate::faults::Knobs;
use crate::faults::lag::{Lag, Lags};
use crate::policies::kept::StreamPolicies;
use crate::settings::Own;
use crate::throttle::Meters;

/// The tables as of one generation of the project's resources.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    /// The generation, counted from 1 so that an empty catalog is of none.
    generation: Option<u64>,
    tables: Arc<BTreeMap<String, Arc<OpenTable>>>,
    /// Whether a replica of this region has a policy.
    has_policies: bool,
    /// The tables that suffer faults on purpose.
    knobs: Arc<BTreeMap<String, Knobs>>,
    /// How late indexes are, where any is.
    lags: Option<Lags>,
}

/// A table that this region holds a replica of.
#[derive(Debug)]
pub(crate) struct OpenTable {
    /// What the data plane knows of it.
    pub(crate) def: Arc<TableDef>,
    /// What the control plane knows of it.
    pub(crate) view: TableView,
    /// The policy of this region's replica, compiled when it is first asked.
    pub(crate) policy: OnceLock<Option<Policy>>,
    /// The same of its streams, by their labels.
    pub(crate) stream_policies: OnceLock<StreamPolicies>,
    /// What bounds its use, while it is throttled.
    pub(crate) meters: Option<Meters>,
    /// How late its global secondary indexes are on purpose.
    pub(crate) lag: Option<Lag>,
}

pub(crate) fn is_arn(name: &str) -> bool {
    name.starts_with("arn:")
}

/// Returns the name in the ARN of a table; `None` for one of anything else, as of its parts.
///
/// Whatever is asked about a table is read here alone: leave for one table, as read elsewhere,
/// could be leave for another.
pub(crate) fn table_in(arn: &str) -> Option<&str> {
    let name = behind_table(arn)?;
    (!name.contains('/')).then_some(name)
}

/// Returns the names of the table and of the stream in the ARN of a stream.
pub(crate) fn stream_in(arn: &str) -> Option<(&str, &str)> {
    behind_table(arn)?.split_once("/stream/")
}

fn behind_table(arn: &str) -> Option<&str> {
    let resource = arn.splitn(6, ':').nth(5)?;
    resource.strip_prefix("table/")
}

impl<S: Store> DynamoDb<S> {
    /// Returns the table that a data call names, by name or ARN.
    ///
    /// Errors: `ResourceNotFoundException` where there is none, or its replica is being filled.
    pub(crate) fn open(&self, given: &str) -> Result<Arc<OpenTable>, Fault> {
        let open = self.find(given).ok_or_else(fault::no_table)?;
        if open.def.filling {
            return Err(fault::no_table());
        }
        Ok(open)
    }

    /// Returns the table that a call names, by name or ARN, whatever its state.
    pub(crate) fn find(&self, given: &str) -> Option<Arc<OpenTable>> {
        self.tables_by_name().get(self.plain_name(given)?).cloned()
    }

    /// Returns the name that a call means; `None` for an ARN of another region or kind.
    pub(crate) fn plain_name<'g>(&self, given: &'g str) -> Option<&'g str> {
        if !is_arn(given) {
            return Some(given);
        }
        table_in(given).filter(|_| self.is_here(given))
    }

    /// Returns the table and the label of the stream of this region that an ARN names, whichever
    /// account's it says it is, and whether or not there is one.
    pub(crate) fn stream_named<'g>(&self, given: &'g str) -> Option<(&'g str, &'g str)> {
        stream_in(given).filter(|_| self.is_here(given))
    }

    /// Returns whether an ARN is one of this service in this region.
    fn is_here(&self, arn: &str) -> bool {
        let region = self.control.project().region.as_str();
        Arn::parse(arn).is_some_and(|arn| arn.service == "dynamodb" && arn.region == region)
    }

    /// Returns all tables of this region by name.
    pub(crate) fn tables_by_name(&self) -> Arc<BTreeMap<String, Arc<OpenTable>>> {
        Arc::clone(&self.catalog().tables)
    }

    /// Returns the tables that suffer faults on purpose, by name.
    pub(crate) fn knobs_by_name(&self) -> Arc<BTreeMap<String, Knobs>> {
        Arc::clone(&self.catalog().knobs)
    }

    /// Returns how late indexes are on purpose; `None` where none is.
    pub(crate) fn lags(&self) -> Option<Lags> {
        self.catalog().lags
    }

    /// Returns whether any replica of this region has a policy.
    pub(crate) fn has_policies(&self) -> bool {
        self.catalog().has_policies
    }

    /// Returns the tables as they are, made anew where a definition has changed.
    fn catalog(&self) -> Arc<Catalog> {
        let generation = *self.generation.borrow();
        {
            let known = self.catalog.read().unwrap_or_else(PoisonError::into_inner);
            if known.generation == Some(generation) {
                return Arc::clone(&known);
            }
        }
        let made = Arc::new(self.cataloged(generation));
        let mut known = self.catalog.write().unwrap_or_else(PoisonError::into_inner);
        // A slower reader of an older generation must not replace a later one's catalog.
        if known.generation.is_none_or(|known| known < generation) {
            // A table that suffers faults no more takes its chances anew when it does again.
            self.rolls().retain(|name, _| made.knobs.contains_key(name));
            *known = Arc::clone(&made);
            self.forget_buckets();
        }
        made
    }

    fn cataloged(&self, generation: u64) -> Catalog {
        let region = &self.control.project().region;
        let before = {
            let known = self.catalog.read().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(&known.tables)
        };
        let open = |(name, view): (String, TableView)| {
            let def = self.control.tables().table(view.table.id())?;
            let policy = OnceLock::new();
            let own = view.replicas.get(region.as_str()).map(Own::of);
            let own = own.unwrap_or_default();
            let meters = self.meters(&view, &own);
            let suffers = self
                .faults_act()
                .then(|| Knobs::of(&own.tags).ok().flatten());
            let lag = suffers.flatten().and_then(|knobs| knobs.lag());
            let lag = lag.map(|time| {
                let known = before.get(&name).filter(|known| known.def.id == def.id);
                let known = known.and_then(|known| known.lag);
                let since = known.map_or_else(|| self.control.clock().now(), |lag| lag.since);
                Lag { time, since }
            });
            let open = OpenTable {
                def,
                view,
                policy,
                stream_policies: OnceLock::new(),
                meters,
                lag,
            };
            Some((name, Arc::new(open)))
        };
        let views = self.control.tables_in(region);
        let tables: BTreeMap<_, _> = views.into_iter().filter_map(open).collect();
        let suffer = tables.iter().filter(|_| self.faults_act());
        let knobs = suffer.filter_map(|(name, open): (&String, &Arc<OpenTable>)| {
            let tags = self.own_replica(open).map(Own::of)?.tags;
            Some((name.clone(), Knobs::of(&tags).ok()??))
        });
        let knobs = Arc::new(knobs.collect());
        let lags = Lags::of(tables.values().filter_map(|open| open.lag));
        let mut opened = tables.values();
        let has_policies = opened.any(|open| {
            self.policy_of_table(open).is_some() || !self.policies_of_streams(open).is_empty()
        });
        // Streams outlive their tables.
        let has_policies = has_policies
            || self.control.remains().iter().any(|gone| {
                !StreamPolicies::new(&gone.table.name, &gone.stream_policies).is_empty()
            });
        Catalog {
            generation: Some(generation),
            tables: Arc::new(tables),
            has_policies,
            knobs,
            lags,
        }
    }
}

impl OpenTable {
    /// Returns whether a replica anywhere is still being filled.
    pub(crate) fn is_updating(&self) -> bool {
        let mut replicas = self.view.replicas.values();
        replicas.any(|replica| replica.status == ReplicaStatus::Creating)
    }
}
