//! Record sets: changed in atomic batches, listed in order.
//!
//! What a batch may do is decided in [`crate::changes`]; here it is read, stored and answered.
//! Source: Route 53 API reference, `ChangeResourceRecordSets`, `ListResourceRecordSets`.

use api_protocol::fault::Fault;
use api_protocol::xml::Element;
use control::control::{ControlError, Position};
use control::dns::{CHECK, HealthCheck, HostedZone, RecordSet};
use control::resource;
use dns_core::name::Name;
use store::port::Store;

use crate::changes::{self, Action, Change, Sets, Targets, Zone};
use crate::facade::{Call, Reply, Route53};
use crate::faults;
use crate::limits::{CHANGE_TRIES_MAX, COMMENT_CHARACTERS_MAX, RECORD_PAGE_MAX};
use crate::record_xml;
use crate::zones::{items_max, write_page};

impl<S: Store> Route53<S> {
    pub(crate) async fn change_records(&self, call: &Call<'_>, id: &str) -> Result<Reply, Fault> {
        let document = call.document("ChangeResourceRecordSetsRequest")?;
        let (comment, batch) = read_batch(id, &document)?;
        let _turn = self.changing.lock().await;
        let zone = self.zone_of(call.caller, id)?;
        self.find_checks(&batch)?;
        let position = self.store(&zone, &batch).await?;
        Ok(Reply::document("ChangeResourceRecordSetsResponse", |xml| {
            self.write_change(position, comment.as_deref(), xml);
        }))
    }

    /// Checks a batch against the zone and stores what it makes of it, anew where another
    /// region's changes arrived in between.
    async fn store(&self, hosted: &HostedZone, batch: &[Change]) -> Result<Position, Fault> {
        for _ in 0..CHANGE_TRIES_MAX {
            let sets: Sets = self
                .control
                .list::<RecordSet>(&hosted.id, "")
                .into_iter()
                .map(|set| (resource::key_of(&set).sort, set))
                .collect();
            let project = self.control.project();
            let named = sets.values().chain(batch.iter().map(|change| &change.set));
            let collections = self.laid_out_of(&hosted.account, named);
            let zone = Zone {
                hosted,
                apex: Name::parse(&hosted.name)
                    .map_err(|error| Fault::ourselves(error.to_string()))?,
                sets,
                targets: Targets {
                    regions: project.regions.iter().map(|region| &region.name).collect(),
                },
                collections: &collections,
            };
            let after = changes::apply(&zone, batch)
                .map_err(|messages| faults::invalid_change_batch(&messages))?;
            let changes = difference(&zone.sets, &after, batch);
            match self.control.change(changes).await {
                Ok(position) => return Ok(position),
                Err(ControlError::Unexpected(_)) => {}
                Err(error) => return Err(faults::not_changed(error)),
            }
        }
        Err(faults::prior_request_not_complete())
    }

    /// Errors: `NoSuchHealthCheck` for a check that a new record set names and nobody has.
    fn find_checks(&self, batch: &[Change]) -> Result<(), Fault> {
        let kept = batch
            .iter()
            .filter(|change| change.action != Action::Delete);
        for id in kept.filter_map(|change| change.set.health_check.as_ref()) {
            if self.control.get::<HealthCheck>(id, CHECK).is_none() {
                return Err(faults::no_such_health_check(id));
            }
        }
        Ok(())
    }

    pub(crate) fn list_records(&self, call: &Call<'_>, id: &str) -> Result<Reply, Fault> {
        self.zone_of(call.caller, id)?;
        let items_max = items_max(call, RECORD_PAGE_MAX)?;
        let from = first_key(call)?;
        let mut sets = self.control.list::<RecordSet>(id, "");
        sets.retain(|set| from <= resource::key_of(set).sort);
        let next = sets.get(items_max).cloned();
        sets.truncate(items_max);
        Ok(Reply::document("ListResourceRecordSetsResponse", |xml| {
            xml.within("ResourceRecordSets", |xml| {
                for set in &sets {
                    record_xml::write_set(set, xml);
                }
            });
            write_page(next.is_some(), items_max, xml);
            if let Some(next) = &next {
                xml.leaf("NextRecordName", &next.name);
                xml.leaf("NextRecordType", &next.record_type);
                if !next.set_identifier.is_empty() {
                    xml.leaf("NextRecordIdentifier", &next.set_identifier);
                }
            }
        }))
    }
}

/// Returns the key that a list begins with.
fn first_key(call: &Call<'_>) -> Result<String, Fault> {
    let given = |name| {
        call.parameters
            .first(name)
            .filter(|text: &&str| !text.is_empty())
    };
    let (name, record_type, identifier) = (given("name"), given("type"), given("identifier"));
    match (name, record_type, identifier) {
        (None, None, None) => Ok(String::new()),
        (None, Some(_), _) => Err(faults::invalid_input(
            "The request specifies a record type but no record name.",
        )),
        (_, None, Some(_)) => Err(faults::invalid_input(
            "The request specifies a set identifier but no record type.",
        )),
        (Some(name), record_type, identifier) => {
            let name = Name::parse(name).map_err(|error| {
                faults::invalid_input(format!("Invalid name {name:?}: {error}."))
            })?;
            let record_type = record_type.unwrap_or_default();
            let key = RecordSet::key(&name, record_type, identifier.unwrap_or_default());
            // Without a type the list begins with the name's first, whatever that is.
            Ok(key.trim_end_matches(' ').to_owned())
        }
    }
}

fn read_batch(id: &str, document: &Element) -> Result<(Option<String>, Vec<Change>), Fault> {
    let batch = document
        .child("ChangeBatch")
        .ok_or_else(|| faults::invalid_input("The request has no ChangeBatch."))?;
    let comment = batch.text_of("Comment").map(str::to_owned);
    if comment
        .as_ref()
        .is_some_and(|comment| COMMENT_CHARACTERS_MAX < comment.chars().count())
    {
        return Err(faults::invalid_input(
            "A comment has at most 256 characters.",
        ));
    }
    let changes: Vec<Change> = batch
        .members("Changes", "Change")
        .map(|change| record_xml::read_change(id, change))
        .collect::<Result<_, _>>()?;
    if changes.is_empty() {
        return Err(faults::invalid_input("The ChangeBatch has no Change."));
    }
    Ok((comment, changes))
}

/// Returns what to store so that a zone becomes what a batch made of it.
///
/// A record set that a batch names is stored even where it stays the same, so that the batch has
/// a place in the log.
fn difference(before: &Sets, after: &Sets, batch: &[Change]) -> Vec<resource::Change> {
    let mut changes: Vec<resource::Change> = before
        .iter()
        .filter(|(key, _)| !after.contains_key(*key))
        .map(|(_, gone)| resource::Change::remove(gone))
        .collect();
    let named = |set: &RecordSet| batch.iter().any(|change| change.set == *set);
    for (key, set) in after {
        match before.get(key) {
            None => changes.push(resource::Change::create(set)),
            Some(old) if old != set || named(set) => {
                changes.push(resource::Change::replace(old, set));
            }
            Some(_) => {}
        }
    }
    changes
}
