//! Everything the demo found, for people and for machines.
//!
//! It measures nothing. Units stand in the names.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::demo::figures::Samples;
use crate::demo::load::{Phase, Tally};

/// A call of the five steps.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) number: u8,
    pub(crate) region: String,
    pub(crate) command: String,
}

/// What the story found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    pub(crate) steps: Vec<Step>,
    pub(crate) cities: Vec<CityTimes>,
    pub(crate) replication: Replication,
    pub(crate) conflict: Conflict,
    pub(crate) failover: Failover,
    pub(crate) digests: Vec<TableDigests>,
    /// Why the story was not told to its end.
    pub(crate) error: Option<String>,
}

/// Time to first byte of a city's first request.
#[derive(Clone, Debug)]
pub(crate) struct CityTimes {
    pub(crate) city: String,
    /// The regions that answered its requests.
    pub(crate) answered_by: BTreeSet<String>,
    pub(crate) nearest: String,
    pub(crate) one_region_ms: f64,
    pub(crate) three_regions_ms: f64,
}

/// How long a write in one region takes to be read in another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Replication {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) one_way_ms: f64,
    pub(crate) delays: Samples,
}

/// A race on both sides of a cut.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conflict {
    /// What each side read of its own write during the cut.
    pub(crate) own_reads_held: bool,
    pub(crate) winner: String,
    pub(crate) winner_quantity: Option<u64>,
    pub(crate) loser: String,
    pub(crate) same_everywhere: bool,
    /// Whether the winner is the one who wrote later.
    pub(crate) later_won: bool,
    /// Regions in whose conflict log the loser is.
    pub(crate) kept_in: Vec<String>,
    /// Whether those are all regions.
    pub(crate) kept_everywhere: bool,
    pub(crate) healed_after_ms: Option<f64>,
}

/// A region killed under load.
#[derive(Clone, Debug, Default)]
pub(crate) struct Failover {
    pub(crate) region: String,
    pub(crate) tally: Tally,
    pub(crate) dns_stopped_ms: Option<f64>,
    pub(crate) serving_again_ms: Option<f64>,
    pub(crate) caught_up_ms: Option<f64>,
    pub(crate) dns_names_it_again_ms: Option<f64>,
    pub(crate) acknowledged_writes: usize,
    pub(crate) missing_writes: Vec<String>,
}

/// A table's digest in each region.
#[derive(Clone, Debug)]
pub(crate) struct TableDigests {
    pub(crate) table: String,
    pub(crate) by_region: Vec<(String, String)>,
    pub(crate) equal: bool,
}

impl CityTimes {
    /// Returns whether the nearest region answered each request.
    fn is_answered_by_nearest(&self) -> bool {
        self.answered_by.len() == 1 && self.answered_by.contains(&self.nearest)
    }

    /// Returns the regions that answered: one, unless DNS led the city astray.
    pub(crate) fn regions(&self) -> String {
        let regions: Vec<&str> = self.answered_by.iter().map(String::as_str).collect();
        regions.join(", ")
    }
}

impl Report {
    /// Returns each claim and whether it held.
    pub(crate) fn claims(&self) -> Vec<(&'static str, bool)> {
        [self.claims_while_well(), self.claims_of_harm()].concat()
    }

    fn claims_while_well(&self) -> Vec<(&'static str, bool)> {
        let nearest = self.cities.iter().all(CityTimes::is_answered_by_nearest);
        let overseas = |city: &&CityTimes| matches!(&*city.city, "london" | "tokyo");
        let mut overseas = self.cities.iter().filter(overseas).peekable();
        let is_there = overseas.peek().is_some();
        let Replication {
            one_way_ms, delays, ..
        } = &self.replication;
        let delay_ms = |share| delays.percentile_ms(share);
        vec![
            (
                "every city is answered by its nearest region",
                !self.cities.is_empty() && nearest,
            ),
            (
                "three regions answer London and Tokyo sooner than one",
                is_there && overseas.all(|city| city.three_regions_ms < city.one_region_ms),
            ),
            (
                "most writes are read elsewhere within 100 ms of their link's one way",
                delay_ms(0.5).is_some_and(|half| half <= one_way_ms + REPLICATION_SLACK_MS),
            ),
            (
                "no write was faster than its link",
                delay_ms(0.0).is_some_and(|least| one_way_ms * 0.9 < least),
            ),
        ]
    }

