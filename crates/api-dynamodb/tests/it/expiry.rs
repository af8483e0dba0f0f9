//! Time to live: enabled, disabled, and what it does.

use clock::time::WallTime;
use serde_json::{Value, json};

use crate::world::World;

fn specification(enabled: bool, attribute: &str) -> Value {
    json!({
        "TableName": "hash",
        "TimeToLiveSpecification": { "Enabled": enabled, "AttributeName": attribute },
    })
}

async fn status(world: &World) -> Value {
    let named = json!({ "TableName": "hash" });
    world.ok("DescribeTimeToLive", named).await["TimeToLiveDescription"].take()
}

#[tokio::test]
async fn items_expire_by_the_attribute_that_is_enabled() {
    let world = World::with_tables().await;
    assert_eq!(
        status(&world).await,
        json!({ "TimeToLiveStatus": "DISABLED" })
    );
    let tables = world.node.control.tables();
    let now = world.node.control.clock().wall().as_micros() / 1_000_000;
    let times = [("past", now - 5), ("future", now + 500)];
    for (pk, until) in times {
        world
            .put(json!({ "pk": { "S": pk }, "until": { "N": until.to_string() } }))
            .await;
    }
    let answer = world
        .ok("UpdateTimeToLive", specification(true, "until"))
        .await;
    assert_eq!(answer["TimeToLiveSpecification"]["Enabled"], true);
    let enabling = json!({ "TimeToLiveStatus": "ENABLING", "AttributeName": "until" });
    assert_eq!(status(&world).await, enabling);
    tables.settle_indexes().await.unwrap();
    let enabled = json!({ "TimeToLiveStatus": "ENABLED", "AttributeName": "until" });
    assert_eq!(status(&world).await, enabled);
    assert!(
        !world.get("past").await.is_null(),
        "it is there until it is deleted"
    );
    let expired = tables
        .expire(WallTime::from_micros(now * 1_000_000))
        .await
        .unwrap();
    assert_eq!(expired.items, 1);
    assert!(world.get("past").await.is_null());
    assert!(!world.get("future").await.is_null());
    world
        .ok("UpdateTimeToLive", specification(false, "until"))
        .await;
    assert_eq!(
        status(&world).await,
        json!({ "TimeToLiveStatus": "DISABLED" })
    );
    let late = WallTime::from_micros((now + 1_000) * 1_000_000);
    assert_eq!(tables.expire(late).await.unwrap().items, 0);
}

#[tokio::test]
async fn a_setting_that_is_so_already_is_refused() {
    let world = World::with_tables().await;
    let off = "TimeToLive is already disabled";
    world
        .invalid("UpdateTimeToLive", specification(false, "until"), off)
        .await;
    world
        .ok("UpdateTimeToLive", specification(true, "until"))
        .await;
    let on = "TimeToLive is already enabled";
    world
        .invalid("UpdateTimeToLive", specification(true, "until"), on)
        .await;
    let other = "TimeToLive is active on a different AttributeName: current AttributeName is until";
    for enabled in [true, false] {
        world
            .invalid("UpdateTimeToLive", specification(enabled, "end"), other)
            .await;
    }
}
