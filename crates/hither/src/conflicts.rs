//! `hither conflicts`: the writes that lost a race of two regions, and how to have them back.
//!
//! A region keeps the log and does the work; here it is asked, and told. Every region that has a
//! table knows its races, so one of them is asked.

mod difference;

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::{Context, bail};
use http::Method;
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use region::proof::Proofs;

use crate::cli::{AskedArgs, ConflictsArgs, ConflictsCommand, RaceArgs, RacesArgs};
use crate::http_get::{self, NotAsked, Refused};
use crate::project;
use crate::status;

const CONFLICTS: &str = "/_hither/conflicts";

/// Most races that one page of a region has. 1,000, as regions allow.
const PAGE_RACES_MAX: usize = 1_000;

/// Lists races, shows one, or writes its loser again.
pub(crate) async fn run(args: ConflictsArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        None => list(args.list).await,
        Some(ConflictsCommand::List(asked)) => list(asked).await,
        Some(ConflictsCommand::Show(race)) => show(race).await,
        Some(ConflictsCommand::Restore { race, force }) => restore(race, force).await,
    }
}

async fn list(args: RacesArgs) -> anyhow::Result<ExitCode> {
    let table = args.table.as_deref().context("name a table")?;
    let mut filter = format!("?table={}", escaped(table));
    let mut narrow = |name: &str, value: &str| {
        filter.extend(["&", name, "=", &escaped(value)]);
    };
    if let Some(since) = &args.since {
        narrow("since", &micros(since, Timestamp::now())?.to_string());
    }
    let named = [
        ("key", &args.key),
        ("winner", &args.winner),
        ("loser", &args.loser),
    ];
    for (name, value) in named {
        if let Some(value) = value {
            narrow(name, value);
        }
    }
    let Some(nodes) = nodes(&args.asked)? else {
        return Ok(ExitCode::FAILURE);
    };
    let proofs = proofs(&args.asked)?;
    let mut races: Vec<Value> = Vec::new();
    let (mut next, mut node, mut region) = (None::<String>, None, Value::Null);
    while races.len() < args.limit.get() {
        let limit = (args.limit.get() - races.len()).min(PAGE_RACES_MAX);
        let start = next
            .as_ref()
            .map_or_else(String::new, |next| format!("&start={next}"));
        let path = format!("{CONFLICTS}{filter}&limit={limit}{start}");
        // The pages of one list are of one region.
        let nodes = node.map_or_else(|| nodes.clone(), |node| vec![node]);
        let (from, page) = first(&nodes, async |node| {
            http_get::proven(node, Method::GET, &path, proofs.as_ref()).await
        })
        .await?;
        node = Some(from);
        region = page["region"].clone();
        races.extend(page["conflicts"].as_array().into_iter().flatten().cloned());
        next = page["next"].as_str().map(str::to_owned);
        if next.is_none() {
            break;
        }
    }
    if args.asked.json {
        let is_whole = next.is_none();
        let told = json!({
            "table": table, "region": region, "conflicts": races, "complete": is_whole,
        });
        println!("{told}");
        return Ok(ExitCode::SUCCESS);
    }
    for race in &races {
        println!("{}", line(race));
    }
    if races.is_empty() {
        println!("no races of {table} are known that were asked for");
    } else if next.is_some() {
        println!("… and maybe more: --limit or --since shows them");
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(args: RaceArgs) -> anyhow::Result<ExitCode> {
    let Some(nodes) = nodes(&args.asked)? else {
        return Ok(ExitCode::FAILURE);
    };
    let path = format!("{CONFLICTS}/one{}", which(&args));
    let proofs = proofs(&args.asked)?;
    let (_, race) = first(&nodes, async |node| {
        http_get::proven(node, Method::GET, &path, proofs.as_ref()).await
    })
    .await?;
    if args.asked.json {
        println!("{race}");
    } else {
        print(&race);
    }
    Ok(ExitCode::SUCCESS)
}

async fn restore(args: RaceArgs, force: bool) -> anyhow::Result<ExitCode> {
    let Some(nodes) = nodes(&args.asked)? else {
        return Ok(ExitCode::FAILURE);
    };
    let force = if force { "&force=yes" } else { "" };
    let path = format!("{CONFLICTS}/restore{}{force}", which(&args));
    let proofs = proofs(&args.asked)?;
    let restored = first(&nodes, async |node| {
        let restored = http_get::proven(node, Method::POST, &path, proofs.as_ref()).await;
        restored.map_err(once)
    })
    .await;
    let told = match restored {
        Ok((_, told)) => told,
        Err(error) => {
            let is_changed = |refused: &Refused| refused.status == http::StatusCode::CONFLICT;
            if error.downcast_ref::<Refused>().is_some_and(is_changed) {
                return Err(error.context("nothing is written; --force writes all the same"));
            }
            return Err(error);
        }
    };
    if args.asked.json {
        println!("{told}");
        return Ok(ExitCode::SUCCESS);
    }
    let region = told["region"].as_str().unwrap_or("-");
    let item = &told["item"];
    if item.is_null() {
        println!("deleted the item again, in {region}");
    } else {
        println!("written again, in {region}: {item}");
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the regions to be asked, the most wanted first; `None` where the manifest has mistakes,
/// which are printed.
///
/// Errors: when there are none.
pub(crate) fn nodes(asked: &AskedArgs) -> anyhow::Result<Option<Vec<SocketAddr>>> {
    let Some(mut nodes) = status::nodes(&asked.at)? else {
        return Ok(None);
    };
    if let Some(region) = &asked.region {
        nodes.retain(|(name, _)| name == region);
        if nodes.is_empty() {
            bail!("find region {region}: the manifest has no such one");
        }
    }
    Ok(Some(nodes.into_iter().map(|(_, node)| node).collect()))
}

/// Returns what proves that the project's key is here, where its file is named.
///
/// Errors: when the file holds none.
pub(crate) fn proofs(asked: &AskedArgs) -> anyhow::Result<Option<Proofs>> {
    let file = asked.project_key.as_deref();
    let key = file.map(project::known_key).transpose()?;
    Ok(key.as_ref().map(Proofs::new))
}

/// A region that was asked and did not answer that it will not may have done the work.
fn once(error: anyhow::Error) -> anyhow::Error {
    let is_certain = error.is::<Refused>() || error.is::<NotAsked>();
    if is_certain {
        return error;
    }
    error.context(Unknown)
}

/// A region that may have written, and whose answer did not come.
#[derive(Debug, thiserror::Error)]
#[error("the loser may be written again, or not: look at the item before another try")]
struct Unknown;

/// Asks one region after another until one answers that has what is asked for.
///
/// Errors: what a region that has it answers; else what the first said.
pub(crate) async fn first(
    nodes: &[SocketAddr],
    ask: impl AsyncFn(SocketAddr) -> anyhow::Result<Value>,
) -> anyhow::Result<(SocketAddr, Value)> {
    let mut problem: Option<anyhow::Error> = None;
    for node in nodes {
        let error = match ask(*node).await {
            Ok(answer) => return Ok((*node, answer)),
            Err(error) => error,
        };
        if error.is::<Unknown>() {
            return Err(error);
        }
        let refused = error.downcast_ref::<Refused>();
        match (refused.map(|refused| refused.status), &problem) {
            (Some(http::StatusCode::NOT_FOUND), Some(_)) => {}
            (Some(http::StatusCode::NOT_FOUND), None) => problem = Some(error),
            // It has what is asked for, and the others would be asked to do it twice.
            (Some(_), _) => return Err(error),
            (None, Some(first)) if first.downcast_ref::<Refused>().is_some() => {}
            (None, _) => problem = Some(error),
        }
    }
    Err(problem.unwrap_or_else(|| anyhow::anyhow!("the manifest has no regions")))
}

fn which(args: &RaceArgs) -> String {
    format!("?table={}&id={}", escaped(&args.table), escaped(&args.id))
}

/// Names of tables and regions stay as they are: regions compare them as they came.
pub(crate) fn escaped(text: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');
    utf8_percent_encode(text, KEPT).to_string()
}

/// Reads a time, or how long ago it was.
fn micros(text: &str, now: Timestamp) -> anyhow::Result<i64> {
    let at = match text.parse::<SignedDuration>() {
        Ok(ago) => now.checked_sub(ago.abs())?,
        Err(_) => text.parse::<Timestamp>().with_context(|| {
            format!("read {text}: write it as 2026-11-23T09:00:00Z, or as how long ago: 2h")
        })?,
    };
    Ok(at.as_microsecond())
}

fn line(race: &Value) -> String {
    let side = |name: &str| {
        let side = &race[name];
        let what = if side["item"].is_null() {
            "delete"
        } else {
            "write"
        };
        format!("{} of {}", what, side["region"].as_str().unwrap_or("-"))
    };
    let restored = match race["restored_micros"].as_i64() {
        Some(_) => "  restored",
        None => "",
    };
    format!(
        "{}  {}  {}  {} beat {}{restored}",
        race["id"].as_str().unwrap_or("-"),
        time(&race["winner"]["stamp_micros"]),
        race["key"],
        side("winner"),
        side("loser"),
    )
}

pub(crate) fn time(micros: &Value) -> String {
    let stamp = micros
        .as_i64()
        .and_then(|at| Timestamp::from_microsecond(at).ok());
    stamp.map_or_else(|| "-".to_owned(), |stamp| format!("{stamp:.6}"))
}

fn print(race: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    println!("race    {}", text(&race["id"]));
    println!(
        "table   {}, as {} knows it",
        text(&race["table"]),
        text(&race["seen_by"])
    );
    println!("key     {}", race["key"]);
    for side in ["winner", "loser"] {
        let of = &race[side];
        let what = if of["item"].is_null() {
            "deleted"
        } else {
            "written"
        };
        let at = time(&of["stamp_micros"]);
        println!("{side:<7} {what} in {} at {at}", text(&of["region"]));
    }
    let cause = match race["cause"].as_str() {
        Some("later-stamp") => {
            let stamp = |side: &str| race[side]["stamp_micros"].as_i64().unwrap_or_default();
            let later = stamp("winner") - stamp("loser");
            format!("neither write had seen the other; the winner's stamp is {later} µs later")
        }
        _ => "neither write had seen the other; of equal stamps the higher region wins".to_owned(),
    };
    println!("cause   {cause}");
    let since = match (
        race["restored_micros"].as_i64(),
        race["is_winners"].as_bool(),
    ) {
        (Some(_), _) => format!("restored at {}", time(&race["restored_micros"])),
        (None, Some(true)) => "the item is still as the winner left it".to_owned(),
        (None, Some(false)) => "the item was written since".to_owned(),
        (None, None) => "the delete that won is remembered no more: whether the item was written \
                         since is not known"
            .to_owned(),
    };
    println!("since   {since}");
    for line in difference::lines(&race["winner"]["item"], &race["loser"]["item"]) {
        println!("{line}");
    }
}

#[cfg(test)]
mod tests;
