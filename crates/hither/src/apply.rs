//! Making regions look like the manifest: the five steps, as signed calls.
//!
//! It plans nothing and makes no call itself: the crate `deploy` does. It starts no region.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use aws_credential_types::Credentials;

use base::region::RegionName;
use clock::port::Entropy;
use clock::wall::System;
use deploy::client::{Client, Endpoint};
use deploy::credentials::{self, Places};
use deploy::execute::{Event, Outcome, execute};
use deploy::package::Code;
use deploy::plan::{Inputs, plan};
use deploy::resource::certificate::Pem;
use manifest::model::{Domain, Manifest, Port, Site};

use crate::authority::Authority;
use crate::laptop::Laptop;
use crate::project::{self, Where};

/// The access key of a development project: any is accepted on loopback.
pub(crate) const ACCESS_KEY: &str = "test";

/// Regions that are served, and what their callers show.
pub(crate) struct Target<'l> {
    /// Each region's addresses and ports, in the order of the manifest.
    sites: Vec<(RegionName, Site)>,
    /// Who signs the certificates of domains that have none of their own.
    authority: Option<&'l Authority>,
    credentials: Credentials,
}

impl<'l> Target<'l> {
    /// Takes the regions that run on this laptop.
    pub(crate) fn laptop(laptop: &'l Laptop, credentials: Credentials) -> anyhow::Result<Self> {
        let mut sites = Vec::new();
        for region in laptop.names() {
            let site = laptop.site(&region)?.clone();
            sites.push((region, site));
        }
        Ok(Self {
            sites,
            authority: Some(&laptop.authority),
            credentials,
        })
    }

    /// Takes the regions of a manifest, wherever they are served.
    pub(crate) fn served(
        manifest: &Manifest,
        place: Where,
        authority: Option<&'l Authority>,
        credentials: Credentials,
    ) -> Self {
        let sites = manifest.regions.iter().map(|region| {
            let site = project::site(region, place).clone();
            (region.name.clone(), site)
        });
        Self {
            sites: sites.collect(),
            authority,
            credentials,
        }
    }

    /// Returns where the regions' AWS APIs answer.
    pub(crate) fn apis(&self) -> impl Iterator<Item = SocketAddr> {
        self.sites.iter().map(|(_, site)| site.socket(Port::Api))
    }

    fn client(&self) -> Client {
        let endpoint = |(name, site): &(RegionName, Site)| {
            let endpoint = Endpoint::plain(site.socket(Port::Api));
            (name.clone(), endpoint)
        };
        let endpoints = self.sites.iter().map(endpoint).collect();
        Client::new(endpoints, self.credentials.clone(), Arc::new(System))
    }
}

/// Carries the manifest's plan out and tells `report` of each call.
///
/// Errors: those of the first call that failed; what was made before stays.
pub(crate) async fn apply(
    manifest: &Manifest,
    folder: &Path,
    target: &Target<'_>,
    report: impl FnMut(Event) + Send,
) -> anyhow::Result<Outcome> {
    let mut code = BTreeMap::new();
    for function in &manifest.functions {
        let package = Code::read(&folder.join(&function.code.value))?;
        code.insert(function.name.clone(), package);
    }
    let gateway = |(name, site): &(RegionName, Site)| (name.clone(), site.socket(Port::Https));
    let inputs = Inputs {
        code,
        certificates: certificates(&manifest.domains, folder, target.authority)?,
        gateways: target.sites.iter().map(gateway).collect(),
        role: format!(
            "arn:aws:iam::{}:role/{}",
            manifest.project.account, manifest.project.name
        ),
        reference: format!("{:016x}", System.random()),
    };
    let plan = plan(manifest, &inputs)?;
    let mut client = target.client();
    Ok(execute(&plan, &mut client, report).await?)
}

/// Makes a client of all regions of the demo's laptop.
pub(crate) fn client(laptop: &Laptop) -> anyhow::Result<Client> {
    Ok(Target::laptop(laptop, development_key())?.client())
}

/// Returns what regions in development accept as they accept any key.
pub(crate) fn development_key() -> Credentials {
    Credentials::new(ACCESS_KEY, ACCESS_KEY, None, None, "development")
}

/// Returns the caller's own credentials, else those of development.
pub(crate) async fn laptop_credentials() -> Credentials {
    let why = match credentials::find(Places::Laptop).await {
        Ok(Some(found)) => return found,
        Ok(None) if std::env::var_os("AWS_PROFILE").is_none() => return development_key(),
        Ok(None) => "AWS_PROFILE names a profile without credentials".to_owned(),
        Err(error) => format!("{:#}", anyhow::Error::from(error)),
    };
    // They are not needed: any key may call regions in development.
    eprintln!("warning: the key {ACCESS_KEY:?} signs: {why}");
    development_key()
}

/// Returns the certificate of each domain: the manifest's, else one of the authority.
///
/// Errors: with all domains that have none, where there is no authority.
fn certificates(
    domains: &[Domain],
    folder: &Path,
    authority: Option<&Authority>,
) -> anyhow::Result<BTreeMap<String, Pem>> {
    let mut certificates = BTreeMap::new();
    let mut without = Vec::new();
    for domain in domains {
        let pem = match (&domain.certificate, authority) {
            (Some(files), _) => given(folder, &files.cert.value, &files.key.value)?,
            (None, Some(authority)) => authority.issue(&domain.name)?,
            (None, None) => {
                without.push(&*domain.name);
                continue;
            }
        };
        certificates.insert(domain.name.clone(), pem);
    }
    if !without.is_empty() {
        bail!(
            "give {} a certificate: a local authority signs for loopback alone; write \
             `certificate = {{ cert = \"cert.pem\", key = \"key.pem\" }}` into the domain",
            without.join(", ")
        );
    }
    Ok(certificates)
}

/// Reads a certificate that the manifest names: the first of the file is the domain's, the rest
/// is the chain.
fn given(folder: &Path, certificate: &str, key: &str) -> anyhow::Result<Pem> {
    let read = |name: &str| {
        let path = folder.join(name);
        std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))
    };
    let whole = read(certificate)?;
    let end = "-----END CERTIFICATE-----";
    let (first, chain) = whole
        .split_once(end)
        .context("the certificate file holds none")?;
    Ok(Pem {
        certificate: format!("{first}{end}\n"),
        chain: chain.trim_start().to_owned(),
        private_key: read(key)?,
    })
}
