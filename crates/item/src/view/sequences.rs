//! The sequences inside an item: entries, list elements, set elements.
//!
//! Each yields its elements in stored order, or one error and then nothing.

use super::ValueRef;
use super::reader::Reader;
use crate::codec::CodecError;
use crate::number::NumberRef;

/// What all sequences share: the bytes left, and how many elements are left in them.
#[derive(Clone, Copy, Debug)]
struct Rest<'a> {
    input: Reader<'a>,
    left: usize,
    done: bool,
}

impl<'a> Rest<'a> {
    /// Reads one element more, or finds the end, which must be the end of the bytes too.
    fn step<T>(
        &mut self,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, CodecError>,
    ) -> Option<Result<T, CodecError>> {
        if self.done {
            return None;
        }
        if self.left == 0 {
            self.done = true;
            return (!self.input.is_empty()).then_some(Err(CodecError::Length));
        }
        self.left -= 1;
        let element = read(&mut self.input);
        self.done = element.is_err();
        Some(element)
    }
}

/// The entries of an item or of a map, names ascending.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    rest: Rest<'a>,
    depth: usize,
    last: Option<&'a str>,
}

impl<'a> Entries<'a> {
    pub(super) const fn new(input: Reader<'a>, left: usize, depth: usize) -> Self {
        let rest = Rest {
            input,
            left,
            done: false,
        };
        Self {
            rest,
            depth,
            last: None,
        }
    }

    /// Returns how many entries are left.
    pub const fn left(&self) -> usize {
        self.rest.left
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<(&'a str, ValueRef<'a>), CodecError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (depth, last) = (self.depth, self.last);
        let entry = self.rest.step(|input| {
            let name = input.text()?;
            if last.is_some_and(|last| last >= name) {
                return Err(CodecError::NotAscending);
            }
            Ok((name, ValueRef::read(input, depth)?))
        });
        if let Some(Ok((name, _))) = &entry {
            self.last = Some(name);
        }
        entry
    }
}

/// The elements of a list.
#[derive(Clone, Debug)]
pub struct Values<'a> {
    rest: Rest<'a>,
    depth: usize,
}

impl<'a> Values<'a> {
    pub(super) const fn new(input: Reader<'a>, left: usize, depth: usize) -> Self {
        let rest = Rest {
            input,
            left,
            done: false,
        };
        Self { rest, depth }
    }

    /// Returns how many elements are left.
    pub const fn left(&self) -> usize {
        self.rest.left
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = Result<ValueRef<'a>, CodecError>;

    fn next(&mut self) -> Option<Self::Item> {
        let depth = self.depth;
        self.rest.step(|input| ValueRef::read(input, depth))
    }
}

/// Declares the elements of one kind of set, which must be ascending.
macro_rules! set_of {
    ($(#[$doc:meta])* $name:ident, $element:ty, $read:ident, $ascending:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name<'a> {
            rest: Rest<'a>,
            last: Option<$element>,
        }

        impl<'a> $name<'a> {
            pub(super) const fn new((input, left): (Reader<'a>, usize)) -> Self {
                let rest = Rest { input, left, done: false };
                Self { rest, last: None }
            }
        }

        impl<'a> Iterator for $name<'a> {
            type Item = Result<$element, CodecError>;

            fn next(&mut self) -> Option<Self::Item> {
                let last = self.last;
                let ascending: fn($element, $element) -> bool = $ascending;
                let element = self.rest.step(|input| {
                    let element = input.$read()?;
                    match last {
                        Some(last) if !ascending(last, element) => Err(CodecError::NotAscending),
                        Some(_) | None => Ok(element),
                    }
                });
                if let Some(Ok(element)) = &element {
                    self.last = Some(*element);
                }
                element
            }
        }
    };
}

set_of! {
    /// The elements of a set of texts, ascending.
    Texts, &'a str, text, |last, element| last < element
}
set_of! {
    /// The elements of a set of bytes, ascending.
    Blobs, &'a [u8], blob, |last, element| last < element
}
set_of! {
    /// The elements of a set of numbers, ascending.
    Numbers, NumberRef<'a>, number, |last, element| last.to_number() < element.to_number()
}
