//! Continuous backups: whether a table can be restored to a moment of its past, and to which.
//!
//! Each replica has its own setting. Source: DynamoDB API reference, `UpdateContinuousBackups`.

use api_protocol::fault::Fault;
use api_protocol::json;
use clock::hlc::Hlc;
use serde_json::{Value, json as json_value};
use store::port::Store;

use crate::catalog::OpenTable;
use crate::facade::{Answer, DynamoDb};
use crate::fault::Refused;
use crate::limits::REWIND_DAYS_MAX;
use crate::settings::Own;
use crate::wire::shape;

shape! {
    /// The members of the calls on continuous backups.
    ContinuousIn {
        table: "TableName" as String,
        recovery: "PointInTimeRecoverySpecification" as RecoveryIn,
    }
}

shape! {
    /// Whether and how far a table goes back.
    RecoveryIn {
        enabled: "PointInTimeRecoveryEnabled" as bool,
        days: "RecoveryPeriodInDays" as i64,
    }
}

/// The whole seconds that a table can be restored to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// From where on everything is known: within the first second, or before it.
    pub(crate) since: Hlc,
    pub(crate) earliest: i64,
    pub(crate) latest: i64,
}

impl<S: Store> DynamoDb<S> {
    /// Answers `UpdateContinuousBackups`.
    pub(crate) async fn update_continuous_backups(&self, body: &[u8]) -> Answer {
        let request: ContinuousIn = json::parse(body)?;
        let given = request.table.unwrap_or_default();
        let open = self.backed_up(&given)?;
        let recovery = request.recovery.unwrap_or_default();
        let enabled = recovery.enabled.unwrap_or(false);
        if !enabled && recovery.days.is_some() {
            let message = "RecoveryPeriodInDays can only be specified when \
                           PointInTimeRecoveryEnabled is true";
            return Err(crate::fault::validation(message).into());
        }
        let own = self.own_replica(&open).map(Own::of).unwrap_or_default();
        let changed = Own {
            rewinds: enabled,
            rewind_days: if enabled {
                recovery.days.or(own.rewind_days)
            } else {
                None
            },
            ..own.clone()
        };
        if changed != own {
            self.change_settings(&open, None, Some(&changed)).await?;
        }
        self.continuous_backups(&given)
    }

    /// Answers `DescribeContinuousBackups`.
    pub(crate) fn describe_continuous_backups(&self, body: &[u8]) -> Answer {
        let request: ContinuousIn = json::parse(body)?;
        self.continuous_backups(&request.table.unwrap_or_default())
    }

    fn continuous_backups(&self, given: &str) -> Answer {
        let open = self.find(given).ok_or_else(|| no_table(given))?;
        let own = self.own_replica(&open).map(Own::of).unwrap_or_default();
        let recovery = match self.window(&open) {
            Some(window) => json_value!({
                "PointInTimeRecoveryStatus": "ENABLED",
                "RecoveryPeriodInDays": own.rewind_days.unwrap_or(REWIND_DAYS_MAX),
                "EarliestRestorableDateTime": window.earliest,
                "LatestRestorableDateTime": window.latest,
            }),
            None => json_value!({ "PointInTimeRecoveryStatus": "DISABLED" }),
        };
        let description: Value = json_value!({
            // Every table has them, whether or not it can be restored to any second.
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": recovery,
        });
        let answer = json_value!({ "ContinuousBackupsDescription": description });
        Ok(answer.to_string().into_bytes())
    }

    /// Returns the seconds that a table can be restored to.
    ///
    /// Errors: `PointInTimeRecoveryUnavailableException` where recovery is off.
    pub(crate) fn known_window(&self, open: &OpenTable) -> Result<Window, Refused> {
        let off = || {
            let name = &open.view.table.name;
            let message = format!("Point in time recovery is not enabled for table '{name}'");
            Fault::caller("PointInTimeRecoveryUnavailableException", message)
        };
        Ok(self.window(open).ok_or_else(off)?)
    }

    /// Returns the seconds that a table can be restored to; `None` where recovery is off.
    fn window(&self, open: &OpenTable) -> Option<Window> {
        let own = self.own_replica(open).map(Own::of).unwrap_or_default();
        let since = self.control.tables().unbroken(open.def.id);
        let since = since.filter(|_| own.rewinds)?;
        let now = self.control.clock().wall();
        let days = own.rewind_days.unwrap_or(REWIND_DAYS_MAX);
        let floor = now.as_secs() - days * 86_400;
        let earliest = since.as_wall().as_secs().max(floor);
        Some(Window {
            since,
            earliest,
            latest: now.as_secs().max(earliest),
        })
    }
}

/// Returns the stamp of a moment in seconds since 1970.
pub(crate) fn stamp(seconds: f64) -> Hlc {
    #[expect(clippy::cast_possible_truncation, reason = "out of range saturates")]
    let micros = (seconds * 1e6).round() as i64;
    Hlc(micros)
}

pub(super) fn no_table(given: &str) -> Refused {
    let message = format!("Table not found: {given}");
    Fault::caller("TableNotFoundException", message).into()
}
