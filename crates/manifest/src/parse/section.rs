//! One table of the file: typed reads that report what is wrong and go on.
//!
//! A value that the TOML parser had to invent after a syntax error is skipped in silence.

use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::model::Located;
use crate::parse::{Ctx, nearest, value};
use crate::problem::Code;

/// A table of the file with a name for people, such as `tables.carts`.
pub(super) struct Section<'a> {
    pub(super) ctx: &'a Ctx,
    pub(super) name: String,
    pub(super) span: Range<usize>,
    table: &'a DeTable<'a>,
}

/// One key with its value.
pub(super) struct Entry<'a> {
    pub(super) ctx: &'a Ctx,
    /// The whole name, such as `functions.cart.timeout`.
    pub(super) name: String,
    pub(super) key: Located<&'a str>,
    pub(super) value: &'a Spanned<DeValue<'a>>,
}

impl<'a> Section<'a> {
    /// Opens a table whose keys are `known`; others are reported.
    pub(super) fn of_table(
        ctx: &'a Ctx,
        name: &str,
        span: Range<usize>,
        table: &'a DeTable<'a>,
        known: &[&str],
    ) -> Self {
        let section = Self::of_names(ctx, name, span, table);
        for entry in section.entries() {
            let key = entry.key.value;
            if !known.contains(&key) {
                let place = match name {
                    "" => "a manifest has no section".to_owned(),
                    name => format!("[{name}] has no key"),
                };
                let message = format!("{place} `{key}`");
                let fix = nearest::fix(key, known, "known keys");
                ctx.problem(Code::UnknownKey, entry.key.span, message, "not known", &fix);
            }
        }
        section
    }

    /// Opens a table whose keys are names that the user gives.
    pub(super) fn of_names(
        ctx: &'a Ctx,
        name: &str,
        span: Range<usize>,
        table: &'a DeTable<'a>,
    ) -> Self {
        Self {
            ctx,
            name: name.to_owned(),
            span,
            table,
        }
    }

    /// Returns the entries in the order of the file.
    pub(super) fn entries(&self) -> Vec<Entry<'a>> {
        let mut entries: Vec<Entry<'a>> = self
            .table
            .iter()
            .map(|(key, value)| self.entry_of(key, value))
            .collect();
        entries.sort_by_key(|entry| entry.key.span.start);
        entries
    }

    /// Returns the entry of one key.
    pub(super) fn entry(&self, key: &str) -> Option<Entry<'a>> {
        let (key, value) = self.table.get_key_value(key)?;
        let entry = self.entry_of(key, value);
        (!entry.is_invented()).then_some(entry)
    }

    fn entry_of(
        &self,
        key: &'a Spanned<std::borrow::Cow<'a, str>>,
        value: &'a Spanned<DeValue<'a>>,
    ) -> Entry<'a> {
        let dot = if self.name.is_empty() { "" } else { "." };
        Entry {
            ctx: self.ctx,
            name: format!("{}{dot}{}", self.name, key.get_ref()),
            key: Located {
                value: key.get_ref(),
                span: key.span(),
            },
            value,
        }
    }

    /// Returns whether the key is there at all, understood or not.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Reports that `key` must be there; `example` is a line to copy.
    pub(super) fn missing(&self, key: &str, example: &str) {
        let place = match self.name.as_str() {
            "" => "the manifest".to_owned(),
            name => format!("[{name}]"),
        };
        let message = format!("{place} needs `{key}`");
        let fix = format!("add, for example: {example}");
        let span = self.span.clone();
        let label = format!("no `{key}` in here");
        self.ctx
            .problem(Code::MissingKey, span, message, &label, &fix);
    }

    /// Returns the entry of a key that must be there.
    pub(super) fn required(&self, key: &str, example: &str) -> Option<Entry<'a>> {
        if !self.has(key) {
            self.missing(key, example);
        }
        self.entry(key)
    }
}

impl<'a> Entry<'a> {
    fn is_invented(&self) -> bool {
        self.value.span().is_empty() && !matches!(self.value.get_ref(), DeValue::Table(_))
    }

    /// Returns where the value stands.
    pub(super) fn span(&self) -> Range<usize> {
        self.value.span()
    }

    /// Reports a problem with the value.
    pub(super) fn problem(&self, code: Code, message: String, label: &str, fix: &str) {
        self.ctx.problem(code, self.span(), message, label, fix);
    }

    /// Reports a problem with the key.
    pub(super) fn bad_name(&self, kind: &str, rule: &str) {
        let message = format!("`{}` is no {kind} name", self.key.value);
        let span = self.key.span.clone();
        let fix = format!("a {kind} name is {rule}");
        self.ctx
            .problem(Code::BadName, span, message, "not allowed", &fix);
    }

    fn wrong_type(&self, expected: &str, example: &str) {
        let found = match self.value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a float",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        };
        let message = format!("`{}` must be {expected}", self.name);
        let fix = format!("write, for example: {example}");
        // The span of a dotted or bracketed table covers its header only, so the key stands for it.
        let span = if self.value.get_ref().is_table() {
            self.key.span.clone()
        } else {
            self.span()
        };
        self.ctx.problem(
            Code::WrongType,
            span,
            message,
            &format!("this is {found}"),
            &fix,
        );
    }

