//! Tests of the names Hither makes.

use base::region::RegionName;

use super::{gateway_name, gateway_region, gateway_zone_id, is_internal};
use crate::name::Name;

#[test]
fn a_gateways_name_tells_its_region() {
    let region = RegionName::parse("eu-west-1").unwrap();
    let name = Name::parse(&gateway_name("d-abc", &region)).unwrap();
    assert_eq!(gateway_region(&name), Some(region));
    for other in [
        "hither.internal",
        "a.b.eu-west-1.hither.internal",
        "x.execute-api.eu-west-1.test",
    ] {
        assert_eq!(
            gateway_region(&Name::parse(other).unwrap()),
            None,
            "{other}"
        );
    }
}

#[test]
fn only_names_below_the_apex_are_internal() {
    let internal = |text| is_internal(&Name::parse(text).unwrap());
    assert!(internal("hither.internal"));
    assert!(internal("ns-1.eu-west-1.hither.internal"));
    assert!(!internal("nothither.internal"));
    assert!(!internal("internal"));
    // One label whose bytes merely look like the two.
    assert!(!internal("x\\006hither\\010internal"));
}

#[test]
fn zone_ids_have_route_53s_shape() {
    let id = gateway_zone_id(RegionName::parse("us-east-1").unwrap().id());
    assert_eq!(id, "ZHITHER000001");
}
