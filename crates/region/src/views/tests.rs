//! Tests of what is published, and when.

use std::sync::Arc;

use tokio::sync::watch;

use base::region::RegionId;
use clock::time::WallTime;
use control::dns::LatencyEntry;
use control::resource::Change;
use control::testing::Node;
use health_core::check::CheckId;
use health_core::judge::{Because, RegionState};
use health_core::prober::Status;
use health_core::view::{CheckBecause, CheckVerdict, HealthView, Quorum, RegionVerdict};
use net::tasks::Tasks;

use super::{follow, until_known};

#[tokio::test]
async fn what_follows_from_a_change_is_published_when_the_change_returns() {
    let node = Node::open("us-east-1").await;
    let tasks = Tasks::new();
    let (sender, snapshots) = watch::channel(Arc::new(0));
    let source = node.control.clone();
    follow(&tasks, node.control.follower(), sender, move || {
        Some(source.all::<LatencyEntry>().len())
    });
    for number in 1..20_u8 {
        let entry = serde_json::json!({
            "network": format!("10.{number}.0.0/16"),
            "rtt_micros": {"us-east-1": 1_000},
        });
        let entry: LatencyEntry = serde_json::from_value(entry).expect("an entry");
        let change = node.control.change(vec![Change::put(&entry)]);
        change.await.expect("made");
        assert_eq!(**snapshots.borrow(), usize::from(number));
    }
}

/// A view of two regions and a check.
fn view(other: Because, check: CheckBecause) -> Arc<HealthView> {
    let at = WallTime::from_micros(1);
    let region = |because| RegionVerdict {
        state: RegionState::Up,
        since: at,
        because,
        silence: None,
        delay: None,
        elsewhere: [].into(),
    };
    let check = CheckVerdict {
        status: Status::Healthy,
        since: at,
        because: check,
        wavering: false,
        votes: [].into(),
    };
    let regions = [
        (RegionId(1), region(Because::Ourselves)),
        (RegionId(2), region(other)),
    ];
    Arc::new(HealthView {
        generation: 1,
        at,
        region: RegionId(1),
        regions: regions.into(),
        checks: [(CheckId::parse("check").expect("an id"), check)].into(),
        quorum: Quorum {
            held: true,
            heard: 2,
            of: 2,
            since: at,
        },
    })
}

#[tokio::test(start_paused = true)]
async fn dns_begins_once_every_region_and_check_is_known() {
    let nothing = (Because::NotYetHeard, CheckBecause::NoData);
    let (views, watch) = watch::channel(view(nothing.0, nothing.1));
    let mut known = std::pin::pin!(until_known(watch));
    for (region, check) in [
        (Because::Heard, CheckBecause::NoData),
        (Because::NotYetHeard, CheckBecause::Disabled),
    ] {
        views.send_replace(view(region, check));
        tokio::select! {
            biased;
            () = &mut known => panic!("not all is known"),
            () = tokio::task::yield_now() => {}
        }
    }
    let missed = Because::MissedBy(vec![RegionId(3)]);
    views.send_replace(view(missed, CheckBecause::Disabled));
    known.await;
}

#[tokio::test(start_paused = true)]
async fn dns_begins_all_the_same_where_nobody_is_heard() {
    let (_views, watch) = watch::channel(view(Because::NotYetHeard, CheckBecause::NoData));
    until_known(watch).await;
}
