//! Tests of plans.

use std::collections::BTreeMap;
use std::fmt::Write;

use base::region::RegionName;
use manifest::model::Manifest;
use manifest::parse::parse;

use super::{Inputs, Plan, PlanError, Step, plan};
use crate::known::Known;
use crate::package::Code;
use crate::resource::certificate::Pem;

/// Everything that a manifest may ask for, in two regions.
pub(crate) const SHOP: &str = r#"
[project]
name = "shop"

[regions]
us-east-1 = {}
eu-west-1 = {}

[tables.carts]
partition_key = { customer = "S" }
sort_key = { sku = "S" }
stream = "NEW_AND_OLD_IMAGES"
ttl = "expires"
tags = { "hither:resolver" = "item" }

[functions.cart]
runtime = "provided.al2023"
code = "target/lambda/cart/bootstrap"
environment = { TABLE = "carts" }
concurrency = 8

[domains."api.shop.test"]
routes = { "ANY /cart/{proxy+}" = "function:cart", "GET /health" = "function:cart", "GET /static/*" = "http://127.0.0.1:9000" }
health = { path = "/health", interval = "1s", failures = 2 }
ttl = "5s"
"#;

pub(crate) fn manifest(text: &str) -> Manifest {
    let (manifest, problems) = parse(text, "hither.toml");
    let errors: Vec<&str> = problems
        .iter()
        .filter(|problem| problem.is_error())
        .map(manifest::problem::Problem::message)
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    manifest.expect("a manifest without errors")
}

pub(crate) fn inputs() -> Inputs {
    let region = |name| RegionName::parse(name).expect("a region");
    let code = Code::of_zip(&b"PK"[..], "cart.zip");
    let pem = Pem::of_chain("CERTIFICATE\n", "KEY\n");
    Inputs {
        code: [("cart".to_owned(), code)].into(),
        certificates: [("api.shop.test".to_owned(), pem)].into(),
        gateways: [
            (region("us-east-1"), ([127, 0, 0, 11], 8443).into()),
            (region("eu-west-1"), ([127, 0, 0, 12], 8443).into()),
        ]
        .into(),
        role: "arn:aws:iam::000000000000:role/hither".to_owned(),
        reference: "test".to_owned(),
    }
}

fn shop() -> Plan {
    plan(&manifest(SHOP), &inputs()).expect("everything is given")
}

#[test]
fn the_five_steps_read_as_commands() {
    let plan = shop();
    let mut text = String::new();
    for (task, commands) in plan.commands() {
        for command in commands {
            let (step, region) = (task.step.number(), &task.region);
            writeln!(text, "{step} {region}: {command}").expect("memory takes all writes");
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn each_kind_of_call_is_encoded_as_its_model_says() {
    let known = Known::placeholders();
    let mut seen = BTreeMap::new();
    for task in shop().tasks {
        let calls = task.resource.creating(&task.region, &known);
        for call in calls.expect("placeholders stand for all names") {
            let encoded = call.encode();
            let body = String::from_utf8(encoded.body.to_vec()).expect("text");
            let headers: Vec<String> = encoded
                .headers
                .iter()
                .map(|(name, value)| format!("{name}: {value}"))
                .collect();
            seen.entry(call.operation.name).or_insert_with(|| {
                let head = format!("{} {}", encoded.method, encoded.target);
                format!("{head}\n{}\n{body}", headers.join("\n"))
            });
        }
    }
    let text: Vec<String> = seen
        .iter()
        .map(|(name, request)| format!("== {name}\n{request}"))
        .collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn steps_come_in_order() {
    let steps: Vec<Step> = shop().tasks.iter().map(|task| task.step).collect();
    assert!(steps.is_sorted(), "{steps:?}");
    assert_eq!(steps.first().map(|step| step.number()), Some(1));
    assert_eq!(steps.last().map(|step| step.number()), Some(5));
}

#[test]
fn what_is_not_given_is_named() {
    let manifest = manifest(SHOP);
    let without = |take: fn(&mut Inputs)| {
        let mut inputs = inputs();
        take(&mut inputs);
        plan(&manifest, &inputs).expect_err("something is missing")
    };
    assert_eq!(
        without(|inputs| inputs.code.clear()),
        PlanError::NoCode("cart".to_owned())
    );
    assert_eq!(
        without(|inputs| inputs.certificates.clear()),
        PlanError::NoCertificate("api.shop.test".to_owned())
    );
    assert!(matches!(
        without(|inputs| inputs.gateways.clear()),
        PlanError::NoGateway(_)
    ));
}

#[test]
fn records_follow_the_kind_of_the_regions_addresses() {
    let mut inputs = inputs();
    for address in inputs.gateways.values_mut() {
        address.set_ip("2001:db8::1".parse().expect("an address"));
    }
    let plan = plan(&manifest(SHOP), &inputs).expect("everything is given");
    let (_, commands) = plan.commands().pop().expect("the records come last");
    let command = commands.concat();
    assert!(command.contains(r#""Type":"AAAA""#), "{command}");
}

#[test]
fn zones_are_what_people_register() {
    let zone = |domain: &str| {
        let text = SHOP.replace("api.shop.test", domain);
        let mut inputs = inputs();
        let pem = inputs.certificates.remove("api.shop.test").expect("given");
        inputs.certificates.insert(domain.to_owned(), pem);
        let plan = plan(&manifest(&text), &inputs).expect("everything is given");
        let commands = plan.commands();
        let zone = commands
            .iter()
            .rev()
            .nth(1)
            .expect("the zone comes last but one");
        zone.1.concat()
    };
    assert!(zone("api.shop.test").contains("--name shop.test. "));
    assert!(zone("shop.test").contains("--name shop.test. "));
    assert!(zone("a.b.shop.test").contains("--name b.shop.test. "));
}
