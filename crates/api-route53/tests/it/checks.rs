//! Tests of health checks.

use crate::sut::{Region, change, value};

fn create(reference: &str, config: &str) -> String {
    format!(
        "<CreateHealthCheckRequest><CallerReference>{reference}</CallerReference>\
         <HealthCheckConfig>{config}</HealthCheckConfig></CreateHealthCheckRequest>"
    )
}

const HTTPS: &str = "<IPAddress>127.0.0.11</IPAddress><Port>8443</Port><Type>HTTPS</Type>\
    <ResourcePath>/health</ResourcePath>\
    <FullyQualifiedDomainName>api.test</FullyQualifiedDomainName>\
    <FailureThreshold>2</FailureThreshold>";

#[tokio::test]
async fn a_check_is_made_read_updated_and_removed() {
    let region = Region::open("eu-west-1").await;
    let made = region
        .send("POST", "healthcheck", &create("one", HTTPS))
        .await;
    let id = made.text("HealthCheck/Id");
    assert_eq!(made.status, 201);
    assert_eq!(
        made.headers["location"],
        format!("https://route53.amazonaws.com/2013-04-01/healthcheck/{id}")
    );
    let config = |member: &str| made.text(&format!("HealthCheck/HealthCheckConfig/{member}"));
    assert_eq!(
        (config("RequestInterval"), config("FailureThreshold")),
        ("30".into(), "2".into())
    );
    assert_eq!(
        (config("EnableSNI"), config("Disabled")),
        ("true".into(), "false".into())
    );
    // The same call again makes no second one; another under the same name is refused.
    let again = region
        .send("POST", "healthcheck", &create("one", HTTPS))
        .await;
    assert_eq!(
        (again.status, again.text("HealthCheck/Id")),
        (201, id.clone())
    );
    let other = "<IPAddress>127.0.0.12</IPAddress><Type>TCP</Type><Port>1</Port>";
    let refused = region
        .send("POST", "healthcheck", &create("one", other))
        .await;
    assert_eq!(
        (refused.status, refused.failure().1.as_str()),
        (409, "HealthCheckAlreadyExists")
    );
    let path = format!("healthcheck/{id}");
    let update = |version: u64| {
        format!(
            "<UpdateHealthCheckRequest><HealthCheckVersion>{version}</HealthCheckVersion>\
             <Disabled>true</Disabled><ResetElements><ResettableElementName>ResourcePath\
             </ResettableElementName></ResetElements></UpdateHealthCheckRequest>"
        )
    };
    let updated = region.send("POST", &path, &update(1)).await;
    assert_eq!(updated.text("HealthCheck/HealthCheckVersion"), "2");
    assert_eq!(
        updated.text("HealthCheck/HealthCheckConfig/Disabled"),
        "true"
    );
    assert_eq!(updated.text("HealthCheck/HealthCheckConfig/Port"), "8443");
    let config = updated
        .document
        .child("HealthCheck")
        .unwrap()
        .child("HealthCheckConfig")
        .unwrap();
    assert_eq!(config.text_of("ResourcePath"), None);
    let refused = region.send("POST", &path, &update(1)).await;
    assert_eq!(
        (refused.status, refused.failure().1.as_str()),
        (409, "HealthCheckVersionMismatch")
    );
    let count = region.send("GET", "healthcheckcount", "").await;
    assert_eq!(count.text("HealthCheckCount"), "1");
    assert_eq!(region.send("DELETE", &path, "").await.status, 200);
    let (status, code, _) = region.send("GET", &path, "").await.failure();
    assert_eq!((status, code.as_str()), (404, "NoSuchHealthCheck"));
}

