//! Which operation a request is, by method and path.
//!
//! It reads no body and looks nothing up.
//! Source: the `http` traits of Route 53's service model, version 2013-04-01.

use std::borrow::Cow;

use http::Method;

/// An operation of Route 53.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each name is the operation's own; its text is the id in its path"
)]
pub enum Operation {
    CreateHostedZone,
    ListHostedZones,
    ListHostedZonesByName,
    GetHostedZoneCount,
    GetHostedZone(String),
    UpdateHostedZoneComment(String),
    DeleteHostedZone(String),
    GetHostedZoneLimit(String, String),
    GetAccountLimit(String),
    GetDnssec(String),
    ChangeResourceRecordSets(String),
    ListResourceRecordSets(String),
    GetChange(String),
    TestDnsAnswer,
    CreateHealthCheck,
    ListHealthChecks,
    GetHealthCheckCount,
    GetHealthCheck(String),
    UpdateHealthCheck(String),
    DeleteHealthCheck(String),
    GetHealthCheckStatus(String),
    GetHealthCheckLastFailureReason(String),
    GetCheckerIpRanges,
    ChangeTagsForResource(String, String),
    ListTagsForResource(String, String),
    ListTagsForResources(String),
    CreateCidrCollection,
    ListCidrCollections,
    ChangeCidrCollection(String),
    ListCidrLocations(String),
    ListCidrBlocks(String),
    DeleteCidrCollection(String),
    /// One that is not supported, by its name.
    Unsupported(&'static str),
}

impl Operation {
    /// Returns the operation's name, as its service model spells it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CreateHostedZone => "CreateHostedZone",
            Self::ListHostedZones => "ListHostedZones",
            Self::ListHostedZonesByName => "ListHostedZonesByName",
            Self::GetHostedZoneCount => "GetHostedZoneCount",
            Self::GetHostedZone(_) => "GetHostedZone",
            Self::UpdateHostedZoneComment(_) => "UpdateHostedZoneComment",
            Self::DeleteHostedZone(_) => "DeleteHostedZone",
            Self::GetHostedZoneLimit(..) => "GetHostedZoneLimit",
            Self::GetAccountLimit(_) => "GetAccountLimit",
            Self::GetDnssec(_) => "GetDNSSEC",
            Self::ChangeResourceRecordSets(_) => "ChangeResourceRecordSets",
            Self::ListResourceRecordSets(_) => "ListResourceRecordSets",
            Self::GetChange(_) => "GetChange",
            Self::TestDnsAnswer => "TestDNSAnswer",
            Self::CreateHealthCheck => "CreateHealthCheck",
            Self::ListHealthChecks => "ListHealthChecks",
            Self::GetHealthCheckCount => "GetHealthCheckCount",
            Self::GetHealthCheck(_) => "GetHealthCheck",
            Self::UpdateHealthCheck(_) => "UpdateHealthCheck",
            Self::DeleteHealthCheck(_) => "DeleteHealthCheck",
            Self::GetHealthCheckStatus(_) => "GetHealthCheckStatus",
            Self::GetHealthCheckLastFailureReason(_) => "GetHealthCheckLastFailureReason",
            Self::GetCheckerIpRanges => "GetCheckerIpRanges",
            Self::ChangeTagsForResource(..) => "ChangeTagsForResource",
            Self::ListTagsForResource(..) => "ListTagsForResource",
            Self::ListTagsForResources(_) => "ListTagsForResources",
            Self::CreateCidrCollection => "CreateCidrCollection",
            Self::ListCidrCollections => "ListCidrCollections",
            Self::ChangeCidrCollection(_) => "ChangeCidrCollection",
            Self::ListCidrLocations(_) => "ListCidrLocations",
            Self::ListCidrBlocks(_) => "ListCidrBlocks",
            Self::DeleteCidrCollection(_) => "DeleteCidrCollection",
            Self::Unsupported(name) => name,
        }
    }

    /// Returns the ARN of what the operation is about, `*` where it is about nothing that has
    /// one; `None` where its body alone says what it is about.
    ///
    /// Source: service authorization reference, "Resource types defined by Amazon Route 53".
    pub fn resource(&self) -> Option<String> {
        let (kind, id) = match self {
            Self::GetHostedZone(id)
            | Self::UpdateHostedZoneComment(id)
            | Self::DeleteHostedZone(id)
            | Self::GetHostedZoneLimit(id, _)
            | Self::GetDnssec(id)
            | Self::ChangeResourceRecordSets(id)
            | Self::ListResourceRecordSets(id) => ("hostedzone", id),
            Self::GetChange(id) => ("change", id),
            Self::GetHealthCheck(id)
            | Self::UpdateHealthCheck(id)
            | Self::DeleteHealthCheck(id)
            | Self::GetHealthCheckStatus(id)
            | Self::GetHealthCheckLastFailureReason(id) => ("healthcheck", id),
            Self::ChangeCidrCollection(id)
            | Self::ListCidrLocations(id)
            | Self::ListCidrBlocks(id)
            | Self::DeleteCidrCollection(id) => ("cidrcollection", id),
            Self::ChangeTagsForResource(kind, id) | Self::ListTagsForResource(kind, id) => {
                (kind.as_str(), id)
            }
            Self::CreateHostedZone
            | Self::ListHostedZones
            | Self::ListHostedZonesByName
            | Self::GetHostedZoneCount
            | Self::GetAccountLimit(_)
            | Self::TestDnsAnswer
            | Self::CreateHealthCheck
            | Self::ListHealthChecks
            | Self::GetHealthCheckCount
            | Self::GetCheckerIpRanges
            | Self::CreateCidrCollection
            | Self::ListCidrCollections
            | Self::Unsupported(_) => return Some("*".to_owned()),
            Self::ListTagsForResources(_) => return None,
        };
        Some(arn(kind, id))
    }
}

