//! Record sets of one name and type: whether a new one fits beside the others.
//!
//! Source: Route 53 developer guide, "Choosing a routing policy"; messages as clients report them.

use control::dns::{Data, RecordSet, Routing};

use super::{Change, Sets};

/// Returns why a change's record set does not fit beside those of its name and type.
pub(super) fn conflicts(change: &Change, sets: &Sets) -> Option<String> {
    let key = change.key();
    let prefix = format!("{} {} ", change.name.sort_key(), change.record_type);
    let others = sets
        .range(prefix.clone()..)
        .take_while(|(other, _)| other.starts_with(&prefix))
        .filter(|(other, _)| **other != key)
        .map(|(_, other)| other);
    let set = &change.set;
    let described = change.described();
    for other in others {
        if set.routing == Routing::Simple {
            return Some(format!(
                "{described} cannot be created as other RRSets exist with the same name and type."
            ));
        }
        if policy(&set.routing) != policy(&other.routing) {
            let policy = policy(&set.routing);
            return Some(format!(
                "{described} cannot be created as a non-{policy} set exists with the same name \
                 and type."
            ));
        }
        if let Some(message) = same_policy(set, other, &described) {
            return Some(message);
        }
    }
    (set.routing == Routing::Multivalue && matches!(set.data, Data::Alias { .. })).then(|| {
        format!("{described} cannot be created as multivalue answer sets cannot be aliases.")
    })
}

fn same_policy(set: &RecordSet, other: &RecordSet, described: &str) -> Option<String> {
    let ttl = |set: &RecordSet| match set.data {
        Data::Records { ttl, .. } => Some(ttl),
        Data::Alias { .. } => None,
    };
    match (&set.routing, &other.routing) {
        (Routing::Weighted(_), _) => {
            let (mine, theirs) = (ttl(set)?, ttl(other)?);
            (mine != theirs).then(|| {
                format!("{described} cannot be created as weighted sets must contain the same TTL.")
            })
        }
        (Routing::Latency(mine), Routing::Latency(theirs)) => (mine == theirs).then(|| {
            format!(
                "{described}, and Region Name={mine} cannot be created because a latency RRSet \
                 with the same name, type and region already exists."
            )
        }),
        (Routing::Primary, Routing::Primary) => Some(failover(described, "primary")),
        (Routing::Secondary, Routing::Secondary) => Some(failover(described, "secondary")),
        (
            Routing::Cidr {
                collection,
                location,
            },
            Routing::Cidr {
                collection: theirs,
                location: taken,
            },
        ) => {
            if collection != theirs {
                Some(format!(
                    "{described}, and CIDR collection {collection} cannot be created because a \
                     CIDR RRSet with the same name and type uses another CIDR collection."
                ))
            } else if location == taken {
                Some(format!(
                    "{described}, and CIDR location {location} cannot be created because a CIDR \
                     RRSet with the same name, type and location already exists."
                ))
            } else {
                None
            }
        }
        _ => None,
    }
}

fn failover(described: &str, role: &str) -> String {
    format!(
        "{described} cannot be created as a failover {role} set exists with the same name and \
         type."
    )
}

fn policy(routing: &Routing) -> &'static str {
    match routing {
        Routing::Simple => "simple",
        Routing::Weighted(_) => "weighted",
        Routing::Latency(_) => "latency",
        Routing::Primary | Routing::Secondary => "failover",
        Routing::Multivalue => "multivalue",
        Routing::Cidr { .. } => "CIDR",
    }
}