    /// Reads a table with known keys.
    pub(super) fn section(&self, known: &[&str], example: &str) -> Option<Section<'a>> {
        let table = self.table(example)?;
        let span = self.table_span();
        Some(Section::of_table(self.ctx, &self.name, span, table, known))
    }

    /// Reads a table whose keys are names.
    pub(super) fn names(&self, example: &str) -> Option<Section<'a>> {
        let table = self.table(example)?;
        let span = self.table_span();
        Some(Section::of_names(self.ctx, &self.name, span, table))
    }

    fn table(&self, example: &str) -> Option<&'a DeTable<'a>> {
        let table = self.value.get_ref().as_table();
        if table.is_none() && !self.is_invented() {
            self.wrong_type("a table", example);
        }
        table
    }

    fn table_span(&self) -> Range<usize> {
        if self.span().is_empty() {
            self.key.span.clone()
        } else {
            self.span()
        }
    }

    /// Reads a string.
    pub(super) fn text(&self, example: &str) -> Option<Located<&'a str>> {
        let Some(text) = self.value.get_ref().as_str() else {
            self.wrong_type("a string", example);
            return None;
        };
        if self.is_invented() {
            return None;
        }
        Some(Located {
            value: text,
            span: self.span(),
        })
    }

    /// Reads the strings of an array.
    pub(super) fn texts(&self, example: &str) -> Vec<Entry<'a>> {
        let Some(array) = self.value.get_ref().as_array() else {
            self.wrong_type("an array of strings", example);
            return Vec::new();
        };
        let items = array.iter().map(|value| Entry {
            ctx: self.ctx,
            name: self.name.clone(),
            key: self.key.clone(),
            value,
        });
        items.collect()
    }

    /// Reads `true` or `false`.
    pub(super) fn boolean(&self, example: &str) -> Option<bool> {
        let boolean = self.value.get_ref().as_bool();
        if boolean.is_none() {
            self.wrong_type("true or false", example);
        }
        boolean
    }

    /// Reads a whole number within bounds.
    pub(super) fn integer(&self, bounds: (u64, u64), example: &str) -> Option<u64> {
        let Some(integer) = self.value.get_ref().as_integer() else {
            self.wrong_type("a whole number", example);
            return None;
        };
        let number = i128::from_str_radix(integer.as_str(), integer.radix()).ok();
        let within = number
            .and_then(|number| u64::try_from(number).ok())
            .filter(|number| bounds.0 <= *number && *number <= bounds.1);
        if within.is_none() {
            let (low, high) = bounds;
            let message = format!("`{}` must be {low} to {high}", self.name);
            let fix = format!("choose a number from {low} to {high}");
            self.problem(Code::OutOfRange, message, "out of range", &fix);
        }
        within
    }

    /// Reads a memory size within bounds, in MiB; a number without a unit counts them, too.
    pub(super) fn mebibytes(&self, (low, high): (u64, u64), example: &str) -> Option<u64> {
        let mib = if self.value.get_ref().is_integer() {
            self.integer((low, high), example)?
        } else {
            let text = self.text(example)?.value;
            let Some(mib) = value::memory_mib(text) else {
                let message = format!("`{text}` is no memory size");
                let fix = format!("write, for example: {example}");
                self.problem(Code::BadSize, message, "not understood", &fix);
                return None;
            };
            mib
        };
        if mib < low || high < mib {
            let message = format!("`{}` must be {low} MiB to {high} MiB", self.name);
            let fix = format!("choose a size from {low} MiB to {high} MiB");
            self.problem(Code::OutOfRange, message, "out of range", &fix);
            return None;
        }
        Some(mib)
    }

    /// Reads a duration within bounds.
    pub(super) fn duration(&self, bounds: (Duration, Duration), example: &str) -> Option<Duration> {
        let text = match self.value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) => number.as_str().to_owned(),
            DeValue::Float(number) => number.as_str().to_owned(),
            DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
                self.wrong_type("a duration", example);
                return None;
            }
        };
        if self.is_invented() {
            return None;
        }
        let duration = match value::duration(&text) {
            Ok(duration) => duration,
            Err(why) => {
                let message = format!("`{}` is no duration: {why}", self.name);
                let fix = format!("write, for example: {example}");
                self.problem(Code::BadDuration, message, "not understood", &fix);
                return None;
            }
        };
        let (low, high) = bounds;
        if low <= duration && duration <= high {
            return Some(duration);
        }
        let message = format!("`{}` must be {low:?} to {high:?}", self.name);
        let fix = format!("choose a duration from {low:?} to {high:?}");
        self.problem(Code::OutOfRange, message, "out of range", &fix);
        None
    }

    /// Reads one of a closed set of words.
    pub(super) fn word(&self, words: &[&str], example: &str) -> Option<usize> {
        let text = self.text(example)?;
        let at = words.iter().position(|word| *word == text.value);
        if at.is_none() {
            let message = format!("`{}` cannot be `{}`", self.name, text.value);
            let fix = nearest::fix(text.value, words, "known words");
            self.problem(Code::UnknownWord, message, "not known", &fix);
        }
        at
    }
}
