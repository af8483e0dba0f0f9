//! Making the regions look like the manifest: the five steps, as signed calls.
//!
//! It plans nothing and makes no call itself: the crate `deploy` does, here for the laptop.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use aws_credential_types::Credentials;

use clock::port::Entropy;
use clock::wall::System;
use deploy::client::{Client, Endpoint};
use deploy::execute::{Event, Outcome, execute};
use deploy::package::Code;
use deploy::plan::{Inputs, plan};
use deploy::resource::certificate::Pem;
use manifest::model::{Manifest, Port};

use crate::laptop::Laptop;

/// The access key of a development project: any is accepted on loopback.
pub(crate) const ACCESS_KEY: &str = "test";

/// Carries the manifest's plan out and tells `report` of each call.
///
/// Errors: those of the first call that failed; what was made before stays.
pub(crate) async fn apply(
    manifest: &Manifest,
    folder: &Path,
    laptop: &Laptop,
    report: impl FnMut(Event) + Send,
) -> anyhow::Result<Outcome> {
    let mut code = BTreeMap::new();
    for function in &manifest.functions {
        let package = Code::read(&folder.join(&function.code.value))?;
        code.insert(function.name.clone(), package);
    }
    let mut certificates = BTreeMap::new();
    for domain in &manifest.domains {
        let pem = match &domain.certificate {
            None => laptop.authority.issue(&domain.name)?,
            Some(files) => given(folder, &files.cert.value, &files.key.value)?,
        };
        certificates.insert(domain.name.clone(), pem);
    }
    let mut gateways = BTreeMap::new();
    for region in laptop.names() {
        let https = laptop.site(&region)?.socket(Port::Https);
        gateways.insert(region, https);
    }
    let inputs = Inputs {
        code,
        certificates,
        gateways,
        role: format!(
            "arn:aws:iam::{}:role/{}",
            manifest.project.account, manifest.project.name
        ),
        reference: format!("{:016x}", System.random()),
    };
    let plan = plan(manifest, &inputs)?;
    let mut client = client(laptop)?;
    Ok(execute(&plan, &mut client, report).await?)
}

/// Makes a client of all regions of the laptop.
pub(crate) fn client(laptop: &Laptop) -> anyhow::Result<Client> {
    let mut endpoints = BTreeMap::new();
    for region in laptop.names() {
        let api = laptop.api(&region)?;
        endpoints.insert(region, Endpoint::plain(api));
    }
    let credentials = Credentials::new(ACCESS_KEY, "test", None, None, "development");
    Ok(Client::new(
        endpoints,
        credentials,
        std::sync::Arc::new(System),
    ))
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
