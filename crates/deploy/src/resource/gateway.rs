//! An HTTP API in one region: backends, routes, stage, permission, domain name, mapping.
//!
//! Source: API Gateway v2 API reference.

use base::region::RegionName;
use serde_json::Value;

use crate::call::{Call, Shape, structure};
use crate::client::{Node, Reply};
use crate::execute::{Change, DeployError, Listing, Session, Waited};
use crate::known::{Key, Known, NotKnown};
use crate::operation::{
    ADD_PERMISSION, CREATE_API, CREATE_API_MAPPING, CREATE_DOMAIN_NAME, CREATE_INTEGRATION,
    CREATE_ROUTE, CREATE_STAGE, GET_API_MAPPINGS, GET_APIS, GET_DOMAIN_NAME, GET_INTEGRATIONS,
    GET_POLICY, GET_ROUTES, GET_STAGE, TAG_API, UPDATE_API_MAPPING, UPDATE_DOMAIN_NAME,
    UPDATE_ROUTE,
};

/// An HTTP API as it should be.
#[derive(Clone, Debug)]
pub struct Api {
    /// The domain that shows it.
    pub domain: String,
    /// The API's own name, by which a later run finds it.
    pub name: String,
}

/// A backend of an API.
#[derive(Clone, Debug)]
pub struct Integration {
    /// The domain of the API.
    pub domain: String,
    /// The function's ARN, or a URL in which `{name}` stands for a path variable.
    pub uri: String,
    /// What is behind the URI.
    pub kind: IntegrationKind,
}

/// What is behind an integration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntegrationKind {
    /// A Lambda function.
    Function,
    /// An HTTP server.
    Http,
}

/// A route of an API.
#[derive(Clone, Debug)]
pub struct Route {
    /// The domain of the API.
    pub domain: String,
    /// What it matches, `ANY /cart/{proxy+}`.
    pub key: String,
    /// The URI of the integration it leads to.
    pub uri: String,
}

/// The default stage of an API.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The domain of the API.
    pub domain: String,
}

/// An API's right to call a function.
#[derive(Clone, Debug)]
pub struct Permission {
    /// The domain of the API.
    pub domain: String,
    /// The function's name.
    pub function: String,
    /// The account that owns both.
    pub account: String,
}

/// A domain's presence in a region.
#[derive(Clone, Debug)]
pub struct DomainName {
    /// The domain.
    pub domain: String,
    /// Tags.
    pub tags: Vec<(String, String)>,
}

/// Which API a domain shows.
#[derive(Clone, Debug)]
pub struct ApiMapping {
    /// The domain.
    pub domain: String,
}

impl Api {
    /// Returns the call that creates the API.
    pub fn creating(&self, region: &RegionName) -> Call {
        Call::new(CREATE_API, region)
            .with("Name", &*self.name)
            .with("ProtocolType", "HTTP")
    }

    /// Makes the region have the API.
    pub(crate) async fn ensure(&self, session: &mut Session<'_>) -> Result<Change, DeployError> {
        let region = session.region();
        let find = |node: Node<'_>| {
            let named = node.text(&["name"]).as_deref() == Some(&*self.name);
            let http = node.text(&["protocolType"]).as_deref() == Some("HTTP");
            (named && http).then(|| (node.text(&["apiId"]), node.text(&["apiEndpoint"])))
        };
        let look = Call::new(GET_APIS, region);
        let (names, change) = match session.find(look, &PAGES, find).await? {
            Some(names) => (names, Change::Unchanged),
            None => {
                let reply = session.change(self.creating(region)).await?;
                let names = (reply.text(&["apiId"]), reply.text(&["apiEndpoint"]));
                (names, Change::Created)
            }
        };
        let (Some(id), Some(endpoint)) = names else {
            return Err(DeployError::Missing {
                operation: "CreateApi",
                member: "apiId and apiEndpoint",
            });
        };
        let host = endpoint
            .split_once("://")
            .map_or(&*endpoint, |(_, host)| host);
        let host = host.split('/').next().unwrap_or_default().to_owned();
        session.learn(Key::ApiId(self.domain.clone(), region.clone()), id);
        session.learn(Key::ApiHost(self.domain.clone(), region.clone()), host);
        Ok(change)
    }
}