    fn claims_of_harm(&self) -> Vec<(&'static str, bool)> {
        let Failover {
            region,
            tally,
            dns_stopped_ms,
            serving_again_ms,
            caught_up_ms,
            dns_names_it_again_ms,
            missing_writes,
            ..
        } = &self.failover;
        vec![
            (
                "each side of the cut served its own write",
                self.conflict.own_reads_held,
            ),
            (
                "the race has one winner everywhere",
                self.conflict.same_everywhere,
            ),
            ("the later write won", self.conflict.later_won),
            (
                "the loser is in every region's conflict log",
                self.conflict.kept_everywhere,
            ),
            (
                "the region that died had customers",
                tally
                    .answered
                    .get(&(Phase::Before, region.clone()))
                    .is_some_and(|count| 0 < *count),
            ),
            (
                "no client request failed",
                tally.requests > 0 && tally.failures.is_empty(),
            ),
            (
                "DNS stopped naming the dead region",
                dns_stopped_ms.is_some(),
            ),
            ("the region came back", serving_again_ms.is_some()),
            ("it caught up", caught_up_ms.is_some()),
            ("DNS names it again", dns_names_it_again_ms.is_some()),
            (
                "no acknowledged write is missing",
                !tally.ledger.is_empty() && missing_writes.is_empty(),
            ),
            (
                "all replicas are equal",
                !self.digests.is_empty() && self.digests.iter().all(|table| table.equal),
            ),
        ]
    }

    /// Returns whether every claim held.
    pub(crate) fn held(&self) -> bool {
        self.error.is_none() && self.claims().iter().all(|(_, held)| *held)
    }

    /// Returns one sentence on the whole.
    pub(crate) fn verdict(&self) -> String {
        let broken: Vec<&str> = self
            .claims()
            .iter()
            .filter(|(_, held)| !held)
            .map(|(claim, _)| *claim)
            .collect();
        if let Some(error) = &self.error {
            format!("NOT told to its end: {error}")
        } else if broken.is_empty() {
            "All of it held.".to_owned()
        } else {
            format!("NOT held: {}", broken.join("; "))
        }
    }

    /// Returns everything as one object.
    pub(crate) fn json(&self) -> Value {
        let steps = self.steps.iter().map(
            |step| json!({"step": step.number, "region": step.region, "command": step.command}),
        );
        let cities = self.cities.iter().map(|city| {
            json!({
                "city": city.city,
                "region": city.regions(),
                "one_region_ms": city.one_region_ms,
                "three_regions_ms": city.three_regions_ms,
            })
        });
        let held = self
            .claims()
            .into_iter()
            .map(|(claim, held)| (claim.to_owned(), held.into()));
        let mut told = json!({
            "steps": steps.collect::<Vec<_>>(),
            "time_to_first_byte": cities.collect::<Vec<_>>(),
            "replication": {
                "from": self.replication.from,
                "to": self.replication.to,
                "link_one_way_ms": self.replication.one_way_ms,
                "visible_after_acknowledgement_p50_ms": self.replication.delays.percentile_ms(0.5),
                "visible_after_acknowledgement_max_ms": self.replication.delays.percentile_ms(1.0),
                "samples": self.replication.delays.len(),
            },
            "conflict": {
                "winner": self.conflict.winner,
                "winner_quantity": self.conflict.winner_quantity,
                "loser": self.conflict.loser,
                "loser_kept_in": self.conflict.kept_in,
                "same_everywhere_after_heal_ms": self.conflict.healed_after_ms,
            },
            "failover": self.failover_json(),
            "digests": self.digests.iter().map(digests_json).collect::<Vec<_>>(),
            "held": held.collect::<serde_json::Map<_, _>>(),
            "ok": self.held(),
        });
        if let Some(error) = &self.error {
            told["error"] = error.as_str().into();
        }
        told
    }

