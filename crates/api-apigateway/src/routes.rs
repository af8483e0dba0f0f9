//! Operations on routes.
//!
//! Source: API Gateway v2 API reference, `Routes`.

use api_protocol::fault::Fault;
use control::gateway::{Kind, Route};
use control::resource::Change;
use gateway_core::route::RouteKey;
use serde_json::{Value, json};
use store::port::Store;

use crate::answer::{Answer, page, present};
use crate::facade::Call;
use crate::fault::{bad_request, conflict, not_found, too_many};
use crate::ids;
use crate::limits::{NAME_MAX, ROUTES_MAX};
use crate::members::Members;
use crate::operation::Verb;

impl<S: Store> Call<'_, S> {
    pub(crate) async fn route(&self, api: &str, verb: Verb<'_>) -> Result<Answer, Fault> {
        self.find_api(api)?;
        match verb {
            Verb::Create => self.create_route(api).await,
            Verb::List => {
                let all = Route::of_owner(self.control, self.region(), api);
                page(
                    &self.query,
                    all.iter().map(|one| (one.id.clone(), show(one))),
                )
            }
            Verb::Get(id) => Ok(Answer::Found(show(&self.find_route(api, id)?))),
            Verb::Update(id) => self.update_route(api, id).await,
            Verb::Delete(id) => {
                let route = self.find_route(api, id)?;
                self.change(vec![Change::remove(&route)]).await?;
                Ok(Answer::Gone)
            }
        }
    }

    fn find_route(&self, api: &str, id: &str) -> Result<Route, Fault> {
        Route::find(self.control, self.region(), api, id).ok_or_else(|| not_found("Route", id))
    }

    async fn create_route(&self, api: &str) -> Result<Answer, Fault> {
        let mut body = Members::read(self.body)?;
        let mut route = Route {
            region: self.region().to_owned(),
            api: api.to_owned(),
            id: ids::new(self.control.entropy(), 7),
            key: body.required("routeKey")?,
            integration: None,
            operation_name: None,
            managed: false,
        };
        self.read_route(body, &mut route)?;
        let count = Route::of_owner(self.control, self.region(), api).len();
        if count >= ROUTES_MAX {
            return Err(too_many("Routes", ROUTES_MAX));
        }
        self.change(vec![Change::create(&route)]).await?;
        Ok(Answer::Created(show(&route)))
    }

    async fn update_route(&self, api: &str, id: &str) -> Result<Answer, Fault> {
        let old = self.find_route(api, id)?;
        let mut new = old.clone();
        let mut body = Members::read(self.body)?;
        if let Some(key) = body.text("routeKey")? {
            new.key = key;
        }
        self.read_route(body, &mut new)?;
        self.change(vec![Change::replace(&old, &new)]).await?;
        Ok(Answer::Found(show(&new)))
    }

    /// Reads what creation and update share, and checks the whole.
    fn read_route(&self, mut body: Members, route: &mut Route) -> Result<(), Fault> {
        if let Some(target) = body.text("target")? {
            let id = target
                .strip_prefix("integrations/")
                .ok_or_else(|| bad_request("target must be integrations/ and an integration id"))?;
            self.find_integration(&route.api, id)?;
            route.integration = Some(id.to_owned());
        }
        if let Some(name) = body.short("operationName", NAME_MAX)? {
            route.operation_name = Some(name);
        }
        body.only("apiKeyRequired", &json!(false))?;
        body.only("authorizationType", &json!("NONE"))?;
        body.empty("authorizationScopes")?;
        body.empty("requestModels")?;
        body.empty("requestParameters")?;
        body.finish()?;
        check_key(&route.key)?;
        let others = Route::of_owner(self.control, self.region(), &route.api);
        let taken = |other: &Route| other.id != route.id && other.key == route.key;
        if others.iter().any(taken) {
            return Err(conflict(format!(
                "Route with key {} already exists for this API",
                route.key
            )));
        }
        Ok(())
    }
}

/// Checks the key of a route.
///
/// Errors: `BadRequestException` with the reason.
pub(crate) fn check_key(key: &str) -> Result<(), Fault> {
    RouteKey::parse(key)
        .map(|_| ())
        .map_err(|error| bad_request(error.to_string()))
}

fn show(route: &Route) -> Value {
    let target = route.integration.as_ref();
    present(json!({
        "apiGatewayManaged": route.managed.then_some(true),
        "apiKeyRequired": false,
        "authorizationType": "NONE",
        "operationName": route.operation_name,
        "routeId": route.id,
        "routeKey": route.key,
        "target": target.map(|id| format!("integrations/{id}")),
    }))
}
