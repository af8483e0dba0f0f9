//! Files without a mistake, and the defaults they get.

use std::time::Duration;

use base::units::ByteCount;

use crate::model::{Durability, Ports, StreamView};
use crate::parse::parse;
use crate::problem::{Code, Problem};

const SHOP: &str = r#"
[project]
name = "shop"

[regions]
us-east-1      = { address = "198.51.100.10" }
eu-west-1      = { address = "198.51.100.20", dns = 5353 }
ap-northeast-1 = {}

[tables.carts]
partition_key = { customer = "S" }
sort_key      = { sku = "S" }
stream        = "NEW_AND_OLD_IMAGES"
regions       = ["eu-west-1", "us-east-1"]
tags          = { "hither:resolver" = "item" }

[functions.cart]
runtime     = "provided.al2023"
code        = "target/lambda/cart/bootstrap"
environment = { TABLE = "carts" }
memory      = "1 GiB"

[domains."api.shop.test"]
health  = { path = "/health", interval = "1s", failures = 2 }
routing = "latency"
ttl     = "5s"

[domains."api.shop.test".routes]
"ANY /cart/{proxy+}" = "function:cart"
"GET /static/*"      = "http://127.0.0.1:9000"

[clients.tokyo]
subnet = "203.0.113.0/24"
rtt    = { us-east-1 = "152.4ms", ap-northeast-1 = "2ms" }
"#;

#[test]
fn the_whole_shape() {
    let (manifest, problems) = parse(SHOP, "hither.toml");
    assert!(problems.is_empty(), "{problems:?}");
    let manifest = manifest.expect("no problems");

    let names = manifest.regions.iter().map(|region| region.name.as_str());
    let names: Vec<&str> = names.collect();
    assert_eq!(
        names,
        ["us-east-1", "eu-west-1", "ap-northeast-1"],
        "order of the file"
    );
    let second = &manifest.regions[1];
    assert_eq!(second.laptop.address.to_string(), "127.0.0.12");
    assert_eq!(
        second.laptop.ports,
        Ports {
            dns: 5353,
            ..Ports::LAPTOP
        }
    );
    let site = second.site.as_ref().expect("it has an address");
    assert_eq!(site.address.to_string(), "198.51.100.20");
    assert_eq!(
        site.ports,
        Ports {
            dns: 5353,
            ..Ports::PRODUCTION
        }
    );
    assert_eq!(manifest.regions[2].site, None);

    let table = &manifest.tables[0];
    assert_eq!(table.stream, Some(StreamView::NewAndOldImages));
    assert_eq!(table.regions.len(), 2);

    let function = &manifest.functions[0];
    assert_eq!(function.handler, "bootstrap");
    assert_eq!(function.timeout, Duration::from_secs(3));
    assert_eq!(function.memory_mib, 1024);
    assert_eq!(
        &SHOP[function.code.span.clone()],
        "\"target/lambda/cart/bootstrap\""
    );

    let domain = &manifest.domains[0];
    let keys: Vec<String> = domain
        .routes
        .iter()
        .map(|route| route.key.to_string())
        .collect();
    assert_eq!(keys, ["ANY /cart/{proxy+}", "GET /static/{proxy+}"]);
    assert_eq!(manifest.clients[0].rtt[0].1, Duration::from_micros(152_400));
}

#[test]
fn what_is_left_out_has_defaults() {
    let text = r#"
        [project]
        name = "shop"
        [regions]
        lab = {}
        [tables.t-1]
        partition_key = { id = "N" }
        [functions.f]
        runtime = "provided.al2023"
        code = "f"
        [domains."a.b"]
        routes = { "$default" = "function:f" }
        health = { path = "/" }
    "#;
    let (manifest, problems) = parse(text, "hither.toml");
    assert!(problems.is_empty(), "{problems:?}");
    let manifest = manifest.expect("no problems");
    assert_eq!(manifest.project.account.to_string(), "000000000000");
    assert_eq!(manifest.project.durability, Durability::Disk);
    assert_eq!(
        manifest.tables[0].regions[0].as_str(),
        "lab",
        "a replica in each region"
    );
    let domain = &manifest.domains[0];
    assert_eq!(domain.ttl.as_secs(), 5);
    let health = domain.health.as_ref().expect("it has one");
    assert_eq!(
        (health.interval, health.failures),
        (Duration::from_secs(10), 3)
    );
    assert_eq!(domain.certificate, None);
}

#[test]
fn a_stage_is_part_of_a_path_that_a_route_answers() {
    let text = SHOP
        .replace("\"/health\"", "\"/prod/health\"")
        .replace("GET /static/*", "GET /prod/*");
    let (manifest, problems) = parse(&text, "hither.toml");
    assert!(manifest.is_some() && problems.is_empty(), "{problems:?}");
}

#[test]
fn hints_do_not_refuse() {
    let text = SHOP.replace("\"5s\"", "\"5m\"");
    let (manifest, problems) = parse(&text, "hither.toml");
    assert!(manifest.is_some());
    assert!(!problems.iter().any(Problem::is_error) && problems.len() == 1);
}

#[test]
fn writes_may_count_as_done_before_they_are_on_disk() {
    let of = |word: &str| {
        let text = format!("[project]\nname = \"shop\"\n{word}\n[regions]\nlab = {{}}\n");
        let (manifest, problems) = parse(&text, "hither.toml");
        let codes: Vec<_> = problems.iter().map(Problem::code).collect();
        (manifest.map(|manifest| manifest.project.durability), codes)
    };
    let read = |durability| (Some(durability), vec![]);
    assert_eq!(of("durability = \"async\""), read(Durability::Async));
    assert_eq!(of("durability = \"disk\""), read(Durability::Disk));
    assert_eq!(
        of("durability = \"asinc\""),
        (None, vec![Code::UnknownWord])
    );
}

#[test]
fn the_cache_has_a_size() {
    let of = |line: &str| {
        let text = format!("[project]\nname = \"shop\"\n{line}\n[regions]\nlab = {{}}\n");
        let (manifest, problems) = parse(&text, "hither.toml");
        let codes: Vec<_> = problems.iter().map(Problem::code).collect();
        (manifest.map(|manifest| manifest.project.cache), codes)
    };
    let read = |mib| (Some(ByteCount::mib(mib)), vec![]);
    assert_eq!(of(""), read(64));
    assert_eq!(of("cache = \"1 GiB\""), read(1024));
    assert_eq!(of("cache = 256"), read(256));
    assert_eq!(of("cache = \"1 MiB\""), (None, vec![Code::OutOfRange]));
    assert_eq!(of("cache = \"much\""), (None, vec![Code::BadSize]));
}