    fn failover_json(&self) -> Value {
        let Failover { region, tally, .. } = &self.failover;
        let phase = |phase: Phase| {
            let times = tally.times.get(&phase).cloned().unwrap_or_default();
            json!({
                "requests": times.len(),
                "p50_ms": times.percentile_ms(0.5),
                "p99_ms": times.percentile_ms(0.99),
                "slowest_ms": times.percentile_ms(1.0),
            })
        };
        json!({
            "killed": region,
            "client_requests": tally.requests,
            "failed_client_requests": tally.failures.len(),
            "failures": tally.failures.iter().take(10).collect::<Vec<_>>(),
            "broken_attempts_that_were_made_again": tally.broken_attempts,
            "dns_stopped_naming_it_ms": self.failover.dns_stopped_ms,
            "serving_again_after_start_ms": self.failover.serving_again_ms,
            "caught_up_after_start_ms": self.failover.caught_up_ms,
            "dns_names_it_again_after_start_ms": self.failover.dns_names_it_again_ms,
            "acknowledged_writes_checked": self.failover.acknowledged_writes,
            "acknowledged_writes_missing": self.failover.missing_writes,
            "time_to_first_byte": {
                "before": phase(Phase::Before),
                "while_it_was_dead": phase(Phase::During),
                "after": phase(Phase::After),
            },
        })
    }
}

/// How much longer than its way a write may take: what a loaded laptop's processes wait for each
/// other, many times over. 100 ms.
const REPLICATION_SLACK_MS: f64 = 100.0;

fn digests_json(digests: &TableDigests) -> Value {
    let by_region: serde_json::Map<String, Value> = digests
        .by_region
        .iter()
        .map(|(region, digest)| (region.clone(), digest.clone().into()))
        .collect();
    json!({"table": digests.table, "by_region": by_region, "equal": digests.equal})
}

#[cfg(test)]
mod tests {
    //! Tests of the report.

    use std::time::Duration;

    use super::{CityTimes, Report};

    #[test]
    fn a_story_that_was_not_told_has_not_held() {
        let report = Report::default();
        assert!(!report.held());
        assert_eq!(report.json()["ok"], false);
        assert!(report.verdict().starts_with("NOT held"));
        assert!(report.claims().iter().all(|(_, held)| !held));
    }

    #[test]
    fn a_story_that_broke_off_says_why() {
        let report = Report {
            error: Some("no answer".to_owned()),
            ..Report::default()
        };
        let json = report.json();
        assert_eq!(
            (&json["ok"], &json["error"]),
            (&false.into(), &"no answer".into())
        );
        assert_eq!(report.verdict(), "NOT told to its end: no answer");
    }

    #[test]
    fn figures_decide_whether_a_claim_held() {
        let city = |one_region_ms, three_regions_ms| CityTimes {
            city: "tokyo".to_owned(),
            answered_by: ["ap-northeast-1".to_owned()].into(),
            nearest: "ap-northeast-1".to_owned(),
            one_region_ms,
            three_regions_ms,
        };
        let sooner = |one, three| {
            let cities = vec![city(one, three)];
            let report = Report {
                cities,
                ..Report::default()
            };
            report.claims()[1].1
        };
        assert!(sooner(300.0, 10.0) && !sooner(10.0, 10.0));
        let nearest = |regions: &[&str]| {
            let answered_by = regions.iter().map(|name| (*name).to_owned()).collect();
            let cities = vec![CityTimes {
                answered_by,
                ..city(300.0, 10.0)
            }];
            let report = Report {
                cities,
                ..Report::default()
            };
            report.claims()[0].1
        };
        assert!(nearest(&["ap-northeast-1"]));
        let astray = ["us-east-1", "ap-northeast-1"];
        assert!(
            !nearest(&astray),
            "each request counts, not the last one alone"
        );
        assert!(!nearest(&["us-east-1"]) && !nearest(&[]));
        let in_time = |delay| {
            let mut report = Report::default();
            report.replication.one_way_ms = 80.0;
            report.replication.delays.push(Duration::from_millis(delay));
            (report.claims()[2].1, report.claims()[3].1)
        };
        assert_eq!(in_time(85), (true, true));
        assert_eq!(in_time(181), (false, true));
        assert_eq!(in_time(40), (true, false), "faster than light");
    }
}
