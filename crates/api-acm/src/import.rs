//! `ImportCertificate`.
//!
//! The private key is sealed before it is stored.
//! Source: Certificate Manager API reference, `ImportCertificate`.

use std::collections::BTreeMap;

use api_protocol::fault::Fault;
use api_protocol::json::parse;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use control::certificates::{Certificate, key_purpose};
use control::resource::Change;
use control::seal::seal;
use serde::Deserialize;
use serde_json::{Value, json};
use store::port::Store;

use crate::facade::Call;
use crate::fault::validation;
use crate::limits::{CERTIFICATE_BYTES_MAX, CERTIFICATES_MAX, CHAIN_BYTES_MAX, KEY_BYTES_MAX};
use crate::tags::{Tag, with_tags};
use crate::x509;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Import {
    certificate_arn: Option<String>,
    certificate: String,
    private_key: String,
    certificate_chain: Option<String>,
    tags: Option<Vec<Tag>>,
}

impl<S: Store> Call<'_, S> {
    /// Stores a certificate, in place of the one that the call names.
    pub(crate) async fn import(&self) -> Result<Value, Fault> {
        let body: Import = parse(self.body)?;
        let certificate = blob("Certificate", &body.certificate, CERTIFICATE_BYTES_MAX)?;
        let key = blob("PrivateKey", &body.private_key, KEY_BYTES_MAX)?;
        let chain = body.certificate_chain.as_deref().unwrap_or_default();
        let chain = blob("CertificateChain", chain, CHAIN_BYTES_MAX)?;
        let now = self.control.clock().wall();
        let facts = x509::check(
            now,
            certificate.as_bytes(),
            key.as_bytes(),
            chain.as_bytes(),
        );
        let facts = facts.map_err(|error| validation(error.to_string()))?;
        let old = match &body.certificate_arn {
            Some(arn) => Some(self.find(arn)?),
            None => None,
        };
        if old.is_some() && body.tags.is_some() {
            return Err(validation(
                "Tags cannot be set when a certificate is imported again: use \
                 AddTagsToCertificate",
            ));
        }
        let mut new = old.clone().unwrap_or_else(|| self.unnamed(now.as_micros()));
        new.certificate = certificate;
        new.chain = chain;
        new.facts = facts;
        new.imported_micros = now.as_micros();
        new.tags = with_tags(new.tags, body.tags.unwrap_or_default())?;
        let purpose = key_purpose(&new.arn());
        let project = &self.control.project().key;
        new.sealed_key = seal(project, self.control.entropy(), &purpose, key.as_bytes());
        let change = match &old {
            Some(old) => Change::replace(old, &new),
            None => Change::create(&new),
        };
        if old.is_none() && self.own().count() >= CERTIFICATES_MAX {
            return Err(Fault::caller(
                "LimitExceededException",
                format!("An account has at most {CERTIFICATES_MAX} certificates in a region"),
            ));
        }
        self.change(vec![change]).await?;
        Ok(json!({"CertificateArn": new.arn()}))
    }

    /// Returns the caller's certificates of this region, by id.
    pub(crate) fn own(&self) -> impl Iterator<Item = Certificate> {
        let region = self.control.project().region.as_str();
        let all = self.control.list::<Certificate>(region, "").into_iter();
        all.filter(|certificate| certificate.account == self.account)
    }

    fn unnamed(&self, now_micros: i64) -> Certificate {
        let entropy = self.control.entropy();
        let (high, low) = (entropy.random(), entropy.random());
        Certificate {
            region: self.control.project().region.as_str().to_owned(),
            account: self.account.clone(),
            id: uuid(high, low),
            certificate: String::new(),
            chain: String::new(),
            sealed_key: String::new(),
            facts: control::certificates::Facts::default(),
            created_micros: now_micros,
            imported_micros: now_micros,
            tags: BTreeMap::new(),
        }
    }
}

/// Reads a field of bytes that are text.
fn blob(name: &str, base64: &str, most: usize) -> Result<String, Fault> {
    let wrong = |what: &str| validation(format!("{name} {what}"));
    let bytes = STANDARD
        .decode(base64)
        .map_err(|_| wrong("must be base64"))?;
    if bytes.len() > most {
        return Err(wrong(&format!("must have at most {most} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|_| wrong("must be PEM"))?;
    let text = text.trim();
    Ok(match text {
        "" => String::new(),
        text => format!("{text}\n"),
    })
}

/// Writes 122 random bits as a UUID of version 4.
/// Source: RFC 9562 §5.4.
fn uuid(high: u64, low: u64) -> String {
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | (low >> 50),
        low & 0xffff_ffff_ffff
    )
}
