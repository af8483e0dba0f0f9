//! Tests of health checks as the health plane takes them.

use std::collections::BTreeMap;
use std::time::Duration;

use base::region::RegionId;
use clock::time::WallTime;
use health_core::check::{BadCheck, CheckId, CheckKind, Protocol, Sni};
use health_core::observation::{Observation, Outcome};
use health_core::prober::Status;
use health_core::view::{CheckBecause, CheckVerdict, HealthView, Quorum, RegionVote};

use super::{BadConfig, Wanted, reports, spec};
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

#[test]
fn reports_tell_what_each_region_saw() {
    let seen = |status| Observation {
        outcome: Outcome::of_status(status),
        at: WallTime::from_micros(7),
    };
    let vote = |last, last_failure| RegionVote {
        status: Status::Healthy,
        wavering: false,
        counts: true,
        last,
        last_failure,
    };
    let verdict = CheckVerdict {
        status: Status::Healthy,
        since: WallTime::default(),
        because: CheckBecause::NoData,
        wavering: false,
        votes: BTreeMap::from([
            (RegionId(1), vote(seen(200), None)),
            (RegionId(6), vote(seen(200), Some(seen(503)))),
        ]),
    };
    let view = HealthView {
        generation: 1,
        at: WallTime::default(),
        region: RegionId(1),
        regions: BTreeMap::new(),
        checks: BTreeMap::from([(CheckId::parse("c1").unwrap(), verdict)]),
        quorum: Quorum {
            held: true,
            heard: 1,
            of: 1,
            since: WallTime::default(),
        },
    };
    let shown = |check, wanted| {
        let reports = reports(&view, check, wanted).into_iter();
        reports
            .map(|report| (report.region.0, report.status))
            .collect::<Vec<_>>()
    };
    let last = shown("c1", Wanted::Last);
    assert_eq!(last.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [1, 6]);
    assert!(last.iter().all(|(_, status)| status.starts_with("Success")));
    let failures = shown("c1", Wanted::LastFailure);
    assert_eq!(failures.len(), 1);
    assert!(failures[0].1.starts_with("Failure") && failures[0].1.contains("503"));
    assert_eq!(shown("other", Wanted::Last), []);
}
