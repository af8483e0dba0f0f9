//! Integrations, routes, stages and deployments of an API.

use control::gateway::build::plan;
use gateway_core::resolve::{Question, Verdict};
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use crate::world::{FUNCTION, World};

#[tokio::test]
async fn an_integration_shows_what_it_is() {
    let world = World::new().await;
    let api = world.api().await;
    let path = format!("/v2/apis/{api}/integrations");
    let wrapped = format!(
        "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
    );
    let body = json!({
        "integrationType": "AWS_PROXY",
        "integrationUri": wrapped,
        "payloadFormatVersion": "1.0",
        "timeoutInMillis": 500,
        "connectionType": "INTERNET",
        "requestParameters": {},
    });
    let made = world.call("POST", &path, body).await.ok(201);
    let id = made["integrationId"].as_str().unwrap();
    let expect = json!({
        "connectionType": "INTERNET",
        "integrationId": id,
        "integrationMethod": "POST",
        "integrationType": "AWS_PROXY",
        "integrationUri": wrapped,
        "payloadFormatVersion": "1.0",
        "timeoutInMillis": 500,
    });
    assert_eq!(made, expect);
    let one = format!("{path}/{id}");
    let update = json!({"payloadFormatVersion": "2.0", "description": "d"});
    let updated = world.call("PATCH", &one, update).await.ok(200);
    assert_eq!(updated["payloadFormatVersion"], "2.0");
    assert_eq!(world.get(&one).await.ok(200), updated);
    world.delete(&one).await.ok(204);
    world.get(&one).await.refused(404, "NotFoundException");
}

