//! The check that nearly every request passes: one walk over its bytes, nothing is kept.
//!
//! It proves that a request breaks no constraint, or leaves the question open. Attribute values
//! are skipped: whoever takes them out of the request checks them.

use super::facts::{Bounds, Kind, Member, Model, ShapeId};
use super::scan::Scan;
use super::service;

/// Returns whether a request is certainly as the model wants it.
pub(super) fn is_good(model: &Model, input: ShapeId, body: &[u8]) -> bool {
    let mut scan = Scan::new(body);
    value(model, input, &mut scan).is_some() && scan.ends()
}

/// Takes a value; `None` where it is not certainly good.
fn value(model: &Model, shape: ShapeId, scan: &mut Scan<'_>) -> Option<()> {
    let shape = model.shape(shape);
    match &shape.kind {
        // Of structures this one alone holds itself: the walk ends here, and so does recursion.
        Kind::Structure(_) if shape.name == VALUE => object(scan),
        Kind::Structure(members) => structure(model, members, scan),
        Kind::List { bounds, element } => {
            scan.take(b'[')?;
            let mut count = 0;
            if !scan.took(b']') {
                loop {
                    value(model, *element, scan)?;
                    count += 1;
                    if !scan.took(b',') {
                        break;
                    }
                }
                scan.take(b']')?;
            }
            bounds.hold(count)
        }
        Kind::Map { value, .. } if model.shape(*value).name == VALUE => object(scan),
        Kind::Map { bounds, key, value } => map(model, *bounds, [*key, *value], scan),
        Kind::Text {
            bounds,
            pattern: None,
        } if *bounds == Bounds::default() => scan.text().map(drop),
        Kind::Text { bounds, pattern } => {
            let text = plain(scan)?;
            bounds.hold(length(text))?;
            pattern
                .is_none_or(|pattern| service::is_of(pattern, text))
                .then_some(())
        }
        Kind::Table { .. } => table(plain(scan)?),
        Kind::Choice(choices) => {
            let text = scan.text()?;
            let mut choices = choices.iter();
            choices
                .any(|choice| choice.as_bytes() == text)
                .then_some(())
        }
        Kind::Integer(bounds) | Kind::Long(bounds) => {
            let digits = std::str::from_utf8(scan.number()?).ok()?;
            bounds.hold(digits.parse().ok()?)
        }
        Kind::Truth => scan.literal("true").or_else(|| scan.literal("false")),
        Kind::Time => scan.number().map(drop),
        Kind::Double | Kind::Blob => None,
    }
}

fn structure(model: &Model, members: &[Member], scan: &mut Scan<'_>) -> Option<()> {
    scan.take(b'{')?;
    let mut seen = 0_u64;
    if !scan.took(b'}') {
        loop {
            let name = scan.text()?;
            let mut known = members.iter();
            let at = known.position(|member| member.name.as_bytes() == name)?;
            scan.take(b':')?;
            let bit = 1_u64.checked_shl(u32::try_from(at).ok()?)?;
            // Of a member given twice the last one counts, and null counts as none.
            if seen & bit != 0 {
                return None;
            }
            if scan.peek()? == b'n' {
                scan.literal("null")?;
            } else {
                value(model, members.get(at)?.shape, scan)?;
                seen |= bit;
            }
            if !scan.took(b',') {
                break;
            }
        }
        scan.take(b'}')?;
    }
    let missing = |at: usize| seen >> at & 1 == 0;
    let mut required = members.iter().enumerate();
    let lacks = required.any(|(at, member)| member.required && missing(at));
    (!lacks).then_some(())
}

fn map(model: &Model, bounds: Bounds, [key, of]: [ShapeId; 2], scan: &mut Scan<'_>) -> Option<()> {
    scan.take(b'{')?;
    let mut count = 0;
    if !scan.took(b'}') {
        loop {
            if let Kind::Table { .. } = model.shape(key).kind {
                table(plain(scan)?)?;
            } else {
                scan.text()?;
            }
            scan.take(b':')?;
            value(model, of, scan)?;
            count += 1;
            if !scan.took(b',') {
                break;
            }
        }
        scan.take(b'}')?;
    }
    bounds.hold(count)
}

/// Skips an object.
fn object(scan: &mut Scan<'_>) -> Option<()> {
    if scan.peek()? != b'{' {
        return None;
    }
    scan.value().map(drop)
}

/// Takes a text without escapes.
fn plain<'t>(scan: &mut Scan<'t>) -> Option<&'t str> {
    let text = std::str::from_utf8(scan.text()?).ok()?;
    let is_plain = text.bytes().all(|byte| byte >= b' ' && byte != b'\\');
    is_plain.then_some(text)
}

/// Returns nothing where a table's name is good in every call; short ones are not in all.
fn table(name: &str) -> Option<()> {
    if name.starts_with("arn:") {
        return (length(name) <= service::ARN_CHARS_MAX).then_some(());
    }
    let is_short = (3..=service::NAME_CHARS_MAX).contains(&length(name));
    (is_short && service::is_name(name)).then_some(())
}

/// Returns the length of a text as constraints count it, in characters.
pub(super) fn length(text: &str) -> i64 {
    let length = if text.is_ascii() {
        text.len()
    } else {
        text.chars().count()
    };
    i64::try_from(length).unwrap_or(i64::MAX)
}

impl Bounds {
    fn hold(self, value: i64) -> Option<()> {
        let low = self.min.is_none_or(|min| min <= value);
        (low && self.max.is_none_or(|max| value <= max)).then_some(())
    }
}

/// The shape of an attribute value.
pub(super) const VALUE: &str = "AttributeValue";
