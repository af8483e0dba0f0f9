//! Functions made, shown, changed and deleted.

use base::name::AccountId;
use base::region::RegionName;
use control::functions;
use control::testing::{Node, pull};
use http::StatusCode;
use serde_json::{Value, json};

use crate::desk::{Desk, ROLE, package};

const CART: &str = "/2015-03-31/functions/cart";

#[tokio::test]
async fn a_function_is_shown_as_it_was_made() {
    let desk = Desk::new().await;
    let created = desk
        .create(json!({
            "Environment": { "Variables": { "TABLE": "carts" } },
            "Timeout": 10,
            "Tags": { "team": "shop" },
        }))
        .await;
    assert_eq!(created.status, StatusCode::CREATED);
    let shown = &created.body;
    let arn = "arn:aws:lambda:eu-west-1:000000000000:function:cart";
    assert_eq!(shown["FunctionArn"], arn);
    assert_eq!(shown["Role"], ROLE);
    assert_eq!(shown["Timeout"], 10);
    assert_eq!(shown["MemorySize"], 128);
    assert_eq!(shown["CodeSize"], 5);
    // The SHA-256 of `PKone`.
    assert_eq!(
        shown["CodeSha256"],
        "Z2YNoS5kbWu+8IbrUdCTDSeNscpCawmhpygbOA4WH4U="
    );
    assert_eq!(shown["Environment"]["Variables"]["TABLE"], "carts");
    assert_eq!(shown["State"], "Active");
    assert_eq!(shown["LastUpdateStatus"], "Successful");
    assert_eq!(shown["Version"], "$LATEST");
    let modified = shown["LastModified"].as_str().unwrap();
    assert!(
        modified.ends_with("+0000") && modified.len() == 28,
        "{modified}"
    );
    let got = desk.get(CART).await.body;
    assert_eq!(&got["Configuration"], shown);
    assert_eq!(got["Tags"], json!({ "team": "shop" }));
    assert_eq!(
        &desk.get(&format!("{CART}/configuration")).await.body,
        shown
    );
    let by_arn = desk.get(&format!("/2015-03-31/functions/{arn}")).await;
    assert_eq!(by_arn.body, got);
}

#[tokio::test]
async fn a_function_is_made_once() {
    let desk = Desk::with_cart().await;
    Desk::refused(
        &desk.create(json!({})).await,
        "ResourceConflictException",
        409,
    );
}

#[tokio::test]
async fn code_is_stored_before_the_function_is_seen_and_reaches_other_regions() {
    let desk = Desk::with_cart().await;
    let ireland = RegionName::parse("eu-west-1").unwrap();
    let stored = functions::named(&desk.node.control, &ireland, "cart").unwrap();
    let virginia = Node::open("us-east-1").await;
    pull(&virginia, &desk.node).await;
    virginia.control.refresh().await.unwrap();
    let seen = functions::named(&virginia.control, &ireland, "cart");
    assert_eq!(seen.as_ref(), Some(&stored));
    let code = functions::load_code(&virginia.control, &stored.code.sha256).await;
    assert_eq!(&code.unwrap()[..], b"PKone");
}

#[tokio::test]
async fn code_is_replaced_and_the_old_is_dropped() {
    let desk = Desk::with_cart().await;
    let before = desk.get(CART).await.body["Configuration"].clone();
    let ireland = RegionName::parse("eu-west-1").unwrap();
    let old = functions::named(&desk.node.control, &ireland, "cart").unwrap();
    let body = json!({ "ZipFile": package("two") });
    let updated = desk.call("PUT", &format!("{CART}/code"), &body).await;
    assert_eq!(updated.status, StatusCode::OK);
    assert_ne!(updated.body["CodeSha256"], before["CodeSha256"]);
    assert_ne!(updated.body["RevisionId"], before["RevisionId"]);
    let gone = functions::load_code(&desk.node.control, &old.code.sha256).await;
    assert!(gone.is_err());
    let new = functions::named(&desk.node.control, &ireland, "cart").unwrap();
    let code = functions::load_code(&desk.node.control, &new.code.sha256).await;
    assert_eq!(&code.unwrap()[..], b"PKtwo");
}

#[tokio::test]
async fn code_that_another_function_has_stays() {
    let desk = Desk::with_cart().await;
    desk.create(json!({ "FunctionName": "twin" })).await;
    assert_eq!(desk.delete(CART).await.status, StatusCode::NO_CONTENT);
    let ireland = RegionName::parse("eu-west-1").unwrap();
    let twin = functions::named(&desk.node.control, &ireland, "twin").unwrap();
    let code = functions::load_code(&desk.node.control, &twin.code.sha256).await;
    assert_eq!(&code.unwrap()[..], b"PKone");
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let desk = Desk::with_cart().await;
    let before = desk.get(CART).await.body;
    let body = json!({ "ZipFile": package("two"), "DryRun": true });
    let answer = desk.call("PUT", &format!("{CART}/code"), &body).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(desk.get(CART).await.body, before);
    let body = json!({ "ZipFile": "bm8gemlw", "DryRun": true });
    let answer = desk.call("PUT", &format!("{CART}/code"), &body).await;
    Desk::refused(&answer, "InvalidParameterValueException", 400);
}

