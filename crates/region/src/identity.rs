//! The certificates by which a project's nodes know each other.
//!
//! They are not the certificates of users' domains. The authority follows from the project's key
//! alone, so that every node that has the key makes the same one, and none must hand it out.

use aws_lc_rs::signature::Ed25519KeyPair;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, SerialNumber, date_time_ymd,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use base::region::RegionName;
use control::project::ProjectKey;

/// A node's certificate chain and key, and the authority that all nodes trust.
pub struct Identity {
    /// The authority's certificate, in PEM.
    pub authority: String,
    /// The node's certificate, in PEM.
    pub certificate: String,
    /// The node's private key, in PEM.
    pub key: String,
}

/// A certificate could not be made.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The key could not be made.
    #[error("make the key of the project's authority")]
    Key,
    /// The certificate could not be made.
    #[error("make a node's certificate")]
    Certificate(#[from] rcgen::Error),
}

/// Makes the certificate of a region's node, for the names under which peers and probes know it.
///
/// Errors: [`IdentityError`].
pub fn of(project: &str, key: &ProjectKey, region: &RegionName) -> Result<Identity, IdentityError> {
    let authority_key = authority_key(key)?;
    let params = authority_params(project)?;
    let authority = params.self_signed(&authority_key)?.pem();
    let issuer = Issuer::new(params, authority_key);
    let names = [
        format!("gateway.{region}.hither.internal"),
        format!("*.execute-api.{region}.hither.internal"),
    ];
    let mut params = CertificateParams::new(names)?;
    params
        .distinguished_name
        .push(DnType::CommonName, format!("{region} of {project}"));
    let node_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let certificate = params.signed_by(&node_key, &issuer)?.pem();
    Ok(Identity {
        authority,
        certificate,
        key: node_key.serialize_pem(),
    })
}

fn authority_key(key: &ProjectKey) -> Result<KeyPair, IdentityError> {
    let seed = blake3::derive_key("hither 2026 project authority", &key.0);
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| IdentityError::Key)?;
    let document = pair.to_pkcs8v1().map_err(|_| IdentityError::Key)?;
    let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(document.as_ref().to_vec()));
    KeyPair::try_from(&der).map_err(IdentityError::from)
}

/// Returns what the authority's certificate says: the same on every node, at any time.
fn authority_params(project: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params
        .distinguished_name
        .push(DnType::CommonName, format!("Hither project {project}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.serial_number = Some(SerialNumber::from(1_u64));
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2126, 1, 1);
    Ok(params)
}

#[cfg(test)]
mod tests;
