//! A region's gateway as its resources say, also from another region's log.

use gateway_core::resolve::{Question, Verdict};
use http::{HeaderMap, Method};

use super::*;
use crate::certificates::{Certificate, Facts, key_purpose};
use crate::gateway::build::{Plan, plan};
use crate::resource::Change;
use crate::seal;
use crate::testing::{Node, pull};

const REGION: &str = "eu-west-1";

fn api() -> Api {
    Api {
        region: REGION.to_owned(),
        account: "000000000000".to_owned(),
        id: "abc".to_owned(),
        name: "shop".to_owned(),
        description: None,
        version: None,
        cors: None,
        endpoint_disabled: false,
        ip_address_type: "ipv4".to_owned(),
        created_micros: 1,
        tags: BTreeMap::new(),
    }
}

fn integration(id: &str, function: &str) -> Integration {
    Integration {
        region: REGION.to_owned(),
        api: "abc".to_owned(),
        id: id.to_owned(),
        description: None,
        managed: false,
        backend: Backend {
            kind: BackendKind::Function,
            uri: format!("arn:aws:lambda:{REGION}:000000000000:function:{function}"),
            method: "POST".to_owned(),
            payload_format: "2.0".to_owned(),
            timeout_millis: 30_000,
        },
    }
}

fn route(id: &str, key: &str, integration: &str) -> Route {
    Route {
        region: REGION.to_owned(),
        api: "abc".to_owned(),
        id: id.to_owned(),
        key: key.to_owned(),
        integration: Some(integration.to_owned()),
        operation_name: None,
        managed: false,
    }
}

fn stage(name: &str, deploys: Deploys) -> Stage {
    Stage {
        region: REGION.to_owned(),
        api: "abc".to_owned(),
        name: name.to_owned(),
        description: None,
        deploys,
        variables: BTreeMap::new(),
        managed: false,
        created_micros: 1,
        updated_micros: 1,
        tags: BTreeMap::new(),
    }
}

fn certificate(node: &Node) -> Certificate {
    let mut certificate = Certificate {
        region: REGION.to_owned(),
        account: "000000000000".to_owned(),
        id: "c1".to_owned(),
        certificate: "CERT".to_owned(),
        chain: "CHAIN\n".to_owned(),
        sealed_key: String::new(),
        facts: Facts::default(),
        created_micros: 1,
        imported_micros: 1,
        tags: BTreeMap::new(),
    };
    let control = &node.control;
    let purpose = key_purpose(&certificate.arn());
    certificate.sealed_key =
        seal::seal(&control.project().key, control.entropy(), &purpose, b"KEY");
    certificate
}

fn domain(certificate_arn: String) -> (DomainName, ApiMapping) {
    let domain = DomainName {
        region: REGION.to_owned(),
        account: "000000000000".to_owned(),
        name: "api.shop.test".to_owned(),
        id: "x".to_owned(),
        certificate_arn,
        ip_address_type: "ipv4".to_owned(),
        tags: BTreeMap::new(),
    };
    let mapping = ApiMapping {
        region: REGION.to_owned(),
        domain: domain.name.clone(),
        id: "m1".to_owned(),
        key: String::new(),
        api: "abc".to_owned(),
        stage: "$default".to_owned(),
    };
    (domain, mapping)
}

fn found(plan: &Plan, host: &str, path: &str) -> String {
    let headers = HeaderMap::new();
    let verdict = plan.config.resolve(Question {
        method: &Method::GET,
        authority: host,
        path,
        headers: &headers,
    });
    match verdict {
        Verdict::Serve(plan) => format!("{:?}", plan.route.integration),
        Verdict::Refuse(refusal) => refusal.to_string(),
        Verdict::Preflight(_) | Verdict::Nothing => "cors".to_owned(),
    }
}

