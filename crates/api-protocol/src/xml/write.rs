//! The writer: elements and escaped text, nothing else.

use bytes::Bytes;
use quick_xml::escape::escape;

/// Writes one document.
///
/// Shape: names are ours and written as they are; texts are escaped.
#[derive(Debug, Default)]
pub struct XmlWriter {
    text: String,
    open: Vec<String>,
}

impl XmlWriter {
    /// Starts a document with an XML declaration, as Route 53 writes them.
    pub fn declared() -> Self {
        Self {
            text: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned(),
            open: Vec::new(),
        }
    }

    /// Starts a document without an XML declaration, as STS and IAM write them.
    pub fn undeclared() -> Self {
        Self::default()
    }

    /// Opens an element.
    pub fn open(&mut self, name: &str) {
        self.push(&["<", name, ">"]);
        self.open.push(name.to_owned());
    }

    /// Opens an element that sets the default namespace.
    pub fn open_in(&mut self, name: &str, namespace: &str) {
        self.push(&["<", name, " xmlns=\"", &escape(namespace), "\">"]);
        self.open.push(name.to_owned());
    }

    /// Closes the innermost open element.
    pub fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            self.push(&["</", &name, ">"]);
        }
    }

    /// Writes an element around what `inside` writes.
    pub fn within(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.open(name);
        inside(self);
        self.close();
    }

    /// Writes an element that holds a text.
    pub fn leaf(&mut self, name: &str, text: &str) {
        // XML 1.0 has no way to write these characters, not even escaped.
        let legal: String;
        let text = if text.contains(is_unwritable) {
            legal = text.replace(is_unwritable, "\u{fffd}");
            &legal
        } else {
            text
        };
        self.push(&["<", name, ">", &escape(text), "</", name, ">"]);
    }

    /// Closes all that is open and returns the document.
    pub fn finish(mut self) -> Bytes {
        while !self.open.is_empty() {
            self.close();
        }
        self.text.into()
    }

    fn push(&mut self, parts: &[&str]) {
        for part in parts {
            self.text.push_str(part);
        }
    }
}

fn is_unwritable(character: char) -> bool {
    let is_control = character < ' ' && !matches!(character, '\t' | '\n' | '\r');
    is_control || matches!(character, '\u{fffe}' | '\u{ffff}')
}
