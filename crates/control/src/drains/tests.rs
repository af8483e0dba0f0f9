//! Tests of drains, across regions and restarts.

use base::region::RegionName;
use dns_core::limits::GATEWAY_TTL;

use crate::dns::{Data, RecordSet, Routing};
use crate::resource::Change;
use crate::testing::{self, Node};

#[tokio::test]
async fn a_drain_is_known_everywhere_until_it_is_taken_back() {
    let (east, west) = (Node::open("us-east-1").await, Node::open("eu-west-1").await);
    let region = RegionName::parse("us-east-1").expect("a region");
    assert_eq!(east.control.drain_of(&region), None);
    let drain = east.control.drain(&region).await.expect("drained");
    let again = east.control.drain(&region).await.expect("drained");
    assert_eq!(again, drain, "it goes on being the first");
    testing::pull(&west, &east).await;
    west.control.refresh().await.expect("loaded");
    assert_eq!(west.control.drain_of(&region), Some(drain.clone()));
    let east = east.restart().await;
    assert_eq!(east.control.drain_of(&region), Some(drain));
    assert!(east.control.undrain(&region).await.expect("taken back"));
    assert!(!east.control.undrain(&region).await.expect("nothing"));
    assert_eq!(east.control.drain_of(&region), None);
}

#[tokio::test]
async fn answers_are_kept_as_long_as_the_longest_that_names_a_place() {
    let east = Node::open("us-east-1").await;
    assert_eq!(east.control.answers_are_kept(), GATEWAY_TTL.as_secs());
    for (record_type, ttl) in [("A", 60), ("TXT", 86_400)] {
        let set = RecordSet {
            zone: "Z1".to_owned(),
            name: "shop.example.".to_owned(),
            record_type: record_type.to_owned(),
            set_identifier: String::new(),
            routing: Routing::Simple,
            data: Data::Records {
                ttl,
                values: vec!["192.0.2.1".to_owned()],
            },
            health_check: None,
        };
        east.control
            .change(vec![Change::put(&set)])
            .await
            .expect("made");
    }
    assert_eq!(east.control.answers_are_kept(), 60);
}
