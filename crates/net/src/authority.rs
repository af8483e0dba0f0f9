//! A certificate authority that follows from a secret, and the certificates that it signs.
//!
//! It keeps nothing: whoever has the secret makes the very same authority again.
//! Source: RFC 5280 (certificates), RFC 8410 (Ed25519 in them).

use std::fmt;
use std::time::Duration;

use aws_lc_rs::signature::Ed25519KeyPair;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SerialNumber, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;

use clock::time::WallTime;

use crate::tls;

/// An authority that can sign.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

/// What a certificate is to say.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// Whose it is, for people.
    pub subject: String,
    /// The DNS names that it is for.
    pub names: Vec<String>,
    /// When it counts; as long as the authority does where there is none.
    pub validity: Option<Validity>,
}

/// From when to when a certificate counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub from: WallTime,
    /// The last second.
    pub to: WallTime,
}

/// A certificate could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The authority's key could not be made.
    #[error("make the authority's key")]
    Seed,
    /// A certificate could not be made.
    #[error("make a certificate")]
    Certificate(#[from] rcgen::Error),
    /// A certificate's key could not be used.
    #[error("use a certificate's key")]
    Key(#[from] rustls::Error),
}

impl Authority {
    /// Makes the authority of this name whose key follows from `seed`.
    ///
    /// Errors: [`AuthorityError`].
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, AuthorityError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| AuthorityError::Seed)?;
        let document = pair.to_pkcs8v1().map_err(|_| AuthorityError::Seed)?;
        let der = PrivatePkcs8KeyDer::from(document.as_ref().to_vec());
        let key = KeyPair::try_from(&PrivateKeyDer::Pkcs8(der))?;
        let params = authority_params(name)?;
        let certificate = params.self_signed(&key)?.der().clone();
        Ok(Self {
            issuer: Issuer::new(params, key),
            certificate,
        })
    }

    /// Returns the authority's own certificate: what others trust.
    pub const fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Signs a certificate for a key that is made for it, which gives it its serial number, too.
    ///
    /// Errors: [`AuthorityError`], for a name that is none.
    pub fn issue(&self, leaf: &Leaf) -> Result<CertifiedKey, AuthorityError> {
        let mut params = CertificateParams::new(leaf.names.clone())?;
        params
            .distinguished_name
            .push(DnType::CommonName, &leaf.subject);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        params.not_before = date_time_ymd(FIRST_YEAR, 1, 1);
        params.not_after = date_time_ymd(LAST_YEAR, 1, 1);
        if let Some(Validity { from, to }) = leaf.validity {
            params.not_before = date_time_ymd(1970, 1, 1) + since_epoch(from);
            params.not_after = date_time_ymd(1970, 1, 1) + since_epoch(to);
        }
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate = params.signed_by(&key, &self.issuer)?.der().clone();
        let der = PrivatePkcs8KeyDer::from(key.serialize_der());
        let key = tls::private_key(PrivateKeyDer::Pkcs8(der))?;
        Ok(CertifiedKey::new(vec![certificate], key))
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority(…)")
    }
}

/// Returns what the authority's certificate says: the same wherever and whenever it is made.
fn authority_params(name: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.serial_number = Some(SerialNumber::from(1_u64));
    params.not_before = date_time_ymd(FIRST_YEAR, 1, 1);
    params.not_after = date_time_ymd(LAST_YEAR, 1, 1);
    Ok(params)
}

fn since_epoch(time: WallTime) -> Duration {
    Duration::from_secs(u64::try_from(time.as_secs()).unwrap_or(0))
}

/// When authorities begin and end to count. They follow from a secret that is replaced as a whole.
const FIRST_YEAR: i32 = 2026;
const LAST_YEAR: i32 = 2126;

#[cfg(test)]
mod tests;
