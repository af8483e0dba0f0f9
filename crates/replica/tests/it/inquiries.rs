//! Tests of comparing tables: what is late, what is different, and who cannot be asked.

use std::collections::BTreeSet;
use std::time::Duration;

use base::region::RegionName;
use bytes::Bytes;
use clock::hlc::{Hlc, Version};
use futures_util::future;
use replica::comparing::{CompareError, Compared};
use replica_core::frame::copy::CopyItem;
use replica_core::inquiry::Unable;
use replica_core::merge::Stamp;
use replica_core::vector::Seq;

use crate::world::{CARTS, Region, World, patiently};

const PATIENCE: Duration = Duration::from_secs(50);

async fn compare(one: &Region, other: &Region) -> Result<Compared, CompareError> {
    let regions: BTreeSet<RegionName> = [other.name().clone()].into();
    let comparer = one.links.comparer();
    let mut all = patiently(comparer.compare(CARTS, &regions, PATIENCE)).await;
    all.remove(other.name()).expect("one that was asked for")
}

/// Returns all items of a region, as copies.
async fn copies(region: &Region) -> Vec<CopyItem> {
    let page = region.tables.copy_page(CARTS, None, 1 << 20, None).await;
    page.expect("read").items
}

#[tokio::test]
async fn regions_that_hold_the_same_are_found_to_while_they_write() {
    let world = World::start(3).await;
    let [a, b, c] = &world.regions[..] else {
        panic!("three regions");
    };
    for number in 0..40 {
        a.put("ann", &number.to_string(), "1").await;
        b.put("bob", &number.to_string(), "1").await;
        b.put("ann", "hot", &number.to_string()).await;
    }
    a.delete("ann", "7").await;
    world.until_converged().await;
    let still = compare(a, b).await.expect("compared");
    assert!(still.is_same(), "{still:?}");
    assert!(still.as_of.covers(&a.tables.applied()), "{still:?}");
    let writes = async {
        for number in 0..200 {
            b.put("ann", "hot", &number.to_string()).await;
            c.put("eve", &(number % 9).to_string(), "1").await;
            c.delete("eve", &(number % 7).to_string()).await;
        }
    };
    let compared = async {
        let mut all = Vec::new();
        for _ in 0..5 {
            all.push(compare(a, b).await.expect("compared"));
            all.push(compare(c, a).await.expect("compared"));
        }
        all
    };
    let ((), all) = future::join(writes, compared).await;
    for compared in all {
        assert!(compared.differences.is_empty(), "{compared:?}");
        assert_eq!(compared.behind, None);
    }
    world.until_converged().await;
    assert!(compare(c, b).await.expect("compared").is_same());
}

#[tokio::test]
async fn what_one_region_alone_holds_is_named_with_both_versions() {
    let world = World::start(3).await;
    let [a, b, c] = &world.regions[..] else {
        panic!("three regions");
    };
    for number in 0..20 {
        a.put("ann", &number.to_string(), "1").await;
    }
    a.delete("ann", "3").await;
    world.until_converged().await;
    // In B one item goes and another becomes something else, of which no log tells.
    let mut found = copies(b).await;
    found.retain(|item| item.image.is_some());
    let later = |item: &CopyItem, image: Option<Bytes>| CopyItem {
        stamp: Stamp {
            version: Version {
                hlc: Hlc(item.stamp.version.hlc.0 + 1),
                ..item.stamp.version
            },
            seq: Seq(1),
        },
        image,
        ..item.clone()
    };
    let planted = [
        later(&found[4], None),
        later(&found[9], found[0].image.clone()),
    ];
    let keys: BTreeSet<Bytes> = planted.iter().map(|item| item.key.clone()).collect();
    let merged = b.tables.merge_copy(CARTS, planted.to_vec()).await;
    merged.expect("merged");
    for (one, other, is_ours) in [(a, b, false), (b, a, true), (c, b, false)] {
        let compared = compare(one, other).await.expect("compared");
        let named = compared.differences.iter().map(|one| one.key.clone());
        assert_eq!(named.collect::<BTreeSet<_>>(), keys);
        for difference in &compared.differences {
            let item = planted.iter().find(|item| item.key == difference.key);
            let side = if is_ours {
                difference.ours
            } else {
                difference.theirs
            };
            let live = side.filter(|held| held.sum.is_some());
            let planted = item.filter(|item| item.image.is_some());
            let expect = planted.map(|item| item.stamp.version);
            // A tombstone may be collected by then.
            assert_eq!(live.map(|held| held.version), expect);
        }
        assert!(!compared.is_same() && compared.left == 0 && compared.unjudged == 0);
    }
    assert!(compare(a, c).await.expect("compared").is_same());
}

#[tokio::test]
async fn a_region_that_lacks_records_is_behind_and_not_different() {
    let world = World::start(2).await;
    let (a, b) = (&world.regions[0], &world.regions[1]);
    b.put("ann", "tea", "1").await;
    world.until_converged().await;
    world.relay(1, 0).stop();
    b.until(a, |peer| !peer.sending.line.is_up()).await;
    b.put("ann", "tea", "2").await;
    let compared = compare(a, b).await.expect("compared");
    assert!(compared.differences.is_empty() && !compared.is_same());
    let behind = compared.behind.expect("it is behind");
    assert!(behind.is_ours && behind.origin == b.id() && behind.has < behind.needs);
    let unreachable = compare(b, a).await.expect_err("there is no way");
    assert!(matches!(unreachable, CompareError::Unreachable(_)));
    world.relay(1, 0).pass();
    world.until_converged().await;
    assert!(compare(b, a).await.expect("compared").is_same());
}

#[tokio::test]
async fn what_is_not_whole_is_not_compared() {
    let world = World::start(2).await;
    let (a, b) = (&world.regions[0], &world.regions[1]);
    let members = [a.id(), b.id()];
    b.define(&members, true);
    let theirs = compare(a, b).await.expect_err("it is being filled");
    assert_eq!(theirs, CompareError::Theirs(Unable::Filling));
    let ours = compare(b, a).await.expect_err("it is being filled");
    assert_eq!(ours, CompareError::Ours(Unable::Filling));
    b.define(&members, false);
    b.define(&[b.id()], false);
    let refused = compare(a, b)
        .await
        .expect_err("it knows of no replica here");
    assert!(matches!(refused, CompareError::Theirs(Unable::Failed(_))));
    a.define(&[b.id()], false);
    let ours = compare(a, b).await.expect_err("no replica");
    assert_eq!(ours, CompareError::Ours(Unable::NoReplica));
}
