//! `hither deploy`: what a manifest says, made in regions that are served already.
//!
//! It starts no region; `hither serve` and `hither up` do. What the file no longer names stays.

use std::net::IpAddr;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use aws_credential_types::Credentials;

use base::region::RegionName;
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
    let addresses = manifest.regions.iter().map(|region| {
        let address: IpAddr = project::site(region, place).address;
        (&region.name, address)
    });
    let addresses: Vec<_> = addresses.collect();
    if !args.allow_plain_http {
        refuse_public(&addresses)?;
    }
    let is_here = addresses.iter().all(|(_, address)| address.is_loopback());
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

/// Refuses regions that calls would reach through networks of others: nothing encrypts them.
///
/// Errors: with all such regions.
fn refuse_public(addresses: &[(&RegionName, IpAddr)]) -> anyhow::Result<()> {
    let public = addresses
        .iter()
        .filter(|(_, address)| !is_private(*address));
    let public: Vec<String> = public
        .map(|(region, address)| format!("{region} at {address}"))
        .collect();
    if !public.is_empty() {
        bail!(
            "deploy to {}: calls are not encrypted, and they carry certificates' private keys and \
             session tokens; give regions private addresses, or add --allow-plain-http where \
             something else encrypts the way there",
            public.join(", ")
        );
    }
    Ok(())
}

/// Returns whether an address is of this machine or of a private network.
///
/// Source: RFC 1918; RFC 3927, RFC 4291 2.5.6 (link-local); RFC 4193; RFC 6598.
fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            let is_shared = first == 100 && (64..128).contains(&second);
            v4.is_loopback() || v4.is_private() || v4.is_link_local() || is_shared
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// Returns the caller's credentials from wherever AWS's tools would take them.
///
/// Who names a profile means its key: another that a container or an instance has never signs.
async fn own_credentials() -> anyhow::Result<Credentials> {
    let profile = std::env::var_os("AWS_PROFILE");
    let places = match profile {
        Some(_) => Places::Laptop,
        None => Places::Everywhere,
    };
    let Some(found) = credentials::find(places).await? else {
        if let Some(profile) = profile {
            bail!(
                "find AWS credentials: AWS_PROFILE names \"{}\", and there is no such profile with \
                 credentials; correct it, or unset it to use those that this machine is given",
                profile.display()
            );
        }
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

#[cfg(test)]
mod tests {
    //! Tests of where calls may go in clear.

    use base::region::RegionName;

    use super::{is_private, refuse_public};

    #[test]
    fn calls_go_in_clear_to_private_addresses_alone() {
        let private = |text: &str| is_private(text.parse().expect("an address"));
        for text in [
            "127.0.0.11",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.1.1",
            "100.64.0.1",
            "100.127.255.255",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(private(text), "{text}");
        }
        for text in [
            "198.51.100.10",
            "9.255.255.255",
            "172.32.0.1",
            "192.169.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "0.0.0.0",
            "::",
            "2001:db8::1",
            "fec0::1",
            "::ffff:198.51.100.1",
        ] {
            assert!(!private(text), "{text}");
        }
    }

    #[test]
    fn all_public_regions_are_told_at_once() {
        let names =
            ["here", "there", "yonder"].map(|name| RegionName::parse(name).expect("a name"));
        let addresses = ["10.0.0.1", "198.51.100.1", "2001:db8::1"];
        let addresses = addresses.map(|text| text.parse().expect("an address"));
        let regions: Vec<_> = names.iter().zip(addresses).collect();
        let error = refuse_public(&regions)
            .expect_err("two are public")
            .to_string();
        assert!(
            error.contains("there at 198.51.100.1, yonder at 2001:db8::1"),
            "{error}"
        );
        assert!(
            error.contains("--allow-plain-http") && !error.contains("here at 10"),
            "{error}"
        );
        refuse_public(&regions[..1]).expect("it is private");
    }
}
