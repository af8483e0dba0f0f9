//! Who may depend on whom: the arrows of ARCHITECTURE.md.
//!
//! Only normal and build dependencies count: tests may use what they like.

use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::tidy::Complaint;
use crate::{root, run};

/// A crate of the workspace and what it depends on.
pub(super) struct Crate {
    pub(super) name: String,
    /// Crates of the workspace.
    pub(super) own: Vec<String>,
    /// Crates of others.
    pub(super) others: Vec<String>,
}

/// Reads the workspace's crates.
pub(super) fn read() -> Result<Vec<Crate>> {
    let json = run::read(
        Command::new(env!("CARGO"))
            .args([
                "metadata",
                "--no-deps",
                "--offline",
                "--format-version",
                "1",
            ])
            .current_dir(root()),
    )?;
    let metadata: Value = serde_json::from_str(&json).context("read cargo metadata")?;
    let packages = metadata["packages"].as_array().context("it has packages")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let names: Vec<String> = packages
        .iter()
        .map(|package| text(&package["name"]))
        .collect();
    let crates = packages.iter().map(|package| {
        let dependencies = package["dependencies"].as_array().into_iter().flatten();
        let (own, others) = dependencies
            .filter(|dependency| dependency["kind"] != "dev")
            .map(|dependency| text(&dependency["name"]))
            .partition(|name| names.contains(name));
        Crate {
            name: text(&package["name"]),
            own,
            others,
        }
    });
    Ok(crates.collect())
}

/// Checks every crate against its rule; a crate without one is a complaint too.
pub(super) fn check(crates: &[Crate]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for one in crates {
        let mut complain = |what: String| {
            complaints.push(Complaint {
                path: format!("crates/{}/Cargo.toml", one.name),
                line: 0,
                what,
            });
        };
        let Some(rule) = RULES.iter().find(|rule| matches(rule.of, &one.name)) else {
            complain(format!(
                "`{}` has no layer: give it a rule in xtask",
                one.name
            ));
            continue;
        };
        for own in &one.own {
            if !rule.own.iter().any(|allowed| matches(allowed, own)) {
                complain(format!("`{}` may not depend on `{own}`", one.name));
            }
        }
        for other in &one.others {
            if rule.banned.iter().any(|banned| matches(banned, other)) {
                complain(format!("`{}` may not depend on `{other}`", one.name));
            }
        }
    }
    complaints
}

/// Compares a name with a pattern that has at most one `*`.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, tail)) => {
            name.len() >= head.len() + tail.len() && name.starts_with(head) && name.ends_with(tail)
        }
    }
}

/// What a layer may and may not depend on. The first rule that fits a crate decides.
struct Rule {
    of: &'static str,
    own: &'static [&'static str],
    banned: &'static [&'static str],
}

const fn rule(
    of: &'static str,
    own: &'static [&'static str],
    banned: &'static [&'static str],
) -> Rule {
    Rule { of, own, banned }
}

/// No sockets, files or tasks.
const IO: &[&str] = &[
    "tokio*",
    "hyper*",
    "rustls",
    "socket2",
    "nix",
    "fjall",
    "aws-sdk-*",
    "aws-config",
];

/// No wire formats either.
const IO_AND_SERDE: &[&str] = &[
    "tokio*",
    "hyper*",
    "rustls",
    "socket2",
    "nix",
    "fjall",
    "aws-sdk-*",
    "aws-config",
    "serde",
    "serde_json",
];

/// No engine, and no client of AWS.
const ENGINES: &[&str] = &["fjall", "aws-sdk-*", "aws-config"];

const RULES: &[Rule] = &[
    // words
    rule("base", &[], IO_AND_SERDE),
    rule("clock", &["base"], IO_AND_SERDE),
    rule("item", &["base"], IO_AND_SERDE),
    rule("expr", &["base", "item"], IO_AND_SERDE),
    rule("partiql", &["base", "item", "expr"], IO_AND_SERDE),
    rule("iam", &["base", "clock", "item"], IO), // policies are JSON by their nature
    // cores; gateway-core maps requests to JSON events, which is its matter
    rule("gateway-core", &["base", "clock"], IO),
    rule("replica-core", &["base", "clock", "item"], IO_AND_SERDE),
    rule("*-core", &["base", "clock"], IO_AND_SERDE),
    // state
    rule("store", &["base", "clock"], ENGINES),
    rule("store-*", &["base", "clock", "store"], &["aws-*"]),
    rule(
        "table",
        &["base", "clock", "item", "expr", "store", "replica-core"],
        &["serde", "serde_json", "hyper*", "rustls", "fjall", "aws-*"],
    ),
    rule(
        "control",
        &[
            "base", "clock", "item", "expr", "iam", "store", "table", "*-core",
        ],
        &["hyper*", "rustls", "fjall", "aws-sdk-*", "aws-config"],
    ),
    // shells
    rule("net", &["base", "clock"], ENGINES),
    rule("dns", &["base", "clock", "net", "dns-core"], ENGINES),
    rule(
        "gateway",
        &["base", "clock", "net", "gateway-core", "cache-core"],
        ENGINES,
    ),
    rule(
        "function",
        &["base", "clock", "net", "gateway-core"],
        ENGINES,
    ),
    rule("health", &["base", "clock", "net", "health-core"], ENGINES),
    rule(
        "replica",
        &[
            "base",
            "clock",
            "item",
            "net",
            "replica-core",
            "store",
            "table",
        ],
        ENGINES,
    ),
    // facades
    rule("api-protocol", &["base", "clock", "iam"], IO),
    rule(
        "api-dynamodb",
        &[
            "api-protocol",
            "base",
            "clock",
            "control",
            "table",
            "item",
            "expr",
            "iam",
            "partiql",
            "store",
        ],
        &[
            "hyper*",
            "rustls",
            "socket2",
            "fjall",
            "aws-sdk-*",
            "aws-config",
        ],
    ),
    rule(
        "api-*",
        &[
            "api-protocol",
            "base",
            "clock",
            "control",
            "iam",
            "store",
            "*-core",
        ],
        &[
            "hyper*",
            "rustls",
            "socket2",
            "fjall",
            "aws-sdk-*",
            "aws-config",
        ],
    ),
    // whole
    rule("manifest", &["base"], IO_AND_SERDE),
    rule("wan", &["base", "clock", "net"], ENGINES),
    rule(
        "deploy",
        &["base", "clock", "manifest", "api-protocol"],
        &["fjall"],
    ),
    rule(
        "region",
        &[
            "base", "clock", "item", "expr", "iam", "*-core", "store", "store-*", "table",
            "control", "net", "dns", "gateway", "function", "health", "replica", "api-*",
            "console",
        ],
        &["fjall"],
    ),
    rule(
        "hither",
        &[
            "base",
            "clock",
            "net",
            "region",
            "replica",
            "manifest",
            "wan",
            "deploy",
            "*-core",
            "api-protocol",
            "control",
            "cart",
        ],
        &["fjall"],
    ),
    rule("cart", &[], &[]),
    // never in the release graph
    rule("sdk-walk", &[], &[]),
    rule(
        "sim",
        &["base", "clock", "item", "expr", "*-core", "store", "table"],
        IO,
    ),
    rule(
        "fuzz-targets",
        &[
            "base",
            "gateway-core",
            "clock",
            "item",
            "expr",
            "partiql",
            "iam",
            "*-core",
            "store",
            "control",
            "api-protocol",
            "api-dynamodb",
        ],
        &[],
    ),
    rule("xtask", &["wan"], &[]),
];

#[cfg(test)]
mod tests;
