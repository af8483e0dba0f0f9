//! Tags of tables: TagResource, UntagResource, ListTagsOfResource.
//!
//! Each replica has its own. Source: DynamoDB developer guide, "Tagging restrictions".

use std::collections::BTreeMap;
use std::sync::Arc;

use api_protocol::fault::Fault;
use api_protocol::json;
use serde_json::{Value, json as json_value};
use store::port::Store;

use crate::catalog::{self, OpenTable};
use crate::facade::{Answer, DynamoDb};
use crate::fault::{self, Refused};
use crate::faults::Knobs;
use crate::limits::{LIST_TAGS_MAX, TAG_TRIES_MAX, TAGS_MAX};
use crate::resolver;
use crate::settings::Own;
use crate::throttle;
use crate::wire::shape;

shape! {
    /// A tag.
    TagIn {
        key: "Key" as String,
        value: "Value" as String,
    }
}

shape! {
    /// The members of the calls on tags: each ignores what is not its own.
    TagsIn {
        arn: "ResourceArn" as String,
        tags: "Tags" as Vec<TagIn>,
        keys: "TagKeys" as Vec<String>,
        after: "NextToken" as String,
    }
}

/// Returns whether tags may hold a character.
fn is_tag_char(c: char) -> bool {
    c.is_alphanumeric() || c.is_whitespace() || "+-=._:/@".contains(c)
}

/// Returns tags by their keys, of which the last of a name counts.
fn named(tags: Vec<TagIn>) -> BTreeMap<String, String> {
    let pair = |tag: TagIn| Some((tag.key?, tag.value?));
    tags.into_iter().filter_map(pair).collect()
}

/// Returns the tags of a table that is made.
pub(super) fn first(tags: Vec<TagIn>) -> Result<BTreeMap<String, String>, Fault> {
    merged(BTreeMap::new(), &named(tags))
}

/// Returns tags with others added.
pub(crate) fn merged(
    mut tags: BTreeMap<String, String>,
    added: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Fault> {
    for (key, value) in added {
        if let Some(wrong) = [&key, &value]
            .iter()
            .find(|text| !text.chars().all(is_tag_char))
        {
            let message = format!("Tag keys and values may not hold the characters of: {wrong}");
            return Err(fault::validation(message));
        }
        if key.starts_with("aws:") {
            let message = format!("Tag keys beginning with aws: are reserved: {key}");
            return Err(fault::validation(message));
        }
        tags.insert(key.clone(), value.clone());
    }
    Knobs::of(&tags)?;
    throttle::wanted(&tags)?;
    if tags.len() > TAGS_MAX {
        let message = format!("A resource can have at most {TAGS_MAX} tags");
        return Err(fault::validation(message));
    }
    Ok(tags)
}

impl<S: Store> DynamoDb<S> {
    /// Answers `TagResource`.
    pub(crate) async fn tag_resource(&self, body: &[u8]) -> Answer {
        let request: TagsIn = json::parse(body)?;
        let added = named(request.tags.unwrap_or_default());
        if added.is_empty() {
            return Err(fault::validation("Atleast one Tag needs to be provided as Input.").into());
        }
        let arn = request.arn.as_deref();
        self.change_tags(|| self.tagged(arn), |tags| merged(tags, &added))
            .await
    }

    /// Answers `UntagResource`.
    pub(crate) async fn untag_resource(&self, body: &[u8]) -> Answer {
        let request: TagsIn = json::parse(body)?;
        let keys = request.keys.unwrap_or_default();
        if keys.is_empty() {
            let message = "Atleast one Tag Key needs to be provided as Input.";
            return Err(fault::validation(message).into());
        }
        let without = |mut tags: BTreeMap<String, String>| {
            tags.retain(|key, _| !keys.contains(key));
            Ok(tags)
        };
        let arn = request.arn.as_deref();
        self.change_tags(|| self.tagged(arn), without).await
    }

    /// Changes a table's tags; where somebody else changed the table meanwhile, once more.
    pub(crate) async fn change_tags(
        &self,
        find: impl Fn() -> Result<Arc<OpenTable>, Refused>,
        change: impl Fn(BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Fault>,
    ) -> Answer {
        let mut generation = self.generation.clone();
        for tries in 1.. {
            generation.mark_unchanged();
            let open = find()?;
            let own = self.own_replica(&open).map(Own::of).unwrap_or_default();
            let tags = change(own.tags.clone())?;
            resolver::check_kept(open.def.resolver, (&own.tags, &tags))?;
            let own = Own { tags, ..own };
            match self.change_settings(&open, None, Some(&own)).await {
                Err(Refused(fault)) if fault.code == "ResourceInUseException" => {
                    // What the other one changed is seen here with the next generation.
                    if tries == TAG_TRIES_MAX || generation.changed().await.is_err() {
                        return Err(fault.into());
                    }
                }
                changed => return changed.map(|()| Vec::new()),
            }
        }
        Ok(Vec::new())
    }

    /// Answers `ListTagsOfResource`.
    pub(crate) fn list_tags_of_resource(&self, body: &[u8]) -> Answer {
        let request: TagsIn = json::parse(body)?;
        let open = self.tagged(request.arn.as_deref())?;
        let own = self.own_replica(&open).map(Own::of).unwrap_or_default();
        // The token is the last key of the page before; no tag has an empty key.
        let after = request.after.unwrap_or_default();
        let mut tags = own.tags.iter().skip_while(|(key, _)| **key <= after);
        let page: Vec<_> = tags.by_ref().take(LIST_TAGS_MAX).collect();
        let listed: Vec<Value> = page
            .iter()
            .map(|(key, value)| json_value!({ "Key": key, "Value": value }))
            .collect();
        let mut answer = json_value!({ "Tags": listed });
        if tags.next().is_some()
            && let (Some((last, _)), Some(members)) = (page.last(), answer.as_object_mut())
        {
            members.insert("NextToken".to_owned(), last.as_str().into());
        }
        Ok(answer.to_string().into_bytes())
    }

    fn tagged(&self, arn: Option<&str>) -> Result<Arc<OpenTable>, Refused> {
        let arn = arn.unwrap_or_default();
        if !catalog::is_arn(arn) {
            return Err(fault::validation(format!("ARNs must start with 'arn:': {arn}")).into());
        }
        if self.plain_name(arn).is_none() {
            let message = format!("Invalid TableArn: Invalid ResourceArn provided as input {arn}");
            return Err(fault::validation(message).into());
        }
        let missing = || {
            let message = format!("Requested resource not found: ResourcArn: {arn} not found");
            Fault::caller("ResourceNotFoundException", message)
        };
        Ok(self.find(arn).ok_or_else(missing)?)
    }
}
