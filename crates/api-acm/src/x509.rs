//! Certificates and private keys in PEM: whether they can serve, and what is read in them.
//!
//! It trusts no root: a chain is only checked to be one.
//! Source: RFC 5280; RFC 7468; Certificate Manager user guide, "Prerequisites for importing".

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA384_ASN1,
    ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA384_ASN1_SIGNING,
    ECDSA_P521_SHA256_ASN1, ECDSA_P521_SHA384_ASN1, ECDSA_P521_SHA512_ASN1,
    ECDSA_P521_SHA512_ASN1_SIGNING, ED25519, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    UnparsedPublicKey, VerificationAlgorithm,
};
use clock::time::WallTime;
use control::certificates::Facts;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{ExtendedKeyUsage, GeneralName, KeyUsage};
use x509_parser::pem::Pem;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::limits::CHAIN_LENGTH_MAX;

/// Why a certificate cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadCertificate {
    /// A field holds no PEM of the kind it should.
    #[error("The {0} field is not valid PEM: {1}")]
    Pem(&'static str, String),
    /// The certificate field holds several.
    #[error("The certificate field contains more than one certificate. You can specify only one")]
    Several,
    /// A certificate cannot be read.
    #[error("The certificate field contains a certificate that cannot be read: {0}")]
    Unreadable(String),
    /// It names no host.
    #[error("The certificate names no host: it has neither a DNS name nor a common name")]
    Nameless,
    /// It is not valid at this moment.
    #[error("The certificate is not valid at this time")]
    NotInForce,
    /// Its key is of a kind that cannot be used.
    #[error("The certificate's key is not supported: RSA of 2048 to 4096 bits, or P-256 to P-521")]
    KeyKind,
    /// The private key cannot be read.
    #[error("The private key is not supported: it must be an unencrypted RSA or EC key")]
    Key,
    /// The private key is another certificate's.
    #[error("The private key does not match the certificate")]
    Mismatch,
    /// The chain does not lead on from the certificate.
    #[error("Could not validate the certificate with the certificate chain: entry {0}: {1}")]
    Chain(usize, &'static str),
}

/// Checks a certificate, its private key and its chain, all in PEM.
///
/// Errors: [`BadCertificate`] when a server could not use them at `now`.
pub(crate) fn check(
    now: WallTime,
    certificate: &[u8],
    key: &[u8],
    chain: &[u8],
) -> Result<Facts, BadCertificate> {
    let mut own = certificates("certificate", certificate)?.into_iter();
    let (Some(first), None) = (own.next(), own.next()) else {
        return Err(BadCertificate::Several);
    };
    let own = parse(&first)?;
    let at = now.as_secs();
    let (from, until) = (
        own.validity().not_before.timestamp(),
        own.validity().not_after.timestamp(),
    );
    if at < from || until < at {
        return Err(BadCertificate::NotInForce);
    }
    let kind = KeyKind::of(own.public_key()).ok_or(BadCertificate::KeyKind)?;
    check_key(&own, kind, key)?;
    check_chain(&own, chain)?;
    let names = names(&own);
    let domain_name = names.first().ok_or(BadCertificate::Nameless)?.clone();
    Ok(Facts {
        domain_name,
        names,
        serial: own.raw_serial_as_string(),
        subject: own.subject().to_string(),
        issuer: issuer(&own),
        key_algorithm: kind.name().to_owned(),
        signature_algorithm: signature_algorithm(&own),
        key_usages: key_usages(&own),
        extended_key_usages: extended_key_usages(&own),
        not_before_secs: from,
        not_after_secs: until,
    })
}

/// The kinds of keys that certificates may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyKind {
    Rsa2048,
    Rsa3072,
    Rsa4096,
    P256,
    P384,
    P521,
}