#[tokio::test]
async fn integrations_that_could_not_work_are_refused() {
    let world = World::new().await;
    let api = world.api().await;
    let path = format!("/v2/apis/{api}/integrations");
    let refuse = async |body: Value| {
        let reply = world.call("POST", &path, body).await;
        reply.refused(400, "BadRequestException")
    };
    let function = |more: Value| {
        let mut body = json!({
            "integrationType": "AWS_PROXY",
            "integrationUri": FUNCTION,
            "payloadFormatVersion": "2.0",
        });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    refuse(json!({"integrationType": "MOCK"})).await;
    refuse(function(json!({"payloadFormatVersion": null}))).await;
    refuse(function(json!({"payloadFormatVersion": "3.0"}))).await;
    refuse(function(
        json!({"integrationUri": format!("{FUNCTION}:live")}),
    ))
    .await;
    refuse(function(json!({"integrationMethod": "GET"}))).await;
    refuse(function(json!({"timeoutInMillis": 30_001}))).await;
    refuse(function(json!({"connectionType": "VPC_LINK"}))).await;
    refuse(function(json!({"integrationSubtype": "SQS-SendMessage"}))).await;
    let mapped = json!({"requestParameters": {"append:header.x": "1"}});
    assert_eq!(
        refuse(function(mapped)).await,
        "requestParameters is not supported"
    );
    let http = |uri: &str| {
        let mut body = json!({"integrationType": "HTTP_PROXY", "integrationMethod": "ANY"});
        body["integrationUri"] = json!(uri);
        body
    };
    refuse(http("ftp://h")).await;
    refuse(json!({"integrationType": "HTTP_PROXY", "integrationUri": "http://h"})).await;
    world
        .call("POST", &path, http("http://${stageVariables.h}/"))
        .await
        .ok(201);
}

#[tokio::test]
async fn routes_have_one_key_each_and_lead_somewhere() {
    let world = World::new().await;
    let api = world.api().await;
    let target = format!("integrations/{}", world.integration(&api).await);
    let path = format!("/v2/apis/{api}/routes");
    let body = json!({"routeKey": "GET /cart/{id}", "target": target, "authorizationType": "NONE"});
    let made = world.call("POST", &path, body.clone()).await.ok(201);
    let id = made["routeId"].as_str().unwrap();
    let expect = json!({
        "apiKeyRequired": false,
        "authorizationType": "NONE",
        "routeId": id,
        "routeKey": "GET /cart/{id}",
        "target": target,
    });
    assert_eq!(made, expect);
    let message = world
        .call("POST", &path, body)
        .await
        .refused(409, "ConflictException");
    assert_eq!(
        message,
        "Route with key GET /cart/{id} already exists for this API"
    );
    for (body, status, error) in [
        (json!({"routeKey": "GET cart"}), 400, "BadRequestException"),
        (json!({"target": target}), 400, "BadRequestException"),
        (
            json!({"routeKey": "GET /a", "target": "x"}),
            400,
            "BadRequestException",
        ),
        (
            json!({"routeKey": "GET /a", "authorizationType": "JWT"}),
            400,
            "BadRequestException",
        ),
        (
            json!({"routeKey": "GET /a", "apiKeyRequired": true}),
            400,
            "BadRequestException",
        ),
        (
            json!({"routeKey": "GET /a", "target": "integrations/x"}),
            404,
            "NotFoundException",
        ),
    ] {
        world.call("POST", &path, body).await.refused(status, error);
    }
    let integration = format!("/v2/apis/{api}/{target}");
    let used = world.delete(&integration).await;
    let message = used.refused(409, "ConflictException");
    assert!(message.contains("GET /cart/{id}"), "{message}");
    let one = format!("{path}/{id}");
    let moved = world
        .call("PATCH", &one, json!({"routeKey": "ANY /cart"}))
        .await
        .ok(200);
    assert_eq!(
        (&moved["routeKey"], &moved["target"]),
        (&json!("ANY /cart"), &json!(target))
    );
    world.delete(&one).await.ok(204);
    world.delete(&integration).await.ok(204);
}

/// Returns what the gateway would do with `GET` of a path of the API's own endpoint.
fn serves(world: &World, api: &str, path: &str) -> bool {
    let plan = plan(&world.node.control);
    let headers = HeaderMap::new();
    let host = format!("{api}.execute-api.eu-west-1.hither.internal");
    let verdict = plan.config.resolve(Question {
        method: &Method::GET,
        authority: &host,
        path,
        headers: &headers,
    });
    matches!(verdict, Verdict::Serve(plan) if plan.route.integration.is_some())
}

#[tokio::test]
async fn stages_serve_what_is_deployed_to_them() {
    let world = World::new().await;
    let api = world.api().await;
    let stages = format!("/v2/apis/{api}/stages");
    let deployments = format!("/v2/apis/{api}/deployments");
    world
        .call("POST", &stages, json!({"stageName": "dev"}))
        .await
        .ok(201);
    world
        .call("POST", &deployments, json!({"stageName": "dev"}))
        .await
        .refused(400, "BadRequestException");
    let target = format!("integrations/{}", world.integration(&api).await);
    let route = json!({"routeKey": "GET /a", "target": target});
    world
        .call("POST", &format!("/v2/apis/{api}/routes"), route)
        .await
        .ok(201);
    assert!(!serves(&world, &api, "/dev/a"));
    let made = world
        .call("POST", &deployments, json!({"stageName": "dev"}))
        .await
        .ok(201);
    assert_eq!(made["deploymentStatus"], "DEPLOYED");
    let id = made["deploymentId"].as_str().unwrap();
    assert!(serves(&world, &api, "/dev/a"));
    let route = json!({"routeKey": "GET /b", "target": target});
    world
        .call("POST", &format!("/v2/apis/{api}/routes"), route)
        .await
        .ok(201);
    assert!(!serves(&world, &api, "/dev/b"));
    let one = format!("{stages}/dev");
    assert_eq!(world.get(&one).await.ok(200)["deploymentId"], id);
    world
        .delete(&format!("{deployments}/{id}"))
        .await
        .refused(400, "BadRequestException");

    world
        .call("PATCH", &one, json!({"autoDeploy": true}))
        .await
        .ok(200);
    assert!(serves(&world, &api, "/dev/b"));
    world.delete(&format!("{deployments}/{id}")).await.ok(204);
    let both = json!({"autoDeploy": true, "deploymentId": id});
    world
        .call("PATCH", &one, both)
        .await
        .refused(400, "BadRequestException");
    let stopped = world
        .call("PATCH", &one, json!({"autoDeploy": false}))
        .await
        .ok(200);
    assert_eq!(stopped["autoDeploy"], false);
    assert!(serves(&world, &api, "/dev/b"), "what was served stays");
    world.delete(&one).await.ok(204);
    assert!(!serves(&world, &api, "/dev/b"));
}

#[tokio::test]
async fn a_stage_shows_its_settings() {
    let world = World::new().await;
    let api = world.api().await;
    let path = format!("/v2/apis/{api}/stages");
    let body = json!({
        "stageName": "$default",
        "autoDeploy": true,
        "stageVariables": {"fn": "cart"},
        "defaultRouteSettings": {"detailedMetricsEnabled": false},
        "tags": {"a": "1"},
    });
    let stage = world.call("POST", &path, body.clone()).await.ok(201);
    let created = stage["createdDate"].clone();
    let expect = json!({
        "autoDeploy": true,
        "createdDate": created,
        "defaultRouteSettings": {"detailedMetricsEnabled": false},
        "lastUpdatedDate": created,
        "routeSettings": {},
        "stageName": "$default",
        "stageVariables": {"fn": "cart"},
        "tags": {"a": "1"},
    });
    assert_eq!(stage, expect);
    world
        .call("POST", &path, body)
        .await
        .refused(409, "ConflictException");
    for body in [
        json!({"stageName": "a b"}),
        json!({"stageName": ""}),
        json!({"stageName": "x", "stageVariables": {"a-b": "1"}}),
        json!({"stageName": "x", "stageVariables": {"a": "ä"}}),
        json!({"stageName": "x", "defaultRouteSettings": {"throttlingRateLimit": 5.0}}),
        json!({"stageName": "x", "accessLogSettings": {"format": "x"}}),
    ] {
        world
            .call("POST", &path, body)
            .await
            .refused(400, "BadRequestException");
    }
    let unknown = json!({"stageName": "x", "deploymentId": "d"});
    world
        .call("POST", &path, unknown)
        .await
        .refused(404, "NotFoundException");
}
