//! Requests for tests: as the model wants them, and with something wrong with them.
//!
//! They mean nothing in particular.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::facts::{Bounds, Kind, Model, Operation, ShapeId};
use super::quick;

/// Numbers from a seed, so that a request can be made again.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// Makes a request that is as the model wants it; what is not required is there by chance.
pub(crate) fn sample(model: &Model, id: ShapeId, dice: &mut Dice) -> Value {
    let shape = model.shape(id);
    let size = |bounds: Bounds| bounds.min.unwrap_or(0).max(1);
    match &shape.kind {
        _ if shape.name == quick::VALUE => match dice.roll(4) {
            0 => json!({ "S": "text \"quoted\" {[" }),
            1 => json!({ "N": "12" }),
            2 => json!({ "L": [{ "M": { "a": { "BOOL": true } } }, { "B": "YQ==" }] }),
            _ => json!({ "SS": ["a", "b"] }),
        },
        Kind::Structure(members) => {
            let mut object = Map::new();
            for member in members {
                if member.required || dice.roll(3) == 0 {
                    object.insert(member.name.to_owned(), sample(model, member.shape, dice));
                }
            }
            Value::Object(object)
        }
        Kind::List { bounds, element } => (0..size(*bounds))
            .map(|_| sample(model, *element, dice))
            .collect(),
        Kind::Map { value, .. } => json!({ "name": sample(model, *value, dice) }),
        Kind::Choice(choices) => {
            let at = usize::try_from(dice.roll(choices.len() as u64)).unwrap();
            json!(choices[at])
        }
        Kind::Table { .. } => json!("table"),
        Kind::Text { bounds, pattern } => match pattern {
            Some("[0-9]{12}") => json!("0".repeat(12)),
            Some("[,;:|\\t ]") => json!(";"),
            Some(_) => {
                json!("abcdef0123456789".repeat(usize::try_from(size(*bounds)).unwrap() / 16 + 1))
            }
            None => json!("a".repeat(usize::try_from(size(*bounds)).unwrap())),
        },
        Kind::Integer(bounds) | Kind::Long(bounds) => json!(size(*bounds)),
        Kind::Double | Kind::Time => json!(1.5),
        Kind::Truth => json!(dice.roll(2) == 0),
        Kind::Blob => json!("YQ=="),
    }
}

/// Picks an operation.
pub(crate) fn any_operation() -> impl Strategy<Value = &'static Operation> {
    let operations = Model::get().operations();
    (0..operations.len()).prop_map(|at| &Model::get().operations()[at])
}

/// A change of one place of a request.
pub(crate) type Cut = (prop::sample::Index, u8, u8);

/// Picks up to four changes.
pub(crate) fn any_cuts() -> impl Strategy<Value = Vec<Cut>> {
    prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 0..4)
}

/// Replaces, removes or inserts bytes.
pub(crate) fn cut(bytes: &mut Vec<u8>, cuts: Vec<Cut>) {
    for (at, byte, what) in cuts {
        let at = at.index(bytes.len().max(1));
        match what {
            0 if at < bytes.len() => bytes[at] = byte,
            1 if at < bytes.len() => drop(bytes.remove(at)),
            _ => bytes.insert(
                at.min(bytes.len()),
                b"\"{}[]:,\\ 0n"[usize::from(byte) % 11],
            ),
        }
    }
}
