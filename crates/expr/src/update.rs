//! Updates: what becomes of an item, every value read before any is written.
//!
//! Source: DynamoDB developer guide, "Using update expressions in DynamoDB".

use std::collections::{BTreeMap, BTreeSet};

use item::number::{Number, NumberError};
use item::value::{AttributeValue, Item};

use crate::error::EvalError;
use crate::path::{Clash, Node, Path, PathTree};
use crate::projection::Projection;

/// The actions of one update; their paths neither overlap nor conflict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Update {
    actions: Vec<Action>,
    tree: PathTree<usize>,
}

/// One action of an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Puts a value at a path.
    Set {
        /// The path.
        path: Path,
        /// The value.
        value: SetValue,
    },
    /// Removes what is at a path.
    Remove {
        /// The path.
        path: Path,
    },
    /// Adds to the number or the set at a path, which may be missing.
    Add {
        /// The path.
        path: Path,
        /// A number or a set.
        value: AttributeValue,
    },
    /// Takes elements out of the set at a path.
    Delete {
        /// The path.
        path: Path,
        /// A set.
        value: AttributeValue,
    },
}

/// What `SET` puts at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetValue {
    /// The operand itself.
    Operand(SetOperand),
    /// The sum of two numbers.
    Plus(SetOperand, SetOperand),
    /// The difference of two numbers.
    Minus(SetOperand, SetOperand),
}

/// A value in a `SET` action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetOperand {
    /// What is at a path of the item.
    Path(Path),
    /// A value of the request.
    Value(AttributeValue),
    /// What is at a path, or else the operand.
    IfNotExists(Path, Box<SetOperand>),
    /// The elements of one list, then those of the other.
    ListAppend(Box<SetOperand>, Box<SetOperand>),
    /// A sum inside a sum. Update expressions cannot write it; PartiQL can.
    Nested(Box<SetValue>),
}

/// What an action does once its value is known.
enum Effect {
    Put(AttributeValue),
    Remove,
    Nothing,
}

impl Update {
    /// Makes an update of actions whose paths are known to be apart.
    ///
    /// Errors: the first two paths that clash, and how.
    pub fn new(actions: Vec<Action>) -> Result<Self, (Clash, Path, Path)> {
        let mut tree = PathTree::default();
        for (at, action) in actions.iter().enumerate() {
            let path = action.path();
            if let Err(clash) = tree.insert(path, at) {
                let earlier = actions.iter().take(at).map(Action::path);
                let clashes = earlier.filter_map(|one| Some((one.clash(path)?, one)));
                let (clash, one) = clashes.last().unwrap_or((clash, path));
                return Err((clash, one.clone(), path.clone()));
            }
        }
        Ok(Self { actions, tree })
    }

    /// Returns the actions in the order they were written.
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// Calls `visit` with each path that the update writes or reads.
    pub fn for_each_path<'u>(&'u self, visit: &mut dyn FnMut(&'u Path)) {
        for action in &self.actions {
            visit(action.path());
            if let Action::Set { value, .. } = action {
                value.for_each_path(visit);
            }
        }
    }

    /// Returns the projection of all paths that the update names: `UPDATED_OLD` of the item
    /// before it, `UPDATED_NEW` of the item after it.
    pub fn touched(&self) -> Projection {
        Projection::of_paths(self.actions.iter().map(Action::path))
    }

    /// Returns whether the update makes the item where there is none: one that does nothing does,
    /// one that only takes things away does not.
    ///
    /// Source: DynamoDB API reference, `UpdateItem` (`AttributeUpdates`, "DELETE").
    pub fn makes_item(&self) -> bool {
        let takes = |action: &Action| match action {
            Action::Remove { .. } | Action::Delete { .. } => true,
            Action::Set { .. } | Action::Add { .. } => false,
        };
        self.actions.is_empty() || !self.actions.iter().all(takes)
    }

    /// Returns the item after the update. `item` holds at least the key.
    ///
    /// Errors: [`EvalError`]; nothing of the update is then done.
    pub fn apply(&self, item: &Item) -> Result<Item, EvalError> {
        check_map(self.tree.root(), item.as_map())?;
        let effect = |action: &Action| action.effect(item).map(Some);
        let mut effects: Vec<Option<Effect>> =
            self.actions.iter().map(effect).collect::<Result<_, _>>()?;
        let mut map = item.clone().into_map();
        apply_map(self.tree.root(), &mut map, &mut effects)?;
        Ok(Item::from(map))
    }
}

