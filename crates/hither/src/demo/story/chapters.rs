//! The chapters of the story, one function each.
//!
//! They share nothing but the stage.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use http::StatusCode;

use base::region::RegionName;
use clock::port::Clock;
use clock::wall::System;
use control::system::SystemTable;
use deploy::client::Client;
use manifest::model::Port;

use crate::apply;
use crate::demo::figures::{Samples, ms};
use crate::demo::load::{Load, Phase};
use crate::demo::narrator::Narrator;
use crate::demo::query;
use crate::demo::report::{CityTimes, Conflict, Failover, Replication, TableDigests};
use crate::demo::shopper::{City, Shopper, v4};
use crate::demo::story::{PATIENCE, Stage, held, until};
use crate::demo::tables::{self, TABLE};
use crate::http_get;
use crate::laptop::Laptop;

/// First requests that are measured of each city and way.
const FIRST_REQUESTS: usize = 5;

/// Writes whose way to the other region is measured.
const WRITES: u64 = 20;

/// How often a region is asked whether a write has arrived. 1 ms.
const LOOK: Duration = Duration::from_millis(1);

/// How often DNS and status are asked. 10 ms.
const ASK: Duration = Duration::from_millis(10);

/// How long the load runs before the kill, and after the region is back.
const STEADY: Duration = Duration::from_secs(3);

/// How long the region stays dead once DNS has noticed.
const DEAD: Duration = Duration::from_secs(3);

fn region(name: &str) -> RegionName {
    RegionName::parse(name).expect("the demo's names are region names")
}

/// Waits until each region's DNS answers each city with its nearest region.
pub(crate) async fn wait_for_dns(
    stage: &Stage,
    laptop: &Laptop,
    narrator: &Narrator,
) -> anyhow::Result<()> {
    let servers = laptop.names();
    let all = servers.len() * stage.cities.len();
    let bar = narrator.counts("every region's DNS names the nearest region", all);
    let mut done = 0;
    for server in servers {
        let dns = laptop.site(&server)?.socket(Port::Dns);
        for city in &stage.cities {
            let near = &stage.nearest[&city.name];
            let expect = v4(laptop.site(near)?.address)?;
            let what = format!("{server} names {near} to {}", city.name);
            until(&what, ASK, async || {
                let found = query::ask(dns, &stage.domain, &city.subnet).await?;
                Ok(if found.address == expect {
                    Ok(())
                } else {
                    Err(format!("it names {}", found.address))
                })
            })
            .await?;
            done += 1;
            bar.reached(done);
        }
    }
    Ok(())
}

/// Measures a city's first request with one region and with three.
pub(crate) async fn first_bytes(
    stage: &Stage,
    laptop: &Laptop,
    narrator: &Narrator,
) -> anyhow::Result<Vec<CityTimes>> {
    let home = region("us-east-1");
    let home_address = v4(laptop.site(&home)?.address)?;
    narrator.line(&format!(
        "{:<12} {:>14} {:>14}   answered by",
        "", "one region", "three regions"
    ));
    let mut times = Vec::new();
    for city in &stage.cities {
        let bar = narrator.counts(&city.name, FIRST_REQUESTS);
        let (mut one, mut three) = (Samples::default(), Samples::default());
        let mut answered_by = BTreeSet::new();
        let path = format!("/cart/{}", city.name);
        for round in 0..FIRST_REQUESTS {
            bar.reached(round);
            let mut shopper = shopper(stage, city);
            let answer = shopper.request_at(home_address, &path).await?;
            anyhow::ensure!(answer.status == StatusCode::OK, "{}", answer.status);
            one.push(answer.first_byte);
            shopper.forget();
            let answer = shopper
                .request(http::Method::GET, &path, bytes::Bytes::new())
                .await?;
            anyhow::ensure!(answer.status == StatusCode::OK, "{}", answer.status);
            three.push(answer.first_byte);
            answered_by.insert(answer.region.to_string());
        }
        drop(bar);
        let one_region_ms = one.percentile_ms(0.5).context("there are samples")?;
        let three_regions_ms = three.percentile_ms(0.5).context("there are samples")?;
        let seen = CityTimes {
            city: city.name.clone(),
            answered_by,
            nearest: stage.nearest[&city.name].to_string(),
            one_region_ms,
            three_regions_ms,
        };
        narrator.line(&format!(
            "{:<12} {one_region_ms:>11.1} ms {three_regions_ms:>11.1} ms   {}",
            seen.city,
            seen.regions()
        ));
        times.push(seen);
    }
    Ok(times)
}

