//! A certificate authority of this machine, for the domains of a development project.
//!
//! It is not the one by which nodes know each other. It is kept, so that what has been told to
//! trust it once need not be told again.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

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
    /// Opens the authority kept in a directory, or makes it: `ca.pem`, and `ca.key` for its
    /// owner's eyes only.
    ///
    /// Errors: when the files are there and cannot be read, or cannot be made.
    pub(crate) fn open(directory: &Path, project: &str) -> anyhow::Result<Self> {
        let (pem_file, key_file) = (directory.join("ca.pem"), directory.join("ca.key"));
        if !pem_file.exists() || !key_file.exists() {
            return Self::make(&pem_file, &key_file, project);
        }
        let read = |file: &Path| {
            fs::read_to_string(file).with_context(|| format!("read {}", file.display()))
        };
        let (pem, key) = (read(&pem_file)?, read(&key_file)?);
        let damaged = || {
            let (pem, key) = (pem_file.display(), key_file.display());
            format!("use {pem} with {key}; remove both to have new ones made")
        };
        let key = KeyPair::from_pem(&key).with_context(damaged)?;
        let issuer = Issuer::from_ca_cert_pem(&pem, key).with_context(damaged)?;
        Ok(Self { issuer, pem })
    }

    fn make(pem_file: &Path, key_file: &Path, project: &str) -> anyhow::Result<Self> {
        let mut params = CertificateParams::new(Vec::new()).context("name the authority")?;
        let name = format!("{project} local CA");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().context("make the authority's key")?;
        let pem = params
            .self_signed(&key)
            .context("sign the authority")?
            .pem();
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options
            .open(key_file)
            .with_context(|| format!("write {}", key_file.display()))?;
        file.write_all(key.serialize_pem().as_bytes())
            .context("write the authority's key")?;
        fs::write(pem_file, &pem).with_context(|| format!("write {}", pem_file.display()))?;
        let issuer = Issuer::new(params, key);
        Ok(Self { issuer, pem })
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

#[cfg(test)]
mod tests {
    //! Tests of the local authority.

    use super::Authority;

    #[test]
    fn an_authority_is_found_again_and_still_signs() {
        let directory = tempfile::tempdir().expect("a directory");
        let first = Authority::open(directory.path(), "shop").expect("made");
        let again = Authority::open(directory.path(), "shop").expect("found");
        assert_eq!(first.pem, again.pem);
        let pem = again.issue("api.shop.test").expect("signed");
        net::tls::certified_key(pem.certificate.as_bytes(), pem.private_key.as_bytes())
            .expect("a pair");
        std::fs::write(directory.path().join("ca.key"), "what").expect("written");
        assert!(Authority::open(directory.path(), "shop").is_err());
    }
}
