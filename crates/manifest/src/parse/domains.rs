//! `[domains.*]`: routes, health, routing, time to live, sessions and certificate.
//!
//! It knows the mistakes that cost failovers: probes of the global name, stages in health
//! paths, long times to live.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use base::units::Ttl;

use crate::limits::{
    DETECTION_ADVISED_MAX, FAILURES, HEALTH_PATH_CHARS_MAX, PROBE_INTERVAL, ROUTES_MAX,
    TTL_ADVISED_MAX, TTL_MAX,
};
use crate::model::{Certificate, Domain, Health, Route, RouteTarget, Routing};
use crate::parse::functions::path;
use crate::parse::section::{Entry, Section};
use crate::parse::{NamedFunction, nearest, route};
use crate::problem::Code;

pub(super) fn read(root: &Section<'_>, functions: &[NamedFunction]) -> Vec<Domain> {
    let example = "[domains.\"api.shop.test\"]";
    let Some(section) = root.entry("domains").and_then(|entry| entry.names(example)) else {
        return Vec::new();
    };
    let entries = section.entries();
    let read = entries.iter().filter_map(|entry| domain(entry, functions));
    read.collect()
}

fn domain(entry: &Entry<'_>, functions: &[NamedFunction]) -> Option<Domain> {
    let name = name(entry);
    let section = entry.section(&KEYS, "[domains.\"api.shop.test\"]")?;
    let routes = section
        .required("routes", ROUTES_EXAMPLE)
        .map_or_else(Vec::new, |entry| routes(&entry, functions));
    let health = match section.entry("health") {
        Some(entry) => health(&entry, name.as_deref().unwrap_or_default(), &routes),
        None if section.has("health") => None,
        None => {
            let message = format!("[{}] has no health check", section.name);
            let fix = "add, for example: health = { path = \"/health\" }";
            let label = "DNS keeps naming a dead region";
            let span = section.span.clone();
            let ctx = section.ctx;
            ctx.problem(Code::NoHealth, span, message, label, fix);
            None
        }
    };
    if let Some(entry) = section.entry("routing") {
        routing(&entry);
    }
    let ttl = section.entry("ttl").and_then(|entry| ttl(&entry));
    Some(Domain {
        name: name?,
        routes,
        health,
        routing: Routing::Latency,
        ttl: ttl.unwrap_or(TTL_DEFAULT),
        sessions: section
            .entry("sessions")
            .and_then(|entry| entry.boolean("sessions = true"))
            .unwrap_or(false),
        certificate: section
            .entry("certificate")
            .and_then(|entry| certificate(&entry)),
    })
}

fn name(entry: &Entry<'_>) -> Option<String> {
    let text = entry.key.value;
    if text.starts_with("*.") {
        let message = format!("`{text}`: wildcard domains are not offered");
        let span = entry.key.span.clone();
        let fix = "name each domain";
        let ctx = entry.ctx;
        ctx.problem(Code::Unsupported, span, message, "not offered", fix);
        return None;
    }
    let shaped = text.len() <= 253
        && text.contains('.')
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        });
    if !shaped {
        entry.bad_name(
            "domain",
            "lower-case labels of a-z, 0-9 and -, joined by dots",
        );
        return None;
    }
    Some(text.to_owned())
}

fn routes(entry: &Entry<'_>, functions: &[NamedFunction]) -> Vec<Route> {
    let Some(section) = entry.names(ROUTES_EXAMPLE) else {
        return Vec::new();
    };
    let entries = section.entries();
    if entries.is_empty() {
        section.missing("$default", ROUTES_EXAMPLE);
    }
    if ROUTES_MAX < entries.len() {
        let message = format!("`{}` has more than {ROUTES_MAX} routes", entry.name);
        entry.problem(Code::TooMany, message, "too many in here", "leave some out");
    }
    let mut routes = Vec::new();
    let mut shapes: BTreeMap<String, Range<usize>> = BTreeMap::new();
    for entry in entries.iter().take(ROUTES_MAX) {
        let target = entry
            .text(ROUTES_EXAMPLE)
            .and_then(|text| target(entry, text.value, functions));
        let key = match route::key(entry.key.value) {
            Ok(key) => key,
            Err(why) => {
                bad_route_key(entry, &why);
                continue;
            }
        };
        let span = entry.key.span.clone();
        if let Some(other) = shapes.insert(route::shape(&key), span.clone()) {
            let message = format!("`{key}` matches what another route matches");
            let ctx = entry.ctx;
            ctx.push(
                ctx.start(Code::OverlappingRoutes, span, message)
                    .label("the same requests")
                    .also(other, "as this route")
                    .fix("keep one of them: names of parameters make no difference"),
            );
        }
        routes.extend(target.map(|target| Route { key, target }));
    }
    routes
}

