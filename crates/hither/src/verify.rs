//! `hither verify`: whether a table is the same in all its regions, and what differs.
//!
//! One region is asked, and compares itself with the others; here that is told.

use std::process::ExitCode;

use http::Method;
use serde_json::Value;

use crate::cli::VerifyArgs;
use crate::conflicts;
use crate::http_get;

/// Asks a region that has the table. Exits with 0 where all regions were compared and hold the
/// same.
pub(crate) async fn run(args: VerifyArgs) -> anyhow::Result<ExitCode> {
    let Some(nodes) = conflicts::nodes(&args.asked)? else {
        return Ok(ExitCode::FAILURE);
    };
    let proofs = conflicts::proofs(&args.asked)?;
    let path = format!("/_hither/verify?table={}", conflicts::escaped(&args.table));
    let (_, told) = conflicts::first(&nodes, async |node| {
        http_get::proven(node, Method::POST, &path, proofs.as_ref()).await
    })
    .await?;
    if args.asked.json {
        println!("{told}");
    } else {
        for line in lines(&told) {
            println!("{line}");
        }
    }
    Ok(match told["verdict"].as_str() {
        Some("converged") => ExitCode::SUCCESS,
        Some(_) | None => ExitCode::FAILURE,
    })
}

fn lines(told: &Value) -> Vec<String> {
    let (table, own) = (text(&told["table"]), text(&told["region"]));
    let none = Vec::new();
    let compared = told["compared"].as_array().unwrap_or(&none);
    let mut lines = vec![match told["verdict"].as_str() {
        Some("converged") if compared.is_empty() => {
            format!("{table} is in {own} alone: there is nothing to compare")
        }
        Some("converged") => {
            let others = compared.iter().map(|one| text(&one["region"]));
            let others: Vec<String> = others.collect();
            format!(
                "converged: {table} is the same in {own} and {}",
                others.join(", ")
            )
        }
        Some("differs") => {
            let number = told["differing"].as_u64().unwrap_or_default();
            let at_least = if told["complete"] == true {
                ""
            } else {
                "at least "
            };
            let keys = if number == 1 {
                "key differs"
            } else {
                "keys differ"
            };
            format!("not converged: of {table} {at_least}{number} {keys}")
        }
        Some(_) | None => format!("not known: {table} could not be compared everywhere"),
    }];
    let positions = told["as_of"].as_object().into_iter().flatten();
    let positions = positions.map(|(region, at)| format!("{region} {at}"));
    lines.push(format!(
        "  as of     {}",
        positions.collect::<Vec<_>>().join(", ")
    ));
    lines.push(format!(
        "  items     {} in {own}, compared within {:.0} ms",
        told["items"],
        told["took_ms"].as_f64().unwrap_or_default().ceil()
    ));
    for one in compared.iter().filter(|one| one["outcome"] != "same") {
        let problem = match one["outcome"].as_str() {
            Some("differs") => format!("{} keys differ", one["differing"]),
            Some(outcome) => format!("{outcome}: {}", text(&one["problem"])),
            None => "-".to_owned(),
        };
        lines.push(format!("  {:<16} {problem}", text(&one["region"])));
    }
    let differences = told["differences"].as_array().unwrap_or(&none);
    for one in differences {
        name(&mut lines, one);
    }
    let number = told["differing"].as_u64().unwrap_or_default();
    if (differences.len() as u64) < number {
        lines.push(format!("… and {} more", number - differences.len() as u64));
    }
    lines
}

/// Names a key that differs, and what each region has.
fn name(lines: &mut Vec<String>, difference: &Value) {
    lines.push(difference["key"].to_string());
    for (region, version) in difference["versions"].as_object().into_iter().flatten() {
        let has = if version.is_null() {
            "nothing".to_owned()
        } else {
            let what = if version["deleted"] == true {
                "deleted"
            } else {
                "written"
            };
            let at = conflicts::time(&version["stamp_micros"]);
            let hash = version["hash"].as_str().unwrap_or_default();
            let hash = hash.get(..8).map(|hash| format!("  {hash}"));
            let origin = text(&version["region"]);
            format!("{what} in {origin} at {at}{}", hash.unwrap_or_default())
        };
        lines.push(format!("  {region:<16} {has}"));
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("-").to_owned()
}

#[cfg(test)]
mod tests;
