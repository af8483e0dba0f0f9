//! Tests of which races are asked for.

use base::region::RegionName;
use clock::hlc::Hlc;
use item::key::{Key, KeyAttribute, KeyKind, KeySchema};

use super::{Asked, asked, token};
use crate::admin::parameters;
use crate::limits::CONFLICTS_SHOWN;

fn schema() -> KeySchema {
    KeySchema {
        partition: KeyAttribute {
            name: "id".to_owned(),
            kind: KeyKind::S,
        },
        sort: None,
    }
}

#[test]
fn races_are_asked_for_in_bounds() {
    let asked = |query: &str| asked(&parameters(query), &schema());
    let all = || Asked {
        limit: CONFLICTS_SHOWN,
        ..Asked::default()
    };
    assert_eq!(asked("table=t"), Ok(all()));
    let start = [0, 9, 0xaf, 0xff];
    let paged = Asked {
        limit: 7,
        start: Some(start.to_vec()),
        ..all()
    };
    let query = format!("table=t&limit=7&start={}", token(&start));
    assert_eq!(asked(&query), Ok(paged));
    let region = |name| Some(RegionName::parse(name).expect("a region").id());
    let some = Asked {
        since: Some(Hlc(17)),
        key: Some(Key {
            partition: "a b".into(),
            sort: None,
        }),
        winner: region("eu-west-1"),
        loser: region("us-east-1"),
        ..all()
    };
    let query =
        "since=17&winner=eu-west-1&loser=us-east-1&key=%7B%22id%22:%7B%22S%22:%22a%20b%22%7D%7D";
    assert_eq!(asked(query), Ok(some));
    for wrong in [
        "limit=0",
        "limit=1001",
        "limit=x",
        "limit=",
        "start=0",
        "start=zz",
        "start=+1",
        "since=yesterday",
        "key=a",
        "key=%7B%7D",
        "key=%7B%22id%22:%7B%22N%22:%221%22%7D%7D",
        "winner=Nowhere_",
    ] {
        assert!(asked(wrong).is_err(), "{wrong}");
    }
}
