//! A DynamoDB global table: its first replica, the others, and its expiry.
//!
//! Source: DynamoDB API reference, `CreateTable`, `UpdateTable` (`ReplicaUpdates`), and
//! developer guide, "Global tables", version 2019.11.21.

use std::collections::BTreeMap;

use base::region::RegionName;

use crate::call::{Call, Shape, structure};
use crate::client::Reply;
use crate::execute::{Change, DeployError, Session, Waited};
use crate::operation::{
    CREATE_TABLE, DESCRIBE_TABLE, DESCRIBE_TIME_TO_LIVE, LIST_TAGS_OF_RESOURCE, TAG_TABLE,
    UPDATE_TABLE, UPDATE_TIME_TO_LIVE,
};

/// A table as it should be, in the region where it is created first.
#[derive(Clone, Debug)]
pub struct Table {
    /// The table's name.
    pub name: String,
    /// Key attributes and their types, partition key first.
    pub key: Vec<(String, &'static str)>,
    /// What the stream carries; `None` for no stream.
    pub stream: Option<&'static str>,
    /// Tags.
    pub tags: Vec<(String, String)>,
}

/// One more replica of a table.
#[derive(Clone, Debug)]
pub struct Replica {
    /// The table's name.
    pub table: String,
    /// The region that is asked for the replica.
    pub home: RegionName,
    /// The region that gets the replica.
    pub region: RegionName,
}

/// The attribute by which a table's items expire.
#[derive(Clone, Debug)]
pub struct TimeToLive {
    /// The table's name.
    pub table: String,
    /// The attribute, which holds seconds since 1970.
    pub attribute: String,
}

impl Table {
    /// Returns the call that creates the table.
    pub fn creating(&self, region: &RegionName) -> Call {
        let attributes = self.key.iter().map(|(name, kind)| {
            structure([
                ("AttributeName", name.as_str().into()),
                ("AttributeType", (*kind).into()),
            ])
        });
        let schema = self.key.iter().zip(KEY_ROLES).map(|((name, _), role)| {
            structure([
                ("AttributeName", name.as_str().into()),
                ("KeyType", role.into()),
            ])
        });
        Call::new(CREATE_TABLE, region)
            .with("AttributeDefinitions", list(attributes))
            .with("TableName", &*self.name)
            .with("KeySchema", list(schema))
            .with("BillingMode", "PAY_PER_REQUEST")
            .with_some("StreamSpecification", self.stream.map(stream))
            .with_some("Tags", (!self.tags.is_empty()).then(|| tags(&self.tags)))
    }

    /// Makes the region have the table.
    pub(crate) async fn ensure(&self, session: &mut Session<'_>) -> Result<Change, DeployError> {
        let region = session.region();
        let Some(found) = session.look(describing(&self.name, region)).await? else {
            session.change(self.creating(region)).await?;
            wait_active(session, describing(&self.name, region)).await?;
            return Ok(Change::Created);
        };
        self.check_key(&found)?;
        let mut change = Change::Unchanged;
        let view = found.text(&["Table", "StreamSpecification", "StreamViewType"]);
        // A view cannot be changed, only a stream be added: AWS takes it away only when asked.
        if let (Some(wanted), None) = (self.stream, view) {
            let update = Call::new(UPDATE_TABLE, region)
                .with("TableName", &*self.name)
                .with("StreamSpecification", stream(wanted));
            session.change(update).await?;
            wait_active(session, describing(&self.name, region)).await?;
            change = Change::Updated;
        }
        if self.tag_missing(session, &found).await? {
            change = Change::Updated;
        }
        Ok(change)
    }

    fn check_key(&self, found: &Reply) -> Result<(), DeployError> {
        let kinds: BTreeMap<String, String> = found
            .items(&["Table", "AttributeDefinitions"], "")
            .into_iter()
            .filter_map(|node| {
                Some((
                    node.text(&["AttributeName"])?,
                    node.text(&["AttributeType"])?,
                ))
            })
            .collect();
        let schema: Vec<(String, String)> = found
            .items(&["Table", "KeySchema"], "")
            .into_iter()
            .filter_map(|node| Some((node.text(&["AttributeName"])?, node.text(&["KeyType"])?)))
            .collect();
        let wanted = self.key.iter().zip(KEY_ROLES);
        let same = schema.len() == self.key.len()
            && wanted.zip(&schema).all(|(((name, kind), role), found)| {
                (name.as_str(), role) == (&*found.0, &*found.1)
                    && kinds.get(name).map(String::as_str) == Some(kind)
            });
        if same {
            return Ok(());
        }
        let has: Vec<String> = schema.into_iter().map(|(name, _)| name).collect();
        Err(DeployError::Conflict {
            what: format!("table {}", self.name),
            why: format!("it exists with another key ({})", has.join(", ")),
        })
    }

