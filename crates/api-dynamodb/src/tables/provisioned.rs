//! What is provisioned over time and in sum: how often it falls in a day, and how much all tables
//! of a region have.
//!
//! What one table may have is `throughput`'s. Source: DynamoDB developer guide, "Quotas"
//! (provisioned throughput: decreases, default quotas); the words of refusals are the service's,
//! where public trackers show them.

use api_protocol::fault::Fault;
use api_protocol::timestamp;
use clock::time::WallTime;
use control::settings;
use control::tables::indexes::Index;
use control::tables::{TableDraft, Turn};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::port::Store;

use super::indexes::IndexSettings;
use super::throughput::{self, Of, too_much};
use crate::facade::DynamoDb;
use crate::limits::{
    ACCOUNT_UNITS_MAX, DECREASE_SECS, DECREASES_A_DAY, TABLE_READ_UNITS_MAX, TABLE_WRITE_UNITS_MAX,
};
use crate::settings::{Own, Shared, Units};

/// When what is provisioned last changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Turns {
    /// When it last grew, in microseconds since 1970.
    increased: Option<i64>,
    /// When it last fell, in microseconds since 1970.
    decreased: Option<i64>,
    /// How often it fell on that day.
    decreases: u64,
}

impl Turns {
    /// Returns what is known once units have changed.
    ///
    /// Errors: `LimitExceededException` for a decrease too many.
    pub(crate) fn turned(
        mut self,
        now: WallTime,
        (old, new): (Units, Units),
    ) -> Result<Self, Fault> {
        if old.0 < new.0 || old.1 < new.1 {
            self.increased = Some(now.as_micros());
        }
        if new.0 < old.0 || new.1 < old.1 {
            let today = self.today(now);
            if let Some(last) = self.decreased
                && DECREASES_A_DAY <= today
            {
                let next = last.saturating_add(DECREASE_SECS * 1_000_000);
                if now.as_micros() < next {
                    return Err(too_often(today, last, next));
                }
            }
            self.decreased = Some(now.as_micros());
            self.decreases = today + 1;
        }
        Ok(self)
    }

    /// Tells what is provisioned.
    pub(super) fn describe(self, now: WallTime, (read, write): Units) -> Value {
        let mut told = json!({
            "NumberOfDecreasesToday": self.today(now),
            "ReadCapacityUnits": read,
            "WriteCapacityUnits": write,
        });
        for (name, at) in [
            ("LastIncreaseDateTime", self.increased),
            ("LastDecreaseDateTime", self.decreased),
        ] {
            if let (Some(at), Some(told)) = (at, told.as_object_mut()) {
                let at = timestamp::epoch(WallTime::from_micros(at));
                told.insert(name.to_owned(), at.into());
            }
        }
        told
    }

    /// Returns how often it has fallen on the day of `now`, which begins at midnight UTC.
    fn today(self, now: WallTime) -> u64 {
        let day = |micros: i64| micros.div_euclid(DAY_SECS * 1_000_000);
        let decreased = self.decreased.map(day);
        if decreased == Some(day(now.as_micros())) {
            self.decreases
        } else {
            0
        }
    }
}

impl<S: Store> DynamoDb<S> {
    /// Checks that all tables of this region together are not provisioned with too much once one
    /// of them has `next`, where it had `known`.
    ///
    /// Errors: `LimitExceededException`.
    pub(crate) fn check_account(&self, known: Units, next: Units) -> Result<(), Fault> {
        let mut sum: Units = (0, 0);
        for open in self.tables_by_name().values() {
            let own = self.own_replica(open).map(Own::of).unwrap_or_default();
            let shared = Shared::of(&open.view.table);
            let (read, write) = provisioned((&shared, &own), open.view.indexes.iter());
            sum = (sum.0.saturating_add(read), sum.1.saturating_add(write));
        }
        for (member, sum, known, next) in [
            ("ReadCapacityUnits", sum.0, known.0, next.0),
            ("WriteCapacityUnits", sum.1, known.1, next.1),
        ] {
            let sum = sum.saturating_sub(known).saturating_add(next);
            // What is too much already may stay, and fall.
            if known < next && ACCOUNT_UNITS_MAX < sum {
                return Err(too_much(format!(
                    "Subscriber limit exceeded: The requested {member} take those of all tables \
                     and indexes to {sum}, which is above the maximum for the account. Account \
                     maximum: {ACCOUNT_UNITS_MAX}. Refer to the Amazon DynamoDB Developer Guide \
                     for current limits and how to request higher limits."
                )));
            }
        }
        Ok(())
    }

