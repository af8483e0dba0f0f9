//! Tests of naming operations, against every method and path of the service model.

use api_protocol::uri::segments;
use http::Method;

use super::{Operation, operation};

/// Every operation of the service model: name, method, path with `x` for its parameters.
/// Source: the `http` traits of Route 53's service model, version 2013-04-01.
const MODEL: [(&str, &str, &str); 74] = [
    (
        "ActivateKeySigningKey",
        "POST",
        "/2013-04-01/keysigningkey/x/x/activate",
    ),
    (
        "AssociateVPCWithHostedZone",
        "POST",
        "/2013-04-01/hostedzone/x/associatevpc",
    ),
    (
        "ChangeCidrCollection",
        "POST",
        "/2013-04-01/cidrcollection/x",
    ),
    (
        "ChangeResourceRecordSets",
        "POST",
        "/2013-04-01/hostedzone/x/rrset/",
    ),
    ("ChangeTagsForResource", "POST", "/2013-04-01/tags/x/x"),
    ("CreateCidrCollection", "POST", "/2013-04-01/cidrcollection"),
    ("CreateHealthCheck", "POST", "/2013-04-01/healthcheck"),
    ("CreateHostedZone", "POST", "/2013-04-01/hostedzone"),
    ("CreateKeySigningKey", "POST", "/2013-04-01/keysigningkey"),
    (
        "CreateQueryLoggingConfig",
        "POST",
        "/2013-04-01/queryloggingconfig",
    ),
    (
        "CreateResourceRecordSetProtections",
        "POST",
        "/2013-04-01/hostedzone/x/rrsetprotection",
    ),
    (
        "CreateReusableDelegationSet",
        "POST",
        "/2013-04-01/delegationset",
    ),
    ("CreateTrafficPolicy", "POST", "/2013-04-01/trafficpolicy"),
    (
        "CreateTrafficPolicyInstance",
        "POST",
        "/2013-04-01/trafficpolicyinstance",
    ),
    (
        "CreateTrafficPolicyVersion",
        "POST",
        "/2013-04-01/trafficpolicy/x",
    ),
    (
        "CreateVPCAssociationAuthorization",
        "POST",
        "/2013-04-01/hostedzone/x/authorizevpcassociation",
    ),
    (
        "DeactivateKeySigningKey",
        "POST",
        "/2013-04-01/keysigningkey/x/x/deactivate",
    ),
    (
        "DeleteCidrCollection",
        "DELETE",
        "/2013-04-01/cidrcollection/x",
    ),
    ("DeleteHealthCheck", "DELETE", "/2013-04-01/healthcheck/x"),
    ("DeleteHostedZone", "DELETE", "/2013-04-01/hostedzone/x"),
    (
        "DeleteKeySigningKey",
        "DELETE",
        "/2013-04-01/keysigningkey/x/x",
    ),
    (
        "DeleteQueryLoggingConfig",
        "DELETE",
        "/2013-04-01/queryloggingconfig/x",
    ),
    (
        "DeleteResourceRecordSetProtections",
        "POST",
        "/2013-04-01/hostedzone/x/rrsetprotection/delete",
    ),
    (
        "DeleteReusableDelegationSet",
        "DELETE",
        "/2013-04-01/delegationset/x",
    ),
    (
        "DeleteTrafficPolicy",
        "DELETE",
        "/2013-04-01/trafficpolicy/x/x",
    ),
    (
        "DeleteTrafficPolicyInstance",
        "DELETE",
        "/2013-04-01/trafficpolicyinstance/x",
    ),
    (
        "DeleteVPCAssociationAuthorization",
        "POST",
        "/2013-04-01/hostedzone/x/deauthorizevpcassociation",
    ),
    (
        "DisableHostedZoneDNSSEC",
        "POST",
        "/2013-04-01/hostedzone/x/disable-dnssec",
    ),
    (
        "DisassociateVPCFromHostedZone",
        "POST",
        "/2013-04-01/hostedzone/x/disassociatevpc",
    ),
    (
        "EnableHostedZoneDNSSEC",
        "POST",
        "/2013-04-01/hostedzone/x/enable-dnssec",
    ),
    ("GetAccountLimit", "GET", "/2013-04-01/accountlimit/x"),
    ("GetChange", "GET", "/2013-04-01/change/x"),
    ("GetCheckerIpRanges", "GET", "/2013-04-01/checkeripranges"),
    ("GetDNSSEC", "GET", "/2013-04-01/hostedzone/x/dnssec"),
    ("GetGeoLocation", "GET", "/2013-04-01/geolocation"),
    ("GetHealthCheck", "GET", "/2013-04-01/healthcheck/x"),
    ("GetHealthCheckCount", "GET", "/2013-04-01/healthcheckcount"),
    (
        "GetHealthCheckLastFailureReason",
        "GET",
        "/2013-04-01/healthcheck/x/lastfailurereason",
    ),
    (
        "GetHealthCheckStatus",
        "GET",
        "/2013-04-01/healthcheck/x/status",
    ),
    ("GetHostedZone", "GET", "/2013-04-01/hostedzone/x"),
    ("GetHostedZoneCount", "GET", "/2013-04-01/hostedzonecount"),
    (
        "GetHostedZoneLimit",
        "GET",
        "/2013-04-01/hostedzonelimit/x/x",
    ),
    (
        "GetQueryLoggingConfig",
        "GET",
        "/2013-04-01/queryloggingconfig/x",
    ),
    (
        "GetReusableDelegationSet",
        "GET",
        "/2013-04-01/delegationset/x",
    ),
    (
        "GetReusableDelegationSetLimit",
        "GET",
        "/2013-04-01/reusabledelegationsetlimit/x/x",
    ),
    ("GetTrafficPolicy", "GET", "/2013-04-01/trafficpolicy/x/x"),
    (
        "GetTrafficPolicyInstance",
        "GET",
        "/2013-04-01/trafficpolicyinstance/x",
    ),
    (
        "GetTrafficPolicyInstanceCount",
        "GET",
        "/2013-04-01/trafficpolicyinstancecount",
    ),
    (
        "ListCidrBlocks",
        "GET",
        "/2013-04-01/cidrcollection/x/cidrblocks",
    ),
    ("ListCidrCollections", "GET", "/2013-04-01/cidrcollection"),
    ("ListCidrLocations", "GET", "/2013-04-01/cidrcollection/x"),
    ("ListGeoLocations", "GET", "/2013-04-01/geolocations"),
    ("ListHealthChecks", "GET", "/2013-04-01/healthcheck"),
    ("ListHostedZones", "GET", "/2013-04-01/hostedzone"),
    (
        "ListHostedZonesByName",
        "GET",
        "/2013-04-01/hostedzonesbyname",
    ),
    (
        "ListHostedZonesByVPC",
        "GET",
        "/2013-04-01/hostedzonesbyvpc",
    ),
    (
        "ListQueryLoggingConfigs",
        "GET",
        "/2013-04-01/queryloggingconfig",
    ),
    (
        "ListResourceRecordSetProtections",
        "GET",
        "/2013-04-01/hostedzone/x/rrsetprotection",
    ),
    (
        "ListResourceRecordSets",
        "GET",
        "/2013-04-01/hostedzone/x/rrset",
    ),
    (
        "ListReusableDelegationSets",
        "GET",
        "/2013-04-01/delegationset",
    ),
    ("ListTagsForResource", "GET", "/2013-04-01/tags/x/x"),
    ("ListTagsForResources", "POST", "/2013-04-01/tags/x"),
    ("ListTrafficPolicies", "GET", "/2013-04-01/trafficpolicies"),
    (
        "ListTrafficPolicyInstances",
        "GET",
        "/2013-04-01/trafficpolicyinstances",
    ),
    (
        "ListTrafficPolicyInstancesByHostedZone",
        "GET",
        "/2013-04-01/trafficpolicyinstances/hostedzone",
    ),
    (
        "ListTrafficPolicyInstancesByPolicy",
        "GET",
        "/2013-04-01/trafficpolicyinstances/trafficpolicy",
    ),
    (
        "ListTrafficPolicyVersions",
        "GET",
        "/2013-04-01/trafficpolicies/x/versions",
    ),
    (
        "ListVPCAssociationAuthorizations",
        "GET",
        "/2013-04-01/hostedzone/x/authorizevpcassociation",
    ),
    ("TestDNSAnswer", "GET", "/2013-04-01/testdnsanswer"),
    ("UpdateHealthCheck", "POST", "/2013-04-01/healthcheck/x"),
    (
        "UpdateHostedZoneComment",
        "POST",
        "/2013-04-01/hostedzone/x",
    ),
    (
        "UpdateHostedZoneFeatures",
        "POST",
        "/2013-04-01/hostedzone/x/features",
    ),
    (
        "UpdateTrafficPolicyComment",
        "POST",
        "/2013-04-01/trafficpolicy/x/x",
    ),
    (
        "UpdateTrafficPolicyInstance",
        "POST",
        "/2013-04-01/trafficpolicyinstance/x",
    ),
];

