//! A domain's hosted zone, and one latency record a region, each tied to its health check.
//!
//! Source: Route 53 API reference, `CreateHostedZone`, `ChangeResourceRecordSets`; developer
//! guide, "Values specific for latency alias records".

use base::region::RegionName;

use crate::call::{Call, Shape, structure};
use crate::client::{ClientError, Node, Reply};
use crate::execute::{Change, DeployError, Listing, Session, Waited};
use crate::known::{Key, Known, NotKnown};
use crate::operation::{
    CHANGE_RESOURCE_RECORD_SETS, CREATE_HOSTED_ZONE, GET_CHANGE, LIST_HOSTED_ZONES,
    LIST_RESOURCE_RECORD_SETS,
};

/// The hosted zone that holds a domain's records.
#[derive(Clone, Debug)]
pub struct HostedZone {
    /// The domain.
    pub domain: String,
    /// The zone to make where none holds the domain, with the final dot.
    pub name: String,
    /// A name for the request that no other has used.
    pub reference: String,
}

/// A domain's records.
#[derive(Clone, Debug)]
pub struct Records {
    /// The domain.
    pub domain: String,
    /// One record a region.
    pub regions: Vec<Record>,
}

/// One region's record.
#[derive(Clone, Debug)]
pub struct Record {
    /// The region.
    pub region: RegionName,
    /// `A` or `AAAA`, as the region's address is.
    pub record_type: &'static str,
    /// Whether the record depends on a health check.
    pub checked: bool,
}

impl HostedZone {
    /// Returns the call that creates the zone.
    pub fn creating(&self, home: &RegionName) -> Call {
        Call::new(CREATE_HOSTED_ZONE, home)
            .with("Name", &*self.name)
            .with("CallerReference", &*self.reference)
    }

    /// Makes a zone exist that holds the domain: the closest one that is there, or a fresh one.
    pub(crate) async fn ensure(&self, session: &mut Session<'_>) -> Result<Change, DeployError> {
        let home = session.region();
        let pages = session
            .pages(Call::new(LIST_HOSTED_ZONES, home), &PAGES)
            .await?;
        let zones = pages
            .iter()
            .flat_map(|page| page.items(PAGES.items, PAGES.member));
        let closest = zones
            .filter(|zone| zone.text(&["Config", "PrivateZone"]).as_deref() != Some("true"))
            .filter_map(|zone| Some((zone.text(&["Name"])?, zone.text(&["Id"])?)))
            .filter(|(name, _)| self.name.len() <= name.len() && is_within(&self.domain, name))
            .max_by_key(|(name, _)| name.len());
        if let Some((_, id)) = closest {
            session.learn(Key::ZoneId(self.domain.clone()), bare(&id));
            return Ok(Change::Unchanged);
        }
        let reply = session.change(self.creating(home)).await?;
        let id = reply
            .text(&["HostedZone", "Id"])
            .ok_or(DeployError::Missing {
                operation: "CreateHostedZone",
                member: "HostedZone.Id",
            })?;
        let servers: Vec<String> = reply
            .items(&["DelegationSet", "NameServers"], "NameServer")
            .into_iter()
            .filter_map(|server| server.text(&[]))
            .collect();
        session.learn(Key::ZoneId(self.domain.clone()), bare(&id));
        session.learn(Key::NameServers(self.domain.clone()), servers.join(" "));
        wait_in_sync(session, &reply).await?;
        Ok(Change::Created)
    }
}

impl Records {
    /// Returns the call that makes all records.
    pub fn creating(&self, home: &RegionName, known: &Known) -> Result<Call, NotKnown> {
        let all: Vec<&Record> = self.regions.iter().collect();
        self.upserting(&all, home, known)
    }

    /// Makes the zone hold the records.
    pub(crate) async fn ensure(&self, session: &mut Session<'_>) -> Result<Change, DeployError> {
        let home = session.region();
        let zone = session.known().name(Key::ZoneId(self.domain.clone()))?;
        let mut due = Vec::new();
        let mut found_any = false;
        for record_type in ["A", "AAAA"] {
            let of_type = |record: &&Record| record.record_type == record_type;
            let wanted: Vec<&Record> = self.regions.iter().filter(of_type).collect();
            if wanted.is_empty() {
                continue;
            }
            let look = Call::new(LIST_RESOURCE_RECORD_SETS, home)
                .with("HostedZoneId", &*zone)
                .with("StartRecordName", &*self.domain)
                .with("StartRecordType", record_type);
            let reply = session.look(look).await?.ok_or(DeployError::Missing {
                operation: "ListResourceRecordSets",
                member: "ResourceRecordSets",
            })?;
            let found = reply.items(&["ResourceRecordSets"], "ResourceRecordSet");
            for record in wanted {
                let present = found.iter().find(|set| self.is_of(record, **set));
                found_any |= present.is_some();
                let same = match present {
                    Some(set) => self.is_same(record, *set, session.known())?,
                    None => false,
                };
                if !same {
                    due.push(record);
                }
            }
        }
        if due.is_empty() {
            return Ok(Change::Unchanged);
        }
        let call = self.upserting(&due, home, session.known())?;
        let reply = session.change_when_settled(call, is_early).await?;
        wait_in_sync(session, &reply).await?;
        Ok(if found_any {
            Change::Updated
        } else {
            Change::Created
        })
    }

