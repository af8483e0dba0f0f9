//! `hither up`: the regions of a manifest on this machine, until Ctrl-C.
//!
//! What it made stays in the state directory, and is found again by the next `up`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;

use manifest::model::{Durability, Manifest, Port};
use manifest::surroundings::Listening;
use serde_json::json;
use wan::links::Links;

use crate::apply::{self, Target};
use crate::chaos::Chaos;
use crate::check;
use crate::cli::UpArgs;
use crate::http_get;
use crate::interrupt;
use crate::laptop::{Laptop, Restart};
use crate::progress::{Lines, Progress};
use crate::project;
use crate::tenancy;

/// Starts the regions, makes what the manifest says, and waits for Ctrl-C.
pub(crate) async fn run(args: UpArgs) -> anyhow::Result<ExitCode> {
    let folder = args.manifest.parent().unwrap_or_else(|| Path::new("."));
    let state_dir = project::state_dir(&args.manifest, args.state_dir.as_deref());
    let Some(manifest) = check::read(&args.manifest, &Listening::Laptop)? else {
        if let Some(process) = tenancy::holder(&state_dir) {
            let state_dir = state_dir.display();
            eprintln!("hint: process {process} is `hither up` with {state_dir} already");
        }
        return Ok(ExitCode::FAILURE);
    };
    std::fs::create_dir_all(&state_dir).with_context(|| format!("make {}", state_dir.display()))?;
    let _tenancy = tenancy::take(&state_dir).await?;
    let links = links(&manifest, args.no_delay)?;
    let progress = Progress::new(Lines::Shown);
    let (file, hosts) = (&args.manifest, args.allow_host);
    let mut laptop = Laptop::prepare(&manifest, file, &state_dir, links, hosts)?;
    laptop.start(&progress).await?;
    let chaos = open_chaos(&laptop);
    if let Err(error) = set_up(&manifest, folder, &laptop, &progress).await {
        laptop.tell_ended();
        return Err(error);
    }
    tell_addresses(&manifest, &laptop)?;
    let restart = if args.no_restart {
        Restart::Never
    } else {
        Restart::OnFailure
    };
    let ended = tokio::select! {
        ended = interrupt::wait() => ended,
        ended = laptop.supervise(restart) => ended,
    };
    println!("stopping: requests are drained");
    drop(chaos);
    laptop.stop().await;
    ended.map(|()| ExitCode::SUCCESS)
}

/// Makes what the manifest says.
async fn set_up(
    manifest: &Manifest,
    folder: &Path,
    laptop: &Laptop,
    progress: &Progress,
) -> anyhow::Result<()> {
    let credentials = apply::laptop_credentials().await;
    let target = Target::laptop(laptop, credentials)?;
    put_clients(manifest, &target).await?;
    let mut deployment = progress.deployment();
    apply::apply(manifest, folder, &target, |event| deployment.tell(&event)).await?;
    Ok(())
}

/// Opens the port by which links are cut. Regions run as well without it.
fn open_chaos(laptop: &Laptop) -> Option<Chaos> {
    let names = laptop.names().iter().map(ToString::to_string).collect();
    Chaos::listen(&laptop.state_dir, &laptop.links, names)
        .inspect_err(|error| {
            let folder = laptop.state_dir.display();
            eprintln!("warning: links cannot be cut: make a socket in {folder}: {error}");
        })
        .ok()
}

/// Returns links with the public delays between the manifest's regions.
///
/// Pairs without a public figure get 80 ms, about the distance of two continents.
pub(crate) fn links(manifest: &Manifest, without_delay: bool) -> anyhow::Result<Links> {
    if without_delay {
        return Ok(Links::none()?);
    }
    let links = Links::public()?;
    for one in &manifest.regions {
        for two in &manifest.regions {
            let (from, to) = (one.name.as_str(), two.name.as_str());
            if from != to && links.delay(from, to).is_none() {
                links.set_rtt(from, to, std::time::Duration::from_millis(80));
            }
        }
    }
    Ok(links)
}

/// Puts the manifest's clients into the latency map of a region, which tells the others.
///
/// Errors: when no region takes them; each does so from its own machine alone.
pub(crate) async fn put_clients(manifest: &Manifest, target: &Target<'_>) -> anyhow::Result<()> {
    let entries: Vec<serde_json::Value> = manifest
        .clients
        .iter()
        .map(|client| {
            let rtts: serde_json::Map<String, serde_json::Value> = client
                .rtt
                .iter()
                .map(|(region, rtt)| {
                    let micros = u64::try_from(rtt.as_micros()).unwrap_or(u64::MAX);
                    (region.as_str().to_owned(), micros.into())
                })
                .collect();
            json!({"network": client.subnet.to_string(), "rtt_micros": rtts})
        })
        .collect();
    let mut refused = None;
    if entries.is_empty() {
        return Ok(());
    }
    let entries = entries.into();
    for api in target.apis() {
        match http_get::put(api, "/_hither/latency", &entries).await {
            Ok(_) => return Ok(()),
            Err(error) => refused = Some(error),
        }
    }
    refused.map_or(Ok(()), Err)
}

fn tell_addresses(manifest: &Manifest, laptop: &Laptop) -> anyhow::Result<()> {
    for region in laptop.names() {
        let site = laptop.site(&region)?;
        println!(
            "{region}: AWS APIs http://{} · dig @{} -p {} · https://{}",
            site.socket(Port::Api),
            site.address,
            site.ports.dns,
            site.socket(Port::Https),
        );
    }
    for domain in &manifest.domains {
        println!(
            "{}: trust {}",
            domain.name,
            laptop.state_dir.join("ca.pem").display()
        );
    }
    if manifest.project.durability == Durability::Async {
        println!("durability async: a power loss takes the last acknowledged writes");
    }
    println!(
        "Ctrl-C stops all regions; what they hold stays in {}",
        laptop.state_dir.display()
    );
    Ok(())
}
