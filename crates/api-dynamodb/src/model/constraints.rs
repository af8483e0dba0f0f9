//! What holds of a request's values, all that is broken told in one message.
//!
//! Types are known to be right. Members are looked at in the model's order, whatever order the
//! request has them in.

use std::borrow::Cow;
use std::fmt::Write as _;

use api_protocol::fault::Fault;

use super::check::Wording;
use super::echo;
use super::facts::{Bounds, Kind, Member, Model, Shape, ShapeId, Told};
use super::quick::{VALUE, length};
use super::raw::{Raw, Value};
use super::service;
use crate::fault;

/// Checks all constraints of a request.
///
/// Errors: `ValidationException`.
pub(super) fn check(
    model: &Model,
    input: ShapeId,
    request: Raw<'_>,
    wording: Wording,
) -> Result<(), Fault> {
    let mut broken = Broken {
        model,
        wording,
        path: Vec::new(),
        told: Vec::new(),
        alone: None,
    };
    broken.structure(model.shape(input), request);
    broken.into_fault()
}

/// What is broken, as far as it has been looked at.
struct Broken<'m, 't> {
    model: &'m Model,
    wording: Wording,
    path: Vec<Step<'t>>,
    told: Vec<String>,
    /// What is told in place of all else.
    alone: Option<String>,
}

