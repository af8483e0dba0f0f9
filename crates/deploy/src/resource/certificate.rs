//! A domain's certificate in a region, imported as PEM.
//!
//! It makes no certificate. Source: ACM API reference, `ImportCertificate`.

use std::fmt;

use base::region::RegionName;
use bytes::Bytes;

use super::gateway::configured;
use crate::call::{Call, Shape};
use crate::execute::{Change, DeployError, Session};
use crate::known::Key;
use crate::operation::{GET_CERTIFICATE, GET_DOMAIN_NAME, IMPORT_CERTIFICATE};

/// A domain's certificate as it should be.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The domain.
    pub domain: String,
    /// The certificate and its key.
    pub pem: Pem,
}

/// A certificate, the chain that leads to its root, and its private key, each as PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct Pem {
    /// The certificate itself.
    pub certificate: String,
    /// The authorities between it and the root; empty where there are none.
    pub chain: String,
    /// The private key.
    pub private_key: String,
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pem(…)")
    }
}

impl Pem {
    /// Takes a chain of certificates, the domain's own first, and its private key.
    pub fn of_chain(chain: &str, private_key: &str) -> Self {
        let end = chain
            .find(PEM_END)
            .map_or(chain.len(), |at| at + PEM_END.len());
        let (certificate, rest) = chain.split_at_checked(end).unwrap_or((chain, ""));
        Self {
            certificate: format!("{}\n", certificate.trim()),
            chain: match rest.trim() {
                "" => String::new(),
                rest => format!("{rest}\n"),
            },
            private_key: private_key.to_owned(),
        }
    }
}

impl Certificate {
    /// Returns the call that imports the certificate, in place of the one that `arn` names.
    pub fn importing(&self, region: &RegionName, arn: Option<String>) -> Call {
        let blob = |text: &str, kind: &str| Shape::Blob {
            bytes: Bytes::copy_from_slice(text.as_bytes()),
            file: format!("{}.{kind}.pem", self.domain),
        };
        let chain = (!self.pem.chain.is_empty()).then(|| blob(&self.pem.chain, "chain"));
        Call::new(IMPORT_CERTIFICATE, region)
            .with_some("CertificateArn", arn)
            .with("Certificate", blob(&self.pem.certificate, "certificate"))
            .with("PrivateKey", blob(&self.pem.private_key, "key"))
            .with_some("CertificateChain", chain)
    }

    /// Makes the region have the certificate: a domain name that exists keeps its ARN.
    pub(crate) async fn ensure(&self, session: &mut Session<'_>) -> Result<Change, DeployError> {
        let region = session.region();
        let key = Key::CertificateArn(self.domain.clone(), region.clone());
        let look = Call::new(GET_DOMAIN_NAME, region).with("DomainName", &*self.domain);
        let found = session.look(look).await?;
        let arn = found.and_then(|name| configured(&name, "certificateArn"));
        if let Some(arn) = &arn {
            let get = Call::new(GET_CERTIFICATE, region).with("CertificateArn", &**arn);
            let kept = session.look(get).await?;
            let kept = kept.and_then(|reply| reply.text(&["Certificate"]));
            if kept.is_some_and(|kept| kept.trim() == self.pem.certificate.trim()) {
                session.learn(key, arn.clone());
                return Ok(Change::Unchanged);
            }
        }
        let change = match arn {
            Some(_) => Change::Updated,
            None => Change::Created,
        };
        let reply = session.change(self.importing(region, arn)).await?;
        let arn = reply
            .text(&["CertificateArn"])
            .ok_or(DeployError::Missing {
                operation: "ImportCertificate",
                member: "CertificateArn",
            })?;
        session.learn(key, arn);
        Ok(change)
    }
}

/// The line that ends each certificate of a chain.
const PEM_END: &str = "-----END CERTIFICATE-----";