impl KeyKind {
    fn of(key: &SubjectPublicKeyInfo<'_>) -> Option<Self> {
        if let Ok(PublicKey::RSA(rsa)) = key.parsed() {
            return match rsa.key_size() {
                2_048 => Some(Self::Rsa2048),
                3_072 => Some(Self::Rsa3072),
                4_096 => Some(Self::Rsa4096),
                _ => None,
            };
        }
        match curve_of(key)?.as_str() {
            P256 => Some(Self::P256),
            P384 => Some(Self::P384),
            P521 => Some(Self::P521),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Rsa2048 => "RSA_2048",
            Self::Rsa3072 => "RSA_3072",
            Self::Rsa4096 => "RSA_4096",
            Self::P256 => "EC_prime256v1",
            Self::P384 => "EC_secp384r1",
            Self::P521 => "EC_secp521r1",
        }
    }

    fn curve(self) -> Option<&'static EcdsaSigningAlgorithm> {
        match self {
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => None,
            Self::P256 => Some(&ECDSA_P256_SHA256_ASN1_SIGNING),
            Self::P384 => Some(&ECDSA_P384_SHA384_ASN1_SIGNING),
            Self::P521 => Some(&ECDSA_P521_SHA512_ASN1_SIGNING),
        }
    }
}

/// The public half of the private key must be the one in the certificate, bit for bit.
fn check_key(
    certificate: &X509Certificate<'_>,
    kind: KeyKind,
    key: &[u8],
) -> Result<(), BadCertificate> {
    let key = pems("privateKey", key)?
        .into_iter()
        // OpenSSL writes the parameters of an EC key before the key.
        .find(|pem| pem.label != "EC PARAMETERS")
        .filter(|pem| {
            matches!(
                &*pem.label,
                "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY"
            )
        })
        .ok_or(BadCertificate::Key)?;
    let public = if let Some(curve) = kind.curve() {
        // A readable key on another curve is a mismatch, and so is an RSA key.
        let pair = EcdsaKeyPair::from_private_key_der(curve, &key.contents);
        pair.map(|pair| pair.public_key().as_ref().to_vec())
    } else {
        let pair = aws_lc_rs::rsa::KeyPair::from_pkcs8(&key.contents)
            .or_else(|_| aws_lc_rs::rsa::KeyPair::from_der(&key.contents));
        pair.map(|pair| pair.public_key().as_ref().to_vec())
    };
    let public = public.map_err(|_| BadCertificate::Key)?;
    if public == *certificate.public_key().subject_public_key.data {
        Ok(())
    } else {
        Err(BadCertificate::Mismatch)
    }
}

/// Each certificate of the chain must have issued and signed the one before.
fn check_chain(own: &X509Certificate<'_>, chain: &[u8]) -> Result<(), BadCertificate> {
    if chain.trim_ascii().is_empty() {
        return Ok(());
    }
    let pems = certificates("certificateChain", chain)?;
    if pems.len() > CHAIN_LENGTH_MAX {
        return Err(BadCertificate::Chain(pems.len(), "the chain is too long"));
    }
    let parsed: Vec<_> = pems.iter().map(parse).collect::<Result<_, _>>()?;
    let mut below = own;
    for (at, above) in parsed.iter().enumerate() {
        if below.issuer() != above.subject() {
            return Err(BadCertificate::Chain(
                at + 1,
                "it is not the issuer of the one before",
            ));
        }
        if !above.is_ca() {
            return Err(BadCertificate::Chain(
                at + 1,
                "it is no certificate authority",
            ));
        }
        check_signature(below, above.public_key())
            .map_err(|why| BadCertificate::Chain(at + 1, why))?;
        below = above;
    }
    Ok(())
}