    fn upserting(
        &self,
        records: &[&Record],
        home: &RegionName,
        known: &Known,
    ) -> Result<Call, NotKnown> {
        let changes = records
            .iter()
            .map(|record| {
                Ok(structure([
                    ("Action", "UPSERT".into()),
                    ("ResourceRecordSet", self.record_set(record, known)?),
                ]))
            })
            .collect::<Result<Vec<_>, NotKnown>>()?;
        let changes = Shape::List {
            member: "Change",
            items: changes,
        };
        Ok(Call::new(CHANGE_RESOURCE_RECORD_SETS, home)
            .with(
                "HostedZoneId",
                known.name(Key::ZoneId(self.domain.clone()))?,
            )
            .with("ChangeBatch", structure([("Changes", changes)])))
    }

    fn record_set(&self, record: &Record, known: &Known) -> Result<Shape, NotKnown> {
        let name = |key: fn(String, RegionName) -> Key| {
            known.name(key(self.domain.clone(), record.region.clone()))
        };
        let alias = structure([
            ("HostedZoneId", name(Key::DomainTargetZone)?.into()),
            ("DNSName", name(Key::DomainTarget)?.into()),
            ("EvaluateTargetHealth", true.into()),
        ]);
        let mut members = vec![
            ("Name", self.domain.as_str().into()),
            ("Type", record.record_type.into()),
            ("SetIdentifier", record.region.as_str().into()),
            ("Region", record.region.as_str().into()),
            ("AliasTarget", alias),
        ];
        if record.checked {
            members.push(("HealthCheckId", name(Key::HealthCheckId)?.into()));
        }
        Ok(Shape::Structure(members))
    }

    fn is_of(&self, record: &Record, set: Node<'_>) -> bool {
        let name = set.text(&["Name"]).unwrap_or_default();
        name.trim_end_matches('.')
            .eq_ignore_ascii_case(&self.domain)
            && set.text(&["Type"]).as_deref() == Some(record.record_type)
            && set.text(&["SetIdentifier"]).as_deref() == Some(record.region.as_str())
    }

    fn is_same(&self, record: &Record, set: Node<'_>, known: &Known) -> Result<bool, NotKnown> {
        let name = |key: fn(String, RegionName) -> Key| {
            known.name(key(self.domain.clone(), record.region.clone()))
        };
        let target = set.text(&["AliasTarget", "DNSName"]).unwrap_or_default();
        let check = if record.checked {
            Some(name(Key::HealthCheckId)?)
        } else {
            None
        };
        Ok(
            set.text(&["Region"]).as_deref() == Some(record.region.as_str())
                && target.trim_end_matches('.') == name(Key::DomainTarget)?.trim_end_matches('.')
                && set.text(&["AliasTarget", "HostedZoneId"]) == Some(name(Key::DomainTargetZone)?)
                && set
                    .text(&["AliasTarget", "EvaluateTargetHealth"])
                    .as_deref()
                    == Some("true")
                && set.text(&["HealthCheckId"]) == check,
        )
    }
}

/// Returns whether a change names what this region has not heard of yet.
fn is_early(error: &ClientError) -> bool {
    match error {
        ClientError::Refused(refusal) => {
            let not_found = refusal.message.contains("not found");
            refusal.code == "NoSuchHealthCheck"
                || (refusal.code == "InvalidChangeBatch" && not_found)
        }
        ClientError::NoEndpoint(_)
        | ClientError::Unreachable { .. }
        | ClientError::Broken { .. }
        | ClientError::Slow { .. }
        | ClientError::Unreadable { .. }
        | ClientError::Unsigned { .. } => false,
    }
}

async fn wait_in_sync(session: &mut Session<'_>, changed: &Reply) -> Result<(), DeployError> {
    let id = changed
        .text(&["ChangeInfo", "Id"])
        .ok_or(DeployError::Missing {
            operation: "ChangeResourceRecordSets",
            member: "ChangeInfo.Id",
        })?;
    let look = Call::new(GET_CHANGE, session.region()).with("Id", bare(&id));
    session
        .wait(
            "the change to reach all name servers",
            look,
            |reply| match reply.text(&["ChangeInfo", "Status"]).as_deref() {
                Some("INSYNC") => Waited::Reached,
                Some(status) => Waited::Seen(status.to_owned()),
                None => Waited::Seen("unknown".to_owned()),
            },
        )
        .await?;
    Ok(())
}

/// Returns the id of `/hostedzone/Z1` or `/change/C1` without its path.
fn bare(id: &str) -> String {
    id.rsplit('/').next().unwrap_or_default().to_owned()
}

/// Returns whether a domain is a zone's name or lies below it; the zone ends in a dot.
fn is_within(domain: &str, zone: &str) -> bool {
    let (domain, zone) = (domain.to_ascii_lowercase(), zone.to_ascii_lowercase());
    let zone = zone.trim_end_matches('.');
    domain
        .strip_suffix(zone)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// How Route 53's list of zones is read.
const PAGES: Listing = Listing {
    items: &["HostedZones"],
    member: "HostedZone",
    next: &["NextMarker"],
    token: "Marker",
};
