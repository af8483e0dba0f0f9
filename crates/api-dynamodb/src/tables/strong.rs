//! What a request must be like that asks for strong consistency between regions.
//!
//! There are no such tables here: what AWS refuses is refused in its words and order, and what
//! is left is refused by name. Source: DynamoDB developer guide, "Multi-Region strong
//! consistency"; the words of refusals are the service's.

use std::collections::BTreeSet;

use api_protocol::fault::Fault;

use super::create;
use super::replica_updates::ReplicaIn;
use crate::fault;
use crate::wire::shape;

shape! {
    /// A change of the witness.
    WitnessIn {
        create: "Create" as MemberIn,
        delete: "Delete" as MemberIn,
    }
}

shape! {
    /// Where a witness is.
    MemberIn { region: "RegionName" as String, }
}

/// Checks a request of the table of region `own`.
///
/// Errors: `ValidationException`, for whatever asks for more than eventual consistency.
pub(super) fn check(
    own: &str,
    mode: Option<&str>,
    replicas: &[ReplicaIn],
    witnesses: &[WitnessIn],
) -> Result<(), Fault> {
    if replicas.is_empty() {
        return Ok(());
    }
    if mode != Some("STRONG") {
        if witnesses.is_empty() {
            return Ok(());
        }
        return Err(fault::validation(
            "MultiRegionConsistency must be set as STRONG when GlobalTableWitnessUpdates parameter \
             is present.",
        ));
    }
    let created: Option<Vec<&str>> = replicas.iter().map(ReplicaIn::created).collect();
    let witnessed: Option<Vec<&str>> = witnesses.iter().map(WitnessIn::created).collect();
    let (Some(created), Some(witnessed)) = (created, witnessed) else {
        return Err(fault::validation(
            "Only Replica Create actions are supported when MultiRegionConsistency parameter is \
             provided.",
        ));
    };
    if created.len() + witnessed.len() != OTHERS {
        return Err(fault::validation(format!(
            "Unsupported replica count for {WITH_STRONG}."
        )));
    }
    let all = created.iter().chain(&witnessed).chain([&own]);
    let strange: BTreeSet<&str> = all
        .filter(|name| !REGIONS.contains(name))
        .copied()
        .collect();
    if !strange.is_empty() {
        let strange: Vec<&str> = strange.into_iter().collect();
        return Err(fault::validation(format!(
            "Unsupported Region(s) specified for {WITH_STRONG}: [{}].",
            strange.join(", ")
        )));
    }
    if witnessed.contains(&own) {
        return Err(fault::validation(format!(
            "Cannot add a witness in the same region as an existing replica when creating a \
             {}.",
            WITH_STRONG.replacen("tables", "table", 1)
        )));
    }
    let distinct: BTreeSet<&&str> = created.iter().chain(&witnessed).collect();
    if distinct.len() < OTHERS {
        return Err(fault::validation(
            "Cannot target multiple regions with the same action",
        ));
    }
    create::refuse(&[("MultiRegionConsistency STRONG", true)])
}

impl WitnessIn {
    /// Returns where a witness is to be made, where that is all that is asked.
    fn created(&self) -> Option<&str> {
        let member = self.create.as_ref().filter(|_| self.delete.is_none())?;
        Some(member.region.as_deref().unwrap_or_default())
    }
}

/// How many regions there are beside the first: there are three.
const OTHERS: usize = 2;

const WITH_STRONG: &str = "global tables with MultiRegionConsistency set to STRONG";

/// Where the service has such tables: Virginia, Ohio, Oregon; Ireland, London, Paris, Frankfurt;
/// Tokyo, Seoul, Osaka.
const REGIONS: [&str; 10] = [
    "us-east-1",
    "us-east-2",
    "us-west-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-central-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
];
