//! A certificate authority of this machine, for the domains of a development project.
//!
//! It is not the one by which nodes know each other.

use anyhow::Context;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use deploy::resource::certificate::Pem;

/// A local certificate authority.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate, in PEM: what clients are told to trust.
    pub(crate) pem: String,
}

impl Authority {
    /// Makes an authority with a new key.
    pub(crate) fn make(project: &str) -> anyhow::Result<Self> {
        let mut params = CertificateParams::new(Vec::new()).context("name the authority")?;
        params
            .distinguished_name
            .push(DnType::CommonName, format!("{project} local CA"));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().context("make the authority's key")?;
        let pem = params
            .self_signed(&key)
            .context("sign the authority")?
            .pem();
        Ok(Self {
            issuer: Issuer::new(params, key),
            pem,
        })
    }

    /// Makes a certificate for a domain.
    pub(crate) fn issue(&self, domain: &str) -> anyhow::Result<Pem> {
        let mut params = CertificateParams::new(vec![domain.to_owned()])
            .with_context(|| format!("name the certificate of {domain}"))?;
        params.distinguished_name.push(DnType::CommonName, domain);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().context("make a key")?;
        let certificate = params
            .signed_by(&key, &self.issuer)
            .context("sign a certificate")?;
        Ok(Pem {
            certificate: certificate.pem(),
            chain: self.pem.clone(),
            private_key: key.serialize_pem(),
        })
    }
}
