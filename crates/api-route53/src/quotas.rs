//! Quotas and how much of them is used.
//!
//! Source: Route 53 API reference, `GetAccountLimit`, `GetHostedZoneLimit`.

use api_protocol::fault::Fault;
use control::dns::RecordSet;
use http::StatusCode;
use store::port::Store;

use crate::facade::{Call, Reply, Route53};
use crate::faults;
use crate::limits::{CHECKS_MAX, RECORD_SETS_MAX, ZONES_MAX};

impl<S: Store> Route53<S> {
    pub(crate) fn account_limit(&self, call: &Call<'_>, limit: &str) -> Result<Reply, Fault> {
        let (value, count) = match limit {
            "MAX_HOSTED_ZONES_BY_OWNER" => (ZONES_MAX, self.zones_of(call.caller).len()),
            "MAX_HEALTH_CHECKS_BY_OWNER" => (CHECKS_MAX, self.checks_of(call.caller).len()),
            other => return Err(unknown(other)),
        };
        Ok(reply("GetAccountLimitResponse", limit, value, count))
    }

    pub(crate) fn hosted_zone_limit(
        &self,
        call: &Call<'_>,
        id: &str,
        limit: &str,
    ) -> Result<Reply, Fault> {
        self.zone_of(call.caller, id)?;
        match limit {
            "MAX_RRSETS_BY_ZONE" => {
                let count = self.control.list::<RecordSet>(id, "").len();
                Ok(reply(
                    "GetHostedZoneLimitResponse",
                    limit,
                    RECORD_SETS_MAX,
                    count,
                ))
            }
            "MAX_VPCS_ASSOCIATED_BY_ZONE" => {
                let message = format!("The hosted zone {id} is not private.");
                Err(Fault::caller("HostedZoneNotPrivate", message)
                    .with_status(StatusCode::BAD_REQUEST))
            }
            other => Err(unknown(other)),
        }
    }
}

fn unknown(limit: &str) -> Fault {
    faults::invalid_input(format!("There is no limit of type {limit:?} here."))
}

fn reply(root: &str, limit: &str, value: usize, count: usize) -> Reply {
    Reply::document(root, |xml| {
        xml.within("Limit", |xml| {
            xml.leaf("Type", limit);
            xml.leaf("Value", &value.to_string());
        });
        xml.leaf("Count", &count.to_string());
    })
}
