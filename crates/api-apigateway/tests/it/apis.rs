//! APIs: their lives, quick creation, CORS, tags, pages, and what is refused.

use bytes::Bytes;
use control::gateway::build::plan;
use serde_json::{Value, json};

use crate::world::{FUNCTION, World};

#[tokio::test]
async fn an_api_lives_through_its_operations() {
    let world = World::new().await;
    let body = json!({
        "name": "shop",
        "protocolType": "HTTP",
        "description": "d",
        "tags": {"a": "1"},
        "corsConfiguration": {"allowOrigins": ["https://a.test"], "maxAge": 300},
    });
    let api = world.call("POST", "/v2/apis", body).await.ok(201);
    let id = api["apiId"].as_str().unwrap().to_owned();
    let expect = json!({
        "apiEndpoint": format!("https://{id}.execute-api.eu-west-1.hither.internal"),
        "apiId": id,
        "apiKeySelectionExpression": "$request.header.x-api-key",
        "corsConfiguration": {"allowOrigins": ["https://a.test"], "maxAge": 300},
        "createdDate": "2026-05-28T20:26:40Z",
        "description": "d",
        "disableExecuteApiEndpoint": false,
        "ipAddressType": "ipv4",
        "name": "shop",
        "protocolType": "HTTP",
        "routeSelectionExpression": "$request.method $request.path",
        "tags": {"a": "1"},
    });
    assert_eq!(api, expect);
    let path = format!("/v2/apis/{id}");
    assert_eq!(world.get(&path).await.ok(200), expect);
    let update = json!({"name": "store", "disableExecuteApiEndpoint": true});
    let updated = world.call("PATCH", &path, update).await.ok(200);
    assert_eq!(
        (&updated["name"], &updated["description"]),
        (&json!("store"), &json!("d"))
    );
    assert_eq!(updated["disableExecuteApiEndpoint"], true);
    world.delete(&format!("{path}/cors")).await.ok(204);
    assert_eq!(
        world.get(&path).await.ok(200).get("corsConfiguration"),
        None
    );
    world.delete(&path).await.ok(204);
    let message = world.get(&path).await.refused(404, "NotFoundException");
    assert_eq!(
        message,
        format!("Invalid API identifier specified 000000000000:{id}")
    );
    world.delete(&path).await.refused(404, "NotFoundException");
}

