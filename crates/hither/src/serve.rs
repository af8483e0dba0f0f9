//! `hither serve`: one node, until a signal ends it.
//!
//! It serves nothing itself; it reads what the node is started with.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use tokio::io::AsyncReadExt;
use tokio::signal::unix::{SignalKind, signal};

use base::region::RegionName;
use base::units::ByteCount;
use clock::wall::System;
use manifest::model::{self, Port};
use manifest::surroundings::Listening;
use net::dial::Dialer;
use region::config::{Access, Durability, NodeConfig, TestControls, Throttling, Wording};
use region::node::Node;

use crate::check;
use crate::cli::{DurabilityWord, DynamoDbThrottling, DynamoDbWording, ServeArgs, VERSION};
use crate::project::{self, Where};

/// Where Linux distributions keep the roots that the system trusts.
const SYSTEM_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Runs a node until SIGTERM or SIGINT, then drains it.
pub(crate) async fn run(args: ServeArgs) -> anyhow::Result<ExitCode> {
    let region = RegionName::parse(&args.region)?;
    let (listening, place) = if args.laptop {
        (Listening::Nothing, Where::Laptop)
    } else {
        (Listening::Region(region.clone()), Where::Manifest)
    };
    let Some(manifest) = check::read(&args.manifest, &listening)? else {
        return Ok(ExitCode::FAILURE);
    };
    let key_file = args.project_key.clone();
    let key_file = key_file.unwrap_or_else(|| args.data_dir.join("project.key"));
    let is_made = !key_file.exists();
    let key = project::key(&key_file, &System)?;
    if is_made && 1 < manifest.regions.len() {
        // The others refuse a region with another key, and this one refuses them.
        tracing::warn!(
            file = %key_file.display(),
            "a project key is made: start every other region with a copy, --project-key FILE"
        );
    }
    let project = project::project(&manifest, &region, place, key)?;
    let own = manifest
        .region(&region)
        .context("the region was found before")?;
    let mut second = project::site(own, place).socket(Port::Dynamodb);
    if let Some(port) = args.dynamodb_port {
        second.set_port(port);
    }
    let config = NodeConfig {
        version: VERSION.to_owned(),
        dynamodb: Some(second),
        project,
        durability: durability(args.durability, manifest.project.durability),
        cache: args.cache.map_or(manifest.project.cache, ByteCount::mib),
        data_dir: args.data_dir.clone(),
        access: access(args.credentials.as_deref())?,
        test_controls: test_controls(&args),
        hosts: args.allow_host.clone(),
        wording: wording(args.dynamodb_wording),
        throttling: throttling(args.dynamodb_throttling),
        dialer: dialer(args.via.as_deref())?,
        search_path: std::env::var("PATH").unwrap_or_default(),
        backend_roots: std::fs::read(SYSTEM_ROOTS).unwrap_or_default(),
    };
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let place = format!("serve region {region} out of {}", args.data_dir.display());
    let started = Node::start(config).await;
    let node = started.map_err(|error| with_way_out(error.into(), &place))?;
    let failed = tokio::select! {
        _ = terminate.recv() => None,
        _ = interrupt.recv() => None,
        () = input_ends(args.until_stdin_ends) => None,
        error = node.failed() => Some(error),
    };
    tracing::info!("draining");
    let clean = node.stop().await;
    if let Some(error) = failed {
        return Err(with_way_out(error.into(), &(place + MUST_END)));
    }
    Ok(if clean {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

const MUST_END: &str = ": it must not go on, and leaves its clients to the others";

/// Says where an error happened, and what may be done where the store has failed.
fn with_way_out(error: anyhow::Error, place: &str) -> anyhow::Error {
    if !format!("{error:#}").contains("use the store") {
        return error.context(place.to_owned());
    }
    anyhow::anyhow!(
        "{place}: {error:#}\nhint: where a file is damaged and the project has other regions, move \
         the directory away and start with an empty one, which they fill; otherwise restore it \
         from a backup of its newest state"
    )
}

/// Waits until standard input ends; for ever where that is not asked for.
async fn input_ends(asked: bool) {
    if !asked {
        return std::future::pending().await;
    }
    let mut input = tokio::io::stdin();
    let mut buf = [0; 64];
    while matches!(input.read(&mut buf).await, Ok(read) if read > 0) {}
}

const fn durability(asked: Option<DurabilityWord>, manifest: model::Durability) -> Durability {
    match (asked, manifest) {
        (Some(DurabilityWord::Disk), _) | (None, model::Durability::Disk) => Durability::Disk,
        (Some(DurabilityWord::Async), _) | (None, model::Durability::Async) => Durability::Async,
    }
}

const fn test_controls(args: &ServeArgs) -> TestControls {
    if args.test_controls {
        TestControls::Allowed
    } else {
        TestControls::Refused
    }
}

fn throttling(asked: DynamoDbThrottling) -> Throttling {
    match asked {
        DynamoDbThrottling::Off => Throttling::Off,
        DynamoDbThrottling::On => Throttling::On,
    }
}

const fn wording(wording: DynamoDbWording) -> Wording {
    match wording {
        DynamoDbWording::Classic => Wording::Classic,
        DynamoDbWording::Newer => Wording::Newer,
    }
}

fn dialer(via: Option<&Path>) -> anyhow::Result<Dialer> {
    let Some(path) = via else {
        return Ok(Dialer::default());
    };
    let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    let pairs: BTreeMap<String, SocketAddr> =
        serde_json::from_str(&text).with_context(|| format!("read {}", path.display()))?;
    let mut table = BTreeMap::new();
    for (target, relay) in pairs {
        let target: SocketAddr = target
            .parse()
            .with_context(|| format!("read {}: {target:?} is no address", path.display()))?;
        table.insert(target, relay);
    }
    Ok(Dialer::new(table))
}

fn access(credentials: Option<&Path>) -> anyhow::Result<Access> {
    let Some(path) = credentials else {
        return Ok(Access::Development);
    };
    let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    let keys = credentials_in(&text);
    if keys.is_empty() {
        bail!(
            "read {}: it holds no pair of aws_access_key_id and aws_secret_access_key",
            path.display()
        );
    }
    Ok(Access::Keys(keys))
}

/// Reads the pairs of a credentials file, as the AWS CLI writes it.
fn credentials_in(text: &str) -> BTreeMap<String, String> {
    let mut keys = BTreeMap::new();
    let mut id = None;
    for line in text.lines() {
        let Some((name, value)) = line.split_once('=') else {
            continue;
        };
        match name.trim() {
            "aws_access_key_id" => id = Some(value.trim().to_owned()),
            "aws_secret_access_key" => {
                if let Some(id) = id.take() {
                    keys.insert(id, value.trim().to_owned());
                }
            }
            _ => {}
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    //! Tests of credentials files.

    use super::credentials_in;

    #[test]
    fn pairs_of_all_profiles_are_read() {
        let text = "[default]\naws_access_key_id = AKIA1\naws_secret_access_key=s/1=\n\n[two]\n\
                    aws_access_key_id=AKIA2\nregion = x\naws_secret_access_key = two\n";
        let keys = credentials_in(text);
        assert_eq!(keys["AKIA1"], "s/1=");
        assert_eq!(keys["AKIA2"], "two");
        assert!(credentials_in("aws_secret_access_key = orphan").is_empty());
    }
}
