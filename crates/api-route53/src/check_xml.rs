//! Health check configurations in XML: read, merged by updates, written.
//!
//! Whether a configuration can be probed is decided by [`control::dns::check`].
//! Source: Route 53 API reference, data type `HealthCheckConfig`, `UpdateHealthCheck`.

use std::str::FromStr;

use api_protocol::fault::Fault;
use api_protocol::xml::{Element, XmlWriter};
use control::dns::{HealthCheck, HealthCheckConfig};

use crate::faults::invalid_input;

/// Intervals that Route 53 has, in seconds; shorter ones are asked for by tag.
const INTERVALS: [u32; 2] = [10, 30];
/// What Route 53 probes at where nothing is said.
const INTERVAL: u32 = 30;
/// How many failures Route 53 waits for where nothing is said.
const FAILURES: u8 = 3;

/// Reads the configuration of a new check, and fills in what Route 53 fills in.
pub(crate) fn read(config: &Element) -> Result<HealthCheckConfig, Fault> {
    let mut read = HealthCheckConfig {
        kind: config.text_of("Type").unwrap_or_default().to_owned(),
        request_interval: parsed(config, "RequestInterval")?,
        measure_latency: flag(config, "MeasureLatency")?,
        ..HealthCheckConfig::default()
    };
    if !KINDS.contains(&read.kind.as_str()) {
        return Err(invalid_input(format!(
            "{:?} is no type of health check.",
            read.kind
        )));
    }
    if read
        .request_interval
        .is_some_and(|interval| !INTERVALS.contains(&interval))
    {
        return Err(invalid_input(
            "The request interval must be 10 or 30 seconds.",
        ));
    }
    update(&mut read, config)?;
    if read.kind != "CALCULATED" {
        read.request_interval.get_or_insert(INTERVAL);
        read.failure_threshold.get_or_insert(FAILURES);
        read.measure_latency.get_or_insert(false);
        let https = read.kind.starts_with("HTTPS");
        read.enable_sni.get_or_insert(https);
    }
    read.inverted.get_or_insert(false);
    read.disabled.get_or_insert(false);
    Ok(read)
}

const KINDS: [&str; 8] = [
    "HTTP",
    "HTTPS",
    "HTTP_STR_MATCH",
    "HTTPS_STR_MATCH",
    "TCP",
    "CALCULATED",
    "CLOUDWATCH_METRIC",
    "RECOVERY_CONTROL",
];

/// Takes over every member that `from` has and that may change.
pub(crate) fn update(config: &mut HealthCheckConfig, from: &Element) -> Result<(), Fault> {
    let text = |member: &str| from.text_of(member).map(str::to_owned);
    let kept = |new: Option<String>, old: &mut Option<String>| {
        if new.is_some() {
            *old = new.filter(|text| !text.is_empty());
        }
    };
    kept(text("IPAddress"), &mut config.ip_address);
    kept(text("ResourcePath"), &mut config.resource_path);
    kept(
        text("FullyQualifiedDomainName"),
        &mut config.fully_qualified_domain_name,
    );
    // Spaces around a search string are part of it.
    let search = from.child("SearchString").map(|child| child.text.clone());
    kept(search, &mut config.search_string);
    kept(
        text("InsufficientDataHealthStatus"),
        &mut config.insufficient_data_health_status,
    );
    replace(&mut config.port, parsed(from, "Port")?);
    replace(
        &mut config.failure_threshold,
        parsed(from, "FailureThreshold")?,
    );
    replace(
        &mut config.health_threshold,
        parsed(from, "HealthThreshold")?,
    );
    replace(&mut config.inverted, flag(from, "Inverted")?);
    replace(&mut config.disabled, flag(from, "Disabled")?);
    replace(&mut config.enable_sni, flag(from, "EnableSNI")?);
    if config.port == Some(0) {
        return Err(invalid_input("The port must be a number from 1 to 65535."));
    }
    for (list, member, into) in [
        ("Regions", "Region", &mut config.regions),
        (
            "ChildHealthChecks",
            "ChildHealthCheck",
            &mut config.child_health_checks,
        ),
    ] {
        if from.child(list).is_some() {
            let members = from.members(list, member);
            *into = members
                .map(|member| member.text.trim().to_owned())
                .collect();
        }
    }
    for member in from.members("ResetElements", "ResettableElementName") {
        match member.text.trim() {
            "FullyQualifiedDomainName" => config.fully_qualified_domain_name = None,
            "ResourcePath" => config.resource_path = None,
            "Regions" => config.regions.clear(),
            "ChildHealthChecks" => config.child_health_checks.clear(),
            other => return Err(invalid_input(format!("{other:?} cannot be reset."))),
        }
    }
    Ok(())
}

fn replace<T>(old: &mut Option<T>, new: Option<T>) {
    if new.is_some() {
        *old = new;
    }
}

fn parsed<T: FromStr>(parent: &Element, member: &str) -> Result<Option<T>, Fault> {
    let parse = |text: &str| {
        text.parse()
            .map_err(|_| invalid_input(format!("{member} cannot be {text:?}.")))
    };
    parent.text_of(member).map(parse).transpose()
}

fn flag(parent: &Element, member: &str) -> Result<Option<bool>, Fault> {
    match parent.text_of(member) {
        None => Ok(None),
        Some("true" | "1") => Ok(Some(true)),
        Some("false" | "0") => Ok(Some(false)),
        Some(other) => Err(invalid_input(format!(
            "{member} is true or false, not {other:?}."
        ))),
    }
}

/// Writes a check.
pub(crate) fn write(check: &HealthCheck, xml: &mut XmlWriter) {
    xml.within("HealthCheck", |xml| {
        xml.leaf("Id", &check.id);
        xml.leaf("CallerReference", &check.caller_reference);
        xml.within("HealthCheckConfig", |xml| write_config(&check.config, xml));
        xml.leaf("HealthCheckVersion", &check.version.to_string());
    });
}

fn write_config(config: &HealthCheckConfig, xml: &mut XmlWriter) {
    let number = |number: Option<u32>| number.map(|number| number.to_string());
    let flag = |flag: Option<bool>| flag.map(|flag| flag.to_string());
    let leaves = [
        ("IPAddress", config.ip_address.clone()),
        ("Port", number(config.port.map(u32::from))),
        ("Type", Some(config.kind.clone())),
        ("ResourcePath", config.resource_path.clone()),
        (
            "FullyQualifiedDomainName",
            config.fully_qualified_domain_name.clone(),
        ),
        ("SearchString", config.search_string.clone()),
        ("RequestInterval", number(config.request_interval)),
        (
            "FailureThreshold",
            number(config.failure_threshold.map(u32::from)),
        ),
        ("MeasureLatency", flag(config.measure_latency)),
        ("Inverted", flag(config.inverted)),
        ("Disabled", flag(config.disabled)),
        (
            "HealthThreshold",
            number(config.health_threshold.map(u32::from)),
        ),
        ("EnableSNI", flag(config.enable_sni)),
        (
            "InsufficientDataHealthStatus",
            config.insufficient_data_health_status.clone(),
        ),
    ];
    for (name, text) in leaves {
        if let Some(text) = text {
            xml.leaf(name, &text);
        }
    }
    for (list, member, texts) in [
        (
            "ChildHealthChecks",
            "ChildHealthCheck",
            &config.child_health_checks,
        ),
        ("Regions", "Region", &config.regions),
    ] {
        if !texts.is_empty() {
            xml.within(list, |xml| {
                for text in texts {
                    xml.leaf(member, text);
                }
            });
        }
    }
}
