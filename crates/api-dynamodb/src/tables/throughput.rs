//! What a table or an index is to serve a second, as requests give it and descriptions tell it.
//!
//! It holds nothing back: that is `throttle`'s. Source: DynamoDB API reference,
//! `OnDemandThroughput` and `WarmThroughput`; the words of refusals are the service's.

use std::fmt;

use api_protocol::fault::Fault;
use serde_json::{Value, json};

use super::create::ThroughputIn;
use crate::fault;
use crate::limits::{TABLE_READ_UNITS_MAX, TABLE_WRITE_UNITS_MAX};
use crate::settings::{Most, Shared, Units};
use crate::wire::shape;

shape! {
    /// The most that is served by use.
    OnDemandIn {
        read: "MaxReadRequestUnits" as i64,
        write: "MaxWriteRequestUnits" as i64,
    }
}

shape! {
    /// What is to be served at once.
    WarmIn {
        read: "ReadUnitsPerSecond" as i64,
        write: "WriteUnitsPerSecond" as i64,
    }
}

/// Whose throughput it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Of<'n> {
    /// A table's own.
    Table,
    /// That of the index of this name.
    Index(&'n str),
}

impl fmt::Display for Of<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table => f.write_str("table"),
            Self::Index(name) => write!(f, "index {name}"),
        }
    }
}

impl ThroughputIn {
    /// Returns the units to read and to write, where both are given.
    ///
    /// Errors: `LimitExceededException` for more than one table or index may have.
    pub(crate) fn units(&self, of: Of<'_>) -> Result<Option<Units>, Fault> {
        let unsigned = |units: Option<i64>| u64::try_from(units?).ok();
        let Some((read, write)) = unsigned(self.read).zip(unsigned(self.write)) else {
            return Ok(None);
        };
        for (member, units, most) in [
            ("ReadCapacityUnits", read, TABLE_READ_UNITS_MAX),
            ("WriteCapacityUnits", write, TABLE_WRITE_UNITS_MAX),
        ] {
            within(of, (member, most), units)?;
        }
        Ok(Some((read, write)))
    }
}

impl OnDemandIn {
    /// Returns the most that is served by use, of which -1 takes a bound away and a member that is
    /// not given keeps the one that is known.
    ///
    /// Errors: `ValidationException`; `LimitExceededException` for more than a table may have.
    pub(crate) fn most(
        &self,
        of: Of<'_>,
        known: Option<Most>,
        shared: &Shared,
    ) -> Result<Option<Most>, Fault> {
        let (read, write) = known.unwrap_or_default();
        let read = bound(of, ("Read", TABLE_READ_UNITS_MAX), self.read, read, shared)?;
        let write = bound(
            of,
            ("Write", TABLE_WRITE_UNITS_MAX),
            self.write,
            write,
            shared,
        )?;
        Ok(Some((read, write)).filter(|most| *most != (None, None)))
    }
}

/// Refuses more units than one table or index may have.
///
/// Errors: `LimitExceededException`.
pub(crate) fn within(of: Of<'_>, (member, most): (&str, u64), units: u64) -> Result<(), Fault> {
    if units <= most {
        return Ok(());
    }
    let (whose, kind) = match of {
        Of::Table => (String::new(), "table"),
        Of::Index(name) => (format!("for index {name}, "), "index"),
    };
    Err(too_much(format!(
        "The requested {member}, {whose}{units}, is above the per {kind} maximum for the account. \
         Per {kind} maximum: {most}. Refer to the Amazon DynamoDB Developer Guide for current \
         limits and how to request higher limits."
    )))
}

/// Returns one bound of what is served by use.
pub(crate) fn bound(
    of: Of<'_>,
    (kind, most): (&str, u64),
    given: Option<i64>,
    known: Option<i64>,
    shared: &Shared,
) -> Result<Option<i64>, Fault> {
    let Some(given) = given else {
        return Ok(known);
    };
    if !shared.is_on_demand() {
        let whose = match of {
            Of::Table => String::new(),
            Of::Index(name) => format!(" for index: {name}"),
        };
        return Err(fault::invalid_parameter(format_args!(
            "Max{kind}RequestUnits for OnDemandThroughput{whose} cannot be specified when table \
             BillingMode is PROVISIONED"
        )));
    }
    if given == -1 {
        return Ok(None);
    }
    let whose = match of {
        Of::Table => "table".to_owned(),
        Of::Index(name) => format!("index : {name}"),
    };
    if given < 1 {
        return Err(fault::invalid_parameter(format_args!(
            "Requested Max{kind}RequestUnits for OnDemandThroughput for {whose} is outside of \
             valid range"
        )));
    }
    if u64::try_from(given).is_ok_and(|given| most < given) {
        return Err(too_much(format!(
            "Subscriber limit exceeded: Requested Max{kind}RequestUnits for OnDemandThroughput for \
             {whose} exceeds TableMax{kind}CapacityUnits of the account"
        )));
    }
    Ok(Some(given))
}

impl WarmIn {
    /// Returns what is to be served at once, which only ever grows.
    ///
    /// Errors: `ValidationException` for less than is served at once by now.
    pub(crate) fn units(&self, of: Of<'_>, known: Units) -> Result<Units, Fault> {
        let one = |member: &str, given: Option<i64>, known: u64| {
            let Some(given) = given else {
                return Ok(known);
            };
            let units = u64::try_from(given).ok().filter(|units| known <= *units);
            units.ok_or_else(|| {
                fault::invalid_parameter(format_args!(
                    "Requested {member} for WarmThroughput for {of} is lower than current \
                     WarmThroughput, decreasing WarmThroughput is not supported"
                ))
            })
        };
        Ok((
            one("ReadUnitsPerSecond", self.read, known.0)?,
            one("WriteUnitsPerSecond", self.write, known.1)?,
        ))
    }
}

/// Returns what is served at once, by what was asked for and by how it is billed.
pub(crate) fn warm(asked: Option<Units>, provisioned: Option<Units>, shared: &Shared) -> Units {
    let asked = asked.unwrap_or_default();
    let by_billing = if shared.is_on_demand() {
        WARM_ON_DEMAND
    } else {
        provisioned.unwrap_or_default()
    };
    (asked.0.max(by_billing.0), asked.1.max(by_billing.1))
}

/// Tells what is served at once.
pub(crate) fn describe_warm((read, write): Units, status: &str) -> Value {
    json!({ "ReadUnitsPerSecond": read, "WriteUnitsPerSecond": write, "Status": status })
}

/// Tells the most that is served by use: a side without a bound is -1.
pub(crate) fn describe_most((read, write): Most) -> Value {
    json!({
        "MaxReadRequestUnits": read.unwrap_or(-1),
        "MaxWriteRequestUnits": write.unwrap_or(-1),
    })
}

pub(super) fn too_much(message: String) -> Fault {
    Fault::caller("LimitExceededException", message)
}

/// What is served at once of what is billed by use: reads, writes a second.
/// Source: DynamoDB developer guide, "Warm throughput" (12,000 and 4,000).
const WARM_ON_DEMAND: Units = (12_000, 4_000);