/// The certificate must be signed by the key of its issuer.
/// Source: RFC 8017 appendix C; RFC 5758 §3.2; RFC 8410 §3.
fn check_signature(
    certificate: &X509Certificate<'_>,
    issuer: &SubjectPublicKeyInfo<'_>,
) -> Result<(), &'static str> {
    let curve = curve_of(issuer);
    let signed = certificate.signature_algorithm.algorithm.to_id_string();
    let algorithm: &dyn VerificationAlgorithm = match (signed.as_str(), curve.as_deref()) {
        ("1.2.840.113549.1.1.11", None) => &RSA_PKCS1_2048_8192_SHA256,
        ("1.2.840.113549.1.1.12", None) => &RSA_PKCS1_2048_8192_SHA384,
        ("1.2.840.113549.1.1.13", None) => &RSA_PKCS1_2048_8192_SHA512,
        ("1.2.840.10045.4.3.2", Some(P256)) => &ECDSA_P256_SHA256_ASN1,
        ("1.2.840.10045.4.3.3", Some(P256)) => &ECDSA_P256_SHA384_ASN1,
        ("1.2.840.10045.4.3.2", Some(P384)) => &ECDSA_P384_SHA256_ASN1,
        ("1.2.840.10045.4.3.3", Some(P384)) => &ECDSA_P384_SHA384_ASN1,
        ("1.2.840.10045.4.3.2", Some(P521)) => &ECDSA_P521_SHA256_ASN1,
        ("1.2.840.10045.4.3.3", Some(P521)) => &ECDSA_P521_SHA384_ASN1,
        ("1.2.840.10045.4.3.4", Some(P521)) => &ECDSA_P521_SHA512_ASN1,
        ("1.3.101.112", None) => &ED25519,
        _ => return Err("the signature below it is of a kind that is not supported"),
    };
    UnparsedPublicKey::new(algorithm, &issuer.subject_public_key.data)
        .verify(
            certificate.tbs_certificate.as_ref(),
            &certificate.signature_value.data,
        )
        .map_err(|_| "it did not sign the one before")
}

/// Returns the curve of an EC key by its object identifier; `None` for other keys, whose
/// parameters mean something else.
fn curve_of(key: &SubjectPublicKeyInfo<'_>) -> Option<String> {
    if key.algorithm.algorithm.to_id_string() != EC_KEY {
        return None;
    }
    let curve = key.algorithm.parameters.as_ref()?.as_oid().ok()?;
    Some(curve.to_id_string())
}

/// EC keys and their curves by their object identifiers.
/// Source: RFC 5480 §2.1.1.
const EC_KEY: &str = "1.2.840.10045.2.1";
const P256: &str = "1.2.840.10045.3.1.7";
const P384: &str = "1.3.132.0.34";
const P521: &str = "1.3.132.0.35";

fn pems(field: &'static str, text: &[u8]) -> Result<Vec<Pem>, BadCertificate> {
    let read: Result<Vec<_>, _> = Pem::iter_from_buffer(text).collect();
    let read = read.map_err(|error| BadCertificate::Pem(field, error.to_string()))?;
    if read.is_empty() {
        return Err(BadCertificate::Pem(field, "nothing found".to_owned()));
    }
    Ok(read)
}

fn certificates(field: &'static str, text: &[u8]) -> Result<Vec<Pem>, BadCertificate> {
    let read = pems(field, text)?;
    match read.iter().find(|pem| pem.label != "CERTIFICATE") {
        Some(other) => Err(BadCertificate::Pem(
            field,
            format!("it holds a {}", other.label),
        )),
        None => Ok(read),
    }
}

fn parse(pem: &Pem) -> Result<X509Certificate<'_>, BadCertificate> {
    pem.parse_x509()
        .map_err(|error| BadCertificate::Unreadable(error.to_string()))
}

/// Returns the host names, lower case, the common name first where it is one of them.
fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    if let Ok(Some(alternatives)) = certificate.subject_alternative_name() {
        for name in &alternatives.value.general_names {
            if let GeneralName::DNSName(name) = name {
                names.push(name.to_ascii_lowercase());
            }
        }
    }
    let common = certificate.subject().iter_common_name().next();
    let common = common.and_then(|name| name.as_str().ok());
    let Some(common) = common.map(str::to_ascii_lowercase) else {
        return names;
    };
    if let Some(at) = names.iter().position(|name| *name == common) {
        names.swap(0, at);
    } else if names.is_empty() && common.contains('.') && !common.contains(' ') {
        names.push(common);
    }
    names
}

