//! Tests of the project's authority.

use base::region::RegionName;
use control::project::ProjectKey;

use super::of;

#[test]
fn every_node_of_a_project_makes_the_same_authority() {
    let name = |text| RegionName::parse(text).expect("a region");
    let east = of("shop", &ProjectKey([7; 32]), &name("us-east-1")).expect("made");
    let west = of("shop", &ProjectKey([7; 32]), &name("eu-west-1")).expect("made");
    assert_eq!(east.authority, west.authority);
    assert_ne!(east.certificate, west.certificate);
    let other = of("shop", &ProjectKey([8; 32]), &name("us-east-1")).expect("made");
    assert_ne!(east.authority, other.authority);
    let roots = net::tls::roots(east.authority.as_bytes()).expect("a root");
    assert_eq!(roots.len(), 1);
    net::tls::certified_key(east.certificate.as_bytes(), east.key.as_bytes()).expect("a pair");
}
