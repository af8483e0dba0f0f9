//! Tags of hosted zones and health checks.
//!
//! One tag means something here: it shortens a health check's interval.
//! Source: Route 53 API reference, `ChangeTagsForResource`, `ListTagsForResource(s)`.

use std::collections::BTreeMap;

use api_protocol::caller::Caller;
use api_protocol::fault::Fault;
use api_protocol::xml::{Element, XmlWriter};
use control::dns::{TAGS, Tags};
use control::resource::Change;
use store::port::Store;

use crate::facade::{Call, Reply, Route53};
use crate::faults::{self, invalid_input};
use crate::limits::{
    TAG_KEY_CHARACTERS_MAX, TAG_VALUE_CHARACTERS_MAX, TAGS_MAX, TAGS_PER_REQUEST_MAX,
};
use crate::operation::{arn, bare};

impl<S: Store> Route53<S> {
    pub(crate) async fn change_tags(
        &self,
        call: &Call<'_>,
        kind: &str,
        id: &str,
    ) -> Result<Reply, Fault> {
        let document = call.document("ChangeTagsForResourceRequest")?;
        let (added, removed) = read_changes(&document)?;
        let _turn = self.changing.lock().await;
        self.find(call.caller, kind, id)?;
        let old = self
            .control
            .get::<Tags>(&Tags::partition_of(kind, id), TAGS);
        let mut new = Tags {
            resource_type: kind.to_owned(),
            resource_id: id.to_owned(),
            tags: old.as_ref().map(|old| old.tags.clone()).unwrap_or_default(),
        };
        new.tags.extend(added);
        new.tags.retain(|key, _| !removed.contains(key));
        if TAGS_MAX < new.tags.len() {
            return Err(invalid_input(format!(
                "A resource has at most {TAGS_MAX} tags."
            )));
        }
        if kind == "healthcheck" {
            let check = self.check_of(call.caller, id)?;
            self.probeable(call.caller, &check, Some(&new))?;
        }
        let change = match old {
            Some(old) => Change::replace(&old, &new),
            None => Change::create(&new),
        };
        self.control
            .change(vec![change])
            .await
            .map_err(faults::not_changed)?;
        Ok(Reply::document("ChangeTagsForResourceResponse", |_| ()))
    }

    pub(crate) fn list_tags(&self, call: &Call<'_>, kind: &str, id: &str) -> Result<Reply, Fault> {
        self.find(call.caller, kind, id)?;
        Ok(Reply::document("ListTagsForResourceResponse", |xml| {
            self.write_tags(kind, id, xml);
        }))
    }

    pub(crate) fn list_tags_of_several(&self, call: &Call<'_>, kind: &str) -> Result<Reply, Fault> {
        let document = call.document("ListTagsForResourcesRequest")?;
        let ids: Vec<&str> = document
            .members("ResourceIds", "ResourceId")
            .map(|id| bare(id.text.trim()))
            .collect();
        if !(1..=TAGS_PER_REQUEST_MAX).contains(&ids.len()) {
            return Err(invalid_input("A request names 1 to 10 resources."));
        }
        for id in &ids {
            let resource = arn(kind, id);
            call.caller
                .check("route53:ListTagsForResources", &resource)?;
        }
        for id in &ids {
            self.find(call.caller, kind, id)?;
        }
        Ok(Reply::document("ListTagsForResourcesResponse", |xml| {
            xml.within("ResourceTagSets", |xml| {
                for id in &ids {
                    self.write_tags(kind, id, xml);
                }
            });
        }))
    }

    /// Errors: `NoSuchHostedZone` and `NoSuchHealthCheck`; `InvalidInput` for another kind.
    fn find(&self, caller: &Caller, kind: &str, id: &str) -> Result<(), Fault> {
        match kind {
            "hostedzone" => self.zone_of(caller, id).map(drop),
            "healthcheck" => self.check_of(caller, id).map(drop),
            other => Err(invalid_input(format!(
                "{other:?} is no type of resource with tags."
            ))),
        }
    }

    fn write_tags(&self, kind: &str, id: &str, xml: &mut XmlWriter) {
        let tags = self
            .control
            .get::<Tags>(&Tags::partition_of(kind, id), TAGS);
        xml.within("ResourceTagSet", |xml| {
            xml.leaf("ResourceType", kind);
            xml.leaf("ResourceId", id);
            xml.within("Tags", |xml| {
                for (key, value) in tags.iter().flat_map(|tags| &tags.tags) {
                    xml.within("Tag", |xml| {
                        xml.leaf("Key", key);
                        xml.leaf("Value", value);
                    });
                }
            });
        });
    }
}

type Changes = (BTreeMap<String, String>, Vec<String>);

fn read_changes(document: &Element) -> Result<Changes, Fault> {
    let mut added = BTreeMap::new();
    for tag in document.members("AddTags", "Tag") {
        let key = tag.text_of("Key").unwrap_or_default();
        let value = tag.text_of("Value").unwrap_or_default();
        if !(1..=TAG_KEY_CHARACTERS_MAX).contains(&key.chars().count())
            || TAG_VALUE_CHARACTERS_MAX < value.chars().count()
        {
            return Err(invalid_input(
                "A tag's key has 1 to 128 characters, its value 0 to 256.",
            ));
        }
        added.insert(key.to_owned(), value.to_owned());
    }
    let removed: Vec<String> = document
        .members("RemoveTagKeys", "Key")
        .map(|key| key.text.trim().to_owned())
        .collect();
    let bounded = added.len() <= TAGS_PER_REQUEST_MAX && removed.len() <= TAGS_PER_REQUEST_MAX;
    if !bounded || added.is_empty() && removed.is_empty() {
        return Err(invalid_input("A request adds or removes 1 to 10 tags."));
    }
    Ok((added, removed))
}
