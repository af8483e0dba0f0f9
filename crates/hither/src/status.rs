//! `hither status` and `hither env`: what runs where, and how tools are pointed at it.
//!
//! It changes nothing.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use manifest::model::{Manifest, Port};
use manifest::surroundings::Listening;

use crate::apply::ACCESS_KEY;
use crate::check;
use crate::cli::{AtArgs, EnvArgs, StatusArgs};
use crate::http_get;
use crate::project::{self, Where};

/// Prints each region's own word. Exits with 1 when one does not answer.
pub(crate) async fn run(args: StatusArgs) -> anyhow::Result<ExitCode> {
    let Some(nodes) = nodes(&args.at)? else {
        return Ok(ExitCode::FAILURE);
    };
    let mut all = Vec::new();
    let mut missing = false;
    for (name, api) in nodes {
        match http_get::get(api, "/_hither/status").await {
            Ok(status) => all.push(status),
            Err(error) => {
                missing = true;
                all.push(json!({"region": name, "error": format!("{error:#}")}));
            }
        }
    }
    if args.json {
        println!("{}", Value::Array(all));
    } else {
        all.iter().for_each(print);
    }
    Ok(if missing {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Prints the shell lines that point AWS tools at a region.
pub(crate) fn env(args: EnvArgs) -> anyhow::Result<ExitCode> {
    let Some(manifest) = check::read(&args.manifest, &Listening::Nothing)? else {
        return Ok(ExitCode::FAILURE);
    };
    let named = |region: &&manifest::model::Region| {
        args.region
            .as_ref()
            .is_none_or(|name| region.name.as_str() == name)
    };
    let Some(region) = manifest.regions.iter().find(named) else {
        let all: Vec<&str> = manifest
            .regions
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        bail!(
            "find the region asked for: the manifest has {}",
            all.join(", ")
        );
    };
    let state_dir = project::state_dir(&args.manifest, args.state_dir.as_deref());
    let api = project::site(region, project::place(&state_dir)).socket(Port::Api);
    println!("export AWS_ENDPOINT_URL=http://{api}");
    println!("export AWS_REGION={0} AWS_DEFAULT_REGION={0}", region.name);
    if api.ip().is_loopback() {
        println!("export AWS_ACCESS_KEY_ID={ACCESS_KEY} AWS_SECRET_ACCESS_KEY={ACCESS_KEY}");
    } else {
        // Off loopback callers are known by keys of their own.
        println!("# with an access key that the region's --credentials file holds");
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the regions to be asked, each with its API endpoint; `None` where the manifest has
/// mistakes, which are printed.
///
/// Errors: when the manifest cannot be read.
pub(crate) fn nodes(at: &AtArgs) -> anyhow::Result<Option<Vec<(String, SocketAddr)>>> {
    if let Some(endpoint) = at.endpoint {
        return Ok(Some(vec![(endpoint.to_string(), endpoint)]));
    }
    let Some(manifest) = check::read(&at.manifest, &Listening::Nothing)? else {
        return Ok(None);
    };
    let state_dir = project::state_dir(&at.manifest, at.state_dir.as_deref());
    Ok(Some(apis(&manifest, project::place(&state_dir))))
}

fn apis(manifest: &Manifest, place: Where) -> Vec<(String, SocketAddr)> {
    let api = |region: &manifest::model::Region| {
        let site = project::site(region, place);
        (region.name.to_string(), site.socket(Port::Api))
    };
    manifest.regions.iter().map(api).collect()
}

fn print(status: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    if let Some(error) = status.get("error") {
        println!(
            "{:<16} does not answer: {}",
            text(&status["region"]),
            text(error)
        );
        return;
    }
    println!(
        "{} (version {}, {})",
        text(&status["region"]),
        text(&status["version"]),
        text(&status["mode"])
    );
    if status["durability"] == "async" {
        println!("  durability async: a power loss takes the last acknowledged writes");
    }
    let none = Vec::new();
    for region in status["regions"].as_array().unwrap_or(&none) {
        if region["own"].as_bool() == Some(true) {
            continue;
        }
        let number = |value: &Value, unit: &str| {
            value
                .as_f64()
                .map_or_else(|| "-".to_owned(), |value| format!("{value:.1} {unit}"))
        };
        let replication = &region["replication"];
        let latency = replication["latency"].as_object();
        let p50 = latency
            .and_then(|by| by.values().next())
            .map_or(&Value::Null, |of| &of["p50_ms"]);
        let p99 = latency
            .and_then(|by| by.values().next())
            .map_or(&Value::Null, |of| &of["p99_ms"]);
        println!(
            "  {:<16} {:<8} round trip {:<10} lag p50 {:<10} p99 {:<10} backlog {}",
            text(&region["name"]),
            text(&region["state"]),
            number(&region["round_trip_ms"], "ms"),
            number(p50, "ms"),
            number(p99, "ms"),
            replication["backlog_records"],
        );
    }
    for table in status["tables"].as_array().unwrap_or(&none) {
        println!(
            "  table {:<24} digest {}",
            text(&table["name"]),
            text(&table["digest"])
        );
    }
    for check in status["health_checks"].as_array().unwrap_or(&none) {
        let word = if check["healthy"].as_bool() == Some(true) {
            "healthy"
        } else {
            "unhealthy"
        };
        println!(
            "  check {} {word}: {}",
            text(&check["id"]),
            text(&check["because"])
        );
    }
}

/// Returns the status of one node.
///
/// Errors: when it does not answer.
pub(crate) async fn of(node: SocketAddr) -> anyhow::Result<Value> {
    http_get::get(node, "/_hither/status")
        .await
        .context("ask a region for its status")
}