#[tokio::test]
async fn configuration_changes_what_is_named_and_keeps_the_rest() {
    let desk = Desk::new().await;
    let variables = json!({ "Variables": { "TABLE": "carts" } });
    desk.create(json!({ "Environment": variables, "Description": "a cart" }))
        .await;
    let path = format!("{CART}/configuration");
    let body = json!({ "Timeout": 30, "MemorySize": 512, "Handler": "x.y" });
    let updated = desk.call("PUT", &path, &body).await.body;
    assert_eq!(updated["Timeout"], 30);
    assert_eq!(updated["MemorySize"], 512);
    assert_eq!(updated["Handler"], "x.y");
    assert_eq!(updated["Description"], "a cart");
    assert_eq!(updated["Environment"], variables);
    let emptied = json!({ "Environment": { "Variables": {} } });
    let emptied = desk.call("PUT", &path, &emptied).await.body;
    assert_eq!(emptied.get("Environment"), None);
    let refused = desk.call("PUT", &path, &json!({ "Timeout": 0 })).await;
    Desk::refused(&refused, "ValidationException", 400);
}

#[tokio::test]
async fn a_stale_revision_is_refused() {
    let desk = Desk::with_cart().await;
    let revision = desk.get(CART).await.body["Configuration"]["RevisionId"].clone();
    let path = format!("{CART}/configuration");
    let body = json!({ "Timeout": 5, "RevisionId": revision });
    assert_eq!(desk.call("PUT", &path, &body).await.status, StatusCode::OK);
    let again = desk.call("PUT", &path, &body).await;
    Desk::refused(&again, "PreconditionFailedException", 412);
    let body = json!({ "ZipFile": package("two"), "RevisionId": revision });
    let code = desk.call("PUT", &format!("{CART}/code"), &body).await;
    Desk::refused(&code, "PreconditionFailedException", 412);
}

#[tokio::test]
async fn a_deleted_function_is_gone() {
    let desk = Desk::with_cart().await;
    assert_eq!(desk.delete(CART).await.status, StatusCode::NO_CONTENT);
    let gone = desk.get(CART).await;
    Desk::refused(&gone, "ResourceNotFoundException", 404);
    let arn = "arn:aws:lambda:eu-west-1:000000000000:function:cart";
    assert_eq!(
        gone.body,
        json!({ "Type": "User", "Message": format!("Function not found: {arn}") })
    );
    Desk::refused(&desk.delete(CART).await, "ResourceNotFoundException", 404);
    assert_eq!(desk.create(json!({})).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn functions_are_listed_by_pages_without_their_state() {
    let desk = Desk::new().await;
    for name in ["c", "a", "b"] {
        desk.create(json!({ "FunctionName": name })).await;
    }
    let names = |body: &Value| {
        let listed = body["Functions"].as_array().unwrap().iter();
        listed
            .map(|f| f["FunctionName"].as_str().unwrap().to_owned())
            .collect::<String>()
    };
    let all = desk.get("/2015-03-31/functions").await.body;
    assert_eq!(names(&all), "abc");
    assert_eq!(all.get("NextMarker"), None);
    assert_eq!(all["Functions"][0].get("State"), None);
    let first = desk.get("/2015-03-31/functions?MaxItems=2").await.body;
    assert_eq!(names(&first), "ab");
    let marker = first["NextMarker"].as_str().unwrap();
    let rest = format!("/2015-03-31/functions?MaxItems=2&Marker={marker}");
    let rest = desk.get(&rest).await.body;
    assert_eq!(names(&rest), "c");
    assert_eq!(rest.get("NextMarker"), None);
    let bad = desk.get("/2015-03-31/functions?MaxItems=0").await;
    Desk::refused(&bad, "ValidationException", 400);
}

#[tokio::test]
async fn the_only_version_is_the_latest() {
    let desk = Desk::with_cart().await;
    let versions = desk.get(&format!("{CART}/versions")).await.body;
    let versions = versions["Versions"].as_array().unwrap();
    assert_eq!(versions.len(), 1);
    let arn = versions[0]["FunctionArn"].as_str().unwrap();
    assert!(arn.ends_with(":function:cart:$LATEST"), "{arn}");
    let latest = desk.get(&format!("{CART}?Qualifier=$LATEST")).await;
    assert_eq!(latest.status, StatusCode::OK);
    let first = desk.get(&format!("{CART}?Qualifier=1")).await;
    Desk::refused(&first, "ResourceNotFoundException", 404);
}

#[tokio::test]
async fn accounts_do_not_see_each_other_and_share_names() {
    let mut desk = Desk::with_cart().await;
    desk.account = AccountId::parse("111111111111").unwrap();
    Desk::refused(&desk.get(CART).await, "ResourceNotFoundException", 404);
    Desk::refused(
        &desk.create(json!({})).await,
        "ResourceConflictException",
        409,
    );
    let listed = desk.get("/2015-03-31/functions").await.body;
    assert_eq!(listed["Functions"], json!([]));
}

#[tokio::test]
async fn functions_survive_a_restart() {
    let desk = Desk::with_cart().await;
    let restarted = desk.node.restart().await;
    let ireland = RegionName::parse("eu-west-1").unwrap();
    let function = functions::named(&restarted.control, &ireland, "cart").unwrap();
    let code = functions::load_code(&restarted.control, &function.code.sha256).await;
    assert_eq!(&code.unwrap()[..], b"PKone");
}
