//! Reserved concurrency, code signing, account settings.

use http::StatusCode;
use serde_json::json;

use crate::desk::Desk;

const PUT: &str = "/2017-10-31/functions/cart/concurrency";
const GET: &str = "/2019-09-30/functions/cart/concurrency";

#[tokio::test]
async fn concurrency_is_reserved_shown_and_freed() {
    let desk = Desk::with_cart().await;
    assert_eq!(desk.get(GET).await.body, json!({}));
    let five = json!({ "ReservedConcurrentExecutions": 5 });
    assert_eq!(desk.call("PUT", PUT, &five).await.body, five);
    assert_eq!(desk.get(GET).await.body, five);
    let function = desk.get("/2015-03-31/functions/cart").await.body;
    assert_eq!(function["Concurrency"], five);
    assert_eq!(desk.delete(PUT).await.status, StatusCode::NO_CONTENT);
    assert_eq!(desk.get(GET).await.body, json!({}));
}

#[tokio::test]
async fn functions_share_what_can_be_reserved() {
    let desk = Desk::with_cart().await;
    desk.create(json!({ "FunctionName": "other" })).await;
    let most = json!({ "ReservedConcurrentExecutions": 900 });
    assert_eq!(desk.call("PUT", PUT, &most).await.status, StatusCode::OK);
    let other = "/2017-10-31/functions/other/concurrency";
    let refused = desk.call("PUT", other, &most).await;
    Desk::refused(&refused, "InvalidParameterValueException", 400);
    let settings = desk.get("/2016-08-19/account-settings").await.body;
    assert_eq!(
        settings["AccountLimit"]["UnreservedConcurrentExecutions"],
        100
    );
    assert_eq!(
        settings["AccountUsage"],
        json!({ "TotalCodeSize": 10, "FunctionCount": 2 })
    );
}

#[tokio::test]
async fn no_code_is_signed() {
    let desk = Desk::with_cart().await;
    let answer = desk
        .get("/2020-06-30/functions/cart/code-signing-config")
        .await;
    assert_eq!((answer.status, answer.body), (StatusCode::OK, json!({})));
    let other = desk
        .get("/2020-06-30/functions/other/code-signing-config")
        .await;
    Desk::refused(&other, "ResourceNotFoundException", 404);
}
