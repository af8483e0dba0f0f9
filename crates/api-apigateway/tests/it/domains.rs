//! Custom domains and their mappings.

use control::gateway::build::plan;
use serde_json::{Value, json};

use crate::world::{FUNCTION, World};

fn domain(name: &str, certificate: &str) -> Value {
    json!({
        "domainName": name,
        "domainNameConfigurations": [{
            "certificateArn": certificate,
            "endpointType": "REGIONAL",
            "securityPolicy": "TLS_1_2",
        }],
        "tags": {"hither:ttl": "5s"},
    })
}

#[tokio::test]
async fn a_domain_is_available_at_once() {
    let world = World::new().await;
    let arn = world.certificate(&["api.shop.test"]).await;
    let made = world
        .call("POST", "/v2/domainnames", domain("API.shop.test", &arn))
        .await;
    let made = made.ok(201);
    let configuration = &made["domainNameConfigurations"][0];
    let regional = configuration["apiGatewayDomainName"].as_str().unwrap();
    assert!(regional.starts_with("d-"), "{regional}");
    assert!(
        regional.ends_with(".execute-api.eu-west-1.hither.internal"),
        "{regional}"
    );
    let expect = json!({
        "apiMappingSelectionExpression": "$request.basepath",
        "domainName": "api.shop.test",
        "domainNameArn": "arn:aws:apigateway:eu-west-1::/domainnames/api.shop.test",
        "domainNameConfigurations": [{
            "apiGatewayDomainName": regional,
            "certificateArn": arn,
            "domainNameStatus": "AVAILABLE",
            "endpointType": "REGIONAL",
            "hostedZoneId": "ZHITHER000006",
            "ipAddressType": "ipv4",
            "securityPolicy": "TLS_1_2",
        }],
        "routingMode": "API_MAPPING_ONLY",
        "tags": {"hither:ttl": "5s"},
    });
    assert_eq!(made, expect);
    assert_eq!(
        world.get("/v2/domainnames/api.shop.test").await.ok(200),
        expect
    );
    assert_eq!(
        world.get("/v2/domainnames").await.ok(200),
        json!({"items": [expect]})
    );
    let again = world
        .call("POST", "/v2/domainnames", domain("api.shop.test", &arn))
        .await;
    again.refused(409, "ConflictException");
    world.delete("/v2/domainnames/api.shop.test").await.ok(204);
    let gone = world.get("/v2/domainnames/api.shop.test").await;
    gone.refused(404, "NotFoundException");
}

