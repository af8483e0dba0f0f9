//! Items from Ion text.
//!
//! It reads what has an equal among attribute values: no symbols, times, clobs and s-expressions,
//! nor Ion binary. Source: Amazon Ion specification, "Text encoding"; DynamoDB developer guide,
//! "Amazon S3 import formats for DynamoDB" (Amazon Ion).

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use item::number::Number;
use item::value::AttributeValue;

use super::{Record, RecordError, of_members};
use crate::limits::{ION_DEPTH_MAX, ION_VALUES_MAX};

mod text;

/// The structs of a text, read one at a time; what is behind a mistake is not looked at.
pub(super) struct Structs {
    text: Result<String, RecordError>,
    /// How much of it was read.
    at: usize,
}

impl Structs {
    pub(super) fn new(text: Vec<u8>) -> Self {
        let text = String::from_utf8(text);
        let text = text.map_err(|_| RecordError::Malformed("it is not UTF-8".to_owned()));
        Self { text, at: 0 }
    }

    /// Returns how many bytes were read.
    #[cfg(test)]
    pub(super) const fn read(&self) -> usize {
        self.at
    }

    /// Returns the next record; `None` behind the last one.
    pub(super) fn next(&mut self) -> Option<Result<Record, RecordError>> {
        let over = Ok(String::new());
        let Ok(text) = &self.text else {
            return std::mem::replace(&mut self.text, over).err().map(Err);
        };
        let mut reader = Reader {
            rest: text.get(self.at..)?,
            depth: 0,
            values: 0,
        };
        let read = reader.record();
        self.at = text.len() - reader.rest.len();
        match read {
            Ok(members) => members.map(of_members),
            Err(error) => {
                self.text = over;
                Some(Err(error))
            }
        }
    }
}

struct Reader<'t> {
    rest: &'t str,
    depth: usize,
    /// How many values were read.
    values: usize,
}

type Read<T> = Result<T, RecordError>;

impl<'t> Reader<'t> {
    /// Reads the members of the next struct; `None` at the end.
    fn record(&mut self) -> Read<Option<BTreeMap<String, AttributeValue>>> {
        loop {
            self.skip_space()?;
            if self.rest.is_empty() {
                return Ok(None);
            }
            if self.takes("{") {
                return self.members().map(Some);
            }
            match self.word() {
                "$ion_1_0" => {}
                _ => return Err(self.wrong("a record is a struct")),
            }
        }
    }

    /// Reads the members of a struct behind its bracket.
    fn members(&mut self) -> Read<BTreeMap<String, AttributeValue>> {
        let mut members = BTreeMap::new();
        self.go_in()?;
        loop {
            self.skip_space()?;
            if self.takes("}") {
                break;
            }
            let name = self.name()?;
            self.skip_space()?;
            if !self.takes(":") {
                return Err(self.wrong("a colon is missing"));
            }
            let value = self.value()?;
            members.insert(name, value);
            if !self.is_followed("}")? {
                break;
            }
        }
        self.depth -= 1;
        Ok(members)
    }

    fn name(&mut self) -> Read<String> {
        match self.rest.as_bytes().first() {
            Some(b'"') => self.short_text('"'),
            Some(b'\'') if self.rest.starts_with("'''") => self.long_text(),
            Some(b'\'') => self.short_text('\''),
            _ => match self.word() {
                "" => Err(self.wrong("a name is missing")),
                "null" | "true" | "false" | "nan" => Err(self.wrong("a keyword is no name")),
                name => Ok(name.to_owned()),
            },
        }
    }

    fn value(&mut self) -> Read<AttributeValue> {
        self.values += 1;
        if ION_VALUES_MAX < self.values {
            return Err(self.wrong("it has more values than an item can"));
        }
        self.skip_space()?;
        match self.rest.as_bytes() {
            [b'"', ..] => Ok(AttributeValue::S(self.short_text('"')?)),
            [b'\'', b'\'', b'\'', ..] => Ok(AttributeValue::S(self.long_text()?)),
            [b'{', b'{', ..] => Ok(AttributeValue::B(self.blob()?)),
            [b'{', ..] => {
                self.takes("{");
                Ok(AttributeValue::M(self.members()?))
            }
            [b'[', ..] => Ok(AttributeValue::L(self.list()?)),
            [b'-' | b'+' | b'0'..=b'9', ..] => self.number(),
            _ => self.named(),
        }
    }

    /// Reads a keyword, or a set by its annotation.
    fn named(&mut self) -> Read<AttributeValue> {
        let word = if self.rest.starts_with('\'') {
            self.short_text('\'')?
        } else {
            self.word().to_owned()
        };
        self.skip_space()?;
        let is_annotation = self.takes("::");
        match (word.as_str(), is_annotation) {
            ("true", false) => Ok(AttributeValue::Bool(true)),
            ("false", false) => Ok(AttributeValue::Bool(false)),
            ("null", false) => {
                // Every type has a null of its own, which are all the same here.
                if self.takes(".") {
                    self.word();
                }
                Ok(AttributeValue::Null)
            }
            ("$dynamodb_SS" | "$dynamodb_NS" | "$dynamodb_BS", true) => {
                self.skip_space()?;
                let list = self.list()?;
                set(&word, list).ok_or_else(|| {
                    let message = format!("{word} has no members, or one twice, or a wrong one");
                    RecordError::Invalid(message)
                })
            }
            _ => Err(self.wrong("it is no value that an attribute can have")),
        }
    }

