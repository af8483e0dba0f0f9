//! Operations on deployments.
//!
//! Source: API Gateway v2 API reference, `Deployments`.

use api_protocol::fault::Fault;
use control::gateway::build::routes_of;
use control::gateway::{Deployment, Deploys, Kind, Stage};
use control::resource::Change;
use serde_json::{Value, json};
use store::port::Store;

use crate::answer::{Answer, page, present, time};
use crate::facade::Call;
use crate::fault::{bad_request, not_found, too_many};
use crate::ids;
use crate::limits::{DEPLOYMENTS_MAX, DESCRIPTION_MAX};
use crate::members::Members;
use crate::operation::Verb;

impl<S: Store> Call<'_, S> {
    pub(crate) async fn deployment(&self, api: &str, verb: Verb<'_>) -> Result<Answer, Fault> {
        self.find_api(api)?;
        match verb {
            Verb::Create => self.create_deployment(api).await,
            Verb::List => {
                let all = Deployment::of_owner(self.control, self.region(), api);
                page(
                    &self.query,
                    all.iter().map(|one| (one.id.clone(), show(one))),
                )
            }
            Verb::Get(id) => Ok(Answer::Found(show(&self.find_deployment(api, id)?))),
            Verb::Update(id) => {
                let old = self.find_deployment(api, id)?;
                let mut new = old.clone();
                let mut body = Members::read(self.body)?;
                new.description = body
                    .short("description", DESCRIPTION_MAX)?
                    .or(new.description);
                body.finish()?;
                self.change(vec![Change::replace(&old, &new)]).await?;
                Ok(Answer::Found(show(&new)))
            }
            Verb::Delete(id) => self.delete_deployment(api, id).await,
        }
    }

    /// Returns a deployment of an API.
    ///
    /// Errors: `NotFoundException`.
    pub(crate) fn find_deployment(&self, api: &str, id: &str) -> Result<Deployment, Fault> {
        Deployment::find(self.control, self.region(), api, id)
            .ok_or_else(|| not_found("Deployment", id))
    }

    /// Returns a deployment of an API's routes as they are, not yet stored.
    pub(crate) fn new_deployment(&self, api: &str, description: Option<String>) -> Deployment {
        Deployment {
            region: self.region().to_owned(),
            api: api.to_owned(),
            id: ids::new(self.control.entropy(), 6),
            description,
            created_micros: self.now(),
            routes: routes_of(self.control, self.region(), api),
        }
    }

    async fn create_deployment(&self, api: &str) -> Result<Answer, Fault> {
        let mut body = Members::read(self.body)?;
        let description = body.short("description", DESCRIPTION_MAX)?;
        let stage = body.text("stageName")?;
        body.finish()?;
        let deployment = self.new_deployment(api, description);
        if deployment.routes.is_empty() {
            return Err(bad_request(
                "At least one route is required before deploying the Api.",
            ));
        }
        let count = Deployment::of_owner(self.control, self.region(), api).len();
        if count >= DEPLOYMENTS_MAX {
            return Err(too_many("Deployments", DEPLOYMENTS_MAX));
        }
        let mut changes = vec![Change::create(&deployment)];
        if let Some(name) = stage {
            let old = self.find_stage(api, &name)?;
            if matches!(old.deploys, Deploys::Automatically) {
                return Err(bad_request(format!(
                    "Stage {name} deploys automatically and takes no deployment"
                )));
            }
            let mut new = old.clone();
            new.deploys = Deploys::Chosen(Some(deployment.id.clone()));
            new.updated_micros = self.now();
            changes.push(Change::replace(&old, &new));
        }
        self.change(changes).await?;
        Ok(Answer::Created(show(&deployment)))
    }

    async fn delete_deployment(&self, api: &str, id: &str) -> Result<Answer, Fault> {
        let deployment = self.find_deployment(api, id)?;
        let stages = Stage::of_owner(self.control, self.region(), api);
        let chosen = Deploys::Chosen(Some(id.to_owned()));
        if let Some(stage) = stages.iter().find(|stage| stage.deploys == chosen) {
            return Err(bad_request(format!(
                "Active stages pointing to this deployment must be moved or deleted: {}",
                stage.name
            )));
        }
        self.change(vec![Change::remove(&deployment)]).await?;
        Ok(Answer::Gone)
    }
}

fn show(deployment: &Deployment) -> Value {
    present(json!({
        "autoDeployed": false,
        "createdDate": time(deployment.created_micros),
        "deploymentId": deployment.id,
        "deploymentStatus": "DEPLOYED",
        "description": deployment.description,
    }))
}
