//! XML as AWS uses it: a bounded reader into a small tree, and a writer.
//!
//! It knows no schema, resolves no entity but the five of XML itself, and drops namespaces.

mod read;
mod write;

pub use read::{XmlError, parse};
pub use write::XmlWriter;

/// One element of a document, its attributes and comments left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// The local name, without a namespace prefix.
    pub name: String,
    /// The text directly inside, as it stands, spaces included.
    pub text: String,
    /// The elements directly inside, in their order.
    pub children: Vec<Element>,
}

impl Element {
    /// Returns the first child called `name`.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Returns the text of the first child called `name`, without surrounding spaces.
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim())
    }

    /// Returns the members of the list `list`, as in `<Regions><Region/><Region/></Regions>`.
    pub fn members<'e>(&'e self, list: &str, member: &'e str) -> impl Iterator<Item = &'e Self> {
        self.child(list)
            .into_iter()
            .flat_map(|list| &list.children)
            .filter(move |child| child.name == member)
    }
}

#[cfg(test)]
mod tests;