#[tokio::test]
async fn what_cannot_be_probed_is_refused() {
    let region = Region::open("eu-west-1").await;
    for (config, message) in [
        ("<Type>PING</Type>", "\"PING\" is no type of health check."),
        (
            "<Type>CLOUDWATCH_METRIC</Type>",
            "Invalid health check: health checks of type CLOUDWATCH_METRIC are not supported.",
        ),
        (
            "<Type>TCP</Type>",
            "Invalid health check: a health check needs an IP address or a domain name.",
        ),
        (
            "<Type>HTTP</Type><IPAddress>127.0.0.1</IPAddress><RequestInterval>5</RequestInterval>",
            "The request interval must be 10 or 30 seconds.",
        ),
        (
            "<Type>HTTP</Type><IPAddress>127.0.0.1</IPAddress><Port>0</Port>",
            "The port must be a number from 1 to 65535.",
        ),
        (
            "<Type>CALCULATED</Type><HealthThreshold>1</HealthThreshold><ChildHealthChecks>\
             <ChildHealthCheck>none</ChildHealthCheck></ChildHealthChecks>",
            "There is no child health check none.",
        ),
    ] {
        let refused = region
            .send("POST", "healthcheck", &create("r", config))
            .await;
        let expected = (400, "InvalidInput".to_owned(), message.to_owned());
        assert_eq!(refused.failure(), expected);
    }
}

#[tokio::test]
async fn a_tag_shortens_the_interval_and_a_wrong_one_is_refused() {
    let region = Region::open("eu-west-1").await;
    let id = region
        .send("POST", "healthcheck", &create("one", HTTPS))
        .await
        .text("HealthCheck/Id");
    let tag = async |interval: &str| {
        let body = format!(
            "<ChangeTagsForResourceRequest><AddTags><Tag><Key>hither:interval</Key>\
             <Value>{interval}</Value></Tag></AddTags></ChangeTagsForResourceRequest>"
        );
        region
            .send("POST", &format!("tags/healthcheck/{id}"), &body)
            .await
    };
    assert_eq!(tag("often").await.failure().1, "InvalidInput");
    assert_eq!(tag("1s").await.status, 200);
    let (checks, _) = control::dns::checks(&region.node.control);
    let shown = format!("{checks:?}");
    assert!(shown.contains("Interval(1s)"), "{shown}");
}

#[tokio::test]
async fn children_are_not_removed_and_what_was_seen_is_told() {
    let region = Region::open("eu-west-1").await;
    let child = region
        .send("POST", "healthcheck", &create("one", HTTPS))
        .await
        .text("HealthCheck/Id");
    let config = format!(
        "<Type>CALCULATED</Type><HealthThreshold>1</HealthThreshold><ChildHealthChecks>\
         <ChildHealthCheck>{child}</ChildHealthCheck></ChildHealthChecks>"
    );
    let made = region
        .send("POST", "healthcheck", &create("two", &config))
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    let refused = region
        .send("DELETE", &format!("healthcheck/{child}"), "")
        .await;
    assert_eq!(refused.failure().1, "HealthCheckInUse");
    let status = region
        .send("GET", &format!("healthcheck/{child}/status"), "")
        .await;
    let regions = status.texts(
        "HealthCheckObservations",
        "HealthCheckObservation",
        "Region",
    );
    assert_eq!(regions, ["us-east-1", "eu-west-1"]);
    let failure = region
        .send("GET", &format!("healthcheck/{child}/lastfailurereason"), "")
        .await;
    let observation = failure.document.children[0].children[0].clone();
    assert_eq!(
        observation.child("StatusReport").unwrap().text_of("Status"),
        Some("Failure: x")
    );
    let ranges = region.send("GET", "checkeripranges", "").await;
    let ranges: Vec<_> = ranges
        .document
        .members("CheckerIpRanges", "member")
        .map(|range| range.text.clone())
        .collect();
    assert_eq!(ranges, ["127.0.0.11/32", "127.0.0.12/32", "127.0.0.13/32"]);
    // A record may name it.
    let zone = region.zone("a.test").await;
    let rest = format!(
        "{}<HealthCheckId>{child}</HealthCheckId>",
        value("192.0.2.1")
    );
    let made = region
        .change(&zone, &[change("CREATE", "x.a.test", "A", &rest)])
        .await;
    assert_eq!(made.status, 200);
}
