//! Secondary indexes as calls on items meet them: found by name, checked by writes, paid for.
//!
//! It reads no index and builds none. Source: DynamoDB developer guide, "Global secondary
//! indexes" and "Local secondary indexes" (read and write capacity, item collections).

use std::sync::Arc;

use api_protocol::fault::Fault;
use bytes::Bytes;
use control::tables::indexes::Index;
use item::key::{KeyAttribute, KeyError, KeyKind, KeyRole, KeyValue};
use item::value::Item;
use store::port::Store;
use table::def::IndexDef;
use table::index;
use table::write::{Decide, Refusal, Written};

use crate::capacity::{Consumed, Units};
use crate::catalog::OpenTable;
use crate::facade::DynamoDb;
use crate::fault::{self, Refused};
use crate::items;

/// An index of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenIndex<'t> {
    /// What the control plane knows of it.
    pub(crate) view: &'t Index,
    /// What the data plane knows of it.
    pub(crate) def: &'t IndexDef,
}

/// Whether a write is an update by expression, whose refusals have words of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writing {
    /// It brings the whole item.
    Put,
    /// It changes what is there.
    Update,
}

impl OpenTable {
    /// Returns the table's indexes.
    pub(crate) fn indexes(&self) -> impl Iterator<Item = OpenIndex<'_>> {
        self.view.indexes.iter().filter_map(|view| {
            let def = self.def.index(view.id())?;
            Some(OpenIndex { view, def })
        })
    }
}

impl<S: Store> DynamoDb<S> {
    /// Returns the index that a read names.
    ///
    /// Errors: `ValidationException` where there is none, or it is still being built.
    pub(crate) fn open_index<'t>(
        &self,
        open: &'t OpenTable,
        name: &str,
    ) -> Result<OpenIndex<'t>, Fault> {
        let mut indexes = open.indexes();
        let found = indexes.find(|index| index.view.name == name);
        let found = found.ok_or_else(|| {
            fault::validation(format!(
                "The table does not have the specified index: {name}"
            ))
        })?;
        let state = self.control.tables().index_state(open.def.id, found.def.id);
        if !state.is_some_and(|state| state.is_ready) {
            let message = format!("Cannot read from backfilling global secondary index: {name}");
            return Err(fault::validation(message));
        }
        Ok(found)
    }
}

/// Checks that an item's attributes may be keys of the table's indexes, where they are.
///
/// Errors: `ValidationException`.
pub(crate) fn check_item(open: &OpenTable, item: &Item, writing: Writing) -> Result<(), Fault> {
    for index in open.indexes() {
        let partition = index
            .def
            .partition
            .iter()
            .map(|key| (key, KeyRole::Partition));
        let sort = index.def.sort.iter().map(|key| (key, KeyRole::Sort));
        for (key, role) in partition.chain(sort) {
            if open.def.schema.contains(&key.name) {
                continue; // it was checked as the table's own
            }
            if let Some(value) = item.get(&key.name) {
                let checked = key.value_of(value, role).map(drop);
                checked.map_err(|error| bad_key(&index, key, &error, writing))?;
            }
        }
        check_together(&index, item, writing)?;
    }
    Ok(())
}

/// Checks that an item's values of all attributes of an index's key are short enough together,
/// where it has them all.
fn check_together(index: &OpenIndex<'_>, item: &Item, writing: Writing) -> Result<(), Fault> {
    let parts = [
        (&index.def.partition, KeyRole::Partition),
        (&index.def.sort, KeyRole::Sort),
    ];
    for (keys, role) in parts.into_iter().filter(|(keys, _)| keys.len() > 1) {
        let values = keys.iter().map(|key| item.get(&key.name));
        let values = values.map(|value| value.and_then(KeyValue::from_attribute));
        let Some(values) = values.collect::<Option<Vec<KeyValue>>>() else {
            continue;
        };
        if let Some(last) = keys.last().filter(|_| !role.fits(&values)) {
            let error = KeyError::TooLong {
                name: last.name.clone(),
                role,
                bytes: values.iter().map(KeyValue::bytes).sum(),
            };
            return Err(bad_key(index, last, &error, writing));
        }
    }
    Ok(())
}

/// Makes a decision that also checks the item which it puts against the table's indexes.
pub(crate) fn checked(open: &Arc<OpenTable>, writing: Writing, decide: Decide) -> Decide {
    if open.def.indexes.is_empty() {
        return decide;
    }
    let open = Arc::clone(open);
    Box::new(move |current| {
        let effect = decide(current)?;
        if let Some(item) = effect.item() {
            let checked = check_item(&open, item, writing);
            checked.map_err(|fault| Refusal::Invalid(fault.message))?;
        }
        Ok(effect)
    })
}

fn bad_key(index: &OpenIndex<'_>, key: &KeyAttribute, error: &KeyError, writing: Writing) -> Fault {
    let (name, index) = (&key.name, &index.view.name);
    match (error, writing) {
        (KeyError::WrongType { .. }, Writing::Update) => fault::validation(
            "The update expression attempted to update the secondary index key to unsupported type",
        ),
        (KeyError::TooLong { .. }, Writing::Update) => fault::validation(
            "The update expression attempted to update the secondary index key beyond allowed \
             size limits",
        ),
        (
            KeyError::WrongType {
                expected, actual, ..
            },
            Writing::Put,
        ) => {
            let expected = expected.as_kind();
            fault::invalid_parameter(format_args!(
                "Type mismatch for Index Key {name} Expected: {expected} Actual: {actual} \
                 IndexName: {index}"
            ))
        }
        (KeyError::Empty { kind, .. }, _) => {
            let kind = match kind {
                KeyKind::S | KeyKind::N => "string",
                KeyKind::B => "binary",
            };
            fault::validation(format!(
                "One or more parameter values are not valid. A value specified for a secondary \
                 index key is not supported. The AttributeValue for a key attribute cannot \
                 contain an empty {kind} value. IndexName: {index}, IndexKey: {name}"
            ))
        }
        (
            KeyError::TooLong { .. } | KeyError::Missing { .. } | KeyError::Surplus { .. },
            Writing::Put | Writing::Update,
        ) => fault::bad_key_of_item(error),
    }
}

/// Returns what a write has cost, the table and each index that it changed.
pub(crate) fn consumed(open: &OpenTable, written: &Written) -> Result<Consumed, Refused> {
    consumed_by(open, (written.old.as_ref(), written.new.as_ref()))
}

/// Returns what a change of an item costs, given as its encoded images.
pub(crate) fn consumed_by(
    open: &OpenTable,
    (old, new): (Option<&Bytes>, Option<&Bytes>),
) -> Result<Consumed, Refused> {
    let size = |image: Option<&Bytes>| image.map_or(Ok(0), |image| items::size_of(image));
    let mut consumed = Consumed::of_table(Units::of_write(size(old)?, size(new)?));
    for index in open.indexes() {
        let change = index::change(&open.def, index.def, old, new);
        let one = |bytes: u64| Units::of_write(0, usize::try_from(bytes).unwrap_or(usize::MAX));
        let units = [change.removed, change.put].into_iter().flatten().map(one);
        if let Some(units) = units.reduce(Units::plus) {
            consumed.add(index.view, units);
        }
    }
    Ok(consumed)
}
