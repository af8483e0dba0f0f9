//! Plans: what a statement does to a table, in the words of `item` and `expr`.
//!
//! Nothing of a plan is run here. A condition that fails is told by the plan's caller.

use expr::condition::Condition;
use expr::key_condition::KeyRange;
use expr::path::Path;
use expr::projection::Projection;
use expr::update::Update as Changes;
use item::key::{Key, KeySchema};
use item::value::{AttributeValue, Item};

use crate::error::{CallProblem, PartiqlError};
use crate::lower;
use crate::statement::{Statement, StatementKind};

/// The keys that a statement is planned against.
#[derive(Clone, Copy, Debug)]
pub struct Keys<'s> {
    /// The table's.
    pub table: &'s KeySchema,
    /// The index's; needed where [`Statement::index`] names one, and of no use elsewhere.
    pub index: Option<&'s KeySchema>,
}

/// What a statement does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// It reads.
    Select(Select),
    /// It makes an item.
    Insert(Insert),
    /// It changes an item.
    Update(Update),
    /// It removes an item.
    Delete(Delete),
    /// It checks an item.
    Check(Check),
}

/// A read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Select {
    /// What is read.
    pub reads: Reads,
    /// What is kept of it; all where there is none. It may test key attributes.
    pub filter: Option<Condition>,
    /// What is answered of each item.
    pub list: List,
}

/// What a `SELECT` reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reads {
    /// The item of a key that the statement gives whole.
    Key(Key),
    /// The items of several keys, or of the keys of a list, in this order.
    ///
    /// Shape: distinct, at most [`KEYS_MAX`](crate::limits::KEYS_MAX); none where nothing can be.
    Keys(Vec<Key>),
    /// Ranges of partitions, one after another.
    Ranges {
        /// The ranges.
        ///
        /// Shape: disjoint, at most [`KEYS_MAX`](crate::limits::KEYS_MAX), never none.
        ranges: Vec<KeyRange>,
        /// The order within each of them.
        direction: Direction,
    },
    /// Everything.
    All,
}

/// The order of sort keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the lowest to the highest.
    Ascending,
    /// From the highest to the lowest.
    Descending,
}

/// What is answered of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum List {
    /// All of it.
    Star,
    /// Values by the last part of their paths.
    Paths(Vec<Selected>),
}

/// A value that is answered of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    /// The name it is answered by: `c` for `a.b.c`, `b[1]` for `a.b[1]`.
    pub name: String,
    /// Where it stands in the item.
    pub path: Path,
}

/// An item to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Insert {
    /// Its key.
    pub key: Key,
    /// The item. Its size is not checked.
    pub item: Item,
    /// Holds where there is no such item.
    pub condition: Condition,
}

/// An item to be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// Its key.
    pub key: Key,
    /// What becomes of it; never of its key.
    pub changes: Changes,
    /// Never holds where there is no such item.
    pub condition: Condition,
    /// What is answered of it.
    pub returning: Option<Returning>,
}

/// An item to be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delete {
    /// Its key.
    pub key: Key,
    /// Holds where there is no such item; there is none where every item may go.
    pub condition: Option<Condition>,
    /// Whether the item is answered as it was.
    pub returns_old: bool,
}

/// An item to be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its key.
    pub key: Key,
    /// Never holds where there is no such item.
    pub condition: Condition,
}

/// What an update answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returning {
    /// The whole item as it is after, `ALL_NEW`.
    AllNew,
    /// The whole item as it was before, `ALL_OLD`.
    AllOld,
    /// What was changed, as it is after, `UPDATED_NEW`.
    ModifiedNew,
    /// What was changed, as it was before, `UPDATED_OLD`.
    ModifiedOld,
}

/// Plans a statement with its parameters.
///
/// Errors: [`PartiqlError`]: the parameters' number first, then what does not fit the keys.
pub fn of(
    statement: &Statement,
    keys: Keys<'_>,
    parameters: &[AttributeValue],
) -> Result<Plan, PartiqlError> {
    lower::statement(statement, keys, parameters)
}

/// A call that runs statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `ExecuteStatement`: one statement, any but `EXISTS`.
    Statement,
    /// `BatchExecuteStatement`: each statement means one item.
    Batch,
    /// `ExecuteTransaction`: each statement means one item, and returns nothing it writes.
    Transaction,
}

/// Checks that a statement may stand in a call.
///
/// Errors: [`CallProblem`].
pub fn check_call(statement: &Statement, plan: &Plan, call: Call) -> Result<(), CallProblem> {
    match (plan, call) {
        (Plan::Check(_), Call::Statement | Call::Batch) => Err(CallProblem::ExistsOutside),
        (Plan::Select(_), Call::Transaction) if statement.index().is_some() => {
            Err(CallProblem::IndexInTransaction)
        }
        (Plan::Select(select), Call::Transaction) if select.only_key().is_none() => {
            Err(CallProblem::SelectInTransaction)
        }
        (Plan::Select(select), Call::Batch) if select.only_key().is_none() => {
            Err(CallProblem::SelectInBatch)
        }
        (Plan::Update(_) | Plan::Delete(_), Call::Transaction) if statement.returns() => {
            Err(CallProblem::ReturningInTransaction)
        }
        (
            Plan::Select(_) | Plan::Insert(_) | Plan::Update(_) | Plan::Delete(_) | Plan::Check(_),
            Call::Statement | Call::Batch | Call::Transaction,
        ) => Ok(()),
    }
}

/// Checks that the statements of a call may stand together: all of them read, or none does.
///
/// Errors: [`CallProblem`].
pub fn check_together(kinds: &[StatementKind], call: Call) -> Result<(), CallProblem> {
    let reads = |kind: &StatementKind| *kind == StatementKind::Select;
    if kinds.iter().all(reads) || !kinds.iter().any(reads) {
        return Ok(());
    }
    match call {
        Call::Batch => Err(CallProblem::MixedBatch),
        Call::Transaction => Err(CallProblem::MixedTransaction),
        Call::Statement => Ok(()),
    }
}

impl Select {
    /// Returns the key where the statement gives one whole and asks for nothing more, as it must
    /// in `BatchExecuteStatement` and in a transaction that reads.
    pub const fn only_key(&self) -> Option<&Key> {
        match (&self.reads, &self.filter) {
            (Reads::Key(key), None) => Some(key),
            (Reads::Key(_) | Reads::Keys(_) | Reads::Ranges { .. } | Reads::All, _) => None,
        }
    }
}

impl List {
    /// Returns the answer of an item.
    pub fn of(&self, item: &Item) -> Item {
        match self {
            Self::Star => item.clone(),
            Self::Paths(paths) => {
                let value =
                    |one: &Selected| Some((one.name.clone(), one.path.get(item)?.to_owned()));
                paths.iter().filter_map(value).collect()
            }
        }
    }

    /// Returns the projection that holds all that is answered; `None` for a star.
    pub fn projection(&self) -> Option<Projection> {
        match self {
            Self::Star => None,
            Self::Paths(paths) => Some(Projection::of_paths(paths.iter().map(|one| &one.path))),
        }
    }
}

impl Returning {
    /// Returns the clause as it is written.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::AllNew => "ALL NEW *",
            Self::AllOld => "ALL OLD *",
            Self::ModifiedNew => "MODIFIED NEW *",
            Self::ModifiedOld => "MODIFIED OLD *",
        }
    }
}

#[cfg(test)]
mod tests;
