//! `hither region drain` and `undrain`: a region is left by its clients, and taken back.
//!
//! The region itself knows how far it is; here it is asked, and what it waits for is told.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::cli::{AtArgs, DrainArgs, UndrainArgs};
use crate::http_get;
use crate::status;

const DRAIN: &str = "/_hither/drain";

/// How often a region is asked how far it is. 0.25 s.
const LOOK: Duration = Duration::from_millis(250);

/// Drains a region.
pub(crate) async fn drain(args: DrainArgs) -> anyhow::Result<ExitCode> {
    let Ok(patience) = Duration::try_from(args.timeout) else {
        bail!("read --timeout {}: it is negative", args.timeout);
    };
    let Some(node) = node(&args.at, &args.region)? else {
        return Ok(ExitCode::FAILURE);
    };
    let path = format!("{DRAIN}?region={}", args.region);
    let mut told = http_get::put(node, &path, &json!({}))
        .await
        .context("nothing is drained")?;
    let deadline = tokio::time::Instant::now() + patience;
    let mut shown = String::new();
    loop {
        let waits = list(&told["waits_for"]).join("; ");
        if told["draining"].as_bool() != Some(true) {
            bail!("{} was taken back meanwhile: it serves", args.region);
        }
        if told["safe_to_power_off"].as_bool() == Some(true) {
            break;
        }
        if !args.json && shown != waits {
            println!("{} drains; waits for {waits}", args.region);
            shown = waits;
        }
        if deadline <= tokio::time::Instant::now() {
            return Ok(late(&args, &told));
        }
        tokio::time::sleep(LOOK).await;
        // It may be busy for a moment: whoever has begun to drain goes on.
        match http_get::get(node, &path).await {
            Ok(again) => told = again,
            Err(error) if deadline <= tokio::time::Instant::now() => return Err(error),
            Err(_) => {}
        }
    }
    if args.json {
        println!("{told}");
        return Ok(ExitCode::SUCCESS);
    }
    let away = list(&told["away"]);
    if !away.is_empty() {
        println!(
            "not linked: {}; the others have what they lack",
            away.join(", ")
        );
    }
    let only_here = list(&told["only_here"]);
    if !only_here.is_empty() {
        let tables = only_here.join(", ");
        println!("in no other region, and out of reach while it is off: {tables}");
    }
    println!("{} is drained: it is safe to power off", args.region);
    println!(
        "`hither region undrain {}` takes it back, once it is on",
        args.region
    );
    Ok(ExitCode::SUCCESS)
}

/// Tells that the time is up.
fn late(args: &DrainArgs, told: &Value) -> ExitCode {
    if args.json {
        println!("{told}");
    } else {
        let waits = list(&told["waits_for"]).join("; ");
        eprintln!(
            "error: {} drains, and is NOT yet safe to power off after {:#}: it waits for {waits}; \
             ask again, or `hither region undrain {}`",
            args.region, args.timeout, args.region
        );
    }
    ExitCode::FAILURE
}

/// Takes a drain back.
pub(crate) async fn undrain(args: UndrainArgs) -> anyhow::Result<ExitCode> {
    let Some(node) = node(&args.at, &args.region)? else {
        return Ok(ExitCode::FAILURE);
    };
    let path = format!("{DRAIN}?region={}", args.region);
    let told = http_get::delete(node, &path).await;
    let told = told.context("nothing is taken back")?;
    if args.json {
        println!("{told}");
    } else {
        println!(
            "{} serves: the other regions send clients there again",
            args.region
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns where a region answers; `None` where the manifest has mistakes, which are printed.
fn node(at: &AtArgs, region: &str) -> anyhow::Result<Option<SocketAddr>> {
    let Some(nodes) = status::nodes(at)? else {
        return Ok(None);
    };
    if at.endpoint.is_some() {
        return Ok(nodes.first().map(|(_, node)| *node));
    }
    let found = nodes.iter().find(|(name, _)| name == region);
    let Some((_, node)) = found else {
        let all: Vec<&str> = nodes.iter().map(|(name, _)| name.as_str()).collect();
        bail!("find region {region}: the manifest has {}", all.join(", "));
    };
    Ok(Some(*node))
}

fn list(value: &Value) -> Vec<&str> {
    let values = value.as_array().into_iter().flatten();
    values.filter_map(Value::as_str).collect()
}
