//! Definitions of tables: what the data plane must know of them.
//!
//! Names, billing and tags are control's; here a table is a number and a key schema.

use std::collections::BTreeSet;

use base::name::TableId;
use base::region::RegionId;
use item::key::{KeyAttribute, KeyKind, KeySchema};

/// A table as the data plane sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableDef {
    /// Its number, the same in every region.
    pub id: TableId,
    /// Its key attributes.
    pub schema: KeySchema,
    /// The regions that hold a replica, this one included where it does.
    pub replicas: BTreeSet<RegionId>,
    /// Whether this region's replica is being filled from others.
    pub filling: bool,
    /// What of its changes is kept here.
    pub history: HistoryDef,
    /// Its secondary indexes.
    pub indexes: Vec<IndexDef>,
    /// The attribute that tells when items expire, where one does.
    pub expiry: Option<ExpiryDef>,
    /// What becomes of writes that raced.
    pub resolver: Resolver,
}

/// What becomes of an item that two regions have changed at the same time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resolver {
    /// The later version of the item stays, whole.
    #[default]
    Item,
    /// Of each attribute the later change stays.
    Attributes,
    /// As with [`Resolver::Attributes`], and what was added to numbers and sets is added up.
    Counters,
}

/// What of a table's changes is kept, beside the change log: nothing, by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HistoryDef {
    /// The images that records of its stream have, while it has a stream.
    pub stream: Option<Images>,
    /// Whether it can be taken back in time: then what was before each change is kept.
    pub rewinds: bool,
}

/// Which images of an item are kept with a change of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Images {
    /// The item before.
    pub old: bool,
    /// The item after.
    pub new: bool,
}

/// The number of an index, drawn when it is made and never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IndexId(pub u64);

/// A secondary index as the data plane sees it: the same items by other attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexDef {
    /// Its number.
    pub id: IndexId,
    /// The attributes that decide the partition, one at least.
    pub partition: Vec<KeyAttribute>,
    /// The attributes that order entries within a partition, the most significant first.
    pub sort: Vec<KeyAttribute>,
    /// Whether it counts towards item collections: it has the table's partitions.
    pub is_local: bool,
    /// The attributes that entries hold; `None` where they hold all.
    holds: Option<BTreeSet<String>>,
}

/// Where a table's items say when they expire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpiryDef {
    /// The number of the index by which expired items are found.
    pub id: IndexId,
    /// The attribute: seconds since 1970, as a number.
    pub attribute: String,
}

impl Resolver {
    /// Returns the name by which it is chosen.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Item => "item",
            Self::Attributes => "attributes",
            Self::Counters => "counters",
        }
    }

    /// Reads a resolver's name; `None` for anything else.
    pub fn parse(name: &str) -> Option<Self> {
        let mut all = [Self::Item, Self::Attributes, Self::Counters].into_iter();
        all.find(|resolver| resolver.as_str() == name)
    }
}

impl IndexId {
    /// The index that is a table's own items: it has a size and no entries.
    pub(crate) const ITEMS: Self = Self(0);

    /// The first number of an index.
    pub const FIRST: u64 = 1 << 16;
}

impl IndexDef {
    /// Makes the definition of an index whose entries hold the named attributes, and its own and
    /// the table's key whether they are named or not; `None` names all.
    pub fn new(
        id: IndexId,
        table: &KeySchema,
        partition: Vec<KeyAttribute>,
        sort: Vec<KeyAttribute>,
        names: Option<BTreeSet<String>>,
    ) -> Self {
        let keys = partition.iter().chain(&sort).chain(table.attributes());
        let holds = names.map(|mut names| {
            names.extend(keys.map(|key| key.name.clone()));
            names
        });
        Self {
            id,
            partition,
            sort,
            is_local: false,
            holds,
        }
    }

    /// Makes it a local index, which has the table's partitions.
    pub fn local(self) -> Self {
        Self {
            is_local: true,
            ..self
        }
    }

    /// Returns the index's key attributes, those of the partition first.
    pub fn keys(&self) -> impl Iterator<Item = &KeyAttribute> {
        self.partition.iter().chain(&self.sort)
    }

    /// Returns whether entries hold an attribute, where an item has it.
    pub fn holds(&self, name: &str) -> bool {
        self.holds.as_ref().is_none_or(|names| names.contains(name))
    }

    /// Returns whether entries hold all attributes.
    pub fn holds_all(&self) -> bool {
        self.holds.is_none()
    }
}

impl TableDef {
    /// Returns the definition of a system table: text keys, a replica in every region.
    pub fn system(id: TableId, members: impl IntoIterator<Item = RegionId>) -> Self {
        debug_assert!(
            id.is_system(),
            "system tables have the numbers below 65,536"
        );
        let text = |name: &str| KeyAttribute {
            name: name.to_owned(),
            kind: KeyKind::S,
        };
        Self {
            id,
            schema: KeySchema {
                partition: text("partition"),
                sort: Some(text("sort")),
            },
            replicas: members.into_iter().collect(),
            filling: false,
            history: HistoryDef::default(),
            indexes: Vec::new(),
            expiry: None,
            resolver: Resolver::Item,
        }
    }

    /// Returns one of its indexes.
    pub fn index(&self, id: IndexId) -> Option<&IndexDef> {
        self.indexes.iter().find(|index| index.id == id)
    }

    /// Returns the numbers of all indexes that are kept for it.
    pub(crate) fn index_ids(&self) -> impl Iterator<Item = IndexId> {
        let indexes = self.indexes.iter().map(|index| index.id);
        let expiry = self.expiry.iter().map(|expiry| expiry.id);
        std::iter::once(IndexId::ITEMS).chain(indexes).chain(expiry)
    }

    /// Returns whether writes go into the change log: there is another replica to tell.
    pub fn is_logged(&self) -> bool {
        self.replicas.len() > 1
    }
}