impl Integration {
    /// Returns the call that creates the integration.
    pub fn creating(&self, region: &RegionName, known: &Known) -> Result<Call, NotKnown> {
        let call = Call::new(CREATE_INTEGRATION, region)
            .with("ApiId", api_id(&self.domain, region, known)?);
        Ok(match self.kind {
            IntegrationKind::Function => call
                .with("IntegrationType", "AWS_PROXY")
                .with("IntegrationUri", &*self.uri)
                .with("PayloadFormatVersion", "2.0"),
            IntegrationKind::Http => call
                .with("IntegrationMethod", "ANY")
                .with("IntegrationType", "HTTP_PROXY")
                .with("IntegrationUri", &*self.uri)
                .with("PayloadFormatVersion", "1.0"),
        })
    }

    /// Makes the API have the integration.
    pub(crate) async fn ensure(&self, session: &mut Session<'_>) -> Result<Change, DeployError> {
        let region = session.region();
        let api = api_id(&self.domain, region, session.known())?;
        let find = |node: Node<'_>| {
            (node.text(&["integrationUri"]).as_deref() == Some(&*self.uri))
                .then(|| node.text(&["integrationId"]))
        };
        let look = Call::new(GET_INTEGRATIONS, region).with("ApiId", api);
        let (id, change) = match session.find(look, &PAGES, find).await? {
            Some(id) => (id, Change::Unchanged),
            None => {
                let call = self.creating(region, session.known())?;
                let reply = session.change(call).await?;
                (reply.text(&["integrationId"]), Change::Created)
            }
        };
        let id = id.ok_or(DeployError::Missing {
            operation: "CreateIntegration",
            member: "integrationId",
        })?;
        let key = Key::IntegrationId(self.domain.clone(), region.clone(), self.uri.clone());
        session.learn(key, id);
        Ok(change)
    }
}

impl Route {
    /// Returns the call that creates the route.
    pub fn creating(&self, region: &RegionName, known: &Known) -> Result<Call, NotKnown> {
        Ok(Call::new(CREATE_ROUTE, region)
            .with("ApiId", api_id(&self.domain, region, known)?)
            .with("RouteKey", &*self.key)
            .with("Target", self.target(region, known)?))
    }

    /// Makes the API have the route.
    pub(crate) async fn ensure(&self, session: &mut Session<'_>) -> Result<Change, DeployError> {
        let region = session.region();
        let api = api_id(&self.domain, region, session.known())?;
        let target = self.target(region, session.known())?;
        let find = |node: Node<'_>| {
            (node.text(&["routeKey"]).as_deref() == Some(&*self.key))
                .then(|| (node.text(&["routeId"]), node.text(&["target"])))
        };
        let look = Call::new(GET_ROUTES, region).with("ApiId", &*api);
        match session.find(look, &PAGES, find).await? {
            Some((_, Some(found))) if found == target => Ok(Change::Unchanged),
            Some((id, _)) => {
                let id = id.ok_or(DeployError::Missing {
                    operation: "GetRoutes",
                    member: "routeId",
                })?;
                let update = Call::new(UPDATE_ROUTE, region)
                    .with("ApiId", api)
                    .with("RouteId", id)
                    .with("RouteKey", &*self.key)
                    .with("Target", target);
                session.update(update).await
            }
            None => {
                let call = self.creating(region, session.known())?;
                session.create(call).await
            }
        }
    }

    fn target(&self, region: &RegionName, known: &Known) -> Result<String, NotKnown> {
        let key = Key::IntegrationId(self.domain.clone(), region.clone(), self.uri.clone());
        Ok(format!("integrations/{}", known.name(key)?))
    }
}

impl Stage {
    /// Returns the call that creates the stage.
    pub fn creating(&self, region: &RegionName, known: &Known) -> Result<Call, NotKnown> {
        Ok(Call::new(CREATE_STAGE, region)
            .with("ApiId", api_id(&self.domain, region, known)?)
            .with("AutoDeploy", true)
            .with("StageName", DEFAULT_STAGE))
    }

    /// Makes the API have the stage.
    pub(crate) async fn ensure(&self, session: &mut Session<'_>) -> Result<Change, DeployError> {
        let region = session.region();
        let look = Call::new(GET_STAGE, region)
            .with("ApiId", api_id(&self.domain, region, session.known())?)
            .with("StageName", DEFAULT_STAGE);
        let found = session.look(look).await?;
        match found.as_ref().map(|stage| stage.text(&["autoDeploy"])) {
            None => {
                let call = self.creating(region, session.known())?;
                session.create(call).await
            }
            Some(Some(deploys)) if deploys == "true" => Ok(Change::Unchanged),
            Some(_) => Err(DeployError::Conflict {
                what: format!("the default stage of the API of {}", self.domain),
                why: "it does not deploy by itself; delete it first".to_owned(),
            }),
        }
    }
}

