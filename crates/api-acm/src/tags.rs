//! Tags of certificates.
//!
//! Source: Certificate Manager API reference, `AddTagsToCertificate` and its kin.

use std::collections::BTreeMap;

use api_protocol::fault::Fault;
use api_protocol::json::parse;
use control::certificates::Certificate;
use control::resource::Change;
use serde::Deserialize;
use serde_json::{Value, json};
use store::port::Store;

use crate::facade::Call;
use crate::limits::TAGS_MAX;

/// A tag as calls name it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Tag {
    key: String,
    value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Tagging {
    certificate_arn: String,
    tags: Vec<Tag>,
}

impl<S: Store> Call<'_, S> {
    /// Shows a certificate's tags.
    pub(crate) fn list_tags(&self) -> Result<Value, Fault> {
        let certificate = self.find_only()?;
        let tags = certificate.tags.iter();
        let tags: Vec<Value> = tags
            .map(|(key, value)| json!({"Key": key, "Value": value}))
            .collect();
        Ok(json!({"Tags": tags}))
    }

    /// Adds tags, in place of those of the same keys.
    pub(crate) async fn add_tags(&self) -> Result<Value, Fault> {
        let body: Tagging = parse(self.body)?;
        let old = self.find(&body.certificate_arn)?;
        let tags = with_tags(old.tags.clone(), body.tags)?;
        self.retag(&old, tags).await
    }

    /// Removes tags; one that names a value goes only if it has that value.
    pub(crate) async fn remove_tags(&self) -> Result<Value, Fault> {
        let body: Tagging = parse(self.body)?;
        let old = self.find(&body.certificate_arn)?;
        let mut tags = old.tags.clone();
        for Tag { key, value } in body.tags {
            if value.is_none() || tags.get(&key) == value.as_ref() {
                tags.remove(&key);
            }
        }
        self.retag(&old, tags).await
    }

    async fn retag(
        &self,
        old: &Certificate,
        tags: BTreeMap<String, String>,
    ) -> Result<Value, Fault> {
        let new = Certificate {
            tags,
            ..old.clone()
        };
        self.change(vec![Change::replace(old, &new)]).await?;
        Ok(Value::Null)
    }
}

/// Returns tags with others added.
///
/// Errors: `InvalidTagException`, `TooManyTagsException`.
pub(crate) fn with_tags(
    mut tags: BTreeMap<String, String>,
    added: Vec<Tag>,
) -> Result<BTreeMap<String, String>, Fault> {
    for Tag { key, value } in added {
        let value = value.unwrap_or_default();
        let shaped = (1..=128).contains(&key.chars().count()) && value.chars().count() <= 256;
        if !shaped || key.to_ascii_lowercase().starts_with("aws:") {
            let message = format!("Tag {key:?} cannot be set");
            return Err(Fault::caller("InvalidTagException", message));
        }
        tags.insert(key, value);
    }
    if tags.len() > TAGS_MAX {
        let message = format!("A certificate has at most {TAGS_MAX} tags");
        return Err(Fault::caller("TooManyTagsException", message));
    }
    Ok(tags)
}
