//! Settings that facades keep with resources, read member by member.
//!
//! It knows none of them: what a member means, and what it is where it is missing, its reader says.

use std::fmt::Display;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Reads the settings of something that `name` says. A member that cannot be read is told, and
/// read as one that is missing; it takes no other with it.
pub fn read<T: DeserializeOwned + Default>(name: &dyn Display, settings: &Value) -> T {
    // Most that was never set is stored as nothing at all.
    if settings.is_null() {
        return T::default();
    }
    let Some(members) = settings.as_object() else {
        tracing::error!(%name, "settings are no object: all of them read as missing");
        return T::default();
    };
    if let Ok(read) = T::deserialize(settings) {
        return read;
    }
    let mut readable = Map::new();
    for (member, value) in members {
        let alone = Map::from_iter([(member.clone(), value.clone())]);
        match T::deserialize(Value::Object(alone)) {
            Ok(_) => drop(readable.insert(member.clone(), value.clone())),
            Err(error) => {
                tracing::error!(%name, member, %error, "a setting cannot be read");
            }
        }
    }
    T::deserialize(Value::Object(readable)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    //! Tests of what is read of settings that are partly wrong.

    use serde::Deserialize;
    use serde_json::json;

    use super::read;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Settings {
        days: u8,
        stream: Option<String>,
        protected: bool,
    }

    #[test]
    fn a_member_that_cannot_be_read_takes_no_other_with_it() {
        let of = |settings| read::<Settings>(&"carts", &settings);
        let all = Settings {
            days: 7,
            stream: Some("KEYS_ONLY".to_owned()),
            protected: true,
        };
        let given = json!({"days": 7, "stream": "KEYS_ONLY", "protected": true, "later": 1});
        assert_eq!(of(given.clone()), all);
        let mut wrong = given;
        wrong["days"] = json!(700);
        assert_eq!(of(wrong.clone()), Settings { days: 0, ..all });
        wrong["stream"] = json!({"view": 1});
        let protected = Settings {
            protected: true,
            ..Settings::default()
        };
        assert_eq!(of(wrong), protected);
        assert_eq!(of(json!([1])), Settings::default());
        assert_eq!(of(json!(null)), Settings::default());
    }
}