#[tokio::test]
async fn a_region_serves_its_own_resources_and_no_other_region_does() {
    let here = Node::open(REGION).await;
    let certificate = certificate(&here);
    let (domain, mapping) = domain(certificate.arn());
    let changes = vec![
        Change::create(&api()),
        Change::create(&integration("i1", "cart")),
        Change::create(&route("r1", "GET /cart", "i1")),
        Change::create(&stage("$default", Deploys::Automatically)),
        Change::create(&certificate),
        Change::create(&domain),
        Change::create(&mapping),
    ];
    here.control.change(changes).await.unwrap();
    let served = plan(&here.control);
    assert_eq!(served.problems, []);
    assert!(found(&served, "api.shop.test", "/cart").contains("name: cart"));
    let own = format!("abc.execute-api.{REGION}.hither.internal");
    assert!(found(&served, &own, "/cart").contains("name: cart"));
    let material = &served.certificates["api.shop.test"];
    assert_eq!(material.chain_pem, b"CERT\nCHAIN\n");
    assert_eq!(material.key_pem, b"KEY");

    let there = Node::open("us-east-1").await;
    pull(&there, &here).await;
    there.control.refresh().await.unwrap();
    assert_eq!(Api::in_region(&there.control, REGION), [api()]);
    let served = plan(&there.control);
    assert_eq!(
        found(&served, &own, "/cart"),
        "no API or domain has this host name"
    );
}

#[tokio::test]
async fn a_chosen_deployment_stays_as_it_was() {
    let node = Node::open(REGION).await;
    let mut changes = vec![
        Change::create(&api()),
        Change::create(&integration("i1", "old")),
        Change::create(&route("r1", "GET /cart", "i1")),
        Change::create(&stage("auto", Deploys::Automatically)),
        Change::create(&stage("none", Deploys::Chosen(None))),
        Change::create(&stage("fixed", Deploys::Chosen(Some("d1".to_owned())))),
    ];
    node.control
        .change(std::mem::take(&mut changes))
        .await
        .unwrap();
    let deployment = Deployment {
        region: REGION.to_owned(),
        api: "abc".to_owned(),
        id: "d1".to_owned(),
        description: None,
        created_micros: 1,
        routes: build::routes_of(&node.control, REGION, "abc"),
    };
    changes.push(Change::create(&deployment));
    changes.push(Change::put(&integration("i1", "new")));
    node.control.change(changes).await.unwrap();
    let served = plan(&node.control);
    let own = format!("abc.execute-api.{REGION}.hither.internal");
    assert!(found(&served, &own, "/auto/cart").contains("name: new"));
    assert!(found(&served, &own, "/fixed/cart").contains("name: old"));
    assert_eq!(found(&served, &own, "/none/cart"), "no route matches");
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let node = Node::open(REGION).await;
    let (domain, mapping) = domain("arn:aws:acm:x:y:certificate/gone".to_owned());
    let changes = vec![Change::create(&domain), Change::create(&mapping)];
    node.control.change(changes).await.unwrap();
    let problems = plan(&node.control).problems;
    assert_eq!(problems.len(), 2);
    assert!(problems[0].1.contains("API abc"), "{problems:?}");
    assert!(
        problems[1].1.contains("certificate/gone is missing"),
        "{problems:?}"
    );
}

#[tokio::test]
async fn kinds_of_one_table_do_not_mix() {
    let node = Node::open(REGION).await;
    let mut other = api();
    other.id = "abcd".to_owned();
    let mut foreign = route("r2", "GET /other", "i1");
    foreign.api = "abcd".to_owned();
    let changes = vec![
        Change::create(&api()),
        Change::create(&other),
        Change::create(&route("r1", "GET /cart", "i1")),
        Change::create(&foreign),
        Change::create(&integration("i1", "cart")),
    ];
    node.control.change(changes).await.unwrap();
    let routes = Route::of_owner(&node.control, REGION, "abc");
    assert_eq!(routes, [route("r1", "GET /cart", "i1")]);
    assert_eq!(Api::in_region(&node.control, REGION).len(), 2);
}