impl Action {
    /// Returns the path that the action changes.
    pub const fn path(&self) -> &Path {
        match self {
            Self::Set { path, .. }
            | Self::Remove { path }
            | Self::Add { path, .. }
            | Self::Delete { path, .. } => path,
        }
    }

    fn effect(&self, item: &Item) -> Result<Effect, EvalError> {
        Ok(match self {
            Self::Set { value, .. } => Effect::Put(value.resolve(item)?),
            Self::Remove { .. } => Effect::Remove,
            Self::Add { path, value } => Effect::Put(match path.get(item) {
                Some(there) => add(there, value)?,
                None => value.clone(),
            }),
            Self::Delete { path, value } => match path.get(item) {
                Some(there) => delete(there, value)?,
                None => Effect::Nothing,
            },
        })
    }
}

impl SetValue {
    fn for_each_path<'u>(&'u self, visit: &mut dyn FnMut(&'u Path)) {
        match self {
            Self::Operand(operand) => operand.for_each_path(visit),
            Self::Plus(one, two) | Self::Minus(one, two) => {
                one.for_each_path(visit);
                two.for_each_path(visit);
            }
        }
    }

    fn resolve(&self, item: &Item) -> Result<AttributeValue, EvalError> {
        let number =
            |operand: &SetOperand| operand.resolve(item)?.as_n().ok_or(EvalError::WrongType);
        match self {
            Self::Operand(operand) => operand.resolve(item),
            Self::Plus(one, two) => sum(number(one)?, number(two)?),
            Self::Minus(one, two) => sum(number(one)?, number(two)?.negated()),
        }
    }
}

impl SetOperand {
    fn for_each_path<'u>(&'u self, visit: &mut dyn FnMut(&'u Path)) {
        match self {
            Self::Path(path) => visit(path),
            Self::Value(_) => {}
            Self::IfNotExists(path, operand) => {
                visit(path);
                operand.for_each_path(visit);
            }
            Self::ListAppend(one, two) => {
                one.for_each_path(visit);
                two.for_each_path(visit);
            }
            Self::Nested(value) => value.for_each_path(visit),
        }
    }

    fn resolve(&self, item: &Item) -> Result<AttributeValue, EvalError> {
        match self {
            Self::Path(path) => path.get(item).cloned().ok_or(EvalError::MissingAttribute),
            Self::Value(value) => Ok(value.clone()),
            Self::IfNotExists(path, operand) => match path.get(item) {
                Some(there) => Ok(there.clone()),
                None => operand.resolve(item),
            },
            Self::ListAppend(one, two) => match (one.resolve(item)?, two.resolve(item)?) {
                (AttributeValue::L(mut one), AttributeValue::L(two)) => {
                    one.extend(two);
                    Ok(AttributeValue::L(one))
                }
                (_, _) => Err(EvalError::WrongType),
            },
            Self::Nested(value) => value.resolve(item),
        }
    }
}

fn add(there: &AttributeValue, value: &AttributeValue) -> Result<AttributeValue, EvalError> {
    Ok(match (there, value) {
        (AttributeValue::N(one), AttributeValue::N(two)) => return sum(*one, *two),
        (AttributeValue::Ss(one), AttributeValue::Ss(two)) => AttributeValue::Ss(one | two),
        (AttributeValue::Ns(one), AttributeValue::Ns(two)) => AttributeValue::Ns(one | two),
        (AttributeValue::Bs(one), AttributeValue::Bs(two)) => AttributeValue::Bs(one | two),
        (_, _) => return Err(EvalError::WrongType),
    })
}

fn delete(there: &AttributeValue, value: &AttributeValue) -> Result<Effect, EvalError> {
    Ok(match (there, value) {
        (AttributeValue::Ss(one), AttributeValue::Ss(two)) => rest(one, two, AttributeValue::Ss),
        (AttributeValue::Ns(one), AttributeValue::Ns(two)) => rest(one, two, AttributeValue::Ns),
        (AttributeValue::Bs(one), AttributeValue::Bs(two)) => rest(one, two, AttributeValue::Bs),
        (_, _) => return Err(EvalError::WrongType),
    })
}

