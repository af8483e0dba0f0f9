//! Tables restored: to a moment of another table's past, or from a backup.
//!
//! The table that comes of it has the key and the billing of its source, and none of its stream,
//! tags, protection or continuous backups, as on AWS.

use api_protocol::caller::Caller;
use api_protocol::fault::Fault;
use api_protocol::json;
use clock::hlc::Hlc;
use control::backups::{BackupStatus, Restore};
use control::tables::indexes::Index;
use control::tables::{Table, TableDraft, TableError};
use serde_json::{Value, json as json_value};
use store::port::Store;

use super::backup_in_use;
use super::continuous::{self, Window};
use crate::catalog::OpenTable;
use crate::facade::{Answer, DynamoDb};
use crate::fault::{self, Refused};
use crate::resolver;
use crate::settings::{Own, Shared};
use crate::tables::provisioned::Turns;
use crate::tables::throughput::OnDemandIn;
use crate::tables::{self, Encryption, EncryptionIn, IndexIn, IndexSettings, ThroughputIn};
use crate::wire::shape;

shape! {
    /// The members of `RestoreTableFromBackup` and of `RestoreTableToPointInTime`.
    RestoreIn {
        target: "TargetTableName" as String,
        backup: "BackupArn" as String,
        source: "SourceTableName" as String,
        source_arn: "SourceTableArn" as String,
        latest: "UseLatestRestorableTime" as bool,
        time: "RestoreDateTime" as f64,
        billing: "BillingModeOverride" as String,
        throughput: "ProvisionedThroughputOverride" as ThroughputIn,
        on_demand: "OnDemandThroughputOverride" as OnDemandIn,
        global_indexes: "GlobalSecondaryIndexOverride" as Vec<IndexIn>,
        local_indexes: "LocalSecondaryIndexOverride" as Vec<IndexIn>,
        vector_indexes: "VectorIndexOverride" as Vec<Value>,
        encryption: "SSESpecificationOverride" as EncryptionIn,
    }
}

/// What a table is restored from.
#[derive(Clone, Copy)]
struct Source<'a> {
    table: &'a Table,
    indexes: &'a [Index],
}

impl<S: Store> DynamoDb<S> {
    /// Answers `RestoreTableFromBackup`.
    pub(crate) async fn restore_table_from_backup(&self, caller: &Caller, body: &[u8]) -> Answer {
        let request: RestoreIn = json::parse(body)?;
        request.refuse_unsupported()?;
        let arn = request.backup.clone().unwrap_or_default();
        let backup = self.backup(caller, &arn)?;
        if backup.status == BackupStatus::Creating {
            return Err(backup_in_use(&arn).into());
        }
        let restore = Restore {
            table: backup.table.id,
            table_name: backup.table.name.clone(),
            backup: Some(backup.id),
            backup_arn: Some(arn),
            at: backup.at.unwrap_or(backup.created),
            done: false,
        };
        let source = Source {
            table: &backup.table,
            indexes: &backup.indexes,
        };
        self.restore(caller, &request, source, restore).await
    }

    /// Answers `RestoreTableToPointInTime`.
    pub(crate) async fn restore_table_to_point_in_time(
        &self,
        caller: &Caller,
        body: &[u8],
    ) -> Answer {
        let request: RestoreIn = json::parse(body)?;
        request.refuse_unsupported()?;
        let given = match (&request.source, &request.source_arn) {
            (Some(given), None) | (None, Some(given)) => given.clone(),
            (None, None) | (Some(_), Some(_)) => {
                let message = "One and only one of SourceTableName or SourceTableArn must be \
                               specified";
                return Err(fault::validation(message).into());
            }
        };
        let open = self.find(&given);
        let open = open.ok_or_else(|| continuous::no_table(&given))?;
        let at = self.moment(&request, &open).await?;
        let restore = Restore {
            table: open.view.table.id,
            table_name: open.view.table.name.clone(),
            backup: None,
            backup_arn: None,
            at: at.0,
            done: false,
        };
        let source = Source {
            table: &open.view.table,
            indexes: &open.view.indexes,
        };
        self.restore(caller, &request, source, restore).await
    }

    /// Returns the stamp to restore a table to.
    async fn moment(&self, request: &RestoreIn, open: &OpenTable) -> Result<Hlc, Refused> {
        let window = self.known_window(open)?;
        match (request.time, request.latest.unwrap_or(false)) {
            (None, true) => Ok(self.control.tables().instant().await?),
            (Some(seconds), false) => {
                let asked = continuous::stamp(seconds);
                let Window {
                    since,
                    earliest,
                    latest,
                } = window;
                let is_known = earliest.saturating_mul(1_000_000) <= asked.0;
                // Of the second in which it was switched on, what is known begins in between.
                let at = asked.max(since);
                let next = Hlc(at.0.saturating_add(1));
                if !is_known || !self.control.tables().has_passed(next).await? {
                    let message = format!(
                        "The specified restore time must be between {earliest} and {latest}"
                    );
                    return Err(Fault::caller("InvalidRestoreTimeException", message).into());
                }
                Ok(at)
            }
            (None, false) | (Some(_), true) => Err(fault::validation(
                "One and only one of RestoreDateTime or UseLatestRestorableTime must be specified",
            )
            .into()),
        }
    }

