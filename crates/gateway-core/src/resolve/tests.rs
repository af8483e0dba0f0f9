//! Hosts, stages and mappings as the developer guide tells them.

use std::collections::BTreeMap;

use base::name::AccountId;
use base::region::RegionName;
use http::HeaderValue;

use super::*;
use crate::config::{
    ApiParts, DomainParts, IntegrationParts, MappingParts, PayloadFormat, StageParts, TargetParts,
};
use crate::limits::INTEGRATION_PATIENCE;

fn region() -> RegionName {
    RegionName::parse("eu-west-1").unwrap()
}

fn api(id: &str, stages: &[(&str, &[&str])]) -> ApiParts {
    let stages = stages.iter().map(|(name, keys)| StageParts {
        name: (*name).to_owned(),
        variables: BTreeMap::new(),
        routes: keys
            .iter()
            .map(|key| ((*key).to_owned(), Some(function())))
            .collect(),
    });
    ApiParts {
        id: id.to_owned(),
        account: AccountId::DEFAULT,
        name: id.to_owned(),
        endpoint: OwnEndpoint::Enabled,
        cors: None,
        sessions: Sessions::Off,
        stages: stages.collect(),
    }
}

fn function() -> IntegrationParts {
    IntegrationParts {
        patience: INTEGRATION_PATIENCE,
        target: TargetParts::Function {
            uri: "arn:aws:lambda:eu-west-1:000000000000:function:cart".to_owned(),
            payload: PayloadFormat::V2,
        },
    }
}

fn domain(name: &str, mappings: &[(&str, &str)]) -> DomainParts {
    let mappings = mappings.iter().map(|(key, api)| MappingParts {
        key: (*key).to_owned(),
        api: (*api).to_owned(),
        stage: "$default".to_owned(),
    });
    DomainParts {
        name: name.to_owned(),
        certificate: "arn".to_owned(),
        sessions: Sessions::Off,
        mappings: mappings.collect(),
    }
}

fn config(apis: Vec<ApiParts>, domains: Vec<DomainParts>) -> Config {
    let (config, problems) = Config::build(&region(), apis, domains);
    assert_eq!(problems, []);
    config
}

/// Returns "api stage route path rawpath", or the status of a refusal.
fn ask(config: &Config, method: &str, url: &str) -> String {
    let at = url.find('/').unwrap();
    let (authority, path) = url.split_at(at);
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let headers = HeaderMap::new();
    let asked = Question {
        method: &method,
        authority,
        path,
        headers: &headers,
    };
    match config.resolve(asked) {
        Verdict::Serve(plan) => {
            let Plan {
                api,
                stage,
                route,
                path,
                raw_path,
                ..
            } = plan;
            format!("{} {} {} {path} {raw_path}", api.id, stage.name, route.key)
        }
        Verdict::Preflight(_) => "preflight".to_owned(),
        Verdict::Nothing => "nothing".to_owned(),
        Verdict::Refuse(refusal) => format!("{} {refusal}", refusal.status().as_u16()),
    }
}

#[test]
fn the_first_segment_may_name_a_stage() {
    let host = "abc.execute-api.eu-west-1.hither.internal";
    let config = config(
        vec![api(
            "abc",
            &[("$default", &["ANY /{p+}"]), ("dev", &["GET /x", "GET /"])],
        )],
        vec![],
    );
    let ask = |path: &str| ask(&config, "GET", &format!("{host}{path}"));
    assert_eq!(ask("/dev/x"), "abc dev GET /x /x /dev/x");
    assert_eq!(ask("/dev"), "abc dev GET / / /dev");
    assert_eq!(ask("/dev/"), "abc dev GET / / /dev/");
    assert_eq!(ask("/devx"), "abc $default ANY /{p+} /devx /devx");
    assert_eq!(
        ask("/$default/x"),
        "abc $default ANY /{p+} /$default/x /$default/x"
    );
    assert_eq!(ask("/dev/y"), "404 no route matches");
}

#[test]
fn an_api_without_a_default_stage_needs_a_stage_name() {
    let config = config(vec![api("abc", &[("dev", &["GET /x"])])], vec![]);
    let host = "abc.execute-api.eu-west-1.hither.internal";
    let seen = ask(&config, "GET", &format!("{host}/x"));
    assert!(seen.starts_with("404 the API has no such stage"), "{seen}");
}

