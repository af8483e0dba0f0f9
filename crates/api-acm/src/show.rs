//! `DescribeCertificate`, and what lists show of a certificate.
//!
//! Source: Certificate Manager API reference, `CertificateDetail` and `CertificateSummary`.

use api_protocol::fault::Fault;
use api_protocol::timestamp::epoch;
use clock::time::WallTime;
use control::certificates::{Certificate, users};
use serde_json::{Number, Value, json};
use store::port::Store;

use crate::facade::Call;

impl<S: Store> Call<'_, S> {
    /// Shows all that is known of a certificate.
    pub(crate) fn describe(&self) -> Result<Value, Fault> {
        let certificate = self.find_only()?;
        let arn = certificate.arn();
        let users: Vec<String> = users(self.control, &arn)
            .iter()
            .map(control::gateway::DomainName::arn)
            .collect();
        let facts = &certificate.facts;
        let usages: Vec<Value> = facts
            .key_usages
            .iter()
            .map(|name| json!({"Name": name}))
            .collect();
        let extended: Vec<Value> = facts
            .extended_key_usages
            .iter()
            .map(|(name, id)| json!({"Name": name, "OID": id}))
            .collect();
        let detail = json!({
            "CertificateArn": arn,
            "CreatedAt": micros(certificate.created_micros),
            "DomainName": facts.domain_name,
            "ExtendedKeyUsages": extended,
            "ImportedAt": micros(certificate.imported_micros),
            "InUseBy": users,
            "Issuer": facts.issuer,
            "KeyAlgorithm": facts.key_algorithm,
            "KeyUsages": usages,
            "NotAfter": facts.not_after_secs,
            "NotBefore": facts.not_before_secs,
            "Options": {"CertificateTransparencyLoggingPreference": "DISABLED"},
            "RenewalEligibility": "INELIGIBLE",
            "Serial": facts.serial,
            "SignatureAlgorithm": facts.signature_algorithm,
            "Status": status(&certificate, self.control.clock().wall()),
            "Subject": facts.subject,
            "SubjectAlternativeNames": facts.names,
            "Type": "IMPORTED",
        });
        Ok(json!({"Certificate": detail}))
    }

    /// Shows a certificate in a list.
    pub(crate) fn summary(&self, certificate: &Certificate) -> Value {
        let facts = &certificate.facts;
        let extended = facts.extended_key_usages.iter().map(|(name, _)| name);
        let arn = certificate.arn();
        json!({
            "CertificateArn": arn,
            "CreatedAt": micros(certificate.created_micros),
            "DomainName": facts.domain_name,
            "ExtendedKeyUsages": extended.collect::<Vec<_>>(),
            "HasAdditionalSubjectAlternativeNames": false,
            "ImportedAt": micros(certificate.imported_micros),
            "InUse": !users(self.control, &arn).is_empty(),
            "KeyAlgorithm": facts.key_algorithm,
            "KeyUsages": facts.key_usages,
            "NotAfter": facts.not_after_secs,
            "NotBefore": facts.not_before_secs,
            "RenewalEligibility": "INELIGIBLE",
            "Status": status(certificate, self.control.clock().wall()),
            "SubjectAlternativeNameSummaries": facts.names,
            "Type": "IMPORTED",
        })
    }
}

/// Returns whether a certificate is in force.
pub(crate) fn status(certificate: &Certificate, now: WallTime) -> &'static str {
    if certificate.facts.not_after_secs < now.as_secs() {
        "EXPIRED"
    } else {
        "ISSUED"
    }
}

fn micros(micros: i64) -> Number {
    epoch(WallTime::from_micros(micros))
}