    async fn restore(
        &self,
        caller: &Caller,
        request: &RestoreIn,
        source: Source<'_>,
        restore: Restore,
    ) -> Answer {
        let target = request.target.clone().unwrap_or_default();
        let mut shared = request.settings(source.table, self.control.clock().wall())?;
        let mut own = Own::default();
        // Its items are stored by it, so the copy would be merged by it.
        if let Some(name) = &shared.resolver {
            resolver::check_offered(name)?;
        }
        // Without a word of it the service encrypts what it restores by a key of its own.
        let encryption = match &request.encryption {
            Some(given) => given.encryption(&self.control.project().region)?,
            None => Encryption::Default,
        };
        encryption.set(&mut shared, &mut own);
        let schema = source.table.schema();
        let indexes = request.indexes(source.indexes, &shared)?;
        let draft = TableDraft {
            name: target.clone(),
            schema: schema.ok_or_else(|| Fault::ourselves("Internal server error"))?,
            indexes,
            settings: shared.to_value(),
            replica_settings: own.to_value(),
        };
        let turn = self.control.turn().await;
        self.check_made(&turn, &draft)?;
        let made = self.control.restore_table(&turn, draft, restore);
        made.await.map_err(|error| match error {
            TableError::Exists(name) => Fault::caller(
                "TableAlreadyExistsException",
                format!("Table already exists: {name}"),
            ),
            error @ (TableError::NotFound(_)
            | TableError::NameTaken { .. }
            | TableError::Control(_)) => tables::table_failed(&error, &target),
        })?;
        drop(turn);
        let open = self
            .find(&target)
            .ok_or_else(|| fault::no_table_named(&target))?;
        let description = self.description(caller, &open, None);
        let answer = json_value!({ "TableDescription": description });
        Ok(answer.to_string().into_bytes())
    }
}

impl RestoreIn {
    fn refuse_unsupported(&self) -> Result<(), Fault> {
        let any = |list: &Option<Vec<Value>>| list.as_ref().is_some_and(|list| !list.is_empty());
        tables::refuse(&[("VectorIndexOverride", any(&self.vector_indexes))])
    }

    /// Returns the indexes of the table that is made: those of its source, or of them those that
    /// the request names.
    fn indexes(&self, indexes: &[Index], shared: &Shared) -> Result<Vec<Index>, Fault> {
        let mut kept = Vec::with_capacity(indexes.len());
        for (is_local, wanted) in [(true, &self.local_indexes), (false, &self.global_indexes)] {
            let of_kind = indexes.iter().filter(|index| index.is_local == is_local);
            let Some(wanted) = wanted else {
                kept.extend(of_kind.cloned());
                continue;
            };
            for wanted in wanted {
                let name = wanted.name();
                let found = of_kind.clone().find(|index| index.name == name);
                let found = found.ok_or_else(|| {
                    fault::validation(format!("The source table has no index of the name {name}"))
                })?;
                let mut settings = IndexSettings::of(found);
                settings.given(wanted, shared)?;
                kept.push(Index {
                    settings: settings.over(&found.settings),
                    ..found.clone()
                });
            }
        }
        for index in kept.iter_mut().filter(|index| !index.is_local) {
            let known = IndexSettings::of(index);
            let (throughput, on_demand) = if shared.is_on_demand() {
                (None, known.on_demand)
            } else {
                (known.throughput.or(shared.throughput), None)
            };
            index.settings = IndexSettings {
                throughput,
                on_demand,
                turns: Turns::default(),
                ..known
            }
            .over(&index.settings);
        }
        kept.sort_by_key(|index| index.created);
        Ok(kept)
    }

    /// Returns the settings of the table that is made.
    fn settings(&self, source: &Table, now: clock::time::WallTime) -> Result<Shared, Fault> {
        let mut shared = Shared {
            turns: Turns::default(),
            stream: None,
            stream_label: None,
            stream_since: None,
            stream_roll: None,
            past_streams: Vec::new(),
            settings_mode: None,
            ..Shared::of(source)
        };
        let billing = self.billing.as_deref();
        if billing.is_some() || self.throughput.is_some() {
            tables::bill(&mut shared, billing, self.throughput.as_ref(), now)?;
        }
        if self.on_demand.is_some() && !shared.is_on_demand() {
            return Err(fault::validation(
                "Cannot override MaxReadRequestUnits for OnDemandThroughput unless \
                 BillingModeOverride is PAY_PER_REQUEST",
            ));
        }
        tables::serve(&mut shared, self.on_demand.as_ref(), None)?;
        Ok(shared)
    }
}