    /// Adds the tags that are missing or different; returns whether there were any.
    async fn tag_missing(
        &self,
        session: &mut Session<'_>,
        found: &Reply,
    ) -> Result<bool, DeployError> {
        if self.tags.is_empty() {
            return Ok(false);
        }
        let arn = found
            .text(&["Table", "TableArn"])
            .ok_or(DeployError::Missing {
                operation: "DescribeTable",
                member: "TableArn",
            })?;
        let region = session.region();
        let list = Call::new(LIST_TAGS_OF_RESOURCE, region).with("ResourceArn", &*arn);
        let reply = session.look(list).await?;
        let present: BTreeMap<String, String> = reply
            .iter()
            .flat_map(|reply| reply.items(&["Tags"], ""))
            .filter_map(|node| Some((node.text(&["Key"])?, node.text(&["Value"])?)))
            .collect();
        let missing: Vec<(String, String)> = self
            .tags
            .iter()
            .filter(|(key, value)| present.get(key) != Some(value))
            .cloned()
            .collect();
        if missing.is_empty() {
            return Ok(false);
        }
        let tag = Call::new(TAG_TABLE, region)
            .with("ResourceArn", arn)
            .with("Tags", tags(&missing));
        session.change(tag).await?;
        Ok(true)
    }
}

impl Replica {
    /// Returns the call that adds the replica.
    pub fn creating(&self) -> Call {
        let create = structure([("RegionName", self.region.as_str().into())]);
        Call::new(UPDATE_TABLE, &self.home)
            .with("TableName", &*self.table)
            .with(
                "ReplicaUpdates",
                list([structure([("Create", create)])].into_iter()),
            )
    }

    /// Makes the table have the replica.
    pub(crate) async fn ensure(&self, session: &mut Session<'_>) -> Result<Change, DeployError> {
        let home = describing(&self.table, &self.home);
        let found = session.look(home.clone()).await?;
        let change = match found.as_ref().and_then(|reply| self.status(reply)) {
            Some(_) => Change::Unchanged,
            None => {
                session.change(self.creating()).await?;
                Change::Created
            }
        };
        session
            .wait("the replica to be active", home, |reply| {
                match self.status(reply).as_deref() {
                    Some("ACTIVE") => Waited::Reached,
                    Some(failed) if failed.ends_with("FAILED") => Waited::Never(failed.to_owned()),
                    Some(status) => Waited::Seen(status.to_owned()),
                    None => Waited::Seen("absent".to_owned()),
                }
            })
            .await?;
        // The home region may know it before the region that holds it does.
        wait_active(session, describing(&self.table, &self.region)).await?;
        Ok(change)
    }

    fn status(&self, table: &Reply) -> Option<String> {
        table
            .items(&["Table", "Replicas"], "")
            .into_iter()
            .find(|replica| replica.text(&["RegionName"]).as_deref() == Some(self.region.as_str()))?
            .text(&["ReplicaStatus"])
    }
}

impl TimeToLive {
    /// Returns the call that sets the attribute.
    pub fn setting(&self, region: &RegionName) -> Call {
        let specification = structure([
            ("Enabled", true.into()),
            ("AttributeName", self.attribute.as_str().into()),
        ]);
        Call::new(UPDATE_TIME_TO_LIVE, region)
            .with("TableName", &*self.table)
            .with("TimeToLiveSpecification", specification)
    }

    /// Makes the table have the attribute.
    pub(crate) async fn ensure(&self, session: &mut Session<'_>) -> Result<Change, DeployError> {
        let region = session.region();
        let look = Call::new(DESCRIBE_TIME_TO_LIVE, region).with("TableName", &*self.table);
        let found = session.look(look).await?;
        let text = |name| found.as_ref()?.text(&["TimeToLiveDescription", name]);
        let status = text("TimeToLiveStatus").unwrap_or_default();
        let on = matches!(&*status, "ENABLED" | "ENABLING");
        match (on, text("AttributeName")) {
            (true, Some(name)) if name == self.attribute => Ok(Change::Unchanged),
            (true, Some(name)) => Err(DeployError::Conflict {
                what: format!("expiry of table {}", self.table),
                why: format!("it is on for the attribute {name}; turn that off first"),
            }),
            (true | false, _) => session.create(self.setting(region)).await,
        }
    }
}

async fn wait_active(session: &mut Session<'_>, describe: Call) -> Result<(), DeployError> {
    session
        .wait("the table to be active", describe, |reply| {
            match reply.text(&["Table", "TableStatus"]).as_deref() {
                Some("ACTIVE") => Waited::Reached,
                Some(status) => Waited::Seen(status.to_owned()),
                None => Waited::Seen("absent".to_owned()),
            }
        })
        .await?;
    Ok(())
}

fn describing(table: &str, region: &RegionName) -> Call {
    Call::new(DESCRIBE_TABLE, region).with("TableName", table)
}

fn stream(view: &str) -> Shape {
    structure([
        ("StreamEnabled", true.into()),
        ("StreamViewType", view.into()),
    ])
}

fn tags(tags: &[(String, String)]) -> Shape {
    list(tags.iter().map(|(key, value)| {
        structure([
            ("Key", key.as_str().into()),
            ("Value", value.as_str().into()),
        ])
    }))
}

fn list(items: impl Iterator<Item = Shape>) -> Shape {
    Shape::List {
        member: "member",
        items: items.collect(),
    }
}

/// What the attributes of a key are for, in their order.
const KEY_ROLES: [&str; 2] = ["HASH", "RANGE"];