fn shopper(stage: &Stage, city: &Arc<City>) -> Shopper {
    Shopper::new(Arc::clone(city), &stage.domain, Arc::clone(&stage.tls))
}

fn as_count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Measures how long a write in Tokyo takes to be read in Europe, after it was acknowledged.
pub(crate) async fn replication(
    laptop: &Laptop,
    narrator: &Narrator,
) -> anyhow::Result<Replication> {
    let (from, to) = (region("ap-northeast-1"), region("eu-west-1"));
    let one_way = laptop
        .links
        .delay(from.as_str(), to.as_str())
        .context("the regions are joined")?;
    let mut client = apply::client(laptop)?;
    let mut delays = Samples::default();
    let bar = narrator.counts("writing in Tokyo, reading in London", as_count(WRITES));
    for quantity in 1..=WRITES {
        bar.reached(as_count(quantity));
        let item = ("replication", "tea");
        tables::put(&mut client, &from, item, quantity).await?;
        let what = format!("write {quantity} is read in {to}");
        let delay = until(&what, LOOK, async || {
            let seen = tables::quantity(&mut client, &to, item).await?;
            Ok(if seen == Some(quantity) {
                Ok(())
            } else {
                Err(format!("{seen:?}"))
            })
        })
        .await?;
        delays.push(delay);
    }
    drop(bar);
    let one_way_ms = ms(one_way);
    narrator.line(&format!(
        "visible after acknowledgement: p50 {:.1} ms, slowest {:.1} ms; the link's one way is \
         {one_way_ms:.1} ms",
        delays.percentile_ms(0.5).unwrap_or_default(),
        delays.percentile_ms(1.0).unwrap_or_default(),
    ));
    Ok(Replication {
        from: from.to_string(),
        to: to.to_string(),
        one_way_ms,
        delays,
    })
}

/// Cuts Tokyo off, changes one item on both sides, heals, and looks who won.
pub(crate) async fn race(laptop: &Laptop, narrator: &Narrator) -> anyhow::Result<Conflict> {
    let (east, tokyo) = (region("us-east-1"), region("ap-northeast-1"));
    let item = ("race", "last-ticket");
    let mut client = apply::client(laptop)?;
    laptop.links.isolate(tokyo.as_str());
    let (tokyos, easts) = (111, 222);
    tables::put(&mut client, &tokyo, item, tokyos).await?;
    tables::put(&mut client, &east, item, easts).await?;
    let read_tokyo = tables::quantity(&mut client, &tokyo, item).await?;
    let read_east = tables::quantity(&mut client, &east, item).await?;
    let own_reads_held = read_tokyo == Some(tokyos) && read_east == Some(easts);
    narrator.line(&format!(
        "in the cut {tokyo} reads {read_tokyo:?}, {east} reads {read_east:?}"
    ));
    laptop.links.heal_all();
    let mut seen = Vec::new();
    let healed = held(narrator, "all regions read the same", ASK, async || {
        seen = read_everywhere(&mut client, laptop, item).await?;
        let same = seen.windows(2).all(|pair| pair.first() == pair.last());
        Ok(if same {
            Ok(())
        } else {
            Err(format!("{seen:?}"))
        })
    })
    .await;
    let later_won = seen.first().copied().flatten() == Some(easts);
    let (winner, loser, kept) = if later_won {
        (&east, &tokyo, tokyos)
    } else {
        (&tokyo, &east, easts)
    };
    let kept_in = regions_that_keep(laptop, narrator, loser, kept).await;
    // Once more, after all: a winner that changes later is none.
    let winner_quantity = if later_won { easts } else { tokyos };
    let settled = read_everywhere(&mut client, laptop, item).await?;
    let same_everywhere = settled.iter().all(|one| *one == Some(winner_quantity));
    let healed_after_ms = healed.map(ms);
    if let Some(after) = healed_after_ms {
        narrator.line(&format!(
            "{after:.0} ms after the heal all regions read {winner_quantity}: {winner} wrote last"
        ));
    }
    narrator.line(&format!(
        "{loser}'s write is kept in the conflict log of {}",
        kept_in.join(", ")
    ));
    Ok(Conflict {
        own_reads_held,
        winner: winner.to_string(),
        winner_quantity: Some(winner_quantity),
        loser: loser.to_string(),
        same_everywhere: healed.is_some() && same_everywhere,
        later_won,
        kept_everywhere: kept_in.len() == laptop.names().len(),
        kept_in,
        healed_after_ms,
    })
}

