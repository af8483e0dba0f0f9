//! Payload format 2.0.
//!
//! Absent things are left out, not null.

use bytes::Bytes;
use http::header::COOKIE;

use super::json::Object;
use super::{Event, text};
use crate::arrival::log_time;

/// Writes the payload of a request in format 2.0.
pub fn payload(event: &Event<'_>) -> Bytes {
    let mut out = Vec::with_capacity(2_048 + event.body.len() * 4 / 3);
    let body = event.body_text();
    let plan = event.plan;
    Object::write(&mut out, |payload| {
        payload.text("version", "2.0");
        payload.text("routeKey", plan.route.key.as_str());
        payload.text("rawPath", &plan.raw_path);
        payload.text("rawQueryString", event.query.unwrap_or_default());
        if event.headers.contains_key(COOKIE) {
            let values = event.headers.get_all(COOKIE).iter().map(text);
            let joined: Vec<_> = values.collect();
            let cookies = joined.iter().flat_map(|value| value.split(';'));
            payload.texts("cookies", cookies.map(str::trim).filter(|c| !c.is_empty()));
        }
        payload.object("headers", |headers| write_headers(headers, event));
        let parameters = event.query_parameters();
        if !parameters.is_empty() {
            payload.object("queryStringParameters", |object| {
                for (name, values) in &parameters {
                    object.text(name, &values.join(","));
                }
            });
        }
        payload.object("requestContext", |context| write_context(context, event));
        if let Some(body) = body.as_str() {
            payload.text("body", body);
        }
        if !plan.variables.is_empty() {
            payload.object("pathParameters", |object| {
                for (name, value) in &plan.variables {
                    object.text(name, value);
                }
            });
        }
        payload.truth("isBase64Encoded", body.is_base64());
        if !plan.stage.variables.is_empty() {
            payload.object("stageVariables", |object| {
                for (name, value) in &plan.stage.variables {
                    object.text(name, value);
                }
            });
        }
    });
    Bytes::from(out)
}

/// Names are lower case, several values are joined by commas, cookies stand apart.
fn write_headers(object: &mut Object<'_>, event: &Event<'_>) {
    for name in event.sorted_headers() {
        if *name == COOKIE {
            continue;
        }
        let mut values = event.headers.get_all(name).iter().map(text);
        let first = values.next().unwrap_or_default();
        let joined = values.fold(first, |mut joined, value| {
            joined.to_mut().push(',');
            joined.to_mut().push_str(&value);
            joined
        });
        object.text(name.as_str(), &joined);
    }
}

fn write_context(context: &mut Object<'_>, event: &Event<'_>) {
    let (plan, arrival) = (event.plan, event.arrival);
    context.text("accountId", &plan.api.account.to_string());
    context.text("apiId", &plan.api.id);
    context.text("domainName", &plan.domain);
    context.text("domainPrefix", event.domain_prefix());
    context.object("http", |http| {
        http.text("method", event.method.as_str());
        http.text("path", &plan.raw_path);
        http.text("protocol", event.protocol());
        http.text("sourceIp", &arrival.client.to_string());
        http.text("userAgent", &event.user_agent());
    });
    context.text("requestId", arrival.id.as_str());
    context.text("routeKey", plan.route.key.as_str());
    context.text("stage", &plan.stage.name);
    context.text("time", &log_time(arrival.at));
    context.number("timeEpoch", arrival.at.as_millis());
}
