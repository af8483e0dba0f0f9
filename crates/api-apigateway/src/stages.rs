//! Operations on stages.
//!
//! Source: API Gateway v2 API reference, `Stages`; "Stages for HTTP APIs".

use std::collections::BTreeMap;

use api_protocol::fault::Fault;
use control::gateway::{Api, Deploys, Kind, Stage};
use control::resource::Change;
use serde_json::{Value, json};
use store::port::Store;

use crate::answer::{Answer, page, present, time};
use crate::apis::DEFAULT_STAGE;
use crate::facade::Call;
use crate::fault::{bad_request, conflict, not_found, too_many};
use crate::limits::{
    DESCRIPTION_MAX, NAME_MAX, STAGE_VARIABLE_NAME_MAX, STAGE_VARIABLE_VALUE_MAX,
    STAGE_VARIABLES_MAX, STAGES_MAX,
};
use crate::members::Members;
use crate::operation::Verb;
use crate::tags::check_tags;

impl<S: Store> Call<'_, S> {
    pub(crate) async fn stage(&self, api: &str, verb: Verb<'_>) -> Result<Answer, Fault> {
        let owner = self.find_api(api)?;
        match verb {
            Verb::Create => self.create_stage(&owner).await,
            Verb::List => {
                let all = Stage::of_owner(self.control, self.region(), api);
                page(
                    &self.query,
                    all.iter().map(|one| (one.name.clone(), show(one))),
                )
            }
            Verb::Get(name) => Ok(Answer::Found(show(&self.find_stage(api, name)?))),
            Verb::Update(name) => self.update_stage(api, name).await,
            Verb::Delete(name) => self.delete_stage(api, name).await,
        }
    }

    /// Returns a stage of an API.
    ///
    /// Errors: `NotFoundException`.
    pub(crate) fn find_stage(&self, api: &str, name: &str) -> Result<Stage, Fault> {
        Stage::find(self.control, self.region(), api, name).ok_or_else(|| not_found("Stage", name))
    }

    async fn create_stage(&self, api: &Api) -> Result<Answer, Fault> {
        let mut body = Members::read(self.body)?;
        let name = body.required("stageName")?;
        let shaped = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        let named = (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(shaped);
        if name != DEFAULT_STAGE && !named {
            return Err(bad_request(
                "stageName must be $default, or 1 to 128 characters of a-z, A-Z, 0-9, _ and -",
            ));
        }
        let mut stage = new(api, &name, self.now());
        stage.tags = check_tags(body.map("tags")?.unwrap_or_default())?;
        let changes = self.read_stage(body, &mut stage)?;
        let all = Stage::of_owner(self.control, self.region(), &api.id);
        if all.iter().any(|known| known.name == name) {
            return Err(conflict("Stage already exists"));
        }
        if all.len() >= STAGES_MAX {
            return Err(too_many("Stages", STAGES_MAX));
        }
        self.change([changes, vec![Change::create(&stage)]].concat())
            .await?;
        Ok(Answer::Created(show(&stage)))
    }

    async fn update_stage(&self, api: &str, name: &str) -> Result<Answer, Fault> {
        let old = self.find_stage(api, name)?;
        let mut new = old.clone();
        new.updated_micros = self.now();
        let body = Members::read(self.body)?;
        let changes = self.read_stage(body, &mut new)?;
        self.change([changes, vec![Change::replace(&old, &new)]].concat())
            .await?;
        Ok(Answer::Found(show(&new)))
    }

    async fn delete_stage(&self, api: &str, name: &str) -> Result<Answer, Fault> {
        let stage = self.find_stage(api, name)?;
        if let Some(mapping) = self.mapping_of(api, Some(name)) {
            return Err(bad_request(format!(
                "Remove the API mappings of the stage first: domain {} has one",
                mapping.domain
            )));
        }
        self.change(vec![Change::remove(&stage)]).await?;
        Ok(Answer::Gone)
    }

    /// Reads what creation and update share; returns what else has to be stored with the stage.
    fn read_stage(&self, mut body: Members, stage: &mut Stage) -> Result<Vec<Change>, Fault> {
        if let Some(description) = body.short("description", DESCRIPTION_MAX)? {
            stage.description = Some(description);
        }
        if let Some(variables) = body.map("stageVariables")? {
            check_variables(&variables)?;
            stage.variables = variables;
        }
        let automatic = body.flag("autoDeploy")?;
        let chosen = body.text("deploymentId")?;
        if let Some(settings) = body.object("defaultRouteSettings")? {
            check_route_settings(settings)?;
        }
        body.empty("routeSettings")?;
        body.finish()?;
        let now = matches!(stage.deploys, Deploys::Automatically);
        let mut changes = Vec::new();
        match (automatic.unwrap_or(now), chosen) {
            (true, Some(_)) => {
                return Err(bad_request(
                    "A stage that deploys automatically cannot have a deploymentId",
                ));
            }
            (true, None) => stage.deploys = Deploys::Automatically,
            (false, Some(id)) => {
                self.find_deployment(&stage.api, &id)?;
                stage.deploys = Deploys::Chosen(Some(id));
            }
            // What was served until this moment stays.
            (false, None) if now => {
                let deployment = self.new_deployment(&stage.api, None);
                changes.push(Change::create(&deployment));
                stage.deploys = Deploys::Chosen(Some(deployment.id));
            }
            (false, None) => {}
        }
        Ok(changes)
    }
}