#[tokio::test]
async fn a_quick_creation_serves_at_once() {
    let world = World::new().await;
    let body = json!({"name": "q", "protocolType": "HTTP", "target": FUNCTION});
    let id = world.call("POST", "/v2/apis", body).await.text("apiId");
    let routes = world.get(&format!("/v2/apis/{id}/routes")).await.ok(200);
    let route = &routes["items"][0];
    assert_eq!(
        (&route["routeKey"], &route["apiGatewayManaged"]),
        (&json!("$default"), &json!(true))
    );
    let integrations = world
        .get(&format!("/v2/apis/{id}/integrations"))
        .await
        .ok(200);
    let integration = &integrations["items"][0];
    assert_eq!(integration["payloadFormatVersion"], "2.0");
    let target = format!(
        "integrations/{}",
        integration["integrationId"].as_str().unwrap()
    );
    assert_eq!(route["target"], target);
    let stage = world
        .get(&format!("/v2/apis/{id}/stages/%24default"))
        .await
        .ok(200);
    assert_eq!(stage["autoDeploy"], true);
    assert_eq!(plan(&world.node.control).problems, []);
    let body = json!({
        "name": "q", "protocolType": "HTTP", "target": "http://h.test/x", "routeKey": "GET /y",
    });
    let id = world.call("POST", "/v2/apis", body).await.text("apiId");
    let integrations = world
        .get(&format!("/v2/apis/{id}/integrations"))
        .await
        .ok(200);
    assert_eq!(integrations["items"][0]["integrationType"], "HTTP_PROXY");
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_by_name() {
    let world = World::new().await;
    let create = async |more: Value| {
        let mut body = json!({"name": "shop", "protocolType": "HTTP"});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let reply = world.call("POST", "/v2/apis", body).await;
        reply.refused(400, "BadRequestException")
    };
    let message = create(json!({"protocolType": "WEBSOCKET"})).await;
    assert_eq!(message, "protocolType WEBSOCKET is not supported");
    assert_eq!(
        create(json!({"credentialsArn": "x"})).await,
        "credentialsArn is not supported"
    );
    create(json!({"name": ""})).await;
    create(json!({"name": 7})).await;
    create(json!({"name": null})).await;
    create(json!({"tags": {"aws:x": "1"}})).await;
    create(json!({"target": "lambda"})).await;
    create(json!({"target": FUNCTION.replace("eu-", "us-")})).await;
    create(json!({"target": FUNCTION, "routeKey": "GET"})).await;
    create(json!({"routeKey": "GET /"})).await;
    create(json!({"corsConfiguration": {"maxAge": 86_401}})).await;
    create(json!({"corsConfiguration": {"allowOrigins": ["a.test"]}})).await;
    let open = json!({"allowOrigins": ["*"], "allowCredentials": true});
    create(json!({"corsConfiguration": open})).await;
    let items = world.get("/v2/apis").await.ok(200);
    assert_eq!(items, json!({"items": []}));
}

#[tokio::test]
async fn malformed_calls_get_the_services_own_error() {
    let world = World::new().await;
    for body in ["{", "[]", "7", "{\"name\":}"] {
        let reply = world.send("POST", "/v2/apis", Bytes::from(body)).await;
        reply.refused(400, "BadRequestException");
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let reply = world.send("POST", "/v2/apis", Bytes::from(deep)).await;
    reply.refused(400, "BadRequestException");
    let message = world
        .get("/v2/apis/x/authorizers")
        .await
        .refused(400, "UnknownOperationException");
    assert!(message.ends_with("GetAuthorizers"), "{message}");
    world
        .get("/restapis")
        .await
        .refused(400, "UnknownOperationException");
}

#[tokio::test]
async fn lists_come_in_pages() {
    let world = World::new().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(world.api().await);
    }
    made.sort();
    let mut seen = Vec::new();
    let mut path = "/v2/apis?maxResults=2".to_owned();
    for expect in [2, 2, 1] {
        let page = world.get(&path).await.ok(200);
        let items = page["items"].as_array().unwrap();
        assert_eq!(items.len(), expect);
        seen.extend(
            items
                .iter()
                .map(|api| api["apiId"].as_str().unwrap().to_owned()),
        );
        let token = page["nextToken"].as_str().unwrap_or_default();
        assert_eq!(token.is_empty(), expect == 1);
        path = format!("/v2/apis?maxResults=2&nextToken={token}");
    }
    assert_eq!(seen, made);
    world
        .get("/v2/apis?maxResults=x")
        .await
        .refused(400, "BadRequestException");
    world
        .get("/v2/apis?maxResults=0")
        .await
        .refused(400, "BadRequestException");
}

#[tokio::test]
async fn tags_are_set_and_removed() {
    let world = World::new().await;
    let id = world.api().await;
    let path = format!("/v2/tags/arn%3Aaws%3Aapigateway%3Aeu-west-1%3A%3A%2Fapis%2F{id}");
    let tags = json!({"tags": {"hither:ttl": "5s", "b": "2"}});
    world.call("POST", &path, tags).await.ok(201);
    world
        .delete(&format!("{path}?tagKeys=b&tagKeys=c"))
        .await
        .ok(204);
    let left = world.get(&path).await.ok(200);
    assert_eq!(left, json!({"tags": {"hither:ttl": "5s"}}));
    let plain = format!("/v2/tags/arn:aws:apigateway:eu-west-1::/apis/{id}");
    assert_eq!(world.get(&plain).await.ok(200), left);
    let elsewhere = plain.replace("eu-west-1", "us-east-1");
    world
        .get(&elsewhere)
        .await
        .refused(400, "BadRequestException");
    world
        .get(&format!("{plain}x"))
        .await
        .refused(404, "NotFoundException");
}

#[tokio::test]
async fn accounts_do_not_see_each_other() {
    let mut world = World::new().await;
    let id = world.api().await;
    world.as_account("111111111111");
    world
        .get(&format!("/v2/apis/{id}"))
        .await
        .refused(404, "NotFoundException");
    assert_eq!(world.get("/v2/apis").await.ok(200), json!({"items": []}));
    world
        .delete(&format!("/v2/apis/{id}"))
        .await
        .refused(404, "NotFoundException");
}