fn bad_route_key(entry: &Entry<'_>, why: &str) {
    let text = entry.key.value;
    let message = format!("`{text}` is no route key: {why}");
    let method = text.split(' ').next().unwrap_or_default();
    let fix = match nearest::nearest(method, &route::METHODS) {
        Some(near) if near != method => format!("did you mean `{near}`?"),
        _ => "write `METHOD /path`, such as `GET /cart/{id}`, or `$default`".to_owned(),
    };
    let span = entry.key.span.clone();
    let ctx = entry.ctx;
    ctx.problem(Code::BadRouteKey, span, message, "not understood", &fix);
}

fn target(entry: &Entry<'_>, text: &str, functions: &[NamedFunction]) -> Option<RouteTarget> {
    let target = match route::target(text) {
        Ok(target) => target,
        Err(why) => {
            let message = format!("`{text}` is no route target: {why}");
            let fix = "write `function:NAME`, or a URL such as `http://127.0.0.1:9000`";
            entry.problem(Code::BadRouteTarget, message, "not understood", fix);
            return None;
        }
    };
    if let RouteTarget::Function(name) = &target
        && !functions.iter().any(|function| function.name == *name)
    {
        let names: Vec<&str> = functions.iter().map(|f| f.name.as_str()).collect();
        let fix = nearest::fix(name, &names, "functions");
        let message = format!("there is no function `{name}`");
        entry.problem(Code::UnknownFunction, message, "not in [functions]", &fix);
        return None;
    }
    Some(target)
}

fn health(entry: &Entry<'_>, domain: &str, routes: &[Route]) -> Option<Health> {
    let example = "health = { path = \"/health\" }";
    let section = entry.section(&["path", "interval", "failures"], example)?;
    let interval = section
        .entry("interval")
        .map(|entry| entry.duration(PROBE_INTERVAL, "interval = \"1s\""));
    let failures = section
        .entry("failures")
        .map(|entry| (entry.integer(FAILURES, "failures = 2"), entry));
    if let Some((Some(1), entry)) = &failures {
        let message = "one lost probe takes a region out of DNS".to_owned();
        let fix = "set failures = 2 or more, and shorten the interval if it must be quick";
        entry.problem(Code::HastyVerdict, message, "turns at once", fix);
    }
    let path = section
        .required("path", "path = \"/health\"")
        .and_then(|entry| health_path(&entry, domain, routes));
    let interval = interval.map_or(Some(INTERVAL_DEFAULT), |read| read)?;
    let failures = failures.map_or(Some(FAILURES_DEFAULT), |(read, _)| read)?;
    let failures = u32::try_from(failures).ok()?;
    let detection = interval.saturating_mul(failures);
    if DETECTION_ADVISED_MAX < detection {
        let message = format!("a dead region stays in DNS for {detection:?} and the TTL");
        let fix = "shorten the interval: time to notice is interval × failures";
        entry.problem(Code::SlowDetection, message, "noticed late", fix);
    }
    Some(Health {
        path: path?,
        interval,
        failures,
    })
}

