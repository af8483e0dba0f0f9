//! The app as a real process behind the Lambda Runtime API, over a table that notes its calls.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail the test that they help"
)]

mod dynamodb;
mod shop;

use std::env;

use serde_json::{Value, json};

use crate::shop::Shop;

/// Not a test of its own: started again as a function's bootstrap, it is the app.
#[tokio::test]
async fn as_bootstrap() {
    if env::var_os("AWS_LAMBDA_RUNTIME_API").is_some() {
        cart::run().await.unwrap();
    }
}

#[tokio::test]
async fn health_reads_the_table() {
    let shop = Shop::open().await;
    shop.table.answers(200, json!({}));
    let (status, body) = shop.ask("GET", "/health", "").await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(
        body,
        json!({ "status": "ok", "region": "eu-west-1", "table": "carts" })
    );
    let (operation, asked) = shop.table.asked();
    assert_eq!(operation, "DynamoDB_20120810.GetItem");
    assert_eq!(asked["TableName"], "carts");
}

#[tokio::test]
async fn a_line_is_put_listed_and_removed() {
    let shop = Shop::open().await;
    let item = json!({
        "customer": { "S": "ann" }, "sku": { "S": "tea" },
        "quantity": { "N": "2" }, "written_in": { "S": "eu-west-1" },
    });
    let line = json!({ "sku": "tea", "quantity": 2, "written_in": "eu-west-1" });

    shop.table.answers(200, json!({ "Attributes": item }));
    let (status, body) = shop.ask("PUT", "/cart/ann/tea", r#"{"quantity": 2}"#).await;
    assert_eq!((status, &body["line"]), (200, &line));
    let (operation, asked) = shop.table.asked();
    assert_eq!(operation, "DynamoDB_20120810.UpdateItem");
    let key = json!({ "customer": { "S": "ann" }, "sku": { "S": "tea" } });
    assert_eq!(asked["Key"], key);
    assert_eq!(
        asked["ExpressionAttributeValues"],
        json!({ ":quantity": { "N": "2" }, ":region": { "S": "eu-west-1" } })
    );

    let items = json!({ "Items": [item], "Count": 1, "ScannedCount": 1 });
    shop.table.answers(200, items);
    let (status, body) = shop.ask("GET", "/cart/ann", "").await;
    assert_eq!((status, &body["lines"]), (200, &json!([line])));

    shop.table.answers(200, json!({ "Attributes": item }));
    let (status, _) = shop.ask("DELETE", "/cart/ann/tea", "").await;
    assert_eq!(status, 200);
    shop.table.answers(200, json!({}));
    let (status, _) = shop.ask("DELETE", "/cart/ann/tea", "").await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn a_table_that_fails_is_told_as_503() {
    let shop = Shop::open().await;
    let error = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",
        "message": "no such table",
    });
    shop.table.answers(400, error);
    let (status, body) = shop.ask("GET", "/health", "").await;
    assert_eq!(status, 503);
    assert_eq!(body["region"], "eu-west-1");
    assert!(shop.log().contains("no such table"), "{}", shop.log());
}

#[tokio::test]
async fn what_is_no_request_never_reaches_the_table() {
    let shop = Shop::open().await;
    let (status, body) = shop.ask("PUT", "/cart/ann/tea", "{}").await;
    assert_eq!(status, 400);
    assert_ne!(body["error"], Value::Null);
    let (status, _) = shop.ask("GET", "/nothing", "").await;
    assert_eq!(status, 404);
    let (status, _) = shop.ask("POST", "/health", "").await;
    assert_eq!(status, 405);
}
