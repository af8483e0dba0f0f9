//! Clients that carry what they have seen from one region to the other.

use std::sync::atomic::Ordering;

use gateway_core::failover::Health;

use crate::world::{Answer, Authority, DOMAIN, Region, SESSIONS_DOMAIN};

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

async fn ask(region: &Region, host: &str, header: &str) -> Answer {
    let line = format!("{header}\r\n");
    let line = if header.is_empty() { "" } else { &line };
    let head = format!("GET /a HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{line}\r\n");
    region.ask(&head).await
}

fn token(answer: &Answer) -> String {
    let token = answer.header("x-hither-session").expect("a token");
    token.to_owned()
}

/// Gives a client a token of `region`, which has written more than the other has.
async fn begun(region: &Region) -> String {
    region.logs.advance(&region.name, 5);
    let answer = ask(region, SESSIONS_DOMAIN, "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let cookie = answer.header("set-cookie").expect("a cookie");
    assert!(cookie.starts_with(&format!("hither-session={};", token(&answer))));
    assert_eq!(answer.header("x-hither-session-state"), None);
    token(&answer)
}

#[tokio::test]
async fn without_sessions_nothing_of_them_is_seen() {
    let (near, far) = two_regions().await;
    let seen = begun(&near).await;
    for host in [DOMAIN.to_owned(), far.own_endpoint()] {
        let answer = ask(&far, &host, &format!("x-hither-session: {seen}")).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("x-hither-session"), None);
        assert_eq!(answer.header("set-cookie"), None);
    }
    assert_eq!(calls(&near), 1, "nothing was forwarded");
}

#[tokio::test]
async fn a_region_that_has_it_serves_and_waits_until_it_has() {
    let (near, far) = two_regions().await;
    let seen = begun(&near).await;
    let cookie = format!("cookie: a=b; hither-session={seen}");
    let (answer, ()) = tokio::join!(ask(&far, SESSIONS_DOMAIN, &cookie), async {
        far.logs.advance(&near.name, 5);
        far.logs.advance(&far.name, 2);
    });
    assert_eq!(answer.header("x-hither-session-state"), Some("met"));
    assert_eq!((calls(&near), calls(&far)), (1, 1));
    // What was seen there is asked for here.
    let header = format!("x-hither-session: {}", token(&answer));
    near.logs.advance(&far.name, 2);
    let answer = ask(&near, SESSIONS_DOMAIN, &header).await;
    assert_eq!(answer.header("x-hither-session-state"), Some("met"));
    assert_eq!(calls(&near), 2);
}

#[tokio::test]
async fn a_region_that_has_it_not_asks_the_one_that_has() {
    let (near, far) = two_regions().await;
    let seen = begun(&near).await;
    let answer = ask(&far, SESSIONS_DOMAIN, &format!("x-hither-session: {seen}")).await;
    assert_eq!(answer.header("x-hither-session-state"), Some("met"));
    assert_eq!(
        token(&answer),
        seen,
        "it is the token of the region that served"
    );
    assert_eq!((calls(&near), calls(&far)), (2, 0));
}

#[tokio::test]
async fn what_nobody_has_in_reach_is_served_and_said() {
    let (near, far) = two_regions().await;
    let seen = begun(&near).await;
    far.change(|snapshot| {
        for peer in &mut snapshot.peers {
            peer.health = Health::Unhealthy;
        }
    })
    .await;
    let answer = ask(&far, SESSIONS_DOMAIN, &format!("x-hither-session: {seen}")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-hither-session-state"), Some("unmet"));
    assert_eq!((calls(&near), calls(&far)), (1, 1));
    // What was not met is not forgotten.
    let header = format!("x-hither-session: {}", token(&answer));
    far.logs.advance(&near.name, 5);
    let answer = ask(&far, SESSIONS_DOMAIN, &header).await;
    assert_eq!(answer.header("x-hither-session-state"), Some("met"));
}

#[tokio::test]
async fn a_token_that_is_not_ours_begins_a_session() {
    let (near, _far) = two_regions().await;
    let forged = format!("v1.1.1-99999.{}", "0".repeat(64));
    let answer = ask(
        &near,
        SESSIONS_DOMAIN,
        &format!("x-hither-session: {forged}"),
    )
    .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-hither-session-state"), None);
    assert_ne!(token(&answer), forged);
}
