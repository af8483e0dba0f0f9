//! Whether each member of a request has its JSON type.
//!
//! Unknown members are ignored, and null counts as absent. The texts are the service's.

use api_protocol::fault::Fault;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::facts::{Kind, Model, Shape, ShapeId};
use super::raw::{Raw, Value};

/// Checks all types of a request, in the order of its members.
///
/// Errors: `SerializationException` for the first wrong one.
pub(super) fn check(model: &Model, input: ShapeId, request: Raw<'_>) -> Result<(), Fault> {
    let Value::Object(object) = request.value() else {
        return Err(Fault::serialization(""));
    };
    members(model, model.shape(input), object).map_err(Fault::serialization)
}

/// Where a value stands, which decides in what words its type is refused.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It is a member of a structure.
    Member,
    /// It is an element of a list or a value of a map.
    Element,
}

/// Recurses as deeply as the request is nested, which is bounded.
fn value(model: &Model, id: ShapeId, raw: Raw<'_>, place: Place) -> Result<(), String> {
    let shape = model.shape(id);
    let value = raw.value();
    if let Value::Null = value {
        return Ok(());
    }
    match (&shape.kind, &value) {
        (Kind::Structure(_), Value::Object(object)) => members(model, shape, *object),
        (Kind::Structure(_), _) => {
            let class = || format!("class {CLASS}{}", shape.name);
            Err(parts(
                &value,
                place,
                "Unexpected value type in payload",
                class,
            ))
        }
        (Kind::Map { value: of, .. }, Value::Object(object)) => {
            let mut values = object.members();
            values.try_for_each(|(_, raw)| self::value(model, *of, raw, Place::Element))
        }
        (Kind::Map { value: of, .. }, _) => {
            let of = || class(model, model.shape(*of));
            let class = || format!("java.util.Map<java.lang.String, {}>", of());
            Err(parts(&value, place, CAST, class))
        }
        (Kind::List { element, .. }, Value::List(list)) => {
            let mut elements = list.elements();
            elements.try_for_each(|raw| self::value(model, *element, raw, Place::Element))
        }
        (Kind::List { .. }, _) => Err(parts(&value, place, CAST, String::new)),
        (Kind::Text { .. } | Kind::Table { .. } | Kind::Choice(_), Value::Text(_))
        | (Kind::Truth, Value::True | Value::False)
        | (Kind::Integer(_) | Kind::Long(_) | Kind::Double | Kind::Time, Value::Number(_)) => {
            Ok(())
        }
        (Kind::Text { .. } | Kind::Table { .. } | Kind::Choice(_), _) => Err(not(&value, "String")),
        (Kind::Truth, Value::Text(_)) => Err("Unexpected token received from parser".to_owned()),
        (Kind::Truth, _) => Err(not(&value, "Boolean")),
        (Kind::Integer(_), _) => Err(not(&value, "Integer")),
        (Kind::Long(_), _) => Err(not(&value, "Long")),
        (Kind::Double, _) => Err(not(&value, "Double")),
        (Kind::Time, _) => Err(not(&value, "Date")),
        (Kind::Blob, _) => blob(&value),
    }
}

fn members(model: &Model, shape: &Shape, object: Raw<'_>) -> Result<(), String> {
    for (name, raw) in object.members() {
        let mut members = shape.kind.members().iter();
        if let Some(member) = members.find(|member| member.name == name) {
            value(model, member.shape, raw, Place::Member)?;
        }
    }
    Ok(())
}

/// Says that a value is not of a type that has parts; `element` where it stands in another.
fn parts(value: &Value<'_>, place: Place, element: &str, class: impl Fn() -> String) -> String {
    match (value, place) {
        (Value::Object(_), _) => STRUCTURE.to_owned(),
        (Value::List(_), _) => format!("Unrecognized collection type {}", class()),
        (_, Place::Member) => "Unexpected field type".to_owned(),
        (_, Place::Element) => element.to_owned(),
    }
}

fn blob(value: &Value<'_>) -> Result<(), String> {
    match value {
        Value::Text(text) if !text.len().is_multiple_of(4) => Err(format!(
            "Base64 encoded length is expected a multiple of 4 bytes but found: {}",
            text.len()
        )),
        Value::Text(text) => match STANDARD.decode(text.as_bytes()) {
            Ok(_) => Ok(()),
            // The spelling is the service's, letter by letter.
            Err(_) => {
                Err(concat!("Invalid last non-pad Base64 character dect", "ected").to_owned())
            }
        },
        Value::List(_) => Err("Unrecognized collection type class java.nio.ByteBuffer".to_owned()),
        Value::Object(_) => Err(STRUCTURE.to_owned()),
        Value::Null | Value::True | Value::False | Value::Number(_) => {
            Err("only base-64-encoded strings are convertible to bytes".to_owned())
        }
    }
}

/// Says that a value is not of a simple type.
fn not(value: &Value<'_>, kind: &str) -> String {
    let found = match value {
        Value::List(_) => return format!("Unrecognized collection type class java.lang.{kind}"),
        Value::Object(_) => return STRUCTURE.to_owned(),
        Value::True => "TRUE_VALUE",
        Value::False => "FALSE_VALUE",
        Value::Number(number) if number.contains(['.', 'e', 'E']) => "DECIMAL_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::Text(_) | Value::Null => "STRING_VALUE",
    };
    format!("{found} cannot be converted to {kind}")
}

/// Returns the class of a map's values, as the service names it.
fn class(model: &Model, shape: &Shape) -> String {
    if let Some((_, element)) = shape.kind.list() {
        return format!("java.util.List<{}>", class(model, model.shape(element)));
    }
    if shape.kind.members().is_empty() {
        return "java.lang.String".to_owned();
    }
    format!("{CLASS}{}", shape.name)
}

const CLASS: &str = "com.amazonaws.dynamodb.v20120810.";

const STRUCTURE: &str = "Start of structure or map found where not expected";

const CAST: &str = "class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be \
                    cast to class java.lang.Class (sun.reflect.generics.reflectiveObjects.\
                    ParameterizedTypeImpl and java.lang.Class are in module java.base of loader \
                    'bootstrap')";