impl Permission {
    /// Returns the call that gives the permission.
    pub fn creating(&self, region: &RegionName, known: &Known) -> Result<Call, NotKnown> {
        let api = api_id(&self.domain, region, known)?;
        let Self { account, .. } = self;
        Ok(Call::new(ADD_PERMISSION, region)
            .with("FunctionName", &*self.function)
            .with("StatementId", self.statement(region, known)?)
            .with("Action", "lambda:InvokeFunction")
            .with("Principal", "apigateway.amazonaws.com")
            .with(
                "SourceArn",
                format!("arn:aws:execute-api:{region}:{account}:{api}/*"),
            ))
    }

    /// Makes the function let the API call it.
    pub(crate) async fn ensure(&self, session: &mut Session<'_>) -> Result<Change, DeployError> {
        let region = session.region();
        let look = Call::new(GET_POLICY, region).with("FunctionName", &*self.function);
        let statement = self.statement(region, session.known())?;
        let policy = session.look(look).await?;
        let policy = policy.and_then(|reply| reply.text(&["Policy"]));
        if policy.is_some_and(|policy| has_statement(&policy, &statement)) {
            return Ok(Change::Unchanged);
        }
        let call = self.creating(region, session.known())?;
        match session.change(call).await {
            Ok(_) => Ok(Change::Created),
            // A statement of this id can only be ours: it carries the API's id.
            Err(DeployError::Call(error)) if error.code() == Some("ResourceConflictException") => {
                Ok(Change::Unchanged)
            }
            Err(error) => Err(error),
        }
    }

    fn statement(&self, region: &RegionName, known: &Known) -> Result<String, NotKnown> {
        Ok(format!("api-{}", api_id(&self.domain, region, known)?))
    }
}

/// Returns whether a policy, a JSON text, has a statement of this id.
fn has_statement(policy: &str, id: &str) -> bool {
    let policy: Value = serde_json::from_str(policy).unwrap_or_default();
    let statements = policy.get("Statement").and_then(Value::as_array);
    statements
        .into_iter()
        .flatten()
        .any(|statement| statement.get("Sid").and_then(Value::as_str) == Some(id))
}

impl DomainName {
    /// Returns the call that creates the domain name.
    pub fn creating(&self, region: &RegionName, known: &Known) -> Result<Call, NotKnown> {
        let tags = (!self.tags.is_empty()).then(|| Shape::Map(self.tags.clone()));
        Ok(Call::new(CREATE_DOMAIN_NAME, region)
            .with("DomainName", &*self.domain)
            .with(
                "DomainNameConfigurations",
                self.configuration(region, known)?,
            )
            .with_some("Tags", tags))
    }

    /// Makes the region have the domain name.
    pub(crate) async fn ensure(&self, session: &mut Session<'_>) -> Result<Change, DeployError> {
        let region = session.region();
        let look = Call::new(GET_DOMAIN_NAME, region).with("DomainName", &*self.domain);
        let key = Key::CertificateArn(self.domain.clone(), region.clone());
        let certificate = session.known().name(key)?;
        let found = session.look(look.clone()).await?;
        let change = match found
            .as_ref()
            .map(|name| configured(name, "certificateArn"))
        {
            None => {
                let call = self.creating(region, session.known())?;
                session.change(call).await?;
                Change::Created
            }
            Some(Some(arn)) if arn == certificate => Change::Unchanged,
            Some(_) => {
                let configuration = self.configuration(region, session.known())?;
                let update = Call::new(UPDATE_DOMAIN_NAME, region)
                    .with("DomainName", &*self.domain)
                    .with("DomainNameConfigurations", configuration);
                session.change(update).await?;
                Change::Updated
            }
        };
        let change = match found.and_then(|name| self.sessions(&name)) {
            None => change,
            Some(value) => {
                let resource = format!("/domainnames/{}", self.domain);
                let arn = format!("arn:aws:apigateway:{region}::{resource}");
                let tags = vec![(SESSIONS_TAG.to_owned(), value.to_owned())];
                let tag = Call::new(TAG_API, region)
                    .with("ResourceArn", arn)
                    .with("Tags", Shape::Map(tags));
                session.change(tag).await?;
                Change::Updated
            }
        };
        let available = session
            .wait(
                "the domain name to be available",
                look,
                |name| match configured(name, "domainNameStatus").as_deref() {
                    Some("AVAILABLE") => Waited::Reached,
                    Some(status) => Waited::Seen(status.to_owned()),
                    None => Waited::Seen("unknown".to_owned()),
                },
            )
            .await?;
        let missing = |member| DeployError::Missing {
            operation: "GetDomainName",
            member,
        };
        let target = configured(&available, "apiGatewayDomainName")
            .ok_or_else(|| missing("apiGatewayDomainName"))?;
        let zone = configured(&available, "hostedZoneId").ok_or_else(|| missing("hostedZoneId"))?;
        let place = || (self.domain.clone(), region.clone());
        let (domain, region) = place();
        session.learn(Key::DomainTarget(domain, region), target);
        let (domain, region) = place();
        session.learn(Key::DomainTargetZone(domain, region), zone);
        Ok(change)
    }

