//! `hither faults` and `hither reset`: what tests of an application ask of its regions.
//!
//! Each region does the work and decides whether it may; here it is asked, and told.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde_json::{Map, Value};

use crate::cli::{FaultsArgs, FaultsCommand, ResetArgs};
use crate::http_get;
use crate::status;

const FAULTS: &str = "/_hither/faults";

/// Sets, removes and prints faults.
pub(crate) async fn faults(args: FaultsArgs) -> anyhow::Result<ExitCode> {
    let Some(mut nodes) = status::nodes(&args.at)? else {
        return Ok(ExitCode::FAILURE);
    };
    if let Some(region) = &args.region {
        nodes.retain(|(name, _)| name == region);
        if nodes.is_empty() {
            bail!("find region {region}: the manifest has no such one");
        }
    }
    let table = match &args.command {
        FaultsCommand::List => None,
        FaultsCommand::Set { table, .. } => Some(table),
        FaultsCommand::Clear { table } => table.as_ref(),
    };
    let mut asked = Vec::new();
    for (_, node) in nodes {
        let known = http_get::get(node, FAULTS).await?;
        if table.is_none_or(|table| known["tables"].get(table).is_some()) {
            asked.push((node, known));
        }
    }
    if let (Some(table), true) = (table, asked.is_empty()) {
        bail!("find table {table}: no region that was asked has one of this name");
    }
    for (node, known) in asked {
        let told = match &args.command {
            FaultsCommand::List => known,
            FaultsCommand::Set { table, faults } => {
                let path = format!("{FAULTS}?table={table}");
                http_get::put(node, &path, &pairs(faults)?).await?
            }
            FaultsCommand::Clear { table: Some(table) } => {
                http_get::delete(node, &format!("{FAULTS}?table={table}")).await?
            }
            FaultsCommand::Clear { table: None } => http_get::delete(node, FAULTS).await?,
        };
        for line in lines(&told) {
            println!("{line}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns faults as a region is told them.
fn pairs(faults: &[String]) -> anyhow::Result<Value> {
    let pair = |fault: &String| {
        let (name, value) = fault.split_once('=')?;
        Some((name.to_owned(), value.into()))
    };
    let mut pairs = Map::new();
    for fault in faults {
        let (name, value) =
            pair(fault).with_context(|| format!("read {fault}: write it as throttle=0.1"))?;
        pairs.insert(name, value);
    }
    Ok(Value::Object(pairs))
}

/// Returns what a region tells of faults, one line a table that has some.
fn lines(told: &Value) -> Vec<String> {
    let region = told["region"].as_str().unwrap_or("-");
    let mut lines = Vec::new();
    for (table, faults) in told["tables"].as_object().into_iter().flatten() {
        let faults = faults.as_object().into_iter().flatten();
        let faults: Vec<String> = faults
            .map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or("-")))
            .collect();
        if !faults.is_empty() {
            lines.push(format!("{region:<16} {table:<24} {}", faults.join(" ")));
        }
    }
    if lines.is_empty() {
        lines.push(format!("{region:<16} no faults"));
    } else if told["mode"] == "production" {
        lines.push(format!("{region:<16} is for production: none of them acts"));
    }
    lines
}

/// Deletes all tables in all regions.
pub(crate) async fn reset(args: ResetArgs) -> anyhow::Result<ExitCode> {
    let Some(nodes) = status::nodes(&args.at)? else {
        return Ok(ExitCode::FAILURE);
    };
    // Before anything is deleted it is certain that each region may be emptied.
    for (name, node) in &nodes {
        let status = http_get::get(*node, "/_hither/status").await;
        let status = status.with_context(|| format!("nothing is deleted: ask {name} first"))?;
        match status["mode"].as_str() {
            Some("development") => {}
            Some("tests") if args.yes => {}
            Some("tests") => bail!("delete all tables of {name}: its callers must sign; add --yes"),
            Some(_) | None => bail!(
                "delete all tables of {name}: it is for production; one for tests is started with \
                 --test-controls"
            ),
        }
    }
    let nodes: Vec<SocketAddr> = nodes.into_iter().map(|(_, node)| node).collect();
    let (mut tables, mut away) = (BTreeSet::new(), BTreeSet::new());
    for node in nodes {
        // Each is asked: it empties itself alone.
        let told = http_get::post(node, "/_hither/reset?confirm=yes").await?;
        tables.extend(names(&told["tables"]));
        away.extend(names(&told["away"]));
    }
    println!("deleted {} tables", tables.len());
    for table in tables {
        println!("  {table}");
    }
    for region in away {
        println!("{region} is away, and learns of it once it is back");
    }
    Ok(ExitCode::SUCCESS)
}

fn names(list: &Value) -> Vec<String> {
    let names = list.as_array().into_iter().flatten();
    names
        .filter_map(|name| Some(name.as_str()?.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    //! Tests of how faults are written and told.

    use serde_json::json;

    use super::{lines, pairs};

    #[test]
    fn faults_are_read_and_told() {
        let given = ["throttle=0.1", "latency=50ms"].map(str::to_owned);
        let read = pairs(&given).expect("faults");
        assert_eq!(read, json!({"throttle": "0.1", "latency": "50ms"}));
        assert!(pairs(&["throttle".to_owned()]).is_err());
        let told = |mode: &str, faults: serde_json::Value| {
            let tables = json!({"carts": faults, "other": {}});
            lines(&json!({"region": "eu-west-1", "mode": mode, "tables": tables}))
        };
        let line = "eu-west-1        carts                    latency=50ms throttle=0.1";
        assert_eq!(told("development", read.clone()), [line]);
        assert_eq!(told("production", read).len(), 2, "they do not act there");
        assert_eq!(told("tests", json!({})), ["eu-west-1        no faults"]);
    }
}