    /// Checks what a table is to be made with: together with its indexes, and with other tables,
    /// of which none is made meanwhile. Where its name is taken, who makes it is told that.
    ///
    /// Errors: `LimitExceededException`.
    pub(crate) fn check_made(&self, _turn: &Turn<'_>, draft: &TableDraft) -> Result<(), Fault> {
        if self.tables_by_name().contains_key(&draft.name) {
            return Ok(());
        }
        let shared: Shared = settings::read(&draft.name, &draft.settings);
        let (read, write) = provisioned((&shared, &Own::default()), draft.indexes.iter());
        let sides = [
            (("ReadCapacityUnits", TABLE_READ_UNITS_MAX), read),
            (("WriteCapacityUnits", TABLE_WRITE_UNITS_MAX), write),
        ];
        for (side, units) in sides {
            throughput::within(Of::Table, side, units)?;
        }
        self.check_account((0, 0), (read, write))
    }
}

/// Returns what a table and its global secondary indexes are provisioned with in a region.
pub(super) fn provisioned<'i>(
    (shared, own): (&Shared, &Own),
    indexes: impl Iterator<Item = &'i Index>,
) -> Units {
    let (read, write) = shared.throughput.unwrap_or_default();
    let reads = own.reads.billed(shared).provisioned;
    let mut sum = (reads.unwrap_or(read), write);
    for index in indexes.filter(|index| !index.is_local) {
        let (read, write) = IndexSettings::of(index).throughput.unwrap_or_default();
        let reads = own.index_reads.get(&index.name).copied();
        let reads = reads.unwrap_or_default().billed(shared).provisioned;
        sum.0 = sum.0.saturating_add(reads.unwrap_or(read));
        sum.1 = sum.1.saturating_add(write);
    }
    sum
}

fn too_often(today: u64, last: i64, next: i64) -> Fault {
    let date = |micros: i64| timestamp::http_date(WallTime::from_micros(micros));
    too_much(format!(
        "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given \
         UTC day. After the first {DECREASES_A_DAY} decreases, each subsequent decrease in the \
         same UTC day can be performed at most once every {DECREASE_SECS} seconds. Number of \
         decreases today: {today}. Last decrease at {}. Next decrease can be made at {}",
        date(last),
        date(next)
    ))
}

const DAY_SECS: i64 = 86_400;

#[cfg(test)]
mod tests {
    use clock::time::WallTime;
    use serde_json::json;

    use super::Turns;

    const HOUR: i64 = 3_600_000_000;

    #[test]
    fn five_decreases_of_a_day_take_an_hour_between_the_last_two() {
        // Midnight of 2026-11-23.
        let midnight = 20_780 * 24 * HOUR;
        let at = |hours: i64| WallTime::from_micros(midnight + hours * HOUR);
        let fall = |turns: Turns, now| turns.turned(now, ((9, 9), (9, 8)));
        let mut turns = Turns::default();
        for _ in 0..4 {
            turns = fall(turns, at(1)).expect("four of a day");
        }
        let refused = fall(turns, at(1)).expect_err("the fifth at once");
        assert_eq!(refused.code, "LimitExceededException");
        assert!(
            refused.message.ends_with(" 02:00:00 GMT"),
            "{}",
            refused.message
        );
        let turns = fall(turns, at(2)).expect("the fifth an hour later");
        assert_eq!(turns.describe(at(3), (9, 8))["NumberOfDecreasesToday"], 5);
        assert!(fall(turns, at(2)).is_err());
        let told = turns.describe(at(24), (9, 8));
        assert_eq!(
            told["NumberOfDecreasesToday"], 0,
            "a day begins at midnight"
        );
        assert_eq!(
            told["LastDecreaseDateTime"],
            json!((midnight + 2 * HOUR) / 1_000_000)
        );
        let turns = fall(turns, at(24)).expect("the first of the next day");
        assert_eq!(turns.describe(at(24), (9, 8))["NumberOfDecreasesToday"], 1);
    }

    #[test]
    fn one_side_may_grow_while_the_other_falls() {
        let now = WallTime::from_micros(7 * HOUR);
        let turns = Turns::default()
            .turned(now, ((1, 9), (9, 1)))
            .expect("turned");
        let told = turns.describe(now, (9, 1));
        assert_eq!(told["LastIncreaseDateTime"], told["LastDecreaseDateTime"]);
        let same = turns.turned(WallTime::from_micros(8 * HOUR), ((9, 1), (9, 1)));
        assert_eq!(same.expect("nothing turned"), turns);
    }
}
