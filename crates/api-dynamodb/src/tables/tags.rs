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
use crate::limits::{LIST_TAGS_MAX, TAGS_MAX};
use crate::settings::Own;
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

/// Returns tags with others added.
pub(super) fn merged(
    mut tags: BTreeMap<String, String>,
    added: Vec<TagIn>,
) -> Result<BTreeMap<String, String>, Fault> {
    for tag in added {
        let (key, value) = (tag.key.unwrap_or_default(), tag.value.unwrap_or_default());
        if key.starts_with("aws:") {
            let message = format!("Tag keys beginning with aws: are reserved: {key}");
            return Err(fault::validation(message));
        }
        tags.insert(key, value);
    }
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
        let open = self.tagged(request.arn.as_deref())?;
        let own = self.own_replica(&open).map(Own::of).unwrap_or_default();
        let tags = merged(own.tags.clone(), request.tags.unwrap_or_default())?;
        self.change_settings(&open, None, Some(&Own { tags, ..own }))
            .await?;
        Ok(Vec::new())
    }

    /// Answers `UntagResource`.
    pub(crate) async fn untag_resource(&self, body: &[u8]) -> Answer {
        let request: TagsIn = json::parse(body)?;
        let open = self.tagged(request.arn.as_deref())?;
        let mut own = self.own_replica(&open).map(Own::of).unwrap_or_default();
        for key in request.keys.unwrap_or_default() {
            own.tags.remove(&key);
        }
        self.change_settings(&open, None, Some(&own)).await?;
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
        if !catalog::is_arn(arn) || self.plain_name(arn).is_none() {
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
