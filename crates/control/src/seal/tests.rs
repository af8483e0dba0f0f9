//! Secrets that open, and those that must not.

use super::*;
use crate::testing::TestEntropy;

const KEY: ProjectKey = ProjectKey([7; 32]);

#[test]
fn what_is_sealed_opens_for_its_purpose_only() {
    let entropy = TestEntropy::default();
    let sealed = seal(&KEY, &entropy, "certificate a", b"secret");
    assert!(!sealed.contains("secret"));
    assert_eq!(open(&KEY, "certificate a", &sealed).unwrap(), b"secret");
    let other = open(&KEY, "certificate b", &sealed);
    assert_eq!(other, Err(SealError::Refused));
    let other = open(&ProjectKey([8; 32]), "certificate a", &sealed);
    assert_eq!(other, Err(SealError::Refused));
}

#[test]
fn no_two_seals_are_alike() {
    let entropy = TestEntropy::default();
    let first = seal(&KEY, &entropy, "p", b"secret");
    let second = seal(&KEY, &entropy, "p", b"secret");
    assert_ne!(first, second);
    assert_eq!(open(&KEY, "p", &second).unwrap(), b"secret");
}

#[test]
fn a_changed_text_does_not_open() {
    let entropy = TestEntropy::default();
    let sealed = seal(&KEY, &entropy, "p", b"a longer secret than that");
    for at in 0..sealed.len() {
        let mut bytes = sealed.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        open(&KEY, "p", &changed).unwrap_err();
    }
    for text in ["", "s1:", "s2:AAAA", "s1:AAAA", "s1:%"] {
        open(&KEY, "p", text).unwrap_err();
    }
}

#[test]
fn an_empty_secret_is_one_too() {
    let entropy = TestEntropy::default();
    let sealed = seal(&KEY, &entropy, "p", b"");
    assert_eq!(open(&KEY, "p", &sealed).unwrap(), b"");
}