    /// Returns what the tag for sessions of a domain name must become; `None` where it is right.
    fn sessions(&self, found: &Reply) -> Option<&'static str> {
        let is_tag = |(name, _): &&(String, String)| name == SESSIONS_TAG;
        let wanted = self.tags.iter().find(is_tag).map(|_| "on");
        let tags = found.at(&["tags"]).map(|tags| tags.entries(&[]));
        let tags = tags.unwrap_or_default();
        let present = tags.iter().find(is_tag).map(|(_, value)| value.as_str());
        let is_right = present == wanted || (present == Some("off") && wanted.is_none());
        (!is_right).then_some(wanted.unwrap_or("off"))
    }

    fn configuration(&self, region: &RegionName, known: &Known) -> Result<Shape, NotKnown> {
        let key = Key::CertificateArn(self.domain.clone(), region.clone());
        let configuration = structure([
            ("CertificateArn", known.name(key)?.into()),
            ("EndpointType", "REGIONAL".into()),
            ("SecurityPolicy", "TLS_1_2".into()),
        ]);
        Ok(Shape::List {
            member: "member",
            items: vec![configuration],
        })
    }
}

impl ApiMapping {
    /// Returns the call that creates the mapping.
    pub fn creating(&self, region: &RegionName, known: &Known) -> Result<Call, NotKnown> {
        Ok(Call::new(CREATE_API_MAPPING, region)
            .with("ApiId", api_id(&self.domain, region, known)?)
            .with("DomainName", &*self.domain)
            .with("Stage", DEFAULT_STAGE))
    }

    /// Makes the domain show the API.
    pub(crate) async fn ensure(&self, session: &mut Session<'_>) -> Result<Change, DeployError> {
        let region = session.region();
        let api = api_id(&self.domain, region, session.known())?;
        let find = |node: Node<'_>| {
            let whole = node.text(&["apiMappingKey"]).unwrap_or_default().is_empty();
            whole.then(|| {
                let text = |name| node.text(&[name]).unwrap_or_default();
                (text("apiMappingId"), text("apiId"), text("stage"))
            })
        };
        let look = Call::new(GET_API_MAPPINGS, region).with("DomainName", &*self.domain);
        match session.find(look, &PAGES, find).await? {
            Some((_, found, stage)) if found == api && stage == DEFAULT_STAGE => {
                Ok(Change::Unchanged)
            }
            Some((id, _, _)) => {
                let update = Call::new(UPDATE_API_MAPPING, region)
                    .with("ApiId", api)
                    .with("ApiMappingId", id)
                    .with("DomainName", &*self.domain)
                    .with("Stage", DEFAULT_STAGE);
                session.update(update).await
            }
            None => {
                let call = self.creating(region, session.known())?;
                session.create(call).await
            }
        }
    }
}

/// Returns a member of a domain name's first configuration.
pub(super) fn configured(name: &Reply, member: &str) -> Option<String> {
    name.items(&["domainNameConfigurations"], "")
        .first()?
        .text(&[member])
}

fn api_id(domain: &str, region: &RegionName, known: &Known) -> Result<String, NotKnown> {
    known.name(Key::ApiId(domain.to_owned(), region.clone()))
}

/// The tag of a domain name that gives its clients sessions.
pub const SESSIONS_TAG: &str = "hither:sessions";

/// The stage that is shown at an API's root.
const DEFAULT_STAGE: &str = "$default";

/// How API Gateway's lists are read.
const PAGES: Listing = Listing {
    items: &["items"],
    member: "",
    next: &["nextToken"],
    token: "NextToken",
};
