//! Tests of whole runs: what is made, what is left alone, what is waited for.

use std::collections::BTreeMap;

use base::region::RegionName;
use deploy::execute::{Change, DeployError, Event, State, execute};
use deploy::package::Code;
use deploy::plan::{Plan, Step, Task};
use deploy::resource::Resource;
use deploy::resource::certificate::{Certificate, Pem};
use deploy::resource::function::Function;
use deploy::resource::gateway::{Api, DomainName, Permission};
use deploy::resource::health_check::HealthCheck;
use deploy::resource::records::{HostedZone, Record, Records};
use deploy::resource::table::{Replica, Table, TimeToLive};

use crate::endpoint::{Script, Seen, serve};

fn region(name: &str) -> RegionName {
    RegionName::parse(name).expect("a region")
}

fn plan(resources: Vec<Resource>) -> Plan {
    let tasks = resources.into_iter().map(|resource| Task {
        step: Step::App,
        region: region("us-east-1"),
        resource,
    });
    Plan {
        tasks: tasks.collect(),
    }
}

/// Runs a plan and returns the changes, the calls made, and the events.
async fn run(
    resources: Vec<Resource>,
    script: impl FnMut(&Seen) -> (u16, String) + Send + 'static,
) -> (Result<Vec<Change>, DeployError>, Vec<String>, Vec<Event>) {
    let script: Script = Box::new(script);
    let served = serve(script, usize::MAX).await;
    let mut client = served.client("the secret");
    let mut events = Vec::new();
    let outcome = execute(&plan(resources), &mut client, |event| events.push(event)).await;
    (
        outcome.map(|outcome| outcome.changes),
        served.names(),
        events,
    )
}

fn ok(body: &str) -> (u16, String) {
    (200, body.to_owned())
}

fn absent() -> (u16, String) {
    let body = r#"{"__type":"ResourceNotFoundException","message":"none"}"#;
    (404, body.to_owned())
}

fn function() -> Function {
    Function {
        name: "cart".to_owned(),
        runtime: "provided.al2023".to_owned(),
        role: "arn:aws:iam::000000000000:role/hither".to_owned(),
        handler: "bootstrap".to_owned(),
        code: Code::of_zip(&b"PK"[..], "cart.zip"),
        environment: vec![("TABLE".to_owned(), "carts".to_owned())],
        timeout_secs: 3,
        memory_mib: 128,
        concurrency: None,
    }
}

fn found_function(sha256: &str, timeout: u32) -> String {
    serde_json::json!({"Configuration": {
        "Runtime": "provided.al2023", "Role": "arn:aws:iam::000000000000:role/hither",
        "Handler": "bootstrap", "Timeout": timeout, "MemorySize": 128, "State": "Active",
        "LastUpdateStatus": "Successful", "CodeSha256": sha256,
        "Environment": {"Variables": {"TABLE": "carts"}},
    }})
    .to_string()
}

