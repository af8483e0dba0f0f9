//! Tests of paths and parameters.

use super::{Parameters, segments};

#[test]
fn segments_are_decoded_after_the_path_is_cut() {
    assert_eq!(
        segments("/v2/apis/a%2Fb/routes"),
        ["v2", "apis", "a/b", "routes"]
    );
    assert_eq!(
        segments("//2013-04-01//hostedzone/"),
        ["2013-04-01", "hostedzone"]
    );
    assert!(segments("/").is_empty());
}

#[test]
fn parameters_keep_order_and_duplicates() {
    let parameters = Parameters::parse(b"tagKeys=a+b&tagKeys=c%26d&&flag&x=1=2");
    let all: Vec<&str> = parameters.all("tagKeys").collect();
    assert_eq!(all, ["a b", "c&d"]);
    assert_eq!(parameters.first("flag"), Some(""));
    assert_eq!(parameters.first("x"), Some("1=2"));
    assert_eq!(parameters.first("absent"), None);
}
