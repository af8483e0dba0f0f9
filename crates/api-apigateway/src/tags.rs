//! Operations on tags, of APIs, stages and domains.
//!
//! Source: API Gateway v2 API reference, `Tags`.

use std::collections::BTreeMap;

use api_protocol::fault::Fault;
use base::arn::Arn;
use control::gateway::{Api, DomainName, Stage};
use control::resource::Change;
use serde_json::json;
use store::port::Store;

use crate::answer::Answer;
use crate::facade::Call;
use crate::fault::{bad_request, not_found};
use crate::limits::TAGS_MAX;
use crate::members::Members;

type Tags = BTreeMap<String, String>;

/// What has tags.
enum Tagged {
    Api(Api),
    Stage(Stage),
    Domain(DomainName),
}

impl<S: Store> Call<'_, S> {
    pub(crate) fn get_tags(&self, arn: &str) -> Result<Answer, Fault> {
        let tagged = self.find_tagged(arn)?;
        Ok(Answer::Found(json!({"tags": tagged.tags()})))
    }

    pub(crate) async fn tag(&self, arn: &str) -> Result<Answer, Fault> {
        let tagged = self.find_tagged(arn)?;
        let mut body = Members::read(self.body)?;
        let added = body.map("tags")?;
        body.finish()?;
        let mut tags = tagged.tags().clone();
        tags.extend(added.ok_or_else(|| bad_request("tags is required"))?);
        self.change(vec![tagged.with(check_tags(tags)?)]).await?;
        Ok(Answer::Created(json!({})))
    }

    pub(crate) async fn untag(&self, arn: &str) -> Result<Answer, Fault> {
        let tagged = self.find_tagged(arn)?;
        let mut tags = tagged.tags().clone();
        for key in self.query.all("tagKeys") {
            tags.remove(key);
        }
        self.change(vec![tagged.with(tags)]).await?;
        Ok(Answer::Gone)
    }

    fn find_tagged(&self, text: &str) -> Result<Tagged, Fault> {
        let arn = Arn::parse(text)
            .filter(|arn| arn.service == "apigateway" && arn.region == self.region())
            .ok_or_else(|| bad_request(format!("Invalid ARN specified in the request: {text}")))?;
        let path: Vec<&str> = arn.resource.split('/').collect();
        match path.as_slice() {
            ["", "apis", api] => Ok(Tagged::Api(self.find_api(api)?)),
            ["", "apis", api, "stages", stage] => {
                self.find_api(api)?;
                Ok(Tagged::Stage(self.find_stage(api, stage)?))
            }
            ["", "domainnames", name] => Ok(Tagged::Domain(self.find_domain(name)?)),
            _ => Err(not_found("resource", text)),
        }
    }
}

impl Tagged {
    fn tags(&self) -> &Tags {
        match self {
            Self::Api(api) => &api.tags,
            Self::Stage(stage) => &stage.tags,
            Self::Domain(domain) => &domain.tags,
        }
    }

    fn with(&self, tags: Tags) -> Change {
        match self {
            Self::Api(old) => Change::replace(
                old,
                &Api {
                    tags,
                    ..old.clone()
                },
            ),
            Self::Stage(old) => Change::replace(
                old,
                &Stage {
                    tags,
                    ..old.clone()
                },
            ),
            Self::Domain(old) => Change::replace(
                old,
                &DomainName {
                    tags,
                    ..old.clone()
                },
            ),
        }
    }
}

/// Checks the tags of a resource.
///
/// Errors: `BadRequestException` for too many, and for names and values of other shapes.
pub(crate) fn check_tags(tags: Tags) -> Result<Tags, Fault> {
    if tags.len() > TAGS_MAX {
        return Err(bad_request("a resource has at most 50 tags"));
    }
    for (key, value) in &tags {
        let shaped = (1..=128).contains(&key.chars().count()) && value.chars().count() <= 256;
        if !shaped || key.to_ascii_lowercase().starts_with("aws:") {
            return Err(bad_request(format!("tag {key:?} cannot be set")));
        }
    }
    Ok(tags)
}
