//! The reader: a document of bounded depth and size to a tree, without recursion.

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, Event};

use super::Element;
use crate::limits::{XML_DEPTH_MAX, XML_ELEMENTS_MAX};

/// A document that is not read.
#[derive(Debug, thiserror::Error)]
pub enum XmlError {
    /// It is no XML.
    #[error("malformed XML at byte {at}: {why}")]
    Malformed {
        /// Where reading stopped.
        at: u64,
        /// What the reader met.
        why: String,
    },
    /// It carries a document type, which could define entities.
    #[error("a document type declaration is not allowed")]
    DocumentType,
    /// It is nested too deep.
    #[error("nested deeper than {XML_DEPTH_MAX} levels")]
    TooDeep,
    /// It has too many elements.
    #[error("more than {XML_ELEMENTS_MAX} elements")]
    TooLarge,
}

/// Reads a document and returns its root.
///
/// Errors: [`XmlError`].
pub fn parse(document: &[u8]) -> Result<Element, XmlError> {
    let text = std::str::from_utf8(document).map_err(|error| XmlError::Malformed {
        at: u64::try_from(error.valid_up_to()).unwrap_or(u64::MAX),
        why: "not UTF-8".to_owned(),
    })?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut tree = Tree::default();
    loop {
        let event = reader.read_event();
        let at = reader.buffer_position();
        let malformed = |why: String| XmlError::Malformed { at, why };
        match event.map_err(|error| malformed(error.to_string()))? {
            Event::Start(tag) => tree.open(tag.local_name().as_ref())?,
            Event::Empty(tag) => {
                tree.open(tag.local_name().as_ref())?;
                tree.close();
            }
            Event::End(_) => tree.close(),
            Event::Text(text) => tree.text(&text.xml10_content()).map_err(malformed)?,
            Event::CData(text) => tree.text(&text.xml10_content()).map_err(malformed)?,
            Event::GeneralRef(reference) => {
                let text = resolved(&reference).map_err(malformed)?;
                tree.text(&text).map_err(malformed)?;
            }
            Event::DocType(_) => return Err(XmlError::DocumentType),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => return tree.finish().map_err(malformed),
        }
    }
}

fn resolved(reference: &BytesRef<'_>) -> Result<String, String> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => Ok(character.to_string()),
        Ok(None) => {
            let name = reference.xml10_content();
            resolve_xml_entity(&name)
                .map(str::to_owned)
                .ok_or_else(|| format!("the entity &{name}; is not known"))
        }
        Err(error) => Err(error.to_string()),
    }
}

/// A tree in the making: the elements that are open, outermost first.
#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl Tree {
    fn open(&mut self, name: &str) -> Result<(), XmlError> {
        if XML_DEPTH_MAX <= self.open.len() {
            return Err(XmlError::TooDeep);
        }
        self.elements += 1;
        if XML_ELEMENTS_MAX < self.elements {
            return Err(XmlError::TooLarge);
        }
        self.open.push(Element {
            name: name.to_owned(),
            ..Element::default()
        });
        Ok(())
    }

    fn close(&mut self) {
        let Some(element) = self.open.pop() else {
            return;
        };
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            // A second root shows up as a missing first one: finish() sees it.
            None if self.root.is_none() => self.root = Some(element),
            None => self.elements = usize::MAX,
        }
    }

    fn text(&mut self, text: &str) -> Result<(), String> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err("text outside of the root element".to_owned()),
        }
        Ok(())
    }

    fn finish(self) -> Result<Element, String> {
        match (self.open.last(), self.root) {
            (Some(open), _) => Err(format!("<{}> is not closed", open.name)),
            (None, Some(_)) if self.elements == usize::MAX => {
                Err("more than one root element".to_owned())
            }
            (None, Some(root)) => Ok(root),
            (None, None) => Err("no element".to_owned()),
        }
    }
}