/// One step of the way to a value.
enum Step<'t> {
    Member(&'static str),
    Key(Cow<'t, str>),
    /// Counted from 1.
    Element(usize),
}

impl<'t> Broken<'_, 't> {
    fn structure(&mut self, shape: &Shape, raw: Raw<'t>) {
        let members = shape.kind.members();
        let mut given: Vec<Option<Raw<'t>>> = vec![None; members.len()];
        for (name, raw) in raw.members() {
            let at = members.iter().position(|member| member.name == name);
            if let Some(slot) = at.and_then(|at| given.get_mut(at)) {
                *slot = Some(raw).filter(|raw| !raw.is_null());
            }
        }
        for (member, raw) in members.iter().zip(given) {
            self.path.push(Step::Member(member.name));
            self.member(member, raw);
            self.path.pop();
        }
    }

    fn member(&mut self, member: &Member, raw: Option<Raw<'t>>) {
        if let Some(missing) = member.missing
            && raw.is_none_or(is_empty_object)
        {
            self.alone = self.alone.take().or_else(|| Some(missing.to_owned()));
            return;
        }
        match raw {
            Some(raw) => self.value(member.shape, raw, member.told),
            None if member.required => self.tell(None, "Member must not be null", member.told),
            None => {}
        }
    }

    fn value(&mut self, id: ShapeId, raw: Raw<'t>, told: Told) {
        let model = self.model;
        let shape = model.shape(id);
        if TOLD_MAX <= self.told.len() || shape.name == VALUE {
            return;
        }
        match (&shape.kind, raw.value()) {
            (Kind::Structure(_), _) => self.structure(shape, raw),
            (Kind::List { bounds, element }, _) => {
                self.sized(*bounds, id, raw, raw.elements().count(), told);
                self.elements(*element, raw);
            }
            (Kind::Map { bounds, key, value }, _) => {
                self.map(id, *bounds, [*key, *value], raw, told);
            }
            (Kind::Text { bounds, pattern }, Value::Text(text)) => {
                let shown = echo::text(&text);
                if let Some(pattern) = pattern.filter(|pattern| !service::is_of(pattern, &text)) {
                    let constraint = format!("{PATTERN}{pattern}");
                    self.tell(Some(&shown), &constraint, told);
                }
                self.long(*bounds, length(&text), &shown, told);
            }
            (Kind::Table { min }, Value::Text(name)) => self.table(*min, &name, told),
            (Kind::Choice(choices), Value::Text(text)) if !choices.contains(&&*text) => {
                let constraint = format!(
                    "Member must satisfy enum value set: [{}]",
                    choices.join(", ")
                );
                self.tell(Some(&echo::text(&text)), &constraint, told);
            }
            (Kind::Integer(bounds) | Kind::Long(bounds), Value::Number(number)) => {
                let value = whole(number);
                for (word, bound) in bounds.broken(value) {
                    let constraint =
                        format!("Member must have value {word} than or equal to {bound}");
                    self.tell(Some(number), &constraint, told);
                }
            }
            (
                Kind::Text { .. }
                | Kind::Table { .. }
                | Kind::Choice(_)
                | Kind::Integer(_)
                | Kind::Long(_)
                | Kind::Double
                | Kind::Truth
                | Kind::Time
                | Kind::Blob,
                _,
            ) => {}
        }
    }

    fn elements(&mut self, element: ShapeId, list: Raw<'t>) {
        for (at, raw) in (1..).zip(list.elements()) {
            self.path.push(Step::Element(at));
            if !raw.is_null() {
                self.value(element, raw, Told::AsSet);
            } else if self.model.shape(element).name != VALUE {
                self.tell(None, "Member must not be null", Told::AsSet);
            }
            self.path.pop();
        }
    }

    fn map(
        &mut self,
        id: ShapeId,
        bounds: Bounds,
        [key, value]: [ShapeId; 2],
        raw: Raw<'t>,
        told: Told,
    ) {
        let model = self.model;
        self.sized(bounds, id, raw, raw.members().count(), told);
        if let Kind::Table { .. } = model.shape(key).kind
            && raw.members().any(|(name, _)| !is_table(&name))
        {
            let constraint = format!(
                "Map keys must satisfy constraint: [Member must have length less than or equal to \
                 {}, Member must have length greater than or equal to 1, {PATTERN}{}]",
                service::NAME_CHARS_MAX,
                service::NAME
            );
            self.tell(Some(&echo::value(model, id, raw)), &constraint, told);
        }
        if model.shape(value).name == VALUE {
            return;
        }
        // A list that is a map's value is told of with the map.
        let list = model.shape(value).kind.list();
        let list = list.filter(|(bounds, _)| *bounds != Bounds::default());
        if let Some((bounds, _)) = list {
            let wrong = |list: Raw<'_>| bounds.broken(count(list)).next().is_some();
            if raw
                .members()
                .any(|(_, list)| !list.is_null() && wrong(list))
            {
                self.tell(Some(&echo::value(model, id, raw)), &list_of(bounds), told);
            }
        }
        for (name, raw) in raw.members() {
            self.path.push(Step::Key(name));
            if raw.is_null() {
                self.tell(None, "Member must not be null", Told::AsSet);
            } else if let Some((_, element)) = list {
                self.elements(element, raw);
            } else {
                self.value(value, raw, Told::AsSet);
            }
            self.path.pop();
        }
    }

    fn table(&mut self, min: i64, name: &str, told: Told) {
        let shown = echo::text(name);
        if name.is_empty() {
            let constraint = format!("{LENGTH} greater than or equal to {min}");
            self.alone = Some(format!(
                "1 validation error detected: {}",
                self.sentence(Some(&shown), &constraint, told)
            ));
            return;
        }
        let (is_named, bounds) = if name.starts_with("arn:") {
            (
                true,
                Bounds {
                    min: None,
                    max: Some(service::ARN_CHARS_MAX),
                },
            )
        } else {
            let max = Some(service::NAME_CHARS_MAX);
            (
                service::is_name(name),
                Bounds {
                    min: Some(min),
                    max,
                },
            )
        };
        if !is_named {
            self.tell(Some(&shown), &format!("{PATTERN}{}", service::NAME), told);
        }
        self.long(bounds, length(name), &shown, told);
    }

    /// Notes how many elements there are, where that is too few or too many.
    fn sized(&mut self, bounds: Bounds, id: ShapeId, raw: Raw<'_>, size: usize, told: Told) {
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        if bounds.broken(size).next().is_some() {
            let shown = echo::value(self.model, id, raw);
            self.long(bounds, size, &shown, told);
        }
    }

    fn long(&mut self, bounds: Bounds, length: i64, shown: &str, told: Told) {
        for (word, bound) in bounds.broken(length) {
            let constraint = format!("{LENGTH} {word} than or equal to {bound}");
            self.tell(Some(shown), &constraint, told);
        }
    }

    fn tell(&mut self, shown: Option<&str>, constraint: &str, told: Told) {
        if self.told.len() < TOLD_MAX {
            let sentence = self.sentence(shown, constraint, told);
            self.told.push(sentence);
        }
    }

    fn sentence(&self, shown: Option<&str>, constraint: &str, told: Told) -> String {
        let is_newer = self.wording == Wording::Newer || told == Told::Newer;
        let mut path = String::new();
        for step in &self.path {
            let dot = if path.is_empty() { "" } else { "." };
            // Writing to a text cannot fail.
            let _ = match step {
                Step::Member(name) if is_newer => write!(path, "{dot}{name}"),
                Step::Member(name) => write!(path, "{dot}{}", echo::camel(name)),
                Step::Key(key) => write!(path, "{dot}{}.member", echo::text(key)),
                Step::Element(at) => write!(path, "{dot}{at}.member"),
            };
        }
        let value = match shown {
            _ if is_newer => String::new(),
            Some(shown) => format!(" '{shown}'"),
            None => " null".to_owned(),
        };
        format!("Value{value} at '{path}' failed to satisfy constraint: {constraint}")
    }

    fn into_fault(self) -> Result<(), Fault> {
        if let Some(alone) = self.alone {
            return Err(fault::validation(alone));
        }
        let told = match self.wording {
            Wording::Classic => self.told.len(),
            Wording::Newer => self.told.len().min(1),
        };
        let plural = match told {
            0 => return Ok(()),
            1 => "",
            _ => "s",
        };
        let list: Vec<String> = self.told.into_iter().take(told).collect();
        let list = list.join("; ");
        Err(fault::validation(format!(
            "{told} validation error{plural} detected: {list}"
        )))
    }
}

