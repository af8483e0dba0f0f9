//! Which hosts a certificate is for.

use super::*;

#[track_caller]
fn check(names: &[&str], host: &str, expect: bool) {
    let certificate = Certificate {
        region: String::new(),
        account: String::new(),
        id: String::new(),
        certificate: String::new(),
        chain: String::new(),
        sealed_key: String::new(),
        facts: Facts {
            names: names.iter().map(|&name| name.to_owned()).collect(),
            ..Facts::default()
        },
        created_micros: 0,
        imported_micros: 0,
        tags: BTreeMap::new(),
    };
    assert_eq!(certificate.covers(host), expect, "{names:?} {host}");
}

#[test]
fn a_wildcard_stands_for_one_label() {
    check(&["api.shop.test"], "API.shop.test", true);
    check(&["api.shop.test"], "shop.test", false);
    check(&["*.shop.test"], "api.shop.test", true);
    check(&["*.shop.test"], "*.shop.test", true);
    check(&["*.shop.test"], "a.b.shop.test", false);
    check(&["*.shop.test"], "shop.test", false);
    check(&["*.test"], "*.shop.test", false);
    check(&["a.test", "*.shop.test"], "x.shop.test", true);
    check(&[], "x", false);
}
