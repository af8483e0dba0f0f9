//! What is known of a request, by condition key: the open map that a facade fills.
//!
//! It knows no key by itself, and gives none: [`crate::keys`] lists those that Hither fills.
//! Source: IAM user guide, "Policy evaluation logic" (processing the request context).

use std::borrow::Cow;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use clock::time::WallTime;

use crate::keys;
use crate::literal;

/// What is known of one request.
///
/// Shape: a key that is told without a value is absent, and so is one that is not told of those
/// that are [known whole](Context::know). Of any other nothing is known, not even that it is
/// absent. Keys have no case.
#[derive(Clone, Debug, Default)]
pub struct Context<'a> {
    entries: Vec<(Cow<'a, str>, Values<'a>)>,
    /// The keys that are absent where they are not among the entries.
    whole: Vec<&'a [&'a str]>,
}

/// What a key has.
#[derive(Clone, Debug)]
pub(crate) enum Values<'a> {
    /// At most one value, by its nature.
    One(Value<'a>),
    /// Several values, by its nature; perhaps just one, or none.
    Many(Vec<Value<'a>>),
}

/// Why a key has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// It has none.
    Absent,
    /// Nothing is known of it.
    Unknown,
}

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A text.
    Text(Cow<'a, str>),
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A moment.
    Time(WallTime),
    /// An address.
    Ip(IpAddr),
    /// Bytes.
    Binary(Cow<'a, [u8]>),
}

impl<'a> Context<'a> {
    /// Makes a context that knows nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells the one value of a key, in place of what was told before.
    pub fn set(&mut self, key: &'a str, value: impl Into<Value<'a>>) {
        self.put(fold(key), Values::One(value.into()));
    }

    /// Tells the values of a key that may have several, in place of what was told before.
    pub fn set_many<V: Into<Value<'a>>>(
        &mut self,
        key: &'a str,
        values: impl IntoIterator<Item = V>,
    ) {
        let values = values.into_iter().map(Into::into).collect();
        self.put(fold(key), Values::Many(values));
    }

    /// Tells the value of a tag: the key is `prefix` and the tag's name, as in
    /// `aws:ResourceTag/team`.
    pub fn set_tag(&mut self, prefix: &str, tag: &str, value: impl Into<Value<'a>>) {
        let key = format!("{prefix}{tag}").to_lowercase();
        self.put(Cow::Owned(key), Values::One(value.into()));
    }

    /// Tells that all there is of these keys is told: those that are not are absent.
    ///
    /// Shape: keys are in lower case; one that ends with `/` stands for all that begin with it.
    pub fn know(&mut self, keys: &'a [&'a str]) {
        self.whole.push(keys);
    }

    fn put(&mut self, key: Cow<'a, str>, values: Values<'a>) {
        match self.entries.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => *known = values,
            None => self.entries.push((key, values)),
        }
    }

    /// Returns the values of a key; none where it is absent, `None` where nothing is known of it.
    ///
    /// Shape: `key` is in lower case.
    pub(crate) fn values(&self, key: &str) -> Option<&[Value<'a>]> {
        // A request has few keys: going through them is quicker than hashing one.
        match self.entries.iter().find(|(known, _)| known == key) {
            Some((_, Values::One(value))) => Some(std::slice::from_ref(value)),
            Some((_, Values::Many(values))) => Some(values),
            None => self.is_whole(key).then_some(&[]),
        }
    }

    /// Returns whether a key that is not told is absent.
    fn is_whole(&self, key: &str) -> bool {
        let mut keys = self.whole.iter().copied().flatten();
        keys.any(|whole| keys::is_asked(key, whole))
    }

    /// Returns the value of a key that has one by its nature.
    ///
    /// Shape: `key` is in lower case.
    ///
    /// Errors: why there is none.
    pub(crate) fn single(&self, key: &str) -> Result<&Value<'a>, Missing> {
        match self.entries.iter().find(|(known, _)| known == key) {
            Some((_, Values::One(value))) => Ok(value),
            Some((_, Values::Many(_))) => Err(Missing::Absent),
            None if self.is_whole(key) => Err(Missing::Absent),
            None => Err(Missing::Unknown),
        }
    }
}

impl Value<'_> {
    /// Returns the value as text; `None` for bytes.
    pub(crate) fn to_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Bool(true) => Some(Cow::Borrowed("true")),
            Self::Bool(false) => Some(Cow::Borrowed("false")),
            Self::Integer(number) => Some(Cow::Owned(number.to_string())),
            Self::Time(time) => Some(Cow::Owned(literal::write_time(*time))),
            Self::Ip(address) => Some(Cow::Owned(address.to_string())),
            Self::Binary(_) => None,
        }
    }

    /// Returns the value as bytes: those of a text are its base64.
    pub(crate) fn to_bytes(&self) -> Option<Cow<'_, [u8]>> {
        match self {
            Self::Binary(bytes) => Some(Cow::Borrowed(bytes)),
            Self::Text(text) => STANDARD.decode(&**text).ok().map(Cow::Owned),
            Self::Bool(_) | Self::Integer(_) | Self::Time(_) | Self::Ip(_) => None,
        }
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<bool> for Value<'_> {
    fn from(is: bool) -> Self {
        Self::Bool(is)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<WallTime> for Value<'_> {
    fn from(time: WallTime) -> Self {
        Self::Time(time)
    }
}

impl From<IpAddr> for Value<'_> {
    fn from(address: IpAddr) -> Self {
        Self::Ip(address)
    }
}

fn fold(key: &str) -> Cow<'_, str> {
    if key.bytes().any(|byte| byte.is_ascii_uppercase()) || !key.is_ascii() {
        Cow::Owned(key.to_lowercase())
    } else {
        Cow::Borrowed(key)
    }
}
