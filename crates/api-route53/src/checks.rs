//! Health checks: made, listed, updated, removed, and what was last seen of them.
//!
//! It probes nothing: the health plane follows what is stored here.
//! Source: Route 53 API reference, "Actions on health checks".

use api_protocol::caller::Caller;
use api_protocol::fault::Fault;
use api_protocol::timestamp;
use control::dns::check::{self, Wanted};
use control::dns::{CHECK, HealthCheck, TAGS, Tags, check_id};
use control::resource::Change;
use store::port::Store;

use crate::check_xml;
use crate::facade::{Call, Reply, Route53};
use crate::faults::{self, invalid_input};
use crate::limits::{CHECK_REFERENCE_CHARACTERS_MAX, CHECKS_MAX, PAGE_MAX};
use crate::zones::{items_max, write_page};

impl<S: Store> Route53<S> {
    pub(crate) fn checks_of(&self, caller: &Caller) -> Vec<HealthCheck> {
        let account = caller.account.to_string();
        let mut checks = self.control.all::<HealthCheck>();
        checks.retain(|check| check.account == account);
        checks
    }

    /// Returns a check that belongs to the caller.
    pub(crate) fn check_of(&self, caller: &Caller, id: &str) -> Result<HealthCheck, Fault> {
        self.control
            .get::<HealthCheck>(id, CHECK)
            .filter(|check| check.account == caller.account.to_string())
            .ok_or_else(|| faults::no_such_health_check(id))
    }

    pub(crate) fn tags_of_check(&self, id: &str) -> Option<Tags> {
        self.control
            .get::<Tags>(&Tags::partition_of("healthcheck", id), TAGS)
    }

    pub(crate) async fn create_check(&self, call: &Call<'_>) -> Result<Reply, Fault> {
        let document = call.document("CreateHealthCheckRequest")?;
        let reference = document.text_of("CallerReference").unwrap_or_default();
        if !(1..=CHECK_REFERENCE_CHARACTERS_MAX).contains(&reference.chars().count()) {
            return Err(invalid_input(
                "The caller reference must have 1 to 64 characters.",
            ));
        }
        let config = document
            .child("HealthCheckConfig")
            .ok_or_else(|| invalid_input("The request has no HealthCheckConfig."))?;
        let account = call.caller.account.to_string();
        let new = HealthCheck {
            id: check_id(&account, reference),
            account,
            caller_reference: reference.to_owned(),
            version: 1,
            config: check_xml::read(config)?,
        };
        self.probeable(call.caller, &new, None)?;
        let _turn = self.changing.lock().await;
        let check = match self.control.get::<HealthCheck>(&new.id, CHECK) {
            // The same call again: the check is there already.
            Some(old) if old.config == new.config => old,
            Some(_) => {
                let message = "A health check with the specified caller reference but different \
                               settings already exists.";
                return Err(faults::conflict("HealthCheckAlreadyExists", message));
            }
            None => {
                if CHECKS_MAX <= self.checks_of(call.caller).len() {
                    let message =
                        format!("The account already has the {CHECKS_MAX} health checks it may.");
                    return Err(Fault::caller("TooManyHealthChecks", message));
                }
                let change = Change::create(&new);
                self.control
                    .change(vec![change])
                    .await
                    .map_err(faults::not_changed)?;
                new
            }
        };
        let reply = Reply::document("CreateHealthCheckResponse", |xml| {
            check_xml::write(&check, xml);
        });
        Ok(reply.created(&format!("healthcheck/{}", check.id)))
    }

    /// Errors: `InvalidInput` for a check that cannot be probed or counts one that is not there.
    pub(crate) fn probeable(
        &self,
        caller: &Caller,
        check: &HealthCheck,
        tags: Option<&Tags>,
    ) -> Result<(), Fault> {
        check::spec(check, tags)
            .map_err(|error| invalid_input(format!("Invalid health check: {error}.")))?;
        for child in &check.config.child_health_checks {
            if *child == check.id || self.check_of(caller, child).is_err() {
                let message = format!("There is no child health check {child}.");
                return Err(invalid_input(message));
            }
        }
        Ok(())
    }

    pub(crate) fn check(&self, call: &Call<'_>, id: &str) -> Result<Reply, Fault> {
        let check = self.check_of(call.caller, id)?;
        Ok(Reply::document("GetHealthCheckResponse", |xml| {
            check_xml::write(&check, xml);
        }))
    }

    pub(crate) fn check_count(&self, call: &Call<'_>) -> Reply {
        let count = self.checks_of(call.caller).len();
        Reply::document("GetHealthCheckCountResponse", |xml| {
            xml.leaf("HealthCheckCount", &count.to_string());
        })
    }