fn health_path(entry: &Entry<'_>, domain: &str, routes: &[Route]) -> Option<String> {
    let path = entry.text("path = \"/health\"")?.value;
    if let Some((_, rest)) = path.split_once("://") {
        let host = rest.split(['/', ':']).next().unwrap_or_default();
        if host == domain {
            let message = format!("the check probes `{domain}`, whose answers depend on it");
            let fix = "give the path alone: each region's own endpoint is probed";
            entry.problem(Code::HealthOnGlobalName, message, "checks itself", fix);
            return None;
        }
    }
    if !path.starts_with('/') || HEALTH_PATH_CHARS_MAX < path.chars().count() {
        let message = format!("`{path}` is no health path");
        let fix = if path.contains("://") {
            "give the path alone: each region's own endpoint is probed".to_owned()
        } else {
            format!("start it with a slash: \"/{path}\"")
        };
        entry.problem(Code::BadHealthPath, message, "no leading slash", &fix);
        return None;
    }
    let first = path.split('/').nth(1).unwrap_or_default();
    if STAGES.contains(&first) && !routes.iter().any(|r| route::answers(&r.key, path)) {
        let message = format!("health path `{path}` starts with a stage's name");
        let rest = path.get(1 + first.len()..).filter(|rest| !rest.is_empty());
        let fix = format!(
            "domains have no stage in their paths: write \"{}\"",
            rest.unwrap_or("/")
        );
        entry.problem(Code::StageInHealthPath, message, "not part of it", &fix);
        return None;
    }
    Some(path.to_owned())
}

fn routing(entry: &Entry<'_>) {
    let Some(text) = entry.text("routing = \"latency\"") else {
        return;
    };
    let text = text.value;
    if text == "latency" {
        return;
    }
    if OTHER_POLICIES.contains(&text) {
        let message = format!("routing `{text}` is not offered in a manifest");
        let fix = "use \"latency\"; make other records through Route 53's own API";
        entry.problem(Code::Unsupported, message, "not offered", fix);
    } else {
        let message = format!("there is no routing `{text}`");
        let fix = nearest::fix(text, &["latency"], "routings");
        entry.problem(Code::UnknownWord, message, "not known", &fix);
    }
}

fn ttl(entry: &Entry<'_>) -> Option<Ttl> {
    let ttl = entry.duration((Duration::ZERO, TTL_MAX), "ttl = \"5s\"")?;
    if ttl.subsec_nanos() != 0 {
        let message = format!("`{}` must be whole seconds", entry.name);
        let fix = "DNS counts in seconds";
        entry.problem(Code::OutOfRange, message, "a fraction", fix);
        return None;
    }
    if TTL_ADVISED_MAX < ttl {
        let message = format!("clients keep a dead region's address for up to {ttl:?}");
        let fix = "a TTL of 60s or less bounds the time to fail over; 5s is the default";
        entry.problem(Code::TtlDominates, message, "long", fix);
    }
    u32::try_from(ttl.as_secs()).ok().map(Ttl::seconds)
}

fn certificate(entry: &Entry<'_>) -> Option<Certificate> {
    let example = "certificate = { cert = \"tls/api.pem\", key = \"tls/api.key\" }";
    let section = entry.section(&["cert", "key"], example)?;
    let read = |key: &str| {
        let line = format!("{key} = \"tls/api.{key}\"");
        section.required(key, &line).and_then(|entry| path(&entry))
    };
    let (cert, key) = (read("cert"), read("key"));
    Some(Certificate {
        cert: cert?,
        key: key?,
    })
}

const KEYS: [&str; 6] = [
    "routes",
    "health",
    "routing",
    "ttl",
    "sessions",
    "certificate",
];

const ROUTES_EXAMPLE: &str = "routes = { \"$default\" = \"function:cart\" }";

/// What clients may keep by default: short, so that a failover is seen at once. 5 s.
const TTL_DEFAULT: Ttl = Ttl::seconds(5);

/// Pause between two probes by default, Route 53's quick one. 10 s.
/// Source: Route 53 API reference, `RequestInterval`.
const INTERVAL_DEFAULT: Duration = Duration::from_secs(10);

/// Probes in a row by default.
/// Source: Route 53 API reference, `FailureThreshold`.
const FAILURES_DEFAULT: u64 = 3;

/// Names that people give to stages, which custom domains leave out of their paths.
const STAGES: [&str; 10] = [
    "$default",
    "default",
    "dev",
    "development",
    "live",
    "prod",
    "production",
    "stage",
    "staging",
    "test",
];

/// Route 53's other routing policies.
/// Source: Route 53 developer guide, "Choosing a routing policy".
const OTHER_POLICIES: [&str; 7] = [
    "simple",
    "weighted",
    "failover",
    "geolocation",
    "geoproximity",
    "multivalue",
    "ip-based",
];
