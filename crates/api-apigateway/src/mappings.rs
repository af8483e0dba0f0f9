//! Operations on API mappings.
//!
//! Source: API Gateway v2 API reference, `ApiMappings`; "Use API mappings to connect API stages
//! to a custom domain name".

use api_protocol::fault::Fault;
use control::gateway::{ApiMapping, Kind};
use control::resource::Change;
use gateway_core::limits::MAPPING_KEY_BYTES_MAX;
use serde_json::{Value, json};
use store::port::Store;

use crate::answer::{Answer, page};
use crate::facade::Call;
use crate::fault::{bad_request, conflict, not_found, too_many};
use crate::ids;
use crate::limits::MAPPINGS_MAX;
use crate::members::Members;
use crate::operation::Verb;

impl<S: Store> Call<'_, S> {
    pub(crate) async fn mapping(&self, domain: &str, verb: Verb<'_>) -> Result<Answer, Fault> {
        let domain = self.find_domain(domain)?.name;
        match verb {
            Verb::Create => self.create_mapping(&domain).await,
            Verb::List => {
                let all = ApiMapping::of_owner(self.control, self.region(), &domain);
                page(
                    &self.query,
                    all.iter().map(|one| (one.id.clone(), show(one))),
                )
            }
            Verb::Get(id) => Ok(Answer::Found(show(&self.find_mapping(&domain, id)?))),
            Verb::Update(id) => {
                let old = self.find_mapping(&domain, id)?;
                let mut new = old.clone();
                self.read_mapping(Members::read(self.body)?, &mut new)?;
                self.change(vec![Change::replace(&old, &new)]).await?;
                Ok(Answer::Found(show(&new)))
            }
            Verb::Delete(id) => {
                let mapping = self.find_mapping(&domain, id)?;
                self.change(vec![Change::remove(&mapping)]).await?;
                Ok(Answer::Gone)
            }
        }
    }

    fn find_mapping(&self, domain: &str, id: &str) -> Result<ApiMapping, Fault> {
        ApiMapping::find(self.control, self.region(), domain, id)
            .ok_or_else(|| not_found("API mapping", id))
    }

    async fn create_mapping(&self, domain: &str) -> Result<Answer, Fault> {
        let mut mapping = ApiMapping {
            region: self.region().to_owned(),
            domain: domain.to_owned(),
            id: ids::new(self.control.entropy(), 6),
            key: String::new(),
            api: String::new(),
            stage: String::new(),
        };
        self.read_mapping(Members::read(self.body)?, &mut mapping)?;
        let count = ApiMapping::of_owner(self.control, self.region(), domain).len();
        if count >= MAPPINGS_MAX {
            return Err(too_many("API mappings", MAPPINGS_MAX));
        }
        self.change(vec![Change::create(&mapping)]).await?;
        Ok(Answer::Created(show(&mapping)))
    }

    /// Reads what creation and update share, and checks the whole.
    fn read_mapping(&self, mut body: Members, mapping: &mut ApiMapping) -> Result<(), Fault> {
        if let Some(api) = body.text("apiId")? {
            mapping.api = api;
        }
        if let Some(stage) = body.text("stage")? {
            mapping.stage = stage;
        }
        if let Some(key) = body.text("apiMappingKey")? {
            mapping.key = key;
        }
        body.finish()?;
        if mapping.api.is_empty() || mapping.stage.is_empty() {
            return Err(bad_request("apiId and stage are required"));
        }
        check_key(&mapping.key)?;
        self.find_api(&mapping.api)?;
        self.find_stage(&mapping.api, &mapping.stage)
            .map_err(|fault| bad_request(fault.message))?;
        let others = ApiMapping::of_owner(self.control, self.region(), &mapping.domain);
        let taken = |other: &ApiMapping| other.id != mapping.id && other.key == mapping.key;
        if others.iter().any(taken) {
            return Err(conflict(
                "ApiMapping key already exists for this domain name",
            ));
        }
        Ok(())
    }
}

fn check_key(key: &str) -> Result<(), Fault> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"$-_.+!*'()/".contains(&b);
    let slashed = key.starts_with('/') || key.ends_with('/') || key.contains("//");
    if key.len() > MAPPING_KEY_BYTES_MAX || !key.bytes().all(allowed) || slashed {
        return Err(bad_request(
            "apiMappingKey must have at most 300 characters of a-z, A-Z, 0-9 and $-_.+!*'()/, \
             without empty parts",
        ));
    }
    Ok(())
}

fn show(mapping: &ApiMapping) -> Value {
    json!({
        "apiId": mapping.api,
        "apiMappingId": mapping.id,
        "apiMappingKey": mapping.key,
        "stage": mapping.stage,
    })
}
