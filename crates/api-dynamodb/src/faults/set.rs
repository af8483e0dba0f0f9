//! Faults as the region's own calls set and list them, beside `TagResource`.
//!
//! It keeps nothing of its own: what it sets are the tags of a table's replica.

use std::collections::BTreeMap;

use api_protocol::fault::Fault;
use store::port::Store;

use crate::facade::DynamoDb;
use crate::fault::{self, Refused};
use crate::faults::PREFIX;
use crate::settings::Own;
use crate::tables::tags;

/// Whether tables may suffer faults on purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Faults {
    /// Those that their tags ask for.
    #[default]
    Act,
    /// None, whatever their tags say.
    Ignored,
}

impl<S: Store> DynamoDb<S> {
    /// Returns the faults of each table of this region, by their names: those of the tags without
    /// what all of them begin with.
    pub fn faults(&self) -> BTreeMap<String, BTreeMap<String, String>> {
        let faults = |tags: BTreeMap<String, String>| {
            let tags = tags.into_iter();
            tags.filter_map(|(tag, value)| Some((tag.strip_prefix(PREFIX)?.to_owned(), value)))
                .collect()
        };
        let tables = self.tables_by_name();
        let each = tables.iter().filter_map(|(name, open)| {
            let tags = self.own_replica(open).map(Own::of)?.tags;
            Some((name.clone(), faults(tags)))
        });
        each.collect()
    }

    /// Sets the faults of a table of this region, in place of those that it has.
    ///
    /// Errors: where there is no such table or no such fault; nothing is changed then.
    pub async fn set_faults(
        &self,
        table: &str,
        faults: &BTreeMap<String, String>,
    ) -> Result<(), Fault> {
        let find = || {
            Ok(self
                .find(table)
                .ok_or_else(|| fault::no_table_named(table))?)
        };
        let named = faults.iter();
        let wanted = named.map(|(name, value)| (format!("{PREFIX}{name}"), value.clone()));
        let wanted: BTreeMap<String, String> = wanted.collect();
        let replaced = |mut known: BTreeMap<String, String>| {
            known.retain(|tag, _| !tag.starts_with(PREFIX));
            tags::merged(known, &wanted)
        };
        let changed = self.change_tags(find, replaced).await;
        changed.map(drop).map_err(|Refused(fault)| fault)
    }
}
