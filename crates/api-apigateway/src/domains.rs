//! Operations on custom domains.
//!
//! Source: API Gateway v2 API reference, `DomainNames`; "Custom domain names for HTTP APIs".

use api_protocol::fault::Fault;
use control::certificates;
use control::gateway::{ApiMapping, DomainName, Kind};
use control::resource::Change;
use gateway_core::config::regional_name;
use serde_json::{Value, json};
use store::port::Store;

use crate::answer::{Answer, page, present};
use crate::facade::Call;
use crate::fault::{bad_request, conflict, not_found, too_many};
use crate::ids;
use crate::limits::DOMAINS_MAX;
use crate::members::Members;
use crate::operation::Verb;
use crate::tags::check_tags;

impl<S: Store> Call<'_, S> {
    pub(crate) async fn domain(&self, verb: Verb<'_>) -> Result<Answer, Fault> {
        match verb {
            Verb::Create => self.create_domain().await,
            Verb::List => {
                let all = DomainName::in_region(self.control, self.region()).into_iter();
                let own = all.filter(|domain| domain.account == self.account);
                page(
                    &self.query,
                    own.map(|one| (one.name.clone(), self.show_domain(&one))),
                )
            }
            Verb::Get(name) => Ok(Answer::Found(self.show_domain(&self.find_domain(name)?))),
            Verb::Update(name) => self.update_domain(name).await,
            Verb::Delete(name) => self.delete_domain(name).await,
        }
    }

    /// Returns a domain of the caller.
    ///
    /// Errors: `NotFoundException`.
    pub(crate) fn find_domain(&self, name: &str) -> Result<DomainName, Fault> {
        DomainName::find(self.control, self.region(), &name.to_ascii_lowercase())
            .filter(|domain| domain.account == self.account)
            .ok_or_else(|| not_found("domain name", ""))
    }

    async fn create_domain(&self) -> Result<Answer, Fault> {
        let mut body = Members::read(self.body)?;
        let name = body.required("domainName")?.to_ascii_lowercase();
        check_domain_name(&name)?;
        let tags = check_tags(body.map("tags")?.unwrap_or_default())?;
        let mut domain = DomainName {
            region: self.region().to_owned(),
            account: self.account.clone(),
            name,
            id: ids::new(self.control.entropy(), 10),
            certificate_arn: String::new(),
            ip_address_type: "ipv4".to_owned(),
            tags,
        };
        self.read_domain(body, &mut domain)?;
        if domain.certificate_arn.is_empty() {
            return Err(bad_request("domainNameConfigurations is required"));
        }
        let all = DomainName::in_region(self.control, self.region());
        if all.iter().any(|known| known.name == domain.name) {
            return Err(conflict("The domain name you provided already exists."));
        }
        let own = all.iter().filter(|known| known.account == self.account);
        if own.count() >= DOMAINS_MAX {
            return Err(too_many("Domain names", DOMAINS_MAX));
        }
        self.change(vec![Change::create(&domain)]).await?;
        Ok(Answer::Created(self.show_domain(&domain)))
    }

    async fn update_domain(&self, name: &str) -> Result<Answer, Fault> {
        let old = self.find_domain(name)?;
        let mut new = old.clone();
        self.read_domain(Members::read(self.body)?, &mut new)?;
        self.change(vec![Change::replace(&old, &new)]).await?;
        Ok(Answer::Found(self.show_domain(&new)))
    }

    async fn delete_domain(&self, name: &str) -> Result<Answer, Fault> {
        let domain = self.find_domain(name)?;
        let mappings = ApiMapping::of_owner(self.control, self.region(), &domain.name);
        let mut changes: Vec<_> = mappings.iter().map(Change::remove).collect();
        changes.push(Change::remove(&domain));
        self.change(changes).await?;
        Ok(Answer::Gone)
    }

    /// Reads what creation and update share.
    fn read_domain(&self, mut body: Members, domain: &mut DomainName) -> Result<(), Fault> {
        body.only("routingMode", &json!("API_MAPPING_ONLY"))?;
        let configurations = body.objects("domainNameConfigurations")?;
        body.finish()?;
        let Some(configurations) = configurations else {
            return Ok(());
        };
        let one: Result<[Members; 1], _> = configurations.try_into();
        let [mut one] =
            one.map_err(|_| bad_request("domainNameConfigurations must have one entry"))?;
        let arn = one.required("certificateArn")?;
        one.only("endpointType", &json!("REGIONAL"))?;
        one.only("securityPolicy", &json!("TLS_1_2"))?;
        one.text("certificateName")?;
        if let Some(kind) = one.text("ipAddressType")? {
            match kind.as_str() {
                "ipv4" | "dualstack" => domain.ip_address_type = kind,
                _ => return Err(bad_request("ipAddressType must be ipv4 or dualstack")),
            }
        }
        // What an earlier answer showed may come back with an update.
        for shown in ["apiGatewayDomainName", "hostedZoneId", "domainNameStatus"] {
            one.text(shown)?;
        }
        one.finish()?;
        let certificate = certificates::by_arn(self.control, &arn)
            .filter(|certificate| certificate.account == self.account)
            .ok_or_else(|| bad_request(format!("Certificate {arn} is not in this region")))?;
        if !certificate.covers(&domain.name) {
            return Err(bad_request(format!(
                "Certificate {arn} is not for {}, but for {}",
                domain.name,
                certificate.facts.names.join(", ")
            )));
        }
        domain.certificate_arn = arn;
        Ok(())
    }

    fn show_domain(&self, domain: &DomainName) -> Value {
        let region = &self.control.project().region;
        present(json!({
            "apiMappingSelectionExpression": "$request.basepath",
            "domainName": domain.name,
            "domainNameArn": domain.arn(),
            "domainNameConfigurations": [{
                "apiGatewayDomainName": regional_name(&domain.id, region),
                "certificateArn": domain.certificate_arn,
                "domainNameStatus": "AVAILABLE",
                "endpointType": "REGIONAL",
                "hostedZoneId": control::gateway::hosted_zone_id(region),
                "ipAddressType": domain.ip_address_type,
                "securityPolicy": "TLS_1_2",
            }],
            "routingMode": "API_MAPPING_ONLY",
            "tags": domain.tags,
        }))
    }
}

/// Checks a host name of at least two labels; the first may be `*`.
/// Source: RFC 1035 §2.3.1, RFC 1123 §2.1.
fn check_domain_name(name: &str) -> Result<(), Fault> {
    let rest = name.strip_prefix("*.").unwrap_or(name);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let internal = rest.ends_with(".hither.internal");
    if name.len() > 253 || !rest.contains('.') || !rest.split('.').all(label) || internal {
        return Err(bad_request(format!(
            "{name:?} cannot be a custom domain name"
        )));
    }
    Ok(())
}