#[tokio::test]
async fn a_function_is_created_and_waited_for() {
    let mut looks = 0;
    let (changes, calls, events) = run(vec![Resource::Function(function())], move |seen| {
        if seen.name.starts_with("POST") {
            return (201, "{}".to_owned());
        }
        looks += 1;
        match looks {
            1 => absent(),
            2 => ok(r#"{"Configuration": {"State": "Pending"}}"#),
            _ => ok(&found_function("x", 3)),
        }
    })
    .await;
    assert_eq!(changes.expect("it is made"), [Change::Created]);
    let function = "GET /2015-03-31/functions/cart";
    assert_eq!(
        calls,
        [function, "POST /2015-03-31/functions", function, function]
    );
    let states: Vec<String> = events
        .iter()
        .map(|event| format!("{:?}", event.state))
        .collect();
    assert!(
        states[0].starts_with("Calling(\"aws lambda create-function"),
        "{states:?}"
    );
    assert!(states[1].contains("to be active: Pending"), "{states:?}");
    assert_eq!(events[2].state, State::Settled(Change::Created));
}

#[tokio::test]
async fn a_function_is_changed_only_where_it_differs() {
    let same = function().code.sha256();
    let unchanged = found_function(&same, 3);
    let (changes, calls, events) = run(vec![Resource::Function(function())], move |_| {
        ok(&unchanged)
    })
    .await;
    assert_eq!(changes.expect("nothing fails"), [Change::Unchanged]);
    assert_eq!(calls.len(), 1);
    assert_eq!(events.len(), 1);
    for (found, path) in [
        (
            found_function("other", 3),
            "PUT /2015-03-31/functions/cart/code",
        ),
        (
            found_function(&same, 9),
            "PUT /2015-03-31/functions/cart/configuration",
        ),
    ] {
        let (changes, calls, _) =
            run(vec![Resource::Function(function())], move |_| ok(&found)).await;
        assert_eq!(changes.expect("it is changed"), [Change::Updated]);
        assert!(calls[1] == path && calls.len() == 3, "{calls:?}");
    }
}

#[tokio::test]
async fn a_function_that_fails_ends_the_run() {
    let found = r#"{"Configuration": {"State": "Failed", "StateReason": "no bootstrap"}}"#;
    let (changes, _, events) = run(vec![Resource::Function(function())], |seen| {
        if seen.name.starts_with("GET") {
            ok(found)
        } else {
            ok("{}")
        }
    })
    .await;
    let error = changes.expect_err("it failed").to_string();
    assert_eq!(
        error,
        "wait for the function to be active: it is no bootstrap"
    );
    assert_eq!(
        events.last().map(|event| &event.state),
        Some(&State::Failed(error))
    );
}

fn table() -> Table {
    Table {
        name: "carts".to_owned(),
        key: vec![("customer".to_owned(), "S"), ("sku".to_owned(), "S")],
        stream: Some("NEW_AND_OLD_IMAGES"),
        tags: Vec::new(),
    }
}

const CARTS: &str = r#"{"Table": {"TableStatus": "ACTIVE",
    "KeySchema": [{"AttributeName": "customer", "KeyType": "HASH"}, {"AttributeName": "sku", "KeyType": "RANGE"}],
    "AttributeDefinitions": [{"AttributeName": "sku", "AttributeType": "S"}, {"AttributeName": "customer", "AttributeType": "S"}],
    "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    "Replicas": [REPLICAS]}}"#;

#[tokio::test]
async fn a_replica_is_added_and_waited_for_on_both_sides() {
    let replica = Resource::Replica(Replica {
        table: "carts".to_owned(),
        home: region("us-east-1"),
        region: region("eu-west-1"),
    });
    let mut looks = 0;
    let (changes, calls, events) = run(vec![Resource::Table(table()), replica], move |seen| {
        if seen.name == "UpdateTable" {
            assert!(
                seen.body
                    .contains(r#""ReplicaUpdates":[{"Create":{"RegionName":"eu-west-1"}}]"#)
            );
            return ok("{}");
        }
        looks += 1;
        let replicas = match looks {
            1 | 2 => "",
            3 => r#"{"RegionName": "eu-west-1", "ReplicaStatus": "CREATING"}"#,
            _ => r#"{"RegionName": "eu-west-1", "ReplicaStatus": "ACTIVE"}"#,
        };
        ok(&CARTS.replace("REPLICAS", replicas))
    })
    .await;
    assert_eq!(
        changes.expect("it is made"),
        [Change::Unchanged, Change::Created]
    );
    let look = "DescribeTable";
    assert_eq!(calls, [look, look, "UpdateTable", look, look, look]);
    assert!(
        events.iter().any(
            |event| matches!(&event.state, State::Waiting(seen) if seen.ends_with("CREATING"))
        )
    );
}

#[tokio::test]
async fn a_table_with_another_key_is_not_touched() {
    let found = CARTS.replace("REPLICAS", "").replace("sku", "item");
    let (changes, calls, _) = run(vec![Resource::Table(table())], move |_| ok(&found)).await;
    assert_eq!(
        changes.expect_err("it cannot be changed").to_string(),
        "change table carts: it exists with another key (customer, item)"
    );
    assert_eq!(calls, ["DescribeTable"]);
}

fn api() -> Resource {
    Resource::Api(Api {
        domain: "api.shop.test".to_owned(),
        name: "shop-api".to_owned(),
    })
}

#[tokio::test]
async fn lists_are_read_to_their_last_page_before_anything_is_made() {
    let (changes, calls, _) = run(vec![api()], |seen| match seen.name.as_str() {
        "GET /v2/apis" => ok(r#"{"items": [{"name": "shop-api", "protocolType": "WEBSOCKET"}], "nextToken": "2"}"#),
        "GET /v2/apis?nextToken=2" => ok(
            r#"{"items": [{"name": "shop-api", "protocolType": "HTTP", "apiId": "a1", "apiEndpoint": "https://a1.test"}]}"#,
        ),
        other => panic!("{other} is not expected"),
    })
    .await;
    assert_eq!(changes.expect("it is there"), [Change::Unchanged]);
    assert_eq!(calls.len(), 2);
}

#[tokio::test]
async fn a_permission_that_is_there_is_left_alone() {
    let permission = Resource::Permission(Permission {
        domain: "api.shop.test".to_owned(),
        function: "cart".to_owned(),
        account: "000000000000".to_owned(),
    });
    for (held, calls_wanted) in [("api-a1", 3), ("api-a2", 4)] {
        let policy = format!(r#"{{"Policy": "{{\"Statement\": [{{\"Sid\": \"{held}\"}}]}}"}}"#);
        let plan = vec![api(), permission.clone()];
        let (changes, calls, _) = run(plan, move |seen| match seen.name.as_str() {
            "GET /v2/apis" => ok(r#"{"items": []}"#),
            "POST /v2/apis" => ok(r#"{"apiId": "a1", "apiEndpoint": "https://a1.test"}"#),
            "GET /2015-03-31/functions/cart/policy" => ok(&policy),
            _ => (409, r#"{"__type": "ResourceConflictException"}"#.to_owned()),
        })
        .await;
        let wanted = [Change::Created, Change::Unchanged];
        assert_eq!(changes.expect("no failure"), wanted);
        assert_eq!(calls.len(), calls_wanted, "{calls:?}");
    }
}

/// A Route 53 that holds one zone, and hears of the check only after a while.
fn route53(mut deaf_for: u32) -> impl FnMut(&Seen) -> (u16, String) + Send {
    let mut held: BTreeMap<&str, String> = BTreeMap::new();
    move |seen| {
        if seen.name == "GetCertificate" {
            return ok(r#"{"Certificate": "CERTIFICATE\n"}"#);
        }
        let (method, path) = seen.name.split_once(' ').expect("method and path");
        match (method, path.split('?').next().unwrap_or_default()) {
            ("GET", "/v2/apis") => ok(
                r#"{"items": [{"name": "shop-api", "protocolType": "HTTP", "apiId": "a1", "apiEndpoint": "https://a1.test"}]}"#,
            ),
            ("GET", "/2013-04-01/healthcheck") => ok(&format!(
                "<L><HealthChecks>{}</HealthChecks></L>",
                held.get("check").cloned().unwrap_or_default()
            )),
            ("POST", "/2013-04-01/healthcheck") => {
                let config = between(&seen.body, "<HealthCheckConfig>", "</HealthCheckConfig>");
                let check = format!(
                    "<HealthCheck><Id>h1</Id><HealthCheckConfig>{config}</HealthCheckConfig></HealthCheck>"
                );
                held.insert("check", check.clone());
                ok(&format!("<R>{check}</R>"))
            }
            ("GET", "/v2/domainnames/api.shop.test") => ok(
                r#"{"domainNameConfigurations": [{"certificateArn": "arn:c1", "domainNameStatus": "AVAILABLE",
                    "apiGatewayDomainName": "d-1.test", "hostedZoneId": "ZHITHER000001"}]}"#,
            ),
            ("GET", "/2013-04-01/tags/healthcheck/h1") => ok(&format!(
                "<R><ResourceTagSet><Tags>{}</Tags></ResourceTagSet></R>",
                held.get("tags").cloned().unwrap_or_default()
            )),
            ("POST", "/2013-04-01/tags/healthcheck/h1") => {
                held.insert("tags", between(&seen.body, "<AddTags>", "</AddTags>"));
                ok("<R/>")
            }
            ("GET", "/2013-04-01/hostedzone") => ok("<R><HostedZones>\
                 <HostedZone><Id>/hostedzone/ZTEST</Id><Name>test.</Name></HostedZone>\
                 <HostedZone><Id>/hostedzone/ZSHOP</Id><Name>shop.test.</Name></HostedZone>\
                 <HostedZone><Id>/hostedzone/ZOTHER</Id><Name>op.test.</Name></HostedZone>\
                 </HostedZones></R>"),
            ("GET", "/2013-04-01/hostedzone/ZSHOP/rrset") => ok("<R><ResourceRecordSets/></R>"),
            ("POST", "/2013-04-01/hostedzone/ZSHOP/rrset/") if 0 < deaf_for => {
                deaf_for -= 1;
                (400, "<InvalidChangeBatch><Messages><Message>the target was not found</Message></Messages></InvalidChangeBatch>".to_owned())
            }
            ("POST", "/2013-04-01/hostedzone/ZSHOP/rrset/") => {
                ok("<R><ChangeInfo><Id>/change/C1</Id></ChangeInfo></R>")
            }
            ("GET", "/2013-04-01/change/C1") => {
                ok("<R><ChangeInfo><Status>INSYNC</Status></ChangeInfo></R>")
            }
            other => panic!("{other:?} is not expected"),
        }
    }
}

fn between(text: &str, start: &str, end: &str) -> String {
    let from = text.find(start).expect("the start") + start.len();
    let to = text.find(end).expect("the end");
    text[from..to].to_owned()
}

fn check() -> Resource {
    Resource::HealthCheck(HealthCheck {
        domain: "api.shop.test".to_owned(),
        home: region("us-east-1"),
        region: region("us-east-1"),
        reference: "r".to_owned(),
        address: ([127, 0, 0, 11], 8443).into(),
        path: "/health".to_owned(),
        failures: 2,
        interval_secs: 10,
        tags: vec![("hither:interval".to_owned(), "1s".to_owned())],
    })
}

#[tokio::test]
async fn a_check_is_made_once_and_tagged() {
    let (changes, calls, _) = run(vec![api(), check(), check()], route53(0)).await;
    let wanted = [Change::Unchanged, Change::Created, Change::Unchanged];
    assert_eq!(changes.expect("no failure"), wanted);
    let changing = calls.iter().filter(|call| call.starts_with("POST"));
    assert_eq!(changing.count(), 2, "{calls:?}");
}

fn records() -> Vec<Resource> {
    let domain = || "api.shop.test".to_owned();
    let certificate = Resource::Certificate(Certificate {
        domain: domain(),
        pem: Pem::of_chain("CERTIFICATE\n", "KEY"),
    });
    let name = Resource::DomainName(DomainName {
        domain: domain(),
        tags: Vec::new(),
    });
    let zone = Resource::HostedZone(HostedZone {
        domain: domain(),
        name: "shop.test.".to_owned(),
        reference: "r".to_owned(),
    });
    let records = Resource::Records(Records {
        domain: domain(),
        regions: vec![Record {
            region: region("us-east-1"),
            record_type: "A",
            checked: true,
        }],
    });
    vec![api(), check(), certificate, name, zone, records]
}

#[tokio::test]
async fn records_go_to_the_closest_zone_and_wait_for_what_they_name() {
    let (changes, calls, events) = run(records(), route53(2)).await;
    let unchanged = Change::Unchanged;
    let wanted = [
        unchanged,
        Change::Created,
        unchanged,
        unchanged,
        unchanged,
        Change::Created,
    ];
    assert_eq!(changes.expect("no failure"), wanted);
    let change = "POST /2013-04-01/hostedzone/ZSHOP/rrset/";
    let tries = calls.iter().filter(|call| *call == change).count();
    assert_eq!(tries, 3, "{calls:?}");
    let waits = events.iter().filter(
        |event| matches!(&event.state, State::Waiting(why) if why.contains("was not found")),
    );
    assert_eq!(waits.count(), 2);
}

#[tokio::test]
async fn a_task_before_the_one_it_builds_on_is_an_error() {
    let alone = records().split_off(4);
    let (changes, calls, _) = run(alone, route53(0)).await;
    assert!(matches!(changes, Err(DeployError::Order(_))), "{changes:?}");
    assert!(
        calls.iter().all(|call| call.starts_with("GET")),
        "{calls:?}"
    );
}

#[tokio::test]
async fn expiry_is_set_where_it_is_not() {
    let expiry = || {
        Resource::TimeToLive(TimeToLive {
            table: "carts".to_owned(),
            attribute: "expires".to_owned(),
        })
    };
    let described = |status: &str, attribute: &str| {
        let found = serde_json::json!({"TimeToLiveDescription": {
            "TimeToLiveStatus": status, "AttributeName": attribute,
        }});
        found.to_string()
    };
    let off = r#"{"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}"#.to_owned();
    let asked = serde_json::json!({
        "TableName": "carts",
        "TimeToLiveSpecification": {"Enabled": true, "AttributeName": "expires"},
    });
    for (found, expect) in [
        (off, Some(Change::Created)),
        (described("ENABLED", "expires"), Some(Change::Unchanged)),
        (described("ENABLING", "expires"), Some(Change::Unchanged)),
        (described("ENABLED", "other"), None),
    ] {
        let asked = asked.clone();
        let (changes, calls, _) = run(vec![expiry()], move |seen| {
            if seen.name.ends_with("UpdateTimeToLive") {
                let body: serde_json::Value = serde_json::from_str(&seen.body).expect("JSON");
                assert_eq!(body, asked);
            }
            ok(&found)
        })
        .await;
        assert_eq!(changes.ok(), expect.map(|change| vec![change]));
        let set = calls
            .iter()
            .filter(|call| call.ends_with("UpdateTimeToLive"));
        assert_eq!(set.count(), usize::from(expect == Some(Change::Created)));
    }
}