/// Returns what each region reads of an item.
async fn read_everywhere(
    client: &mut Client,
    laptop: &Laptop,
    item: (&str, &str),
) -> anyhow::Result<Vec<Option<u64>>> {
    let mut seen = Vec::new();
    for region in laptop.names() {
        seen.push(tables::quantity(client, &region, item).await?);
    }
    Ok(seen)
}

/// Waits until every region's conflict log holds the race that `loser` lost; returns those that do.
async fn regions_that_keep(
    laptop: &Laptop,
    narrator: &Narrator,
    loser: &RegionName,
    quantity: u64,
) -> Vec<String> {
    let mut kept_in = Vec::new();
    let all = laptop.names().len();
    let what = "the loser is in every conflict log";
    held(narrator, what, ASK, async || {
        kept_in = regions_that_kept(laptop, loser, quantity).await?;
        Ok(if kept_in.len() == all {
            Ok(())
        } else {
            Err(format!("it is in those of {kept_in:?}"))
        })
    })
    .await;
    kept_in
}

/// Returns the regions whose conflict log holds the race that `loser` lost, with what it wrote.
async fn regions_that_kept(
    laptop: &Laptop,
    loser: &RegionName,
    quantity: u64,
) -> anyhow::Result<Vec<String>> {
    let mut regions = Vec::new();
    let quantity = serde_json::json!({"N": quantity.to_string()});
    for region in laptop.names() {
        let path = format!("/_hither/conflicts?table={TABLE}");
        let log = http_get::get(laptop.api(&region)?, &path).await?;
        let conflicts = log["conflicts"].as_array().cloned().unwrap_or_default();
        let is_race = |conflict: &serde_json::Value| {
            conflict["loser"]["region"] == loser.as_str()
                && conflict["key"].to_string().contains("last-ticket")
                && conflict["loser"]["item"]["quantity"] == quantity
        };
        if conflicts.iter().any(is_race) {
            regions.push(region.to_string());
        }
    }
    Ok(regions)
}

/// Kills Europe under load, brings it back, and audits what customers were told.
pub(crate) async fn failover(
    stage: &Stage,
    laptop: &mut Laptop,
    narrator: &Narrator,
) -> anyhow::Result<Failover> {
    let victim = region("eu-west-1");
    let load = Load::start(&stage.cities, &stage.domain, &stage.tls);
    let bar = narrator.waits("customers of five cities shop");
    tokio::time::sleep(STEADY).await;
    load.enter(Phase::During);
    bar.says(format!(
        "{} requests so far; kill -9 of {victim}",
        load.requests()
    ));
    let address = v4(laptop.site(&victim)?.address)?;
    laptop.kill(&victim).await?;
    let killed = System.now();
    let stopped = wait_for_naming(stage, laptop, narrator, (&victim, false)).await?;
    let dns_stopped_ms = stopped.then(|| ms(System.now().since(killed)));
    bar.says(format!(
        "{} requests so far; {victim} is dead",
        load.requests()
    ));
    tokio::time::sleep(DEAD).await;
    let ahead = applied_elsewhere(laptop, &victim).await?;
    let started = System.now();
    laptop.start_region(&victim).await?;
    let serving_again_ms = Some(ms(System.now().since(started)));
    let caught_up = has_caught_up(laptop, narrator, &victim, &ahead).await?;
    let caught_up_ms = caught_up.then(|| ms(System.now().since(started)));
    let named = wait_for_naming(stage, laptop, narrator, (&victim, true)).await?;
    let dns_names_it_again_ms = named.then(|| ms(System.now().since(started)));
    load.enter(Phase::After);
    bar.says(format!(
        "{} requests so far; {victim} ({address}) is back",
        load.requests()
    ));
    tokio::time::sleep(STEADY).await;
    let tally = load.stop().await;
    drop(bar);
    let missing_writes = audit(laptop, narrator, &tally.ledger).await?;
    let failover = Failover {
        region: victim.to_string(),
        acknowledged_writes: tally.ledger.len(),
        tally,
        dns_stopped_ms,
        serving_again_ms,
        caught_up_ms,
        dns_names_it_again_ms,
        missing_writes,
    };
    tell_failover(&failover, narrator);
    Ok(failover)
}

