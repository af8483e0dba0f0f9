//! Projections: the part of an item that a request asks for.
//!
//! A facade that renders stored bytes walks [`Projection::tree`] itself.

use std::collections::BTreeMap;

use item::value::{AttributeValue, Item};

use crate::path::{Node, Path, PathTree};

/// The paths of an item that a request asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Projection {
    tree: PathTree<()>,
}

impl Projection {
    /// Makes a projection of whole attributes, as `AttributesToGet` names them.
    pub fn of_attributes<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        let paths = names.into_iter().map(|name| Path::attribute(name));
        Self::of_paths(&paths.collect::<Vec<_>>())
    }

    /// Makes a projection of paths; one inside another adds nothing to it.
    pub fn of_paths<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Self {
        let mut tree = PathTree::default();
        let mut paths: Vec<&Path> = paths.into_iter().collect();
        paths.sort_unstable_by_key(|path| path.levels());
        for path in paths {
            // A clash means that the path is there already, or can match nothing beside it.
            let _ = tree.insert(path, ());
        }
        Self { tree }
    }

    pub(crate) const fn of_tree(tree: PathTree<()>) -> Self {
        Self { tree }
    }

    /// Returns the paths as a tree.
    pub const fn tree(&self) -> &PathTree<()> {
        &self.tree
    }

    /// Returns whether the projection takes anything from the attribute `name`.
    pub fn touches(&self, name: &str) -> bool {
        self.tree.root().contains_key(name)
    }

    /// Returns what the paths lead to in an item: maps and lists with only those parts in them.
    pub fn apply(&self, item: &Item) -> Item {
        let root = self.tree.root();
        let pick =
            |(name, node): (&String, &Node<()>)| Some((name.clone(), pick(node, item.get(name)?)?));
        root.iter().filter_map(pick).collect()
    }
}

/// Returns the asked parts of a value; `None` if none of them is there.
fn pick(node: &Node<()>, value: &AttributeValue) -> Option<AttributeValue> {
    match (node, value) {
        (Node::Leaf(()), value) => Some(value.clone()),
        (Node::Map(children), AttributeValue::M(map)) => {
            let entry = |(name, node): (&String, &Node<()>)| {
                Some((name.clone(), pick(node, map.get(name)?)?))
            };
            let picked: BTreeMap<_, _> = children.iter().filter_map(entry).collect();
            (!picked.is_empty()).then_some(AttributeValue::M(picked))
        }
        (Node::List(children), AttributeValue::L(list)) => {
            let element = |(index, node): (&u32, &Node<()>)| {
                pick(node, list.get(usize::try_from(*index).ok()?)?)
            };
            let picked: Vec<_> = children.iter().filter_map(element).collect();
            (!picked.is_empty()).then_some(AttributeValue::L(picked))
        }
        (Node::Map(_) | Node::List(_), _) => None,
    }
}

#[cfg(test)]
mod tests;