#[tokio::test]
async fn a_domain_that_is_denied_is_so_in_any_case() {
    let mut world = World::new().await;
    let arn = world.certificate(&["api.shop.test"]).await;
    let made = domain("api.shop.test", &arn);
    world.call("POST", "/v2/domainnames", made).await.ok(201);
    world.as_user(&json!([
        {"Effect": "Allow", "Action": "apigateway:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "apigateway:DELETE", "Resource": "arn:aws:apigateway:*::*/domainnames/api.*"},
    ]));
    let tags = "/v2/tags/arn:aws:apigateway:eu-west-1::/domainnames";
    for name in ["api.shop.test", "API.shop.test"] {
        for path in [
            format!("/v2/domainnames/{name}"),
            format!("/v2/domainnames/{name}/apimappings/x"),
            format!("{tags}/{name}?tagKeys=hither:ttl"),
        ] {
            let refused = world.call("DELETE", &path, Value::Null).await;
            refused.refused(403, "AccessDeniedException");
        }
        let path = format!("/v2/domainnames/{name}");
        world.call("GET", &path, Value::Null).await.ok(200);
    }
}

#[tokio::test]
async fn a_domain_needs_a_certificate_for_its_name() {
    let world = World::new().await;
    let arn = world.certificate(&["*.shop.test"]).await;
    let create = async |body: Value| world.call("POST", "/v2/domainnames", body).await;
    let message = create(domain("api.other.test", &arn))
        .await
        .refused(400, "BadRequestException");
    assert!(
        message.ends_with("is not for api.other.test, but for *.shop.test"),
        "{message}"
    );
    let gone = format!("{arn}x");
    create(domain("a.shop.test", &gone))
        .await
        .refused(400, "BadRequestException");
    for name in [
        "",
        "test",
        "a b.test",
        "-a.shop.test",
        "x.hither.internal",
        "*.*.test",
    ] {
        create(domain(name, &arn))
            .await
            .refused(400, "BadRequestException");
    }
    create(json!({"domainName": "a.shop.test"}))
        .await
        .refused(400, "BadRequestException");
    let mut edge = domain("a.shop.test", &arn);
    edge["domainNameConfigurations"][0]["endpointType"] = json!("EDGE");
    create(edge).await.refused(400, "BadRequestException");
    let mut mutual = domain("a.shop.test", &arn);
    mutual["mutualTlsAuthentication"] = json!({"truststoreUri": "s3://b/k"});
    let message = create(mutual).await.refused(400, "BadRequestException");
    assert_eq!(message, "mutualTlsAuthentication is not supported");
    create(domain("a.shop.test", &arn)).await.ok(201);
    let other = world.certificate(&["a.shop.test"]).await;
    let mut update = domain("a.shop.test", &other);
    update
        .as_object_mut()
        .unwrap()
        .retain(|name, _| name == "domainNameConfigurations");
    let updated = world
        .call("PATCH", "/v2/domainnames/a.shop.test", update)
        .await
        .ok(200);
    assert_eq!(
        updated["domainNameConfigurations"][0]["certificateArn"],
        other
    );
}

#[tokio::test]
async fn mappings_show_apis_under_paths() {
    let world = World::new().await;
    let arn = world.certificate(&["api.shop.test"]).await;
    let made = world
        .call("POST", "/v2/domainnames", domain("api.shop.test", &arn))
        .await;
    made.ok(201);
    let body = json!({"name": "q", "protocolType": "HTTP", "target": FUNCTION});
    let api = world.call("POST", "/v2/apis", body).await.text("apiId");
    let path = "/v2/domainnames/api.shop.test/apimappings";
    let body = json!({"apiId": api, "stage": "$default"});
    let made = world.call("POST", path, body.clone()).await.ok(201);
    let id = made["apiMappingId"].as_str().unwrap();
    let expect =
        json!({"apiId": api, "apiMappingId": id, "apiMappingKey": "", "stage": "$default"});
    assert_eq!(made, expect);
    world
        .call("POST", path, body)
        .await
        .refused(409, "ConflictException");
    for body in [
        json!({"apiId": api, "stage": "gone"}),
        json!({"apiId": api}),
        json!({"apiId": api, "stage": "$default", "apiMappingKey": "/a"}),
        json!({"apiId": api, "stage": "$default", "apiMappingKey": "a//b"}),
        json!({"apiId": api, "stage": "$default", "apiMappingKey": "a b"}),
    ] {
        world
            .call("POST", path, body)
            .await
            .refused(400, "BadRequestException");
    }
    let gone = json!({"apiId": "gone", "stage": "$default"});
    world
        .call("POST", path, gone)
        .await
        .refused(404, "NotFoundException");

    let served = plan(&world.node.control);
    assert_eq!(
        served.config.domains().collect::<Vec<_>>(),
        [("api.shop.test", arn.as_str())]
    );
    let used = world.delete(&format!("/v2/apis/{api}")).await;
    used.refused(400, "BadRequestException");
    let used = world
        .delete(&format!("/v2/apis/{api}/stages/%24default"))
        .await;
    used.refused(400, "BadRequestException");
    let one = format!("{path}/{id}");
    let moved = world
        .call("PATCH", &one, json!({"apiId": api, "apiMappingKey": "v1"}))
        .await;
    assert_eq!(moved.ok(200)["apiMappingKey"], "v1");
    world.delete(&one).await.ok(204);
    world.get(&one).await.refused(404, "NotFoundException");
    world.delete(&format!("/v2/apis/{api}")).await.ok(204);
}
