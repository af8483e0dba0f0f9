//! Names of our own, and names that are not.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use base::region::RegionName;

use super::{Meaning, Member, Roster};

fn member(name: &str, last: u8) -> Member {
    let address = IpAddr::V4(Ipv4Addr::new(127, 0, 0, last));
    Member {
        region: RegionName::parse(name).expect("a region"),
        gossip: SocketAddr::new(address, 7101),
        endpoint: (last == 11).then(|| SocketAddr::new(address, 4566)),
        address,
    }
}

fn roster() -> Roster {
    Roster::new(vec![member("us-east-1", 11), member("eu-west-1", 12)])
}

#[track_caller]
fn check(name: &str, expect: Meaning) {
    assert_eq!(roster().resolve(name), expect);
}

fn region(last: u8) -> Meaning {
    Meaning::Region(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last)))
}

#[test]
fn the_region_before_the_domain_tells_the_address() {
    check("d-1.execute-api.us-east-1.hither.internal", region(11));
    check("x.execute-api.eu-west-1.hither.internal.", region(12));
    check("X.Execute-API.EU-West-1.Hither.Internal", region(12));
    check("eu-west-1.hither.internal", region(12));
}

#[test]
fn an_unknown_region_of_ours_stands_for_nothing_and_other_names_are_not_ours() {
    check("d-1.execute-api.mars-1.hither.internal", Meaning::Nothing);
    check("api.shop.test", Meaning::Foreign);
    check("hither.internal", Meaning::Foreign);
    check("us-east-1.nothither.internal", Meaning::Foreign);
    check("", Meaning::Foreign);
}

#[test]
fn nobody_is_its_own_peer() {
    let ours = RegionName::parse("eu-west-1").expect("a region").id();
    let peers = roster().peers(ours);
    assert_eq!(peers.len(), 1);
    assert!(
        peers
            .iter()
            .all(|peer| peer.region != ours && peer.has_endpoint)
    );
}