impl Bounds {
    /// Returns the bounds that a value breaks, each with its word.
    fn broken(self, value: i64) -> impl Iterator<Item = (&'static str, i64)> {
        let low = self.min.filter(|min| value < *min);
        let high = self.max.filter(|max| *max < value);
        let low = low.map(|bound| ("greater", bound));
        low.into_iter().chain(high.map(|bound| ("less", bound)))
    }
}

/// Returns a number's whole part; the service leaves off what stands behind the point.
fn whole(number: &str) -> i64 {
    let exact = number.parse::<i64>();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "what is too large is at the bound"
    )]
    exact.unwrap_or_else(|_| number.parse::<f64>().map_or(0, |number| number as i64))
}

fn count(list: Raw<'_>) -> i64 {
    i64::try_from(list.elements().count()).unwrap_or(i64::MAX)
}

fn is_empty_object(raw: Raw<'_>) -> bool {
    matches!(raw.value(), Value::Object(object) if object.members().next().is_none())
}

fn is_table(name: &str) -> bool {
    if name.starts_with("arn:") {
        return length(name) <= service::ARN_CHARS_MAX;
    }
    service::is_name(name) && length(name) <= service::NAME_CHARS_MAX
}

/// Says what holds of lists that are a map's values.
fn list_of(bounds: Bounds) -> String {
    let max = bounds
        .max
        .map(|max| format!("{LENGTH} less than or equal to {max}"));
    let min = bounds
        .min
        .map(|min| format!("{LENGTH} greater than or equal to {min}"));
    let both: Vec<String> = max.into_iter().chain(min).collect();
    format!("Map value must satisfy constraint: [{}]", both.join(", "))
}

const LENGTH: &str = "Member must have length";
const PATTERN: &str = "Member must satisfy regular expression pattern: ";

/// Most broken constraints that are looked for. 10, as the service does.
const TOLD_MAX: usize = 10;
