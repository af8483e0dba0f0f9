//! Clients' operations: puts, conditional updates, deletes, transactions, on few keys.
//!
//! Each writes its own name and the name of what it replaces, so that the truth can be told.

use std::sync::Arc;

use clock::time::WallTime;
use item::codec;
use item::key::{Key, KeyAttribute, KeyKind, KeySchema};
use item::number::Number;
use item::value::{AttributeValue, Item};
use table::def::{ExpiryDef, HistoryDef, Images, IndexId, TableDef};
use table::write::{Current, Effect, Refusal, Write};

use base::name::TableId;
use base::region::RegionId;

use crate::chance::Chance;
use crate::data::truth::{OPERATION, REPLACED};

/// The table that all clients use.
pub const CARTS: TableId = TableId(1 << 20);

/// The attribute that tells when an item expires.
const UNTIL: &str = "until";

/// How many keys there are. 5: few enough that writes race.
pub const KEYS: u64 = 5;

/// An operation: a name, and what becomes of which items, all or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its name, that no other has.
    pub name: String,
    /// The keys, each once, and what becomes of them.
    pub items: Vec<(u64, Verb)>,
    /// How many seconds later the items expire, where they do.
    pub lasts: Option<u64>,
}

/// What becomes of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// It is replaced, or made.
    Put,
    /// It is replaced where it exists; else the operation is refused.
    Update,
    /// It is removed.
    Delete,
}

/// Chooses an operation.
pub fn choose(chance: &mut Chance, number: u64) -> Operation {
    let name = format!("op-{number}");
    let count = if chance.one_in(6) {
        chance.between(2, 3)
    } else {
        1
    };
    let first = chance.below(KEYS);
    let items = (0..count).map(|at| {
        let verb = match chance.below(10) {
            0..4 => Verb::Put,
            4..7 => Verb::Update,
            _ => Verb::Delete,
        };
        ((first + at) % KEYS, verb)
    });
    Operation {
        items: items.collect(),
        name,
        lasts: chance.one_in(3).then(|| chance.below(4)),
    }
}

/// Returns the definition of the clients' table.
pub fn carts(replicas: impl IntoIterator<Item = RegionId>) -> TableDef {
    TableDef {
        id: CARTS,
        schema: KeySchema {
            partition: KeyAttribute {
                name: "cart".into(),
                kind: KeyKind::S,
            },
            sort: None,
        },
        replicas: replicas.into_iter().collect(),
        filling: false,
        resolver: table::def::Resolver::Item,
        history: HistoryDef {
            stream: Some(Images {
                old: true,
                new: true,
            }),
            rewinds: true,
        },
        indexes: Vec::new(),
        expiry: Some(ExpiryDef {
            id: IndexId(IndexId::FIRST),
            attribute: UNTIL.to_owned(),
        }),
    }
}

/// Returns the writes of an operation that is asked for when a region's wall clock shows `now`.
pub fn writes(operation: &Operation, now: WallTime, table: &Arc<TableDef>) -> Vec<Write> {
    let seconds = now.as_micros() / 1_000_000;
    let lasts = operation.lasts.and_then(|lasts| i64::try_from(lasts).ok());
    let until = lasts.map(|lasts| seconds + lasts);
    let write = |(key, verb): &(u64, Verb)| {
        let name = (operation.name.clone(), until);
        let (key, verb) = (format!("cart-{key}"), *verb);
        let partition = key.as_str().into();
        Write {
            table: Arc::clone(table),
            key: Key {
                partition,
                sort: None,
            },
            decide: Box::new(move |current| decide(current, verb, name, key)),
        }
    };
    operation.items.iter().map(write).collect()
}

fn decide(
    current: &Current,
    verb: Verb,
    (name, until): (String, Option<i64>),
    key: String,
) -> Result<Effect, Refusal> {
    let found = current.item()?;
    match verb {
        Verb::Delete => return Ok(Effect::Delete),
        Verb::Update if found.is_none() => return Err(Refusal::ConditionFailed),
        Verb::Put | Verb::Update => {}
    }
    let replaced = found.and_then(|found| found.get(OPERATION).cloned());
    let mut item = Item::new();
    item.insert("cart".to_owned(), AttributeValue::S(key));
    item.insert(OPERATION.to_owned(), AttributeValue::S(name));
    if let Some(replaced) = replaced {
        item.insert(REPLACED.to_owned(), replaced);
    }
    if let Some(until) = until {
        item.insert(UNTIL.to_owned(), AttributeValue::N(Number::from(until)));
    }
    debug_assert!(codec::decode(&codec::encode(&item)).is_ok(), "an item");
    Ok(Effect::Put(item))
}