fn tell_failover(failover: &Failover, narrator: &Narrator) {
    let Failover { region, tally, .. } = failover;
    let ms =
        |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.0} ms"));
    let mut all = Samples::default();
    tally.times.values().for_each(|times| all.extend(times));
    narrator.line(&format!(
        "{} client requests, {} failed; {} attempts broke and were made again; slowest request {}",
        tally.requests,
        tally.failures.len(),
        tally.broken_attempts,
        ms(all.percentile_ms(1.0)),
    ));
    for failure in tally.failures.iter().take(5) {
        narrator.line(&format!("  failed: {failure}"));
    }
    narrator.line(&format!(
        "DNS stopped naming {region} after {}",
        ms(failover.dns_stopped_ms)
    ));
    narrator.line(&format!(
        "started again it served after {}, had caught up after {}, was named again after {}",
        ms(failover.serving_again_ms),
        ms(failover.caught_up_ms),
        ms(failover.dns_names_it_again_ms),
    ));
    narrator.line(&format!(
        "{} acknowledged writes audited in every region, {} missing",
        failover.acknowledged_writes,
        failover.missing_writes.len(),
    ));
}

/// Waits until every other region's DNS names the region, or stops naming it, to its own city;
/// returns whether that came true.
async fn wait_for_naming(
    stage: &Stage,
    laptop: &Laptop,
    narrator: &Narrator,
    (victim, named): (&RegionName, bool),
) -> anyhow::Result<bool> {
    let address = v4(laptop.site(victim)?.address)?;
    let near = stage
        .cities
        .iter()
        .find(|city| stage.nearest[&city.name] == *victim);
    let city = near.context("a city is nearest to the region")?;
    for server in laptop.names() {
        if server == *victim && !named {
            continue;
        }
        let dns = laptop.site(&server)?.socket(Port::Dns);
        let what = format!("{server} names {victim}: {named}");
        let came = held(narrator, &what, ASK, async || {
            let found = query::ask(dns, &stage.domain, &city.subnet).await?;
            let is_named = found.address == address;
            Ok(if is_named == named {
                Ok(())
            } else {
                Err(found.address.to_string())
            })
        });
        if came.await.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Returns what the other regions have applied, as text by region.
async fn applied_elsewhere(
    laptop: &Laptop,
    victim: &RegionName,
) -> anyhow::Result<Vec<(String, u64)>> {
    let mut ahead = Vec::new();
    for region in laptop.names() {
        if region != *victim {
            let status = crate::status::of(laptop.api(&region)?).await?;
            let own = region.id().to_string();
            let head = position(&status["applied"], &own);
            ahead.push((own, head.context("a region knows its own position")?));
        }
    }
    Ok(ahead)
}

/// Reads an origin's position out of a vector's text, as in `r1:7 r6:9`.
fn position(vector: &serde_json::Value, origin: &str) -> Option<u64> {
    let entries = vector.as_str()?.split(' ');
    let mut pairs = entries.filter_map(|entry| entry.split_once(':'));
    pairs.find(|(name, _)| *name == origin)?.1.parse().ok()
}

/// Waits until the region has applied what the others had when it came back; returns whether
/// that came true.
async fn has_caught_up(
    laptop: &Laptop,
    narrator: &Narrator,
    victim: &RegionName,
    ahead: &[(String, u64)],
) -> anyhow::Result<bool> {
    let api = laptop.api(victim)?;
    let what = format!("{victim} has caught up");
    let caught_up = held(narrator, &what, ASK, async || {
        let status = crate::status::of(api).await?;
        let applied = &status["applied"];
        let behind = ahead
            .iter()
            .find(|(origin, head)| position(applied, origin).unwrap_or_default() < *head);
        Ok(if behind.is_none() {
            Ok(())
        } else {
            Err(applied.to_string())
        })
    });
    Ok(caught_up.await.is_some())
}

/// Returns the acknowledged writes that some region does not have.
async fn audit(
    laptop: &Laptop,
    narrator: &Narrator,
    ledger: &std::collections::BTreeMap<(String, String), u64>,
) -> anyhow::Result<Vec<String>> {
    let bar = narrator.counts("auditing what customers were told", ledger.len());
    let mut client = apply::client(laptop)?;
    let mut missing = Vec::new();
    let deadline = System.now() + PATIENCE;
    for (at, ((customer, sku), quantity)) in ledger.iter().enumerate() {
        bar.reached(at);
        for region in laptop.names() {
            loop {
                let seen = tables::quantity(&mut client, &region, (customer, sku)).await?;
                if seen == Some(*quantity) {
                    break;
                }
                // What was written last may still be on its way.
                if deadline < System.now() {
                    missing.push(format!(
                        "{customer} {sku} in {region}: {seen:?}, not {quantity}"
                    ));
                    break;
                }
                tokio::time::sleep(ASK).await;
            }
        }
    }
    Ok(missing)
}

/// Compares digests of the demo's table and of all system tables.
pub(crate) async fn digests(
    laptop: &Laptop,
    narrator: &Narrator,
) -> anyhow::Result<Vec<TableDigests>> {
    let system = SystemTable::ALL.into_iter().map(SystemTable::name);
    let mut all: Vec<TableDigests> = Vec::new();
    let bar = narrator.counts("comparing tables", 1 + SystemTable::ALL.len());
    for table in std::iter::once(TABLE).chain(system) {
        bar.reached(all.len());
        let mut by_region = Vec::new();
        let path = format!("/_hither/digest?table={table}");
        let settled = until(
            &format!("all regions hold the same of {table}"),
            ASK,
            async || {
                by_region.clear();
                let mut positions = BTreeSet::new();
                for region in laptop.names() {
                    let answer = http_get::get(laptop.api(&region)?, &path).await?;
                    let text = |name: &str| answer[name].as_str().map(str::to_owned);
                    let digest = text("digest").context("an answer has a digest")?;
                    positions.insert(text("as_of").context("a digest is as of a position")?);
                    by_region.push((region.to_string(), digest));
                }
                let digests: BTreeSet<&str> = by_region
                    .iter()
                    .map(|(_, digest)| digest.as_str())
                    .collect();
                let holds_items = digests.iter().any(|digest| digest.contains(|d| d != '0'));
                // Only as of the same position do equal digests say that nothing is missing.
                let equal = digests.len() == 1 && positions.len() == 1;
                Ok(if equal && (holds_items || table != TABLE) {
                    Ok(())
                } else {
                    Err(format!("{by_region:?} as of {positions:?}"))
                })
            },
        )
        .await;
        if table == TABLE {
            for (region, digest) in &by_region {
                narrator.line(&format!("{table:<8} {region:<16} {digest}"));
            }
        }
        let equal = settled.is_ok();
        all.push(TableDigests {
            table: table.to_owned(),
            by_region,
            equal,
        });
    }
    let equal = all.iter().filter(|table| table.equal).count();
    narrator.line(&format!(
        "{equal} of {} tables are equal in all regions",
        all.len()
    ));
    Ok(all)
}
