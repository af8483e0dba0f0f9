//! `hither deploy`: what a manifest says, made in regions that are served already.
//!
//! It starts no region; `hither serve` and `hither up` do. What the file no longer names stays.

use std::net::IpAddr;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use aws_credential_types::Credentials;

use deploy::credentials::{self, Places};
use deploy::execute::{Change, Outcome};
use manifest::model::Manifest;
use manifest::surroundings::Listening;

use crate::apply::{self, Target};
use crate::authority::Authority;
use crate::check;
use crate::cli::DeployArgs;
use crate::progress::{Lines, Progress};
use crate::project;
use crate::up;

/// Makes what the manifest says by signed calls to its regions.
///
/// Errors: those of the first call that failed; what was made before stays, and the next run goes
/// on from there.
pub(crate) async fn run(args: DeployArgs) -> anyhow::Result<ExitCode> {
    let Some(manifest) = check::read(&args.manifest, &Listening::Nothing)? else {
        return Ok(ExitCode::FAILURE);
    };
    let folder = args.manifest.parent().unwrap_or_else(|| Path::new("."));
    let state_dir = project::state_dir(&args.manifest, args.state_dir.as_deref());
    let place = project::place(&state_dir);
    let is_here = manifest.regions.iter().all(|region| {
        let address: IpAddr = project::site(region, place).address;
        address.is_loopback()
    });
    let authority = if is_here {
        let make = || format!("make {}", state_dir.display());
        std::fs::create_dir_all(&state_dir).with_context(make)?;
        Some(Authority::open(&state_dir, &manifest.project.name)?)
    } else {
        None
    };
    let credentials = if is_here {
        apply::laptop_credentials().await
    } else {
        own_credentials().await?
    };
    let target = Target::served(&manifest, place, authority.as_ref(), credentials);
    let progress = Progress::new(Lines::Shown);
    let mut deployment = progress.deployment();
    let outcome = apply::apply(&manifest, folder, &target, |event| deployment.tell(&event)).await?;
    drop(deployment);
    if let Err(error) = up::put_clients(&manifest, &target).await {
        eprintln!("warning: no region was told of [clients]: {error:#}");
        eprintln!("hint: run this once on the machine of a region, which tells the others");
    }
    println!("{}", summary(&manifest, &outcome));
    Ok(ExitCode::SUCCESS)
}

/// Returns the caller's credentials from wherever AWS's tools would take them.
async fn own_credentials() -> anyhow::Result<Credentials> {
    let Some(found) = credentials::find(Places::Everywhere).await? else {
        bail!(
            "find AWS credentials: there are none; set AWS_ACCESS_KEY_ID and \
             AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, to a key of the regions' --credentials file"
        );
    };
    Ok(found)
}

fn summary(manifest: &Manifest, outcome: &Outcome) -> String {
    let count = |change| outcome.changes.iter().filter(|one| **one == change).count();
    format!(
        "{}: {} created, {} updated, {} unchanged",
        manifest.project.name,
        count(Change::Created),
        count(Change::Updated),
        count(Change::Unchanged)
    )
}
