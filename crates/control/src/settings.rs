//! Settings that facades keep with resources, read member by member.
//!
//! It knows none of them: what a member means, and what it is where it is missing, its reader says.

use std::fmt::Display;

use serde::Serialize;
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
        match read_alone::<T>(member, value) {
            Ok(_) => drop(readable.insert(member.clone(), value.clone())),
            Err(error) => {
                tracing::error!(%name, member, %error, "a setting cannot be read");
            }
        }
    }
    T::deserialize(Value::Object(readable)).unwrap_or_default()
}

/// Writes settings in place of those that they were read from. A member that could not be read
/// stays as it was, for a build that can read it, unless it has been set since.
///
/// Members that `T` does not know are its own matter: it has to keep them itself.
pub fn write<T: Serialize + DeserializeOwned + Default>(settings: &T, was: &Value) -> Value {
    let value = |settings: &T| {
        serde_json::to_value(settings).expect("settings are plain data with text keys")
    };
    let mut written = value(settings);
    let (Some(members), Some(was)) = (written.as_object_mut(), was.as_object()) else {
        return written;
    };
    let missing = value(&T::default());
    for (member, kept) in was {
        let is_unset = members.get(member) == missing.get(member);
        if is_unset && read_alone::<T>(member, kept).is_err() {
            members.insert(member.clone(), kept.clone());
        }
    }
    written
}

/// Returns a member as it is kept, null where it is missing; where settings are no object and so
/// cannot be read, all that is kept.
pub fn member<'s>(settings: &'s Value, name: &str) -> &'s Value {
    match settings {
        Value::Object(members) => members.get(name).unwrap_or(&Value::Null),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            settings
        }
    }
}

fn read_alone<T: DeserializeOwned>(member: &str, value: &Value) -> serde_json::Result<T> {
    T::deserialize(Value::Object(Map::from_iter([(
        member.to_owned(),
        value.clone(),
    )])))
}

/// The member of a replica's settings that holds the policies of its streams, by their labels.
pub const STREAM_POLICIES: &str = "stream_policies";

#[cfg(test)]
mod tests {
    //! Tests of what is read of settings that are partly wrong.

    use serde::{Deserialize, Serialize};
    use serde_json::json;

    use super::{read, write};

    #[derive(Debug, Default, Deserialize, PartialEq, Serialize)]
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

    #[test]
    fn a_member_that_cannot_be_read_stays_until_it_is_set() {
        let was = json!({"days": 700, "stream": {"view": 1}, "protected": true});
        let mut settings: Settings = read(&"carts", &was);
        settings.protected = false;
        let mut kept = was.clone();
        kept["protected"] = json!(false);
        assert_eq!(write(&settings, &was), kept);
        settings.days = 7;
        kept["days"] = json!(7);
        assert_eq!(write(&settings, &was), kept);
    }
}
