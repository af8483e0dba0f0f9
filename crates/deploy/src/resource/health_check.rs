//! The health check of a region's own endpoint.
//!
//! It asks the API by the name of its own endpoint, not by the domain: a check of the domain
//! would follow DNS to whatever region is healthy. Source: Route 53 API reference,
//! `CreateHealthCheck`; developer guide, "How Route 53 determines whether a check is healthy".

use std::net::SocketAddr;

use base::region::RegionName;

use crate::call::{Call, Shape, structure};
use crate::client::Node;
use crate::execute::{Change, DeployError, Listing, Session};
use crate::known::{Key, Known, NotKnown};
use crate::operation::{
    CHANGE_TAGS_FOR_RESOURCE, CREATE_HEALTH_CHECK, LIST_HEALTH_CHECKS, LIST_TAGS_FOR_RESOURCE,
    UPDATE_HEALTH_CHECK,
};

/// A health check as it should be.
#[derive(Clone, Debug)]
pub struct HealthCheck {
    /// The domain whose API is asked.
    pub domain: String,
    /// The region that is asked to make the check; checks themselves are global.
    pub home: RegionName,
    /// The region whose endpoint is asked.
    pub region: RegionName,
    /// A name for the request that no other has used.
    pub reference: String,
    /// Where the region's gateway listens for HTTPS.
    pub address: SocketAddr,
    /// The path asked for.
    pub path: String,
    /// How many probes in a row change the verdict.
    pub failures: i64,
    /// Units: seconds; AWS knows 10 and 30.
    pub interval_secs: i64,
    /// Tags, the real interval among them.
    pub tags: Vec<(String, String)>,
}

impl HealthCheck {
    /// Returns the call that creates the check.
    pub fn creating(&self, known: &Known) -> Result<Call, NotKnown> {
        let config = structure([
            ("IPAddress", self.address.ip().to_string().into()),
            ("Port", i64::from(self.address.port()).into()),
            ("Type", "HTTPS".into()),
            ("ResourcePath", self.path.as_str().into()),
            ("FullyQualifiedDomainName", self.host(known)?.into()),
            ("RequestInterval", self.interval_secs.into()),
            ("FailureThreshold", self.failures.into()),
            ("EnableSNI", true.into()),
        ]);
        Ok(Call::new(CREATE_HEALTH_CHECK, &self.home)
            .with("CallerReference", &*self.reference)
            .with("HealthCheckConfig", config))
    }

    /// Returns the call that tags the check.
    pub fn tagging(&self, known: &Known) -> Result<Call, NotKnown> {
        let tags = self.tags.iter().map(|(key, value)| {
            structure([
                ("Key", key.as_str().into()),
                ("Value", value.as_str().into()),
            ])
        });
        Ok(Call::new(CHANGE_TAGS_FOR_RESOURCE, &self.home)
            .with("ResourceType", "healthcheck")
            .with("ResourceId", known.name(self.key())?)
            .with(
                "AddTags",
                Shape::List {
                    member: "Tag",
                    items: tags.collect(),
                },
            ))
    }

    /// Makes the check exist.
    pub(crate) async fn ensure(&self, session: &mut Session<'_>) -> Result<Change, DeployError> {
        let host = self.host(session.known())?;
        let find = |node: Node<'_>| {
            let config = |name| node.text(&["HealthCheckConfig", name]);
            let same = config("FullyQualifiedDomainName").as_deref() == Some(&*host)
                && config("Type").as_deref() == Some("HTTPS");
            same.then(|| (node.text(&["Id"]), self.is_configured(node)))
        };
        let look = Call::new(LIST_HEALTH_CHECKS, &self.home);
        let found = session.find(look, &PAGES, find).await?;
        let missing = DeployError::Missing {
            operation: "CreateHealthCheck",
            member: "Id",
        };
        let (id, mut change) = match found {
            Some((Some(id), true)) => (id, Change::Unchanged),
            Some((Some(id), false)) => {
                session.change(self.updating(&id)).await?;
                (id, Change::Updated)
            }
            Some((None, _)) => return Err(missing),
            None => {
                let call = self.creating(session.known())?;
                let reply = session.change(call).await?;
                let id = reply.text(&["HealthCheck", "Id"]).ok_or(missing)?;
                (id, Change::Created)
            }
        };
        session.learn(self.key(), id.clone());
        if self.has_tags(session, &id).await? {
            return Ok(change);
        }
        let call = self.tagging(session.known())?;
        session.change(call).await?;
        if change == Change::Unchanged {
            change = Change::Updated;
        }
        Ok(change)
    }

    async fn has_tags(&self, session: &mut Session<'_>, id: &str) -> Result<bool, DeployError> {
        let look = Call::new(LIST_TAGS_FOR_RESOURCE, &self.home)
            .with("ResourceType", "healthcheck")
            .with("ResourceId", id);
        let reply = session.look(look).await?;
        let present: Vec<(String, String)> = reply
            .iter()
            .flat_map(|reply| reply.items(&["ResourceTagSet", "Tags"], "Tag"))
            .filter_map(|tag| Some((tag.text(&["Key"])?, tag.text(&["Value"])?)))
            .collect();
        Ok(self.tags.iter().all(|tag| present.contains(tag)))
    }

    fn updating(&self, id: &str) -> Call {
        Call::new(UPDATE_HEALTH_CHECK, &self.home)
            .with("HealthCheckId", id)
            .with("IPAddress", self.address.ip().to_string())
            .with("Port", i64::from(self.address.port()))
            .with("ResourcePath", &*self.path)
            .with("FailureThreshold", self.failures)
    }

    fn is_configured(&self, found: Node<'_>) -> bool {
        let is = |name, wanted: String| found.text(&["HealthCheckConfig", name]) == Some(wanted);
        is("IPAddress", self.address.ip().to_string())
            && is("Port", self.address.port().to_string())
            && is("ResourcePath", self.path.clone())
            && is("FailureThreshold", self.failures.to_string())
    }

    fn host(&self, known: &Known) -> Result<String, NotKnown> {
        known.name(Key::ApiHost(self.domain.clone(), self.region.clone()))
    }

    fn key(&self) -> Key {
        Key::HealthCheckId(self.domain.clone(), self.region.clone())
    }
}

/// How Route 53's list of checks is read.
const PAGES: Listing = Listing {
    items: &["HealthChecks"],
    member: "HealthCheck",
    next: &["NextMarker"],
    token: "Marker",
};