#[test]
fn hosts_are_compared_without_port_case_and_dot() {
    let config = config(vec![api("abc", &[("$default", &["GET /"])])], vec![]);
    let expect = "abc $default GET / / /";
    assert_eq!(
        ask(
            &config,
            "GET",
            "ABC.execute-api.eu-west-1.hither.internal.:8443/"
        ),
        expect
    );
    assert!(ask(&config, "GET", "other.test/").starts_with("403"));
    assert!(ask(&config, "GET", "127.0.0.1:8080/").starts_with("403"));
    assert!(ask(&config, "GET", "[::1]:8080/").starts_with("403"));
    assert!(ask(&config, "GET", "/").starts_with("400"));
    assert!(ask(&config, "GET", ":80/").starts_with("400"));
}

#[test]
fn the_guides_mappings() {
    let keys = [
        "",
        "orders/v1/items",
        "orders/v2/items",
        "orders/v2/items/categories",
    ];
    let apis = (1..=4).map(|n| api(&n.to_string(), &[("$default", &["$default"])]));
    let mappings: Vec<_> = keys.into_iter().zip(["1", "2", "3", "4"]).collect();
    let config = config(apis.collect(), vec![domain("api.example.com", &mappings)]);
    let ask = |path: &str| ask(&config, "GET", &format!("api.example.com{path}"));
    assert_eq!(ask("/orders/v1/items"), "2 $default $default / /");
    assert_eq!(ask("/orders/v2/items"), "3 $default $default / /");
    assert_eq!(ask("/orders/v1/items/123"), "2 $default $default /123 /123");
    assert_eq!(
        ask("/orders/v2/items/categories/5"),
        "4 $default $default /5 /5"
    );
    assert_eq!(
        ask("/customers"),
        "1 $default $default /customers /customers"
    );
}

#[test]
fn single_level_keys_match_whole_segments_only() {
    let apis = || vec![api("1", &[("$default", &["$default"])])];
    let single = config(apis(), vec![domain("d.test", &[("orders", "1")])]);
    assert!(ask(&single, "GET", "d.test/ordersandmore").starts_with("403"));
    assert_eq!(
        ask(&single, "GET", "d.test/orders/x"),
        "1 $default $default /x /x"
    );
    let many = config(
        apis(),
        vec![domain("d.test", &[("orders", "1"), ("a/b", "1")])],
    );
    assert_eq!(
        ask(&many, "GET", "d.test/ordersandmore"),
        "1 $default $default /andmore /andmore"
    );
}

#[test]
fn a_wildcard_domain_takes_one_label() {
    let config = config(
        vec![api("1", &[("$default", &["$default"])])],
        vec![domain("*.shop.test", &[("", "1")])],
    );
    assert!(ask(&config, "GET", "eu.shop.test/").starts_with("1 "));
    assert!(ask(&config, "GET", "a.eu.shop.test/").starts_with("403"));
    assert!(ask(&config, "GET", "shop.test/").starts_with("403"));
}

#[test]
fn a_disabled_endpoint_answers_only_through_domains() {
    let mut hidden = api("abc", &[("$default", &["$default"])]);
    hidden.endpoint = OwnEndpoint::Disabled;
    let config = config(vec![hidden], vec![domain("d.test", &[("", "abc")])]);
    let own = "abc.execute-api.eu-west-1.hither.internal/";
    assert!(ask(&config, "GET", own).starts_with("404"));
    assert!(ask(&config, "GET", "d.test/").starts_with("abc "));
}

#[test]
fn preflight_requests_need_no_route() {
    let mut open = api("abc", &[("$default", &["GET /x"])]);
    open.cors = Some(Cors::default());
    let config = config(vec![open], vec![domain("d.test", &[("", "abc")])]);
    let mut headers = HeaderMap::new();
    let verdict = |headers: &HeaderMap| {
        let asked = Question {
            method: &Method::OPTIONS,
            authority: "d.test",
            path: "/nowhere",
            headers,
        };
        format!("{:?}", config.resolve(asked))
            .split('(')
            .next()
            .unwrap()
            .to_owned()
    };
    assert_eq!(verdict(&headers), "Nothing");
    headers.insert("origin", HeaderValue::from_static("https://a.test"));
    headers.insert(
        "access-control-request-method",
        HeaderValue::from_static("GET"),
    );
    assert_eq!(verdict(&headers), "Preflight");
    assert!(ask(&config, "GET", "d.test/nowhere").starts_with("404"));
}
