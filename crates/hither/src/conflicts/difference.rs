//! How two images of an item differ, attribute by attribute.
//!
//! It compares values as DynamoDB's JSON has them, and looks into none.

use serde_json::{Map, Value};

/// Returns a line for each attribute of either image, the lost value marked by `-`, the value that
/// stayed by `+`; a delete has no attributes.
pub(super) fn lines(winner: &Value, loser: &Value) -> Vec<String> {
    let none = Map::new();
    let winner = winner.as_object().unwrap_or(&none);
    let loser = loser.as_object().unwrap_or(&none);
    let gained = winner.keys().filter(|name| !loser.contains_key(*name));
    let mut lines = Vec::new();
    for name in loser.keys().chain(gained) {
        match (loser.get(name), winner.get(name)) {
            (Some(lost), Some(kept)) if lost == kept => lines.push(format!("  {name} = {kept}")),
            (lost, kept) => {
                lines.extend(lost.map(|lost| format!("- {name} = {lost}")));
                lines.extend(kept.map(|kept| format!("+ {name} = {kept}")));
            }
        }
    }
    lines
}
