//! Certificates made on the spot: good ones, and each way of being wrong.

use aws_lc_rs::encoding::{AsDer, EcPrivateKeyRfc5915Der};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256,
    SignatureAlgorithm,
};

use super::*;

const NOW: WallTime = WallTime::from_micros(1_780_000_000_000_000);

struct Made {
    certificate: String,
    key: KeyPair,
}

impl Made {
    fn key(&self) -> String {
        self.key.serialize_pem()
    }
}

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    CertificateParams::new(names).unwrap()
}

fn self_signed(params: CertificateParams, kind: &'static SignatureAlgorithm) -> Made {
    let key = KeyPair::generate_for(kind).unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    Made { certificate, key }
}

fn pem(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

fn check_made(made: &Made, chain: &str) -> Result<Facts, BadCertificate> {
    let key = made.key();
    check(
        NOW,
        made.certificate.as_bytes(),
        key.as_bytes(),
        chain.as_bytes(),
    )
}

#[test]
fn facts_are_read() {
    let mut params = params(&["API.shop.test", "*.shop.test"]);
    params
        .distinguished_name
        .push(DnType::CommonName, "*.shop.test");
    params
        .distinguished_name
        .push(DnType::OrganizationName, "Shop");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.serial_number = Some(vec![1, 0xab].into());
    let facts = check_made(&self_signed(params, &PKCS_ECDSA_P256_SHA256), "").unwrap();
    assert_eq!(facts.domain_name, "*.shop.test");
    assert_eq!(facts.names, ["*.shop.test", "api.shop.test"]);
    assert_eq!(facts.serial, "01:ab");
    assert_eq!(facts.issuer, "Shop");
    assert!(
        facts.subject.contains("CN=*.shop.test"),
        "{}",
        facts.subject
    );
    assert_eq!(facts.key_algorithm, "EC_prime256v1");
    assert_eq!(facts.signature_algorithm, "SHA256WITHECDSA");
    assert_eq!(facts.key_usages, ["DIGITAL_SIGNATURE"]);
    let server = (
        "TLS_WEB_SERVER_AUTHENTICATION".to_owned(),
        "1.3.6.1.5.5.7.3.1".to_owned(),
    );
    assert_eq!(facts.extended_key_usages, [server]);
    assert!(facts.not_before_secs < facts.not_after_secs);
}

#[test]
fn keys_come_in_several_forms() {
    let made = self_signed(params(&["a.test"]), &PKCS_ECDSA_P384_SHA384);
    assert_eq!(check_made(&made, "").unwrap().key_algorithm, "EC_secp384r1");
    let pkcs8 = made.key.serialize_der();
    let curve = &ECDSA_P384_SHA384_ASN1_SIGNING;
    let pair = EcdsaKeyPair::from_private_key_der(curve, &pkcs8).unwrap();
    let sec1: EcPrivateKeyRfc5915Der<'_> = pair.private_key().as_der().unwrap();
    let openssl = pem("EC PARAMETERS", b"x") + &pem("EC PRIVATE KEY", sec1.as_ref());
    check(NOW, made.certificate.as_bytes(), openssl.as_bytes(), b"").unwrap();

    let made = self_signed(params(&["a.test"]), &PKCS_RSA_SHA256);
    let facts = check_made(&made, "").unwrap();
    assert_eq!(facts.key_algorithm, "RSA_2048");
    assert_eq!(facts.signature_algorithm, "SHA256WITHRSA");
    // RFC 5958: before the key itself stand 26 bytes of PKCS #8.
    let pkcs1 = pem("RSA PRIVATE KEY", &made.key.serialize_der()[26..]);
    check(NOW, made.certificate.as_bytes(), pkcs1.as_bytes(), b"").unwrap();
}

#[track_caller]
fn check_bad(made: &Made, key: &str, expect: &BadCertificate) {
    let found = check(NOW, made.certificate.as_bytes(), key.as_bytes(), b"");
    assert_eq!(found.as_ref(), Err(expect));
}

#[test]
fn a_key_must_be_the_certificates_own() {
    let made = self_signed(params(&["a.test"]), &PKCS_ECDSA_P256_SHA256);
    let other = self_signed(params(&["a.test"]), &PKCS_ECDSA_P256_SHA256);
    check_bad(&made, &other.key(), &BadCertificate::Mismatch);
    let curve = self_signed(params(&["a.test"]), &PKCS_ECDSA_P384_SHA384);
    check_bad(&made, &curve.key(), &BadCertificate::Key);
    check_bad(
        &made,
        &pem("ENCRYPTED PRIVATE KEY", b"x"),
        &BadCertificate::Key,
    );
    check_bad(&made, &pem("PRIVATE KEY", b"x"), &BadCertificate::Key);
    check_bad(&made, &made.certificate, &BadCertificate::Key);
    let ed = self_signed(params(&["a.test"]), &PKCS_ED25519);
    check_bad(&ed, &ed.key(), &BadCertificate::KeyKind);
}

#[test]
fn a_certificate_must_be_one_in_force_with_a_name() {
    let mut old = params(&["a.test"]);
    old.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let old = self_signed(old, &PKCS_ECDSA_P256_SHA256);
    check_bad(&old, &old.key(), &BadCertificate::NotInForce);
    let mut early = params(&["a.test"]);
    early.not_before = rcgen::date_time_ymd(2050, 1, 1);
    let early = self_signed(early, &PKCS_ECDSA_P256_SHA256);
    check_bad(&early, &early.key(), &BadCertificate::NotInForce);
    let nameless = self_signed(params(&[]), &PKCS_ECDSA_P256_SHA256);
    check_bad(&nameless, &nameless.key(), &BadCertificate::Nameless);
    let mut twice = self_signed(params(&["a.test"]), &PKCS_ECDSA_P256_SHA256);
    twice.certificate = twice.certificate.repeat(2);
    check_bad(&twice, &twice.key(), &BadCertificate::Several);
    for text in ["", "x", "-----BEGIN CERTIFICATE-----\n", &twice.key()] {
        let found = check(NOW, text.as_bytes(), b"", b"");
        assert!(
            matches!(found, Err(BadCertificate::Pem("certificate", _))),
            "{text}"
        );
    }
    let junk = pem("CERTIFICATE", b"junk");
    let found = check(NOW, junk.as_bytes(), b"", b"");
    assert!(matches!(found, Err(BadCertificate::Unreadable(_))));
}

/// Makes an authority that a parent signs, or itself.
fn authority(
    name: &str,
    parent: Option<&Issuer<'static, KeyPair>>,
) -> (String, Issuer<'static, KeyPair>) {
    let mut params = params(&[]);
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // A root of another kind than what it signs.
    let kind = match parent {
        Some(_) => &PKCS_ECDSA_P384_SHA384,
        None => &PKCS_RSA_SHA256,
    };
    let key = KeyPair::generate_for(kind).unwrap();
    let certificate = match parent {
        Some(parent) => params.signed_by(&key, parent).unwrap(),
        None => params.self_signed(&key).unwrap(),
    };
    (certificate.pem(), Issuer::new(params, key))
}

#[test]
fn a_chain_must_lead_on_in_order() {
    let (root_pem, root) = authority("root", None);
    let (middle_pem, middle) = authority("middle", Some(&root));
    let key = KeyPair::generate().unwrap();
    let certificate = params(&["a.test"]).signed_by(&key, &middle).unwrap().pem();
    let made = Made { certificate, key };
    check_made(&made, &middle_pem).unwrap();
    check_made(&made, &format!("{middle_pem}{root_pem}")).unwrap();
    let swapped = check_made(&made, &format!("{root_pem}{middle_pem}"));
    assert!(
        matches!(swapped, Err(BadCertificate::Chain(1, _))),
        "{swapped:?}"
    );
    let gap = check_made(&made, &format!("{middle_pem}{middle_pem}"));
    assert!(matches!(gap, Err(BadCertificate::Chain(2, _))), "{gap:?}");
    // The same name with another key.
    let (false_pem, _) = authority("middle", None);
    let forged = check_made(&made, &false_pem);
    assert!(
        matches!(forged, Err(BadCertificate::Chain(1, _))),
        "{forged:?}"
    );
    let long = check_made(&made, &middle_pem.repeat(11));
    assert!(
        matches!(long, Err(BadCertificate::Chain(11, _))),
        "{long:?}"
    );
    let key = check_made(&made, &made.key());
    assert!(
        matches!(key, Err(BadCertificate::Pem("certificateChain", _))),
        "{key:?}"
    );
}
