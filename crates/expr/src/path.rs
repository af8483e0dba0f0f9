//! Document paths, and trees of paths that neither overlap nor conflict.
//!
//! A path is resolved: placeholders have been replaced by the names they stand for.

use std::collections::BTreeMap;
use std::fmt;

use item::value::{AttributeValue, Item};

/// A path to an attribute, or to a value inside one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    attribute: String,
    steps: Vec<Step>,
}

/// One step into a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Into a map.
    Name(String),
    /// Into a list.
    Index(u32),
}

/// Paths with something at the end of each, none of them inside another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathTree<T> {
    root: BTreeMap<String, Node<T>>,
}

/// What a tree has at one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node<T> {
    /// A path ends here.
    Leaf(T),
    /// Paths go on into a map.
    Map(BTreeMap<String, Node<T>>),
    /// Paths go on into a list.
    List(BTreeMap<u32, Node<T>>),
}

/// Two paths of one expression that cannot stand together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clash {
    /// One contains the other.
    Overlap,
    /// One uses as a list what the other uses as a map.
    Conflict,
}

impl Path {
    /// Makes the path of a whole attribute.
    pub fn attribute(name: impl Into<String>) -> Self {
        Self {
            attribute: name.into(),
            steps: Vec::new(),
        }
    }

    /// Makes a path into an attribute.
    pub fn new(attribute: impl Into<String>, steps: Vec<Step>) -> Self {
        Self {
            attribute: attribute.into(),
            steps,
        }
    }

    /// Returns the name of the attribute the path starts at.
    pub fn name(&self) -> &str {
        &self.attribute
    }

    /// Returns the steps into the attribute, none for a whole attribute.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Returns how many levels the path has, the attribute included.
    pub fn levels(&self) -> usize {
        1 + self.steps.len()
    }

    /// Returns the value the path leads to.
    pub fn get<'i>(&self, item: &'i Item) -> Option<&'i AttributeValue> {
        let attribute = item.get(&self.attribute)?;
        self.steps
            .iter()
            .try_fold(attribute, |value, step| match step {
                Step::Name(name) => value.as_m()?.get(name),
                Step::Index(index) => value.as_l()?.get(usize::try_from(*index).ok()?),
            })
    }

    /// Returns how two paths clash; `None` if they can stand together.
    pub fn clash(&self, other: &Self) -> Option<Clash> {
        if self.attribute != other.attribute {
            return None;
        }
        for (one, two) in self.steps.iter().zip(&other.steps) {
            match (one, two) {
                (Step::Name(_), Step::Index(_)) | (Step::Index(_), Step::Name(_)) => {
                    return Some(Clash::Conflict);
                }
                (one, two) if one != two => return None,
                (_, _) => {}
            }
        }
        Some(Clash::Overlap)
    }

    pub(crate) fn push(&mut self, step: Step) {
        self.steps.push(step);
    }
}

impl fmt::Display for Path {
    /// Writes the path as messages show it, as in `[a, [1], b]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}", self.attribute)?;
        for step in &self.steps {
            match step {
                Step::Name(name) => write!(f, ", {name}")?,
                Step::Index(index) => write!(f, ", [{index}]")?,
            }
        }
        f.write_str("]")
    }
}

impl<T> Default for PathTree<T> {
    fn default() -> Self {
        Self {
            root: BTreeMap::new(),
        }
    }
}

impl<T> PathTree<T> {
    /// Returns what the tree has for each attribute.
    pub const fn root(&self) -> &BTreeMap<String, Node<T>> {
        &self.root
    }

    /// Adds a path with `leaf` at its end.
    ///
    /// Errors: how the path clashes with one that is there; the tree is then of no more use.
    pub fn insert(&mut self, path: &Path, leaf: T) -> Result<(), Clash> {
        let mut steps = path.steps.iter();
        let Some(mut node) = self.root.get_mut(&path.attribute) else {
            let node = Node::below(path.steps.iter(), leaf);
            self.root.insert(path.attribute.clone(), node);
            return Ok(());
        };
        loop {
            let step = steps.next().ok_or(Clash::Overlap)?;
            node = match (node, step) {
                (Node::Leaf(_), _) => return Err(Clash::Overlap),
                (Node::Map(_), Step::Index(_)) | (Node::List(_), Step::Name(_)) => {
                    return Err(Clash::Conflict);
                }
                (Node::Map(children), Step::Name(name)) => {
                    if !children.contains_key(name) {
                        children.insert(name.clone(), Node::below(steps, leaf));
                        return Ok(());
                    }
                    children.get_mut(name).ok_or(Clash::Overlap)?
                }
                (Node::List(children), Step::Index(index)) => {
                    if !children.contains_key(index) {
                        children.insert(*index, Node::below(steps, leaf));
                        return Ok(());
                    }
                    children.get_mut(index).ok_or(Clash::Overlap)?
                }
            };
        }
    }
}

impl<T> Node<T> {
    /// Makes the nodes of one path, from its end upwards.
    fn below<'s>(steps: impl DoubleEndedIterator<Item = &'s Step>, leaf: T) -> Self {
        steps.rev().fold(Self::Leaf(leaf), |node, step| match step {
            Step::Name(name) => Self::Map(BTreeMap::from([(name.clone(), node)])),
            Step::Index(index) => Self::List(BTreeMap::from([(*index, node)])),
        })
    }
}

#[cfg(test)]
mod tests;