fn issuer(certificate: &X509Certificate<'_>) -> String {
    let issuer = certificate.issuer();
    let organisation = issuer.iter_organization().next();
    let named = organisation.or_else(|| issuer.iter_common_name().next());
    let named = named.and_then(|name| name.as_str().ok());
    named.map_or_else(|| issuer.to_string(), str::to_owned)
}

fn signature_algorithm(certificate: &X509Certificate<'_>) -> String {
    let id = certificate.signature_algorithm.algorithm.to_id_string();
    // RFC 8017 appendix C; RFC 5758 §3.2; RFC 8410 §3.
    let name = match id.as_str() {
        "1.2.840.113549.1.1.11" => "SHA256WITHRSA",
        "1.2.840.113549.1.1.12" => "SHA384WITHRSA",
        "1.2.840.113549.1.1.13" => "SHA512WITHRSA",
        "1.2.840.10045.4.3.2" => "SHA256WITHECDSA",
        "1.2.840.10045.4.3.3" => "SHA384WITHECDSA",
        "1.2.840.10045.4.3.4" => "SHA512WITHECDSA",
        other => other,
    };
    name.to_owned()
}

fn key_usages(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(usage)) = certificate.key_usage() else {
        return Vec::new();
    };
    let usage: &KeyUsage = usage.value;
    let known = [
        ("DIGITAL_SIGNATURE", usage.digital_signature()),
        ("NON_REPUDIATION", usage.non_repudiation()),
        ("KEY_ENCIPHERMENT", usage.key_encipherment()),
        ("DATA_ENCIPHERMENT", usage.data_encipherment()),
        ("KEY_AGREEMENT", usage.key_agreement()),
        ("CERTIFICATE_SIGNING", usage.key_cert_sign()),
        ("CRL_SIGNING", usage.crl_sign()),
        ("ENCIPHER_ONLY", usage.encipher_only()),
        ("DECIPHER_ONLY", usage.decipher_only()),
    ];
    let set = known.iter().filter(|(_, is_set)| *is_set);
    set.map(|(name, _)| (*name).to_owned()).collect()
}

fn extended_key_usages(certificate: &X509Certificate<'_>) -> Vec<(String, String)> {
    let Ok(Some(usage)) = certificate.extended_key_usage() else {
        return Vec::new();
    };
    let usage: &ExtendedKeyUsage<'_> = usage.value;
    // RFC 5280 §4.2.1.12.
    let known = [
        (usage.any, "ANY", "2.5.29.37.0"),
        (
            usage.server_auth,
            "TLS_WEB_SERVER_AUTHENTICATION",
            "1.3.6.1.5.5.7.3.1",
        ),
        (
            usage.client_auth,
            "TLS_WEB_CLIENT_AUTHENTICATION",
            "1.3.6.1.5.5.7.3.2",
        ),
        (usage.code_signing, "CODE_SIGNING", "1.3.6.1.5.5.7.3.3"),
        (
            usage.email_protection,
            "EMAIL_PROTECTION",
            "1.3.6.1.5.5.7.3.4",
        ),
        (usage.time_stamping, "TIME_STAMPING", "1.3.6.1.5.5.7.3.8"),
        (usage.ocsp_signing, "OCSP_SIGNING", "1.3.6.1.5.5.7.3.9"),
    ];
    let set = known.iter().filter(|(is_set, _, _)| *is_set);
    set.map(|(_, name, id)| ((*name).to_owned(), (*id).to_owned()))
        .chain(
            usage
                .other
                .iter()
                .map(|id| ("CUSTOM".to_owned(), id.to_id_string())),
        )
        .collect()
}

#[cfg(test)]
mod tests;
