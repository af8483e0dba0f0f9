//! Requests that fail in one region and are served by another.

use std::sync::atomic::Ordering;

use gateway_core::failover::Health;
use gateway_core::invoke::InvokeError;

use crate::world::{Authority, Behaviour, Region, get, with_body};

const ROUTES: [(&str, &str); 1] = [("ANY /{proxy+}", "function")];

async fn two_regions() -> (Region, Region) {
    let authority = Authority::new();
    let near = Region::start("eu-west-1", &authority, &ROUTES);
    let far = Region::start("us-east-1", &authority, &ROUTES);
    near.meet(&far).await;
    far.meet(&near).await;
    (near, far)
}

fn calls(region: &Region) -> usize {
    region.functions.calls.load(Ordering::Relaxed)
}

#[tokio::test]
async fn the_next_region_serves_as_if_it_were_the_first() {
    let (near, far) = two_regions().await;
    near.functions
        .set(Behaviour::Fail(InvokeError::Unavailable));
    for _ in 0..2 {
        let answer = near.ask(&with_body("POST", "/a?b", "hello")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let event = answer.event();
        assert_eq!(event["rawPath"], "/a");
        assert_eq!(event["rawQueryString"], "b");
        assert_eq!(event["body"], "hello");
        assert_eq!(event["headers"]["x-forwarded-for"], "127.0.0.1");
        assert_eq!(event["headers"]["x-forwarded-proto"], "http");
        assert_eq!(event["headers"].get("hither-handover"), None);
        let id = answer.header("apigw-requestid").unwrap();
        assert_eq!(event["requestContext"]["requestId"], id);
    }
    assert_eq!(
        (
            near.gateway.counters().rescued,
            near.gateway.counters().handed_on
        ),
        (2, 2)
    );
    // One kept connection carried both.
    let far = far.gateway.counters();
    assert_eq!((far.handed_to_us, far.connections), (2, 1));
}

/// Only a gateway may say that nothing was done: what a backend says in its place would have its
/// own work done again.
#[tokio::test]
async fn a_backend_cannot_have_its_work_repeated() {
    let (near, far) = two_regions().await;
    near.functions
        .set(Behaviour::Fail(InvokeError::Unavailable));
    far.functions.set(Behaviour::Answer(
        r#"{"statusCode":200,"headers":{"hither-refused":"unsent"},"body":"done"}"#,
    ));
    let answer = near.ask(&with_body("POST", "/a", "hello")).await;
    assert_eq!((answer.status, &*answer.body), (200, "done"), "{answer:?}");
    assert_eq!(answer.header("hither-refused"), None);
    assert_eq!(calls(&far), 1);
}

#[tokio::test]
async fn a_function_that_began_is_repeated_only_for_idempotent_methods() {
    let (near, far) = two_regions().await;
    near.functions
        .set(Behaviour::Fail(InvokeError::Crashed("boom".into())));
    assert_eq!(near.ask(&get("/a")).await.status, 200);
    assert_eq!(near.ask(&with_body("PUT", "/a", "x")).await.status, 200);
    assert_eq!(near.ask(&with_body("POST", "/a", "x")).await.status, 500);
    assert_eq!(calls(&far), 2);
}

#[tokio::test]
async fn a_region_that_fails_everywhere_says_so_once() {
    let (near, far) = two_regions().await;
    near.functions.set(Behaviour::Fail(InvokeError::Throttled));
    far.functions.set(Behaviour::Fail(InvokeError::Unavailable));
    let answer = near.ask(&get("/a")).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("hither-refused"), None);
    // Neither region asked the other again: a request that was handed over goes no further.
    assert_eq!((calls(&near), calls(&far)), (1, 1));
}

#[tokio::test]
async fn what_a_later_region_began_is_not_repeated_by_a_third() {
    let (near, far) = two_regions().await;
    let authority = Authority::new();
    let third = Region::start("ap-south-1", &authority, &ROUTES);
    near.meet(&third).await;
    near.functions
        .set(Behaviour::Fail(InvokeError::Unavailable));
    far.functions
        .set(Behaviour::Fail(InvokeError::Crashed("boom".into())));
    // Same delay: the name decides, so the third region would be asked first; make it the last.
    near.change(|snapshot| snapshot.peers[1].delay *= 3).await;
    assert_eq!(near.ask(&with_body("POST", "/a", "x")).await.status, 503);
    assert_eq!((calls(&far), calls(&third)), (1, 0));
}

#[tokio::test]
async fn regions_that_are_ill_or_gone_are_not_the_answer() {
    let (near, far) = two_regions().await;
    near.functions
        .set(Behaviour::Fail(InvokeError::Unavailable));
    near.change(|snapshot| snapshot.peers[0].health = Health::Unhealthy)
        .await;
    assert_eq!(near.ask(&get("/a")).await.status, 503);
    assert_eq!(calls(&far), 0);
    near.change(|snapshot| snapshot.peers[0].health = Health::Healthy)
        .await;
    drop(far);
    assert_eq!(near.ask(&get("/a")).await.status, 503);
    assert_eq!(near.gateway.counters().handed_on, 1);
}

#[tokio::test]
async fn a_regions_own_endpoint_shows_that_regions_failure() {
    let (near, far) = two_regions().await;
    near.functions
        .set(Behaviour::Fail(InvokeError::Unavailable));
    let request = get("/a").replace("api.shop.test", &near.own_endpoint());
    assert_eq!(near.ask(&request).await.status, 503);
    assert_eq!(calls(&far), 0);
}

#[tokio::test]
async fn a_client_cannot_pose_as_a_gateway() {
    let (near, far) = two_regions().await;
    near.functions
        .set(Behaviour::Fail(InvokeError::Unavailable));
    let forged = "hither-handover: v1;0;us-east-1;10.0.0.1;1;443;AAAAAAAAAAAAAAA=;0;1000;00";
    let request = get("/a").replace("connection:", &format!("{forged}\r\nconnection:"));
    let answer = near.ask(&request).await;
    assert_eq!(answer.status, 200, "it is served as any client's");
    assert_eq!(
        answer.event()["requestContext"]["http"]["sourceIp"],
        "127.0.0.1"
    );
    assert_eq!(near.gateway.counters().handed_to_us, 0);
    assert_eq!(far.gateway.counters().handed_to_us, 1);
}