/// Returns a stage without settings, which deploys nothing yet.
pub(crate) fn new(api: &Api, name: &str, now: i64) -> Stage {
    Stage {
        region: api.region.clone(),
        api: api.id.clone(),
        name: name.to_owned(),
        description: None,
        deploys: Deploys::Chosen(None),
        variables: BTreeMap::new(),
        managed: false,
        created_micros: now,
        updated_micros: now,
        tags: BTreeMap::new(),
    }
}

/// Takes the settings that say what happens anyway; throttles and metrics are refused.
fn check_route_settings(mut settings: Members) -> Result<(), Fault> {
    settings.only("dataTraceEnabled", &json!(false))?;
    settings.only("detailedMetricsEnabled", &json!(false))?;
    settings.only("loggingLevel", &json!("OFF"))?;
    settings.finish()
}

fn check_variables(variables: &BTreeMap<String, String>) -> Result<(), Fault> {
    if variables.len() > STAGE_VARIABLES_MAX {
        return Err(bad_request("a stage has at most 100 stage variables"));
    }
    for (name, value) in variables {
        let named = (1..=STAGE_VARIABLE_NAME_MAX).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !named {
            return Err(bad_request(format!(
                "stage variable {name:?} must have 1 to 64 characters of a-z, A-Z, 0-9 and _"
            )));
        }
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?#&=,".contains(&b);
        if value.len() > STAGE_VARIABLE_VALUE_MAX || !value.bytes().all(allowed) {
            return Err(bad_request(format!(
                "the value of stage variable {name} must have at most 512 characters of a-z, \
                 A-Z, 0-9 and -._~:/?#&=,"
            )));
        }
    }
    Ok(())
}

fn show(stage: &Stage) -> Value {
    let (automatic, chosen) = match &stage.deploys {
        Deploys::Automatically => (true, None),
        Deploys::Chosen(deployment) => (false, deployment.as_ref()),
    };
    present(json!({
        "apiGatewayManaged": stage.managed.then_some(true),
        "autoDeploy": automatic,
        "createdDate": time(stage.created_micros),
        "defaultRouteSettings": {"detailedMetricsEnabled": false},
        "deploymentId": chosen,
        "description": stage.description,
        "lastUpdatedDate": time(stage.updated_micros),
        "routeSettings": {},
        "stageName": stage.name,
        "stageVariables": stage.variables,
        "tags": stage.tags,
    }))
}