/// Returns the ARN of a resource.
pub(crate) fn arn(kind: &str, id: &str) -> String {
    format!("arn:aws:route53:::{kind}/{id}")
}

/// Returns the operation of a request; `None` for a path that Route 53 does not have.
///
/// Shape: ids may come with their prefix, as in `/hostedzone/Z1`, escaped or not.
pub fn operation(method: &Method, segments: &[Cow<'_, str>]) -> Option<Operation> {
    let mut path: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
    if path.first() != Some(&VERSION) {
        return None;
    }
    path.remove(0);
    // `hostedzone//hostedzone/Z1`: an id put into a path with its prefix.
    if let [noun, again, ..] = path.as_slice()
        && noun == again
        && PREFIXED.contains(noun)
    {
        path.remove(0);
    }
    match *method {
        Method::GET => get(&path),
        Method::POST => post(&path),
        Method::DELETE => delete(&path),
        _ => None,
    }
}

/// Returns an id without its prefix.
pub fn bare(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

const VERSION: &str = "2013-04-01";
const PREFIXED: [&str; 4] = ["hostedzone", "change", "healthcheck", "delegationset"];

fn id(text: &str) -> String {
    bare(text).to_owned()
}

fn get(path: &[&str]) -> Option<Operation> {
    use Operation::Unsupported;
    Some(match *path {
        ["hostedzone"] => Operation::ListHostedZones,
        ["hostedzonesbyname"] => Operation::ListHostedZonesByName,
        ["hostedzonecount"] => Operation::GetHostedZoneCount,
        ["hostedzone", zone] => Operation::GetHostedZone(id(zone)),
        ["hostedzone", zone, "rrset"] => Operation::ListResourceRecordSets(id(zone)),
        ["hostedzone", zone, "dnssec"] => Operation::GetDnssec(id(zone)),
        ["hostedzonelimit", zone, limit] => {
            Operation::GetHostedZoneLimit(id(zone), limit.to_owned())
        }
        ["accountlimit", limit] => Operation::GetAccountLimit(limit.to_owned()),
        ["change", change] => Operation::GetChange(id(change)),
        ["testdnsanswer"] => Operation::TestDnsAnswer,
        ["healthcheck"] => Operation::ListHealthChecks,
        ["healthcheckcount"] => Operation::GetHealthCheckCount,
        ["healthcheck", check] => Operation::GetHealthCheck(id(check)),
        ["healthcheck", check, "status"] => Operation::GetHealthCheckStatus(id(check)),
        ["healthcheck", check, "lastfailurereason"] => {
            Operation::GetHealthCheckLastFailureReason(id(check))
        }
        ["checkeripranges"] => Operation::GetCheckerIpRanges,
        ["tags", kind, resource] => Operation::ListTagsForResource(kind.to_owned(), id(resource)),
        ["geolocation"] => Unsupported("GetGeoLocation"),
        ["geolocations"] => Unsupported("ListGeoLocations"),
        ["hostedzonesbyvpc"] => Unsupported("ListHostedZonesByVPC"),
        ["hostedzone", _, "authorizevpcassociation"] => {
            Unsupported("ListVPCAssociationAuthorizations")
        }
        ["hostedzone", _, "rrsetprotection"] => Unsupported("ListResourceRecordSetProtections"),
        ["queryloggingconfig"] => Unsupported("ListQueryLoggingConfigs"),
        ["queryloggingconfig", _] => Unsupported("GetQueryLoggingConfig"),
        ["delegationset"] => Unsupported("ListReusableDelegationSets"),
        ["delegationset", _] => Unsupported("GetReusableDelegationSet"),
        ["reusabledelegationsetlimit", _, _] => Unsupported("GetReusableDelegationSetLimit"),
        ["cidrcollection"] => Operation::ListCidrCollections,
        ["cidrcollection", collection] => Operation::ListCidrLocations(id(collection)),
        ["cidrcollection", collection, "cidrblocks"] => Operation::ListCidrBlocks(id(collection)),
        ["trafficpolicies"] => Unsupported("ListTrafficPolicies"),
        ["trafficpolicies", _, "versions"] => Unsupported("ListTrafficPolicyVersions"),
        ["trafficpolicy", _, _] => Unsupported("GetTrafficPolicy"),
        ["trafficpolicyinstance", _] => Unsupported("GetTrafficPolicyInstance"),
        ["trafficpolicyinstancecount"] => Unsupported("GetTrafficPolicyInstanceCount"),
        ["trafficpolicyinstances"] => Unsupported("ListTrafficPolicyInstances"),
        ["trafficpolicyinstances", "hostedzone"] => {
            Unsupported("ListTrafficPolicyInstancesByHostedZone")
        }
        ["trafficpolicyinstances", "trafficpolicy"] => {
            Unsupported("ListTrafficPolicyInstancesByPolicy")
        }
        _ => return None,
    })
}

fn post(path: &[&str]) -> Option<Operation> {
    use Operation::Unsupported;
    Some(match *path {
        ["hostedzone"] => Operation::CreateHostedZone,
        ["hostedzone", zone] => Operation::UpdateHostedZoneComment(id(zone)),
        ["hostedzone", zone, "rrset"] => Operation::ChangeResourceRecordSets(id(zone)),
        ["healthcheck"] => Operation::CreateHealthCheck,
        ["healthcheck", check] => Operation::UpdateHealthCheck(id(check)),
        ["tags", kind] => Operation::ListTagsForResources(kind.to_owned()),
        ["tags", kind, resource] => Operation::ChangeTagsForResource(kind.to_owned(), id(resource)),
        ["hostedzone", _, "associatevpc"] => Unsupported("AssociateVPCWithHostedZone"),
        ["hostedzone", _, "disassociatevpc"] => Unsupported("DisassociateVPCFromHostedZone"),
        ["hostedzone", _, "authorizevpcassociation"] => {
            Unsupported("CreateVPCAssociationAuthorization")
        }
        ["hostedzone", _, "deauthorizevpcassociation"] => {
            Unsupported("DeleteVPCAssociationAuthorization")
        }
        ["hostedzone", _, "enable-dnssec"] => Unsupported("EnableHostedZoneDNSSEC"),
        ["hostedzone", _, "disable-dnssec"] => Unsupported("DisableHostedZoneDNSSEC"),
        ["hostedzone", _, "features"] => Unsupported("UpdateHostedZoneFeatures"),
        ["hostedzone", _, "rrsetprotection"] => Unsupported("CreateResourceRecordSetProtections"),
        ["hostedzone", _, "rrsetprotection", "delete"] => {
            Unsupported("DeleteResourceRecordSetProtections")
        }
        ["keysigningkey"] => Unsupported("CreateKeySigningKey"),
        ["keysigningkey", _, _, "activate"] => Unsupported("ActivateKeySigningKey"),
        ["keysigningkey", _, _, "deactivate"] => Unsupported("DeactivateKeySigningKey"),
        ["queryloggingconfig"] => Unsupported("CreateQueryLoggingConfig"),
        ["delegationset"] => Unsupported("CreateReusableDelegationSet"),
        ["cidrcollection"] => Operation::CreateCidrCollection,
        ["cidrcollection", collection] => Operation::ChangeCidrCollection(id(collection)),
        ["trafficpolicy"] => Unsupported("CreateTrafficPolicy"),
        ["trafficpolicy", _] => Unsupported("CreateTrafficPolicyVersion"),
        ["trafficpolicy", _, _] => Unsupported("UpdateTrafficPolicyComment"),
        ["trafficpolicyinstance"] => Unsupported("CreateTrafficPolicyInstance"),
        ["trafficpolicyinstance", _] => Unsupported("UpdateTrafficPolicyInstance"),
        _ => return None,
    })
}

fn delete(path: &[&str]) -> Option<Operation> {
    use Operation::Unsupported;
    Some(match *path {
        ["hostedzone", zone] => Operation::DeleteHostedZone(id(zone)),
        ["healthcheck", check] => Operation::DeleteHealthCheck(id(check)),
        ["keysigningkey", _, _] => Unsupported("DeleteKeySigningKey"),
        ["queryloggingconfig", _] => Unsupported("DeleteQueryLoggingConfig"),
        ["delegationset", _] => Unsupported("DeleteReusableDelegationSet"),
        ["cidrcollection", collection] => Operation::DeleteCidrCollection(id(collection)),
        ["trafficpolicy", _, _] => Unsupported("DeleteTrafficPolicy"),
        ["trafficpolicyinstance", _] => Unsupported("DeleteTrafficPolicyInstance"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