/// Takes elements out of a set; one that has lost its last element is no attribute any more.
fn rest<T: Ord + Clone>(
    there: &BTreeSet<T>,
    taken: &BTreeSet<T>,
    value: fn(BTreeSet<T>) -> AttributeValue,
) -> Effect {
    let set = there - taken;
    if set.is_empty() {
        Effect::Remove
    } else {
        Effect::Put(value(set))
    }
}

fn sum(one: Number, two: Number) -> Result<AttributeValue, EvalError> {
    let sum = one.checked_add(two).map_err(|error| match error {
        // The service calls a sum of more than 38 digits an overflow.
        NumberError::TooPrecise => NumberError::Overflow,
        error @ (NumberError::NotNumeric { .. }
        | NumberError::Overflow
        | NumberError::Underflow) => error,
    });
    Ok(AttributeValue::N(sum?))
}

/// Checks, before any value is read, that every path leads somewhere.
fn check_map(
    children: &BTreeMap<String, Node<usize>>,
    map: &BTreeMap<String, AttributeValue>,
) -> Result<(), EvalError> {
    children
        .iter()
        .try_for_each(|(name, node)| check_node(node, map.get(name)))
}

fn check_node(node: &Node<usize>, value: Option<&AttributeValue>) -> Result<(), EvalError> {
    match (node, value) {
        (Node::Leaf(_), _) => Ok(()),
        (Node::Map(children), Some(AttributeValue::M(map))) => check_map(children, map),
        (Node::List(children), Some(AttributeValue::L(list))) => {
            let at = |index: u32| list.get(usize::try_from(index).ok()?);
            children
                .iter()
                .try_for_each(|(index, node)| check_node(node, at(*index)))
        }
        (Node::Map(_) | Node::List(_), _) => Err(EvalError::InvalidPath),
    }
}

fn apply_node(
    node: &Node<usize>,
    value: &mut AttributeValue,
    effects: &mut [Option<Effect>],
) -> Result<(), EvalError> {
    match (node, value) {
        (Node::Map(children), AttributeValue::M(map)) => apply_map(children, map, effects),
        (Node::List(children), AttributeValue::L(list)) => apply_list(children, list, effects),
        (_, _) => Err(EvalError::InvalidPath),
    }
}

fn apply_map(
    children: &BTreeMap<String, Node<usize>>,
    map: &mut BTreeMap<String, AttributeValue>,
    effects: &mut [Option<Effect>],
) -> Result<(), EvalError> {
    for (name, node) in children {
        let Node::Leaf(action) = node else {
            let value = map.get_mut(name).ok_or(EvalError::InvalidPath)?;
            apply_node(node, value, effects)?;
            continue;
        };
        match take(effects, *action) {
            Effect::Put(value) => drop(map.insert(name.clone(), value)),
            Effect::Remove => drop(map.remove(name)),
            Effect::Nothing => {}
        }
    }
    Ok(())
}

/// Changes a list. All indexes mean the list as it was; one past its end appends.
fn apply_list(
    children: &BTreeMap<u32, Node<usize>>,
    list: &mut Vec<AttributeValue>,
    effects: &mut [Option<Effect>],
) -> Result<(), EvalError> {
    let length = list.len();
    let mut removed = Vec::new();
    for (index, node) in children {
        let index = usize::try_from(*index).map_err(|_| EvalError::InvalidPath)?;
        let there = list.get_mut(index).filter(|_| index < length);
        let Node::Leaf(action) = node else {
            apply_node(node, there.ok_or(EvalError::InvalidPath)?, effects)?;
            continue;
        };
        match (take(effects, *action), there) {
            (Effect::Put(value), Some(there)) => *there = value,
            (Effect::Put(value), None) => list.push(value),
            (Effect::Remove, Some(_)) => removed.push(index),
            (Effect::Remove, None) | (Effect::Nothing, _) => {}
        }
    }
    for index in removed.into_iter().rev() {
        list.remove(index);
    }
    Ok(())
}

/// Takes an effect out: each action stands at one place of the tree.
fn take(effects: &mut [Option<Effect>], action: usize) -> Effect {
    let effect = effects.get_mut(action).and_then(Option::take);
    debug_assert!(effect.is_some(), "each action is applied once");
    effect.unwrap_or(Effect::Nothing)
}

#[cfg(test)]
mod tests;