    pub(crate) fn list_checks(&self, call: &Call<'_>) -> Result<Reply, Fault> {
        let items_max = items_max(call, PAGE_MAX)?;
        let marker = call.parameters.first("marker");
        let mut checks = self.checks_of(call.caller);
        checks.retain(|check| marker.is_none_or(|marker| marker <= check.id.as_str()));
        let next = checks.get(items_max).map(|check| check.id.clone());
        checks.truncate(items_max);
        Ok(Reply::document("ListHealthChecksResponse", |xml| {
            xml.within("HealthChecks", |xml| {
                for check in &checks {
                    check_xml::write(check, xml);
                }
            });
            if let Some(marker) = marker {
                xml.leaf("Marker", marker);
            }
            write_page(next.is_some(), items_max, xml);
            if let Some(next) = &next {
                xml.leaf("NextMarker", next);
            }
        }))
    }

    pub(crate) async fn update_check(&self, call: &Call<'_>, id: &str) -> Result<Reply, Fault> {
        let document = call.document("UpdateHealthCheckRequest")?;
        let _turn = self.changing.lock().await;
        let old = self.check_of(call.caller, id)?;
        let expected = document.text_of("HealthCheckVersion");
        if expected.is_some_and(|version| version != old.version.to_string()) {
            let message = format!("The health check is at version {} by now.", old.version);
            return Err(faults::conflict("HealthCheckVersionMismatch", message));
        }
        let mut new = HealthCheck {
            version: old.version + 1,
            ..old.clone()
        };
        check_xml::update(&mut new.config, &document)?;
        self.probeable(call.caller, &new, self.tags_of_check(id).as_ref())?;
        let change = Change::replace(&old, &new);
        self.control
            .change(vec![change])
            .await
            .map_err(faults::not_changed)?;
        Ok(Reply::document("UpdateHealthCheckResponse", |xml| {
            check_xml::write(&new, xml);
        }))
    }

    pub(crate) async fn delete_check(&self, call: &Call<'_>, id: &str) -> Result<Reply, Fault> {
        let _turn = self.changing.lock().await;
        let check = self.check_of(call.caller, id)?;
        let checks = self.control.all::<HealthCheck>();
        let counts =
            |other: &&HealthCheck| other.config.child_health_checks.iter().any(|c| c == id);
        if let Some(parent) = checks.iter().find(counts) {
            let message = format!("The health check {id} is counted by {}.", parent.id);
            return Err(Fault::caller("HealthCheckInUse", message));
        }
        let mut changes = vec![Change::remove(&check)];
        changes.extend(self.tags_of_check(id).iter().map(Change::remove));
        self.control
            .change(changes)
            .await
            .map_err(faults::not_changed)?;
        Ok(Reply::document("DeleteHealthCheckResponse", |_| ()))
    }

    pub(crate) fn check_status(
        &self,
        call: &Call<'_>,
        id: &str,
        wanted: Wanted,
    ) -> Result<Reply, Fault> {
        self.check_of(call.caller, id)?;
        let root = match wanted {
            Wanted::Last => "GetHealthCheckStatusResponse",
            Wanted::LastFailure => "GetHealthCheckLastFailureReasonResponse",
        };
        let reports = (self.live.reports)(id, wanted);
        let project = self.control.project();
        Ok(Reply::document(root, |xml| {
            xml.within("HealthCheckObservations", |xml| {
                for report in &reports {
                    let Some(region) = project.region_of(report.region) else {
                        continue;
                    };
                    xml.within("HealthCheckObservation", |xml| {
                        xml.leaf("Region", region.name.as_str());
                        if let Some(address) = region.addresses.first() {
                            xml.leaf("IPAddress", &address.to_string());
                        }
                        xml.within("StatusReport", |xml| {
                            xml.leaf("Status", &report.status);
                            xml.leaf("CheckedTime", &timestamp::iso_millis(report.at));
                        });
                    });
                }
            });
        }))
    }

    /// Lists the addresses that probes come from: those of the regions.
    pub(crate) fn checker_ranges(&self) -> Reply {
        Reply::document("GetCheckerIpRangesResponse", |xml| {
            xml.within("CheckerIpRanges", |xml| {
                let regions = &self.control.project().regions;
                for address in regions.iter().flat_map(|region| &region.addresses) {
                    let bits = if address.is_ipv4() { 32 } else { 128 };
                    xml.leaf("member", &format!("{address}/{bits}"));
                }
            });
        })
    }
}
