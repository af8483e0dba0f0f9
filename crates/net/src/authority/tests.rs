//! Tests of what an authority is made from.

use super::{Authority, Leaf};

#[test]
fn a_secret_and_a_name_make_one_authority_and_ever_other_leaves() {
    let make = |name, byte| Authority::from_seed(name, &[byte; 32]).expect("made");
    let (one, again) = (make("shop", 7), make("shop", 7));
    assert_eq!(one.certificate(), again.certificate());
    assert_ne!(one.certificate(), make("shop", 8).certificate());
    assert_ne!(one.certificate(), make("shed", 7).certificate());
    let leaf = Leaf {
        subject: "a".to_owned(),
        names: vec!["a.test".to_owned()],
        validity: None,
    };
    let issue = || one.issue(&leaf).expect("signed").cert;
    assert_ne!(issue(), issue());
    let nameless = Leaf {
        names: vec!["é".to_owned()],
        ..leaf.clone()
    };
    one.issue(&nameless).expect_err("no DNS name");
}
