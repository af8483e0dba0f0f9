//! Certificates with their sealed keys, each in one region.
//!
//! It reads no certificate; what is stored has been checked by whoever stored it.
//! Source: Certificate Manager API reference, `CertificateDetail`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use store::port::Store;

use crate::control::Control;
use crate::gateway::DomainName;
use crate::resource::Resource;
use crate::seal::{self, SealError};
use crate::system::SystemTable;

/// A certificate that was imported into a region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// The region.
    pub region: String,
    /// The account that owns it.
    pub account: String,
    /// Its id: the last part of its ARN, a UUID.
    pub id: String,
    /// The certificate itself, in PEM.
    pub certificate: String,
    /// The certificates that lead from it to a root, in PEM, in order; empty for none.
    pub chain: String,
    /// Its private key, sealed for [`key_purpose`].
    pub sealed_key: String,
    /// What is read in it.
    pub facts: Facts,
    /// When it was made, in microseconds since 1970.
    pub created_micros: i64,
    /// When it was imported last, in microseconds since 1970.
    pub imported_micros: i64,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// What is read in a certificate, once, when it is imported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The first name it is for.
    pub domain_name: String,
    /// All names it is for, lower case.
    pub names: Vec<String>,
    /// The serial number in hex, with colons.
    pub serial: String,
    /// The subject's distinguished name.
    pub subject: String,
    /// The issuer's organisation or common name.
    pub issuer: String,
    /// The kind of its key, as in `EC_prime256v1`.
    pub key_algorithm: String,
    /// How it is signed, as in `SHA256WITHRSA`.
    pub signature_algorithm: String,
    /// The key's uses, as in `DIGITAL_SIGNATURE`.
    pub key_usages: Vec<String>,
    /// The extended uses: AWS's name and the object identifier.
    pub extended_key_usages: Vec<(String, String)>,
    /// From when it is valid. Units: seconds since 1970.
    pub not_before_secs: i64,
    /// Until when it is valid. Units: seconds since 1970.
    pub not_after_secs: i64,
}

/// What a server needs of a certificate, its key in the clear.
#[derive(Clone, PartialEq, Eq)]
pub struct Served {
    /// The certificate and those that lead from it to a root, in PEM.
    pub chain_pem: Vec<u8>,
    /// The private key, in PEM.
    pub key_pem: Vec<u8>,
}

impl std::fmt::Debug for Served {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Served(..)")
    }
}

impl Resource for Certificate {
    const TABLE: SystemTable = SystemTable::Certificates;

    fn partition(&self) -> String {
        self.region.clone()
    }

    fn sort(&self) -> String {
        self.id.clone()
    }
}

impl Certificate {
    /// Returns the certificate's ARN.
    pub fn arn(&self) -> String {
        let Self {
            region,
            account,
            id,
            ..
        } = self;
        format!("arn:aws:acm:{region}:{account}:certificate/{id}")
    }

    /// Returns whether the certificate is for a host name; `*.` stands for one label.
    /// Source: RFC 9525 §6.3.
    pub fn covers(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let parent = host.split_once('.').map(|(_, parent)| parent);
        self.facts.names.iter().any(|name| {
            let wildcard = name.strip_prefix("*.").filter(|_| !host.starts_with("*."));
            *name == host || wildcard.is_some() && wildcard == parent
        })
    }
}

/// Returns the purpose for which the private key of a certificate is sealed.
pub fn key_purpose(arn: &str) -> String {
    format!("private key of {arn}")
}

/// Returns a certificate of this node's region by its ARN.
///
/// Shape: `None` also for an ARN of another region or account.
pub fn by_arn<S: Store>(control: &Control<S>, arn: &str) -> Option<Certificate> {
    let (_, id) = arn.rsplit_once("certificate/")?;
    let region = control.project().region.as_str();
    let found = control.get::<Certificate>(region, id)?;
    (found.arn() == arn).then_some(found)
}

/// Returns what a server needs of a certificate.
///
/// Errors: [`SealError`] when the key was sealed by another project.
pub fn served<S: Store>(
    control: &Control<S>,
    certificate: &Certificate,
) -> Result<Served, SealError> {
    let purpose = key_purpose(&certificate.arn());
    let key_pem = seal::open(&control.project().key, &purpose, &certificate.sealed_key)?;
    let mut chain_pem = certificate.certificate.trim_end().as_bytes().to_vec();
    chain_pem.push(b'\n');
    chain_pem.extend_from_slice(certificate.chain.as_bytes());
    Ok(Served { chain_pem, key_pem })
}

/// Returns the domain names of this node's region that use a certificate.
pub fn users<S: Store>(control: &Control<S>, arn: &str) -> Vec<DomainName> {
    let region = control.project().region.as_str();
    let mut domains: Vec<DomainName> = DomainName::in_region(control, region);
    domains.retain(|domain| domain.certificate_arn == arn);
    domains
}

#[cfg(test)]
mod tests;