fn named(method: &str, path: &str) -> Option<Operation> {
    operation(&method.parse::<Method>().unwrap(), &segments(path))
}

#[test]
fn every_operation_of_the_model_is_named() {
    for (name, method, path) in MODEL {
        let shown = match named(method, path) {
            Some(Operation::Unsupported(unsupported)) => unsupported.to_owned(),
            Some(operation) => format!("{operation:?}"),
            None => panic!("{name} is not named"),
        };
        let shown = shown.split('(').next().unwrap().to_lowercase();
        assert_eq!(shown, name.to_lowercase());
    }
}

#[test]
fn ids_come_with_and_without_their_prefix() {
    let zone = Some(Operation::GetHostedZone("Z1".to_owned()));
    for path in [
        "hostedzone/Z1",
        "hostedzone//hostedzone/Z1",
        "hostedzone/%2Fhostedzone%2FZ1",
    ] {
        assert_eq!(named("GET", &format!("/2013-04-01/{path}")), zone, "{path}");
    }
    let change = Some(Operation::GetChange("C1".to_owned()));
    assert_eq!(named("GET", "/2013-04-01/change//change/C1"), change);
}

#[test]
fn other_paths_have_no_operation() {
    assert_eq!(named("GET", "/2012-12-12/hostedzone"), None);
    assert_eq!(named("PUT", "/2013-04-01/hostedzone"), None);
    assert_eq!(named("GET", "/2013-04-01"), None);
    assert_eq!(named("GET", "/2013-04-01/hostedzone/Z1/rrset/more"), None);
}
