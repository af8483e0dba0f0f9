//! Tests of health checks as the health plane takes them.

use std::time::Duration;

use health_core::check::{BadCheck, CheckKind, Protocol, Sni};

use super::{BadConfig, spec};
use crate::dns::{HealthCheck, HealthCheckConfig, Tags};

fn check(config: HealthCheckConfig) -> HealthCheck {
    HealthCheck {
        id: "c1".to_owned(),
        account: "000000000000".to_owned(),
        caller_reference: "r".to_owned(),
        version: 1,
        config,
    }
}

fn https() -> HealthCheckConfig {
    HealthCheckConfig {
        kind: "HTTPS".to_owned(),
        ip_address: Some("192.0.2.1".to_owned()),
        fully_qualified_domain_name: Some("api.test".to_owned()),
        resource_path: Some("/health".to_owned()),
        ..HealthCheckConfig::default()
    }
}

fn tagged(interval: &str) -> Tags {
    Tags {
        resource_type: "healthcheck".to_owned(),
        resource_id: "c1".to_owned(),
        tags: [("hither:interval".to_owned(), interval.to_owned())].into(),
    }
}

#[test]
fn what_is_not_given_is_as_on_route_53() {
    let CheckKind::Endpoint(endpoint) = spec(&check(https()), None).unwrap().kind else {
        panic!("an endpoint is probed");
    };
    assert_eq!((endpoint.port, endpoint.threshold.answers()), (443, 3));
    assert_eq!(endpoint.interval.as_duration(), Duration::from_secs(30));
    assert!(
        matches!(endpoint.protocol, Protocol::Https(probe, Sni::On) if probe.path() == "/health")
    );
}

#[test]
fn the_tag_shortens_the_interval() {
    let interval = |text| {
        spec(&check(https()), Some(&tagged(text))).map(|spec| match spec.kind {
            CheckKind::Endpoint(endpoint) => endpoint.interval.as_duration(),
            CheckKind::Calculated(_) => panic!("an endpoint is probed"),
        })
    };
    assert_eq!(interval("1s"), Ok(Duration::from_secs(1)));
    assert_eq!(interval("500ms"), Ok(Duration::from_millis(500)));
    assert_eq!(
        interval("soon"),
        Err(BadConfig::IntervalTag("soon".to_owned()))
    );
    assert!(matches!(
        interval("1ms"),
        Err(BadConfig::Check(BadCheck::Interval(_)))
    ));
}

#[test]
fn what_cannot_be_probed_says_why() {
    let refused = |config| spec(&check(config), None).unwrap_err().to_string();
    let kind = HealthCheckConfig {
        kind: "CLOUDWATCH_METRIC".to_owned(),
        ..https()
    };
    assert_eq!(
        refused(kind),
        "health checks of type CLOUDWATCH_METRIC are not supported"
    );
    let address = HealthCheckConfig {
        ip_address: Some("nowhere".to_owned()),
        ..https()
    };
    assert_eq!(refused(address), "\"nowhere\" is no IP address");
    let nothing = HealthCheckConfig {
        kind: "TCP".to_owned(),
        ..HealthCheckConfig::default()
    };
    assert_eq!(refused(nothing), BadCheck::NoTarget.to_string());
    let search = HealthCheckConfig {
        search_string: Some("ok".to_owned()),
        ..https()
    };
    assert_eq!(refused(search), BadConfig::SearchString.to_string());
}
