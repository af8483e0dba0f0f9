//! One case for each problem, as it is printed.

use insta::assert_snapshot;

use super::{codes, report};
use crate::problem::Code;

#[test]
fn syntax() {
    let text = r#"
[tables.carts]
partition_key =
sort_key = { sku = "X" }
"#;
    assert_eq!(codes(text), [Code::UnknownWord, Code::Syntax]);
    assert_snapshot!(report(text), @r#"
    H0001

      × not TOML: string values must be quoted, expected literal string
       ╭─[hither.toml:3:16]
     2 │ [tables.carts]
     3 │ partition_key =
       ·                ▲
       ·                ╰── here
     4 │ sort_key = { sku = "X" }
       ╰────
      help: see https://toml.io

    H0030

      × `tables.carts.sort_key.sku` cannot be `X`
       ╭─[hither.toml:4:20]
     3 │ partition_key =
     4 │ sort_key = { sku = "X" }
       ·                    ─┬─
       ·                     ╰── not known
     5 │ [project]
       ╰────
      help: did you mean `S`?

    2 mistakes, 0 hints
    "#);
}

#[test]
fn an_unclosed_table_is_one_mistake() {
    let text = r#"
[tables.carts]
partition_key = { customer = "S"
sort_key = { sku = "S" }
stream = "NEW_AND_OLD_IMAGES"
"#;
    assert_snapshot!(report(text), @r#"
    H0001

      × not TOML: missing comma between key-value pairs, expected `,`
       ╭─[hither.toml:4:1]
     3 │ partition_key = { customer = "S"
     4 │ sort_key = { sku = "S" }
       · ▲
       · ╰── here
     5 │ stream = "NEW_AND_OLD_IMAGES"
       ╰────
      help: see https://toml.io

    1 mistake, 0 hints
    "#);
}

#[test]
fn duplicate_key() {
    let text = r#"
[project]
name = "shop"
name = "store"
"#;
    assert!(codes(text).contains(&Code::DuplicateKey));
    assert_snapshot!(report(text), @r#"
    H0002

      × `name` is given twice
       ╭─[hither.toml:4:1]
     3 │ name = "shop"
     4 │ name = "store"
       · ──┬─
       ·   ╰── given again
     5 │ [regions]
       ╰────
      help: keep one of the two, and merge what they say

    1 mistake, 0 hints
    "#);
}

#[test]
fn unknown_key() {
    let text = r#"
[functions.cart]
runtime = "provided.al2023"
code = "x"
timeuot = "3s"
"#;
    assert!(codes(text).contains(&Code::UnknownKey));
    assert_snapshot!(report(text), @r#"
    H0003

      × [functions.cart] has no key `timeuot`
       ╭─[hither.toml:5:1]
     4 │ code = "x"
     5 │ timeuot = "3s"
       · ───┬───
       ·    ╰── not known
     6 │ [project]
       ╰────
      help: did you mean `timeout`?

    1 mistake, 0 hints
    "#);
}

#[test]
fn unknown_section() {
    let text = r"
[databases]
";
    assert!(codes(text).contains(&Code::UnknownKey));
    assert_snapshot!(report(text), @"
    H0003

      × a manifest has no section `databases`
       ╭─[hither.toml:2:2]
     1 │ 
     2 │ [databases]
       ·  ────┬────
       ·      ╰── not known
     3 │ [project]
       ╰────
      help: known keys: `project`, `regions`, `tables`, `functions`, `domains`, `clients`

    1 mistake, 0 hints
    ");
}

#[test]
fn wrong_type() {
    let text = r#"
[functions.cart]
runtime = 3
code = "x"
"#;
    assert!(codes(text).contains(&Code::WrongType));
    assert_snapshot!(report(text), @r#"
    H0004

      × `functions.cart.runtime` must be a string
       ╭─[hither.toml:3:11]
     2 │ [functions.cart]
     3 │ runtime = 3
       ·           ┬
       ·           ╰── this is an integer
     4 │ code = "x"
       ╰────
      help: write, for example: runtime = "provided.al2023"

    1 mistake, 0 hints
    "#);
}

#[test]
fn a_table_where_a_string_belongs() {
    let text = r#"
[functions.cart]
runtime = "provided.al2023"
[functions.cart.code]
path = "x"
"#;
    assert!(codes(text).contains(&Code::WrongType));
    assert_snapshot!(report(text), @r#"
    H0004

      × `functions.cart.code` must be a string
       ╭─[hither.toml:4:17]
     3 │ runtime = "provided.al2023"
     4 │ [functions.cart.code]
       ·                 ──┬─
       ·                   ╰── this is a table
     5 │ path = "x"
       ╰────
      help: write, for example: code = "target/lambda/cart/bootstrap"

    1 mistake, 0 hints
    "#);
}

#[test]
fn missing_key() {
    let text = r#"
[functions.cart]
runtime = "provided.al2023"
"#;
    assert!(codes(text).contains(&Code::MissingKey));
    assert_snapshot!(report(text), @r#"
    H0005

      × [functions.cart] needs `code`
       ╭─[hither.toml:2:1]
     1 │ 
     2 │ [functions.cart]
       · ────────┬───────
       ·         ╰── no `code` in here
     3 │ runtime = "provided.al2023"
       ╰────
      help: add, for example: code = "target/lambda/cart/bootstrap"

    1 mistake, 0 hints
    "#);
}

#[test]
fn missing_section() {
    let text = r"
[regions]
";
    assert!(codes(text).contains(&Code::MissingKey));
    assert_snapshot!(report(text), @"
    H0005

      × [regions] needs `us-east-1`
       ╭─[hither.toml:2:1]
     1 │ 
     2 │ [regions]
       · ────┬────
       ·     ╰── no `us-east-1` in here
     3 │ [project]
       ╰────
      help: add, for example: us-east-1 = {}

    1 mistake, 0 hints
    ");
}

#[test]
fn bad_name() {
    let text = r#"
[project]
name = "My Shop"
"#;
    assert!(codes(text).contains(&Code::BadName));
    assert_snapshot!(report(text), @r#"
    H0006

      × `My Shop` is no project name
       ╭─[hither.toml:3:8]
     2 │ [project]
     3 │ name = "My Shop"
       ·        ────┬────
       ·            ╰── not allowed
     4 │ [regions]
       ╰────
      help: a project name is 1 to 64 characters of a-z, 0-9 and -, starting with a letter

    1 mistake, 0 hints
    "#);
}

#[test]
fn bad_account() {
    let text = r#"
[project]
name = "shop"
account = "1234"
"#;
    assert!(codes(text).contains(&Code::BadAccount));
    assert_snapshot!(report(text), @r#"
    H0007

      × `1234` is no account
       ╭─[hither.toml:4:11]
     3 │ name = "shop"
     4 │ account = "1234"
       ·           ───┬──
       ·              ╰── not twelve digits
     5 │ [regions]
       ╰────
      help: an account is twelve digits in quotes, such as "123456789012"

    1 mistake, 0 hints
    "#);
}

#[test]
fn bad_address() {
    let text = r#"
[regions]
lab = { address = "0.0.0.0" }
"#;
    assert!(codes(text).contains(&Code::BadAddress));
    assert_snapshot!(report(text), @r#"
    H0008

      × `0.0.0.0` is not the address of one machine
       ╭─[hither.toml:3:19]
     2 │ [regions]
     3 │ lab = { address = "0.0.0.0" }
       ·                   ────┬────
       ·                       ╰── not a host's
     4 │ [project]
       ╰────
      help: give the region's public IPv4 or IPv6 address, or leave it out on a laptop

    1 mistake, 0 hints
    "#);
}

#[test]
fn bad_port() {
    let text = r"
[regions]
lab = { api = 8000 }
";
    assert!(codes(text).contains(&Code::BadPort));
    assert_snapshot!(report(text), @"
    H0009

      × port 8000/TCP is both `api` and `dynamodb`
       ╭─[hither.toml:3:15]
     2 │ [regions]
     3 │ lab = { api = 8000 }
       ·               ──┬─
       ·                 ╰── used twice
     4 │ [project]
       ╰────
      help: give one of the two another number

    1 mistake, 0 hints
    ");
}

#[test]
fn region_number_collision() {
    let text = r"
[regions]
lab-46 = {}
lab-75 = {}
";
    assert!(codes(text).contains(&Code::RegionNumberCollision));
    assert_snapshot!(report(text), @"
    H0010

      × regions `lab-46` and `lab-75` have the same number r47697
       ╭─[hither.toml:4:1]
     2 │ [regions]
     3 │ lab-46 = {}
       · ───┬──
       ·    ╰── as this one
     4 │ lab-75 = {}
       · ───┬──
       ·    ╰── the same number
     5 │ [project]
       ╰────
      help: rename one of them: the number of an own name is a hash of it

    1 mistake, 0 hints
    ");
}

#[test]
fn address_twice() {
    let text = r#"
[regions]
lab = { address = "198.51.100.1" }
lab-2 = { address = "198.51.100.1" }
"#;
    assert!(codes(text).contains(&Code::AddressTwice));
    assert_snapshot!(report(text), @r#"
    H0011

      × `lab-2` and `lab` both listen on 198.51.100.1:4566
       ╭─[hither.toml:4:1]
     2 │ [regions]
     3 │ lab = { address = "198.51.100.1" }
       · ─┬─
       ·  ╰── as this region
     4 │ lab-2 = { address = "198.51.100.1" }
       · ──┬──
       ·   ╰── the same address and port
     5 │ [project]
       ╰────
      help: give one of them another address, or other ports

    1 mistake, 0 hints
    "#);
}

#[test]
fn bad_duration() {
    let text = r#"
[functions.cart]
runtime = "provided.al2023"
code = "x"
timeout = 5
"#;
    assert!(codes(text).contains(&Code::BadDuration));
    assert_snapshot!(report(text), @r#"
    H0012

      × `functions.cart.timeout` is no duration: it has no unit (ms, s, m, h)
       ╭─[hither.toml:5:11]
     4 │ code = "x"
     5 │ timeout = 5
       ·           ┬
       ·           ╰── not understood
     6 │ [project]
       ╰────
      help: write, for example: timeout = "10s"

    1 mistake, 0 hints
    "#);
}

#[test]
fn bad_size() {
    let text = r#"
[functions.cart]
runtime = "provided.al2023"
code = "x"
memory = "256 KiB"
"#;
    assert!(codes(text).contains(&Code::BadSize));
    assert_snapshot!(report(text), @r#"
    H0013

      × `256 KiB` is no memory size
       ╭─[hither.toml:5:10]
     4 │ code = "x"
     5 │ memory = "256 KiB"
       ·          ────┬────
       ·              ╰── not understood
     6 │ [project]
       ╰────
      help: write, for example: memory = "256 MiB"

    1 mistake, 0 hints
    "#);
}

#[test]
fn out_of_range() {
    let text = r#"
[functions.cart]
runtime = "provided.al2023"
code = "x"
timeout = "16m"
"#;
    assert!(codes(text).contains(&Code::OutOfRange));
    assert_snapshot!(report(text), @r#"
    H0014

      × `functions.cart.timeout` must be 1s to 900s
       ╭─[hither.toml:5:11]
     4 │ code = "x"
     5 │ timeout = "16m"
       ·           ──┬──
       ·             ╰── out of range
     6 │ [project]
       ╰────
      help: choose a duration from 1s to 900s

    1 mistake, 0 hints
    "#);
}

#[test]
fn bad_key_schema() {
    let text = r#"
[tables.carts]
partition_key = { a = "S", b = "S" }
"#;
    assert!(codes(text).contains(&Code::BadKeySchema));
    assert_snapshot!(report(text), @r#"
    H0015

      × `tables.carts.partition_key` must name one attribute
       ╭─[hither.toml:3:17]
     2 │ [tables.carts]
     3 │ partition_key = { a = "S", b = "S" }
       ·                 ──────────┬─────────
       ·                           ╰── 2 attributes
     4 │ [project]
       ╰────
      help: write, for example: partition_key = { customer = "S" }

    1 mistake, 0 hints
    "#);
}

#[test]
fn one_attribute_as_both_keys() {
    let text = r#"
[tables.carts]
partition_key = { a = "S" }
sort_key = { a = "S" }
"#;
    assert!(codes(text).contains(&Code::BadKeySchema));
    assert_snapshot!(report(text), @r#"
    H0015

      × `a` is both partition key and sort key
       ╭─[hither.toml:4:12]
     3 │ partition_key = { a = "S" }
     4 │ sort_key = { a = "S" }
       ·            ─────┬─────
       ·                 ╰── the same attribute
     5 │ [project]
       ╰────
      help: name another

    1 mistake, 0 hints
    "#);
}

#[test]
fn unknown_region() {
    let text = r#"
[tables.carts]
partition_key = { a = "S" }
regions = ["us-east-1", "eu-wset-1"]
"#;
    assert!(codes(text).contains(&Code::UnknownRegion));
    assert_snapshot!(report(text), @r#"
    H0016

      × there is no region `eu-wset-1`
       ╭─[hither.toml:4:25]
     3 │ partition_key = { a = "S" }
     4 │ regions = ["us-east-1", "eu-wset-1"]
       ·                         ─────┬─────
       ·                              ╰── not in [regions]
     5 │ [project]
       ╰────
      help: did you mean `eu-west-1`?

    1 mistake, 0 hints
    "#);
}

#[test]
fn unknown_function() {
    let text = r#"
[functions.cart]
runtime = "provided.al2023"
code = "x"
[domains."a.test"]
routes = { "GET /" = "function:carts" }
health = { path = "/" }
"#;
    assert!(codes(text).contains(&Code::UnknownFunction));
    assert_snapshot!(report(text), @r#"
    H0017

      × there is no function `carts`
       ╭─[hither.toml:6:22]
     5 │ [domains."a.test"]
     6 │ routes = { "GET /" = "function:carts" }
       ·                      ────────┬───────
       ·                              ╰── not in [functions]
     7 │ health = { path = "/" }
       ╰────
      help: did you mean `cart`?

    1 mistake, 0 hints
    "#);
}

#[test]
fn bad_route_key() {
    let text = r#"
[domains."a.test"]
routes = { "get /" = "http://x" }
health = { path = "/" }
"#;
    assert!(codes(text).contains(&Code::BadRouteKey));
    assert_snapshot!(report(text), @r#"
    H0018

      × `get /` is no route key: `get` is no method
       ╭─[hither.toml:3:12]
     2 │ [domains."a.test"]
     3 │ routes = { "get /" = "http://x" }
       ·            ───┬───
       ·               ╰── not understood
     4 │ health = { path = "/" }
       ╰────
      help: did you mean `GET`?

    1 mistake, 0 hints
    "#);
}

#[test]
fn bad_route_target() {
    let text = r#"
[domains."a.test"]
routes = { "GET /" = "cart" }
health = { path = "/" }
"#;
    assert!(codes(text).contains(&Code::BadRouteTarget));
    assert_snapshot!(report(text), @r#"
    H0019

      × `cart` is no route target: it is neither `function:NAME` nor a URL
       ╭─[hither.toml:3:22]
     2 │ [domains."a.test"]
     3 │ routes = { "GET /" = "cart" }
       ·                      ───┬──
       ·                         ╰── not understood
     4 │ health = { path = "/" }
       ╰────
      help: write `function:NAME`, or a URL such as `http://127.0.0.1:9000`

    1 mistake, 0 hints
    "#);
}

#[test]
fn overlapping_routes() {
    let text = r#"
[domains."a.test"]
health = { path = "/" }
[domains."a.test".routes]
"GET /cart/{id}" = "http://x"
"GET /cart/{name}" = "http://y"
"#;
    assert!(codes(text).contains(&Code::OverlappingRoutes));
    assert_snapshot!(report(text), @r#"
    H0020

      × `GET /cart/{name}` matches what another route matches
       ╭─[hither.toml:6:1]
     4 │ [domains."a.test".routes]
     5 │ "GET /cart/{id}" = "http://x"
       · ────────┬───────
       ·         ╰── as this route
     6 │ "GET /cart/{name}" = "http://y"
       · ─────────┬────────
       ·          ╰── the same requests
     7 │ [project]
       ╰────
      help: keep one of them: names of parameters make no difference

    1 mistake, 0 hints
    "#);
}

#[test]
fn bad_health_path() {
    let text = r#"
[domains."a.test"]
routes = { "GET /" = "http://x" }
health = { path = "health" }
"#;
    assert!(codes(text).contains(&Code::BadHealthPath));
    assert_snapshot!(report(text), @r#"
    H0021

      × `health` is no health path
       ╭─[hither.toml:4:19]
     3 │ routes = { "GET /" = "http://x" }
     4 │ health = { path = "health" }
       ·                   ────┬───
       ·                       ╰── no leading slash
     5 │ [project]
       ╰────
      help: start it with a slash: "/health"

    1 mistake, 0 hints
    "#);
}

#[test]
fn stage_in_health_path() {
    let text = r#"
[domains."a.test"]
routes = { "GET /" = "http://x" }
health = { path = "/prod/health" }
"#;
    assert!(codes(text).contains(&Code::StageInHealthPath));
    assert_snapshot!(report(text), @r#"
    H0022

      × health path `/prod/health` starts with a stage's name
       ╭─[hither.toml:4:19]
     3 │ routes = { "GET /" = "http://x" }
     4 │ health = { path = "/prod/health" }
       ·                   ───────┬──────
       ·                          ╰── not part of it
     5 │ [project]
       ╰────
      help: domains have no stage in their paths: write "/health"

    1 mistake, 0 hints
    "#);
}

#[test]
fn health_on_global_name() {
    let text = r#"
[domains."a.test"]
routes = { "GET /" = "http://x" }
health = { path = "https://a.test/health" }
"#;
    assert!(codes(text).contains(&Code::HealthOnGlobalName));
    assert_snapshot!(report(text), @r#"
    H0023

      × the check probes `a.test`, whose answers depend on it
       ╭─[hither.toml:4:19]
     3 │ routes = { "GET /" = "http://x" }
     4 │ health = { path = "https://a.test/health" }
       ·                   ───────────┬───────────
       ·                              ╰── checks itself
     5 │ [project]
       ╰────
      help: give the path alone: each region's own endpoint is probed

    1 mistake, 0 hints
    "#);
}

#[test]
fn unsupported_routing() {
    let text = r#"
[domains."a.test"]
routes = { "GET /" = "http://x" }
health = { path = "/" }
routing = "weighted"
"#;
    assert!(codes(text).contains(&Code::Unsupported));
    assert_snapshot!(report(text), @r#"
    H0024

      × routing `weighted` is not offered in a manifest
       ╭─[hither.toml:5:11]
     4 │ health = { path = "/" }
     5 │ routing = "weighted"
       ·           ─────┬────
       ·                ╰── not offered
     6 │ [project]
       ╰────
      help: use "latency"; make other records through Route 53's own API

    1 mistake, 0 hints
    "#);
}

#[test]
fn unsupported_runtime() {
    let text = r#"
[functions.cart]
runtime = "nodejs22.x"
code = "x"
"#;
    assert!(codes(text).contains(&Code::Unsupported));
    assert_snapshot!(report(text), @r#"
    H0024

      × runtime `nodejs22.x` is not offered
       ╭─[hither.toml:3:11]
     2 │ [functions.cart]
     3 │ runtime = "nodejs22.x"
       ·           ──────┬─────
       ·                 ╰── not offered
     4 │ code = "x"
       ╰────
      help: use `provided.al2023`: any program that speaks the Lambda Runtime API

    1 mistake, 0 hints
    "#);
}

#[test]
fn bad_subnet() {
    let text = r#"
[clients.tokyo]
subnet = "203.0.113.9/24"
rtt = { us-east-1 = "150ms" }
"#;
    assert!(codes(text).contains(&Code::BadSubnet));
    assert_snapshot!(report(text), @r#"
    H0025

      × `203.0.113.9/24` is no network: bits beyond the first 24 are set
       ╭─[hither.toml:3:10]
     2 │ [clients.tokyo]
     3 │ subnet = "203.0.113.9/24"
       ·          ────────┬───────
       ·                  ╰── not understood
     4 │ rtt = { us-east-1 = "150ms" }
       ╰────
      help: did you mean `203.0.113.0/24`?

    1 mistake, 0 hints
    "#);
}

#[test]
fn subnet_twice() {
    let text = r#"
[clients.tokyo]
subnet = "203.0.113.0/24"
rtt = {}
[clients.osaka]
subnet = "203.0.113.0/24"
rtt = {}
"#;
    assert!(codes(text).contains(&Code::SubnetTwice));
    assert_snapshot!(report(text), @r#"
    H0026

      × `203.0.113.0/24` is given twice
       ╭─[hither.toml:6:10]
     2 │ [clients.tokyo]
     3 │ subnet = "203.0.113.0/24"
       ·          ────────┬───────
       ·                  ╰── as here
     4 │ rtt = {}
     5 │ [clients.osaka]
     6 │ subnet = "203.0.113.0/24"
       ·          ────────┬───────
       ·                  ╰── the same network
     7 │ rtt = {}
       ╰────
      help: merge the two

    1 mistake, 0 hints
    "#);
}

#[test]
fn bad_tag() {
    let text = r#"
[tables.carts]
partition_key = { a = "S" }
tags = { "aws:team" = "x" }
"#;
    assert!(codes(text).contains(&Code::BadTag));
    assert_snapshot!(report(text), @r#"
    H0027

      × tag `aws:team` is refused by DynamoDB
       ╭─[hither.toml:4:10]
     3 │ partition_key = { a = "S" }
     4 │ tags = { "aws:team" = "x" }
       ·          ─────┬────
       ·               ╰── not allowed
     5 │ [project]
       ╰────
      help: tag keys that start with `aws:` are AWS's own

    1 mistake, 0 hints
    "#);
}

/// What Lambda's API refuses is refused before a region starts.
#[test]
fn every_variable_that_lambda_refuses_is_named() {
    for name in [
        "A",
        "_HANDLER",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
        "_X_AMZN_TRACE_ID",
    ] {
        let text = format!(
            "[functions.cart]\n\
             runtime = \"provided.al2023\"\n\
             code = \"bootstrap\"\n\
             environment = {{ {name} = \"x\" }}\n"
        );
        assert_eq!(codes(&text), [Code::BadEnvironment], "{name}");
    }
}

#[test]
fn bad_environment() {
    let text = r#"
[functions.cart]
runtime = "provided.al2023"
code = "x"
environment = { AWS_REGION = "mars-1" }
"#;
    assert!(codes(text).contains(&Code::BadEnvironment));
    assert_snapshot!(report(text), @r#"
    H0028

      × variable `AWS_REGION` is refused by Lambda
       ╭─[hither.toml:5:17]
     4 │ code = "x"
     5 │ environment = { AWS_REGION = "mars-1" }
       ·                 ─────┬────
       ·                      ╰── not allowed
     6 │ [project]
       ╰────
      help: Lambda sets this variable itself: leave it out

    1 mistake, 0 hints
    "#);
}

#[test]
fn too_many() {
    let regions: Vec<String> = (0..33).map(|n| format!("lab-{n} = {{}}")).collect();
    let text = format!("[regions]\n{}\n", regions.join("\n"));
    assert_eq!(codes(&text), [Code::TooMany]);
}

#[test]
fn unknown_word() {
    let text = r#"
[tables.carts]
partition_key = { a = "S" }
stream = "NEW_AND_OLD"
"#;
    assert!(codes(text).contains(&Code::UnknownWord));
    assert_snapshot!(report(text), @r#"
    H0030

      × `tables.carts.stream` cannot be `NEW_AND_OLD`
       ╭─[hither.toml:4:10]
     3 │ partition_key = { a = "S" }
     4 │ stream = "NEW_AND_OLD"
       ·          ──────┬──────
       ·                ╰── not known
     5 │ [project]
       ╰────
      help: did you mean `NEW_AND_OLD_IMAGES`?

    1 mistake, 0 hints
    "#);
}

#[test]
fn ttl_dominates() {
    let text = r#"
[domains."a.test"]
routes = { "GET /" = "http://x" }
health = { path = "/" }
ttl = "300s"
"#;
    assert!(codes(text).contains(&Code::TtlDominates));
    assert_snapshot!(report(text), @r#"
    H0033

      ⚠ clients keep a dead region's address for up to 300s
       ╭─[hither.toml:5:7]
     4 │ health = { path = "/" }
     5 │ ttl = "300s"
       ·       ───┬──
       ·          ╰── long
     6 │ [project]
       ╰────
      help: a TTL of 60s or less bounds the time to fail over; 5s is the default

    0 mistakes, 1 hint
    "#);
}

#[test]
fn slow_detection() {
    let text = r#"
[domains."a.test"]
routes = { "GET /" = "http://x" }
health = { path = "/", interval = "30s", failures = 3 }
"#;
    assert!(codes(text).contains(&Code::SlowDetection));
    assert_snapshot!(report(text), @r#"
    H0034

      ⚠ a dead region stays in DNS for 90s and the TTL
       ╭─[hither.toml:4:10]
     3 │ routes = { "GET /" = "http://x" }
     4 │ health = { path = "/", interval = "30s", failures = 3 }
       ·          ───────────────────────┬──────────────────────
       ·                                 ╰── noticed late
     5 │ [project]
       ╰────
      help: shorten the interval: time to notice is interval × failures

    0 mistakes, 1 hint
    "#);
}

#[test]
fn hasty_verdict() {
    let text = r#"
[domains."a.test"]
routes = { "GET /" = "http://x" }
health = { path = "/", interval = "1s", failures = 1 }
"#;
    assert!(codes(text).contains(&Code::HastyVerdict));
    assert_snapshot!(report(text), @r#"
    H0035

      ⚠ one lost probe takes a region out of DNS
       ╭─[hither.toml:4:52]
     3 │ routes = { "GET /" = "http://x" }
     4 │ health = { path = "/", interval = "1s", failures = 1 }
       ·                                                    ┬
       ·                                                    ╰── turns at once
     5 │ [project]
       ╰────
      help: set failures = 2 or more, and shorten the interval if it must be quick

    0 mistakes, 1 hint
    "#);
}

#[test]
fn no_health() {
    let text = r#"
[domains."a.test"]
routes = { "GET /" = "http://x" }
"#;
    assert!(codes(text).contains(&Code::NoHealth));
    assert_snapshot!(report(text), @r#"
    H0036

      ⚠ [domains.a.test] has no health check
       ╭─[hither.toml:2:1]
     1 │ 
     2 │ [domains."a.test"]
       · ─────────┬────────
       ·          ╰── DNS keeps naming a dead region
     3 │ routes = { "GET /" = "http://x" }
       ╰────
      help: add, for example: health = { path = "/health" }

    0 mistakes, 1 hint
    "#);
}

#[test]
fn all_mistakes_at_once() {
    let text = r#"
[project]
name = "shop"
acount = "1"
[regions]
us_east = {}
[tables.ab]
partition_key = { id = "X" }
[functions.cart]
runtime = "provided.al2023"
code = "x"
timeout = "3 sec"
[domains."api.shop.test"]
routes = { "GET cart" = "function:crt" }
health = { path = "health" }
"#;
    assert_eq!(
        codes(text),
        [
            Code::UnknownKey,
            Code::BadName,
            Code::BadName,
            Code::UnknownWord,
            Code::BadDuration,
            Code::UnknownFunction,
            Code::BadRouteKey,
            Code::BadHealthPath,
        ]
    );
}

#[test]
fn resolvers_that_merge() {
    let table = "[tables.carts]\npartition_key = { id = \"S\" }\n";
    for line in [
        "resolver = \"attributes\"",
        "resolver = \"counters\"",
        "tags = { \"hither:resolver\" = \"counters\" }",
    ] {
        let text = format!("{table}{line}\n");
        assert_eq!(codes(&text), [Code::Unsupported], "{line}");
    }
    let offered = format!("{table}resolver = \"item\"\n");
    assert_eq!(codes(&offered), []);
    let unknown = format!("{table}resolver = \"magic\"\n");
    assert_eq!(codes(&unknown), [Code::UnknownWord]);
}
