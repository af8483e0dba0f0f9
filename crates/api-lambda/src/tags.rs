//! Tags of functions.
//!
//! It gives them no meaning.

use std::collections::BTreeMap;

use api_protocol::fault::Fault;
use bytes::Bytes;
use control::functions::{self, Function};
use http::{Response, StatusCode};
use serde::Deserialize;
use serde_json::json;
use store::port::Store;

use crate::lambda::{Call, Lambda};
use crate::port::Runner;
use crate::{check, fault, name};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagResource {
    tags: BTreeMap<String, String>,
}

impl<S: Store, R: Runner> Lambda<S, R> {
    pub(crate) async fn tag_resource(&self, call: &Call<'_>) -> Result<Response<Bytes>, Fault> {
        let asked: TagResource = call.parse()?;
        let old = self.tagged(call)?;
        let mut tags = old.tags.clone();
        tags.extend(asked.tags);
        let tags = check::tags(tags)?;
        self.retag(&old, tags).await?;
        Ok(call.no_content())
    }

    pub(crate) async fn untag_resource(&self, call: &Call<'_>) -> Result<Response<Bytes>, Fault> {
        let old = self.tagged(call)?;
        let mut tags = old.tags.clone();
        for key in call.query.all("tagKeys") {
            tags.remove(key);
        }
        self.retag(&old, tags).await?;
        Ok(call.no_content())
    }

    pub(crate) fn list_tags(&self, call: &Call<'_>) -> Result<Response<Bytes>, Fault> {
        let function = self.tagged(call)?;
        Ok(call.reply(StatusCode::OK, &json!({ "Tags": function.tags })))
    }

    async fn retag(&self, old: &Function, tags: BTreeMap<String, String>) -> Result<(), Fault> {
        if tags != old.tags {
            let new = Function {
                tags,
                ..old.clone()
            };
            self.change(old, new).await?;
        }
        Ok(())
    }

    /// Returns the function that a call names by its ARN, the only name that tags take.
    fn tagged(&self, call: &Call<'_>) -> Result<Function, Fault> {
        let arn = call.labels.first().copied().unwrap_or_default();
        if !arn.starts_with("arn:") {
            let constraint = "Member must satisfy regular expression pattern: \
                              arn:(aws[a-zA-Z-]*):lambda:…:function:[a-zA-Z0-9-_]+";
            return Err(fault::validation(arn, "resource", constraint));
        }
        let account = call.caller.account;
        let name = name::parse(self.region(), account, arn, None)?;
        functions::function(&self.control, self.region(), account, name)
            .ok_or_else(|| fault::no_function(self.region(), account, name, None))
    }
}