    fn list(&mut self) -> Read<Vec<AttributeValue>> {
        if !self.takes("[") {
            return Err(self.wrong("a list is missing"));
        }
        let mut list = Vec::new();
        self.go_in()?;
        loop {
            self.skip_space()?;
            if self.takes("]") {
                break;
            }
            list.push(self.value()?);
            if !self.is_followed("]")? {
                break;
            }
        }
        self.depth -= 1;
        Ok(list)
    }

    fn number(&mut self) -> Read<AttributeValue> {
        let is_part = |letter: char| {
            letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-' | '+')
        };
        let end = self.rest.find(|letter| !is_part(letter));
        let (number, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        let (sign, digits) = match number.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", number),
        };
        let in_base = |digits: &str, base: u32| {
            let whole = u128::from_str_radix(&digits.replace('_', ""), base);
            whole.map(|whole| format!("{sign}{whole}")).ok()
        };
        let plain = match digits.as_bytes() {
            [b'0', b'x' | b'X', ..] => digits.get(2..).and_then(|digits| in_base(digits, 16)),
            [b'0', b'b' | b'B', ..] => digits.get(2..).and_then(|digits| in_base(digits, 2)),
            _ => Some(number.replace('_', "").replace(['d', 'D'], "e")),
        };
        let plain = plain.unwrap_or_else(|| number.to_owned());
        let number = Number::parse(&plain);
        let number = number.map_err(|error| RecordError::Invalid(error.to_string()))?;
        Ok(AttributeValue::N(number))
    }

    fn blob(&mut self) -> Read<Bytes> {
        self.takes("{{");
        let Some((inside, rest)) = self.rest.split_once("}}") else {
            return Err(self.wrong("a blob is not closed"));
        };
        self.rest = rest;
        let packed: String = inside.split_ascii_whitespace().collect();
        let bytes = STANDARD.decode(packed);
        let bytes = bytes.map_err(|error| RecordError::Malformed(format!("a blob: {error}")))?;
        Ok(bytes.into())
    }

    /// Passes a comma, or the bracket that closes; returns whether it was a comma.
    fn is_followed(&mut self, end: &str) -> Read<bool> {
        self.skip_space()?;
        if self.takes(",") {
            return Ok(true);
        }
        if self.takes(end) {
            return Ok(false);
        }
        Err(self.wrong("a comma or a closing bracket is missing"))
    }

    fn go_in(&mut self) -> Read<()> {
        self.depth += 1;
        if ION_DEPTH_MAX < self.depth {
            return Err(self.wrong("it is nested too deeply"));
        }
        Ok(())
    }

    /// Passes space and comments.
    fn skip_space(&mut self) -> Read<()> {
        loop {
            self.rest = self.rest.trim_ascii_start();
            if let Some(comment) = self.rest.strip_prefix("//") {
                self.rest = comment.split_once('\n').map_or("", |(_, rest)| rest);
            } else if let Some(comment) = self.rest.strip_prefix("/*") {
                let Some((_, rest)) = comment.split_once("*/") else {
                    return Err(self.wrong("a comment is not closed"));
                };
                self.rest = rest;
            } else {
                return Ok(());
            }
        }
    }

    /// Passes a word.
    fn word(&mut self) -> &'t str {
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '$');
        let end = self.rest.find(|letter| !is_part(letter));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        word
    }

    /// Passes a mark; returns whether it was there.
    fn takes(&mut self, mark: &str) -> bool {
        let rest = self.rest.strip_prefix(mark);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Says what is wrong, and where.
    fn wrong(&self, what: &str) -> RecordError {
        let near: String = self.rest.chars().take(20).collect();
        RecordError::Malformed(format!("{what}, near {near:?}"))
    }
}

/// Makes a set of its members; `None` where that is none.
fn set(name: &str, list: Vec<AttributeValue>) -> Option<AttributeValue> {
    let count = list.len();
    let members = list.into_iter();
    let (set, distinct) = match name {
        "$dynamodb_SS" => {
            let texts = members.map(|one| one.as_s().map(str::to_owned));
            let texts = texts.collect::<Option<BTreeSet<_>>>()?;
            let distinct = texts.len();
            (AttributeValue::Ss(texts), distinct)
        }
        "$dynamodb_NS" => {
            let numbers = members.map(|one| one.as_n());
            let numbers = numbers.collect::<Option<BTreeSet<_>>>()?;
            let distinct = numbers.len();
            (AttributeValue::Ns(numbers), distinct)
        }
        _ => {
            let blobs = members.map(|one| one.as_b().cloned());
            let blobs = blobs.collect::<Option<BTreeSet<_>>>()?;
            let distinct = blobs.len();
            (AttributeValue::Bs(blobs), distinct)
        }
    };
    (distinct > 0 && distinct == count).then_some(set)
}
