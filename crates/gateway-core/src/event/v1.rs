//! Payload format 1.0, the one that REST APIs have.
//!
//! Absent things are null, and every header and parameter appears twice: its last value, and all.

use bytes::Bytes;

use super::json::Object;
use super::{Event, text};
use crate::arrival::log_time;

/// Writes the payload of a request in format 1.0.
pub fn payload(event: &Event<'_>) -> Bytes {
    let mut out = Vec::with_capacity(4_096 + event.body.len() * 4 / 3);
    let body = event.body_text();
    let plan = event.plan;
    Object::write(&mut out, |payload| {
        payload.text("version", "1.0");
        payload.text("resource", plan.route.key.resource());
        payload.text("path", event.path);
        payload.text("httpMethod", event.method.as_str());
        write_headers(payload, event);
        write_query(payload, event);
        payload.object("requestContext", |context| write_context(context, event));
        write_pairs(payload, "pathParameters", &plan.variables);
        let variables: Vec<_> = plan.stage.variables.iter().collect();
        write_pairs(payload, "stageVariables", &variables);
        payload.nullable("body", body.as_str());
        payload.truth("isBase64Encoded", body.is_base64());
    });
    Bytes::from(out)
}

fn write_headers(payload: &mut Object<'_>, event: &Event<'_>) {
    let names = event.sorted_headers();
    payload.object("headers", |object| {
        for name in &names {
            if let Some(value) = event.headers.get_all(*name).iter().next_back() {
                object.text(name.as_str(), &text(value));
            }
        }
    });
    payload.object("multiValueHeaders", |object| {
        for name in &names {
            object.texts(name.as_str(), event.headers.get_all(*name).iter().map(text));
        }
    });
}

fn write_query(payload: &mut Object<'_>, event: &Event<'_>) {
    let parameters = event.query_parameters();
    if parameters.is_empty() {
        payload.null("queryStringParameters");
        payload.null("multiValueQueryStringParameters");
        return;
    }
    payload.object("queryStringParameters", |object| {
        for (name, values) in &parameters {
            object.text(name, values.last().map_or("", |value| value));
        }
    });
    payload.object("multiValueQueryStringParameters", |object| {
        for (name, values) in &parameters {
            object.texts(name, values);
        }
    });
}

fn write_pairs<N: AsRef<str>, V: AsRef<str>>(
    payload: &mut Object<'_>,
    name: &str,
    pairs: &[(N, V)],
) {
    if pairs.is_empty() {
        payload.null(name);
        return;
    }
    payload.object(name, |object| {
        for (name, value) in pairs {
            object.text(name.as_ref(), value.as_ref());
        }
    });
}

fn write_context(context: &mut Object<'_>, event: &Event<'_>) {
    let (plan, arrival) = (event.plan, event.arrival);
    context.text("accountId", &plan.api.account.to_string());
    context.text("apiId", &plan.api.id);
    context.object("authorizer", |authorizer| {
        authorizer.null("claims");
        authorizer.null("scopes");
    });
    context.text("domainName", &plan.domain);
    context.text("domainPrefix", event.domain_prefix());
    context.text("extendedRequestId", arrival.id.as_str());
    context.text("httpMethod", event.method.as_str());
    context.object("identity", |identity| {
        for name in [
            "accessKey",
            "accountId",
            "caller",
            "cognitoAuthenticationProvider",
            "cognitoAuthenticationType",
            "cognitoIdentityId",
            "cognitoIdentityPoolId",
            "principalOrgId",
        ] {
            identity.null(name);
        }
        identity.text("sourceIp", &arrival.client.to_string());
        identity.null("user");
        identity.text("userAgent", &event.user_agent());
        identity.null("userArn");
    });
    context.text("path", event.path);
    context.text("protocol", event.protocol());
    context.text("requestId", arrival.id.as_str());
    context.text("requestTime", &log_time(arrival.at));
    context.number("requestTimeEpoch", arrival.at.as_millis());
    context.null("resourceId");
    context.text("resourcePath", plan.route.key.resource());
    context.text("stage", &plan.stage.name);
}
