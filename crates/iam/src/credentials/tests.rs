//! Shapes of names, ids and secrets. Nothing is stored.

use std::sync::atomic::{AtomicU64, Ordering};

use clock::port::Entropy;

use super::{AccessKeyId, IdKind, KeyKind, KeyState, Secret, UserName, is_path, unique_id};

#[derive(Default)]
struct Counter(AtomicU64);

impl Entropy for Counter {
    fn random(&self) -> u64 {
        let next = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        next.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

#[test]
fn names_have_the_characters_that_iam_allows() {
    for name in ["a", "anna.b+c=d,e@f_g-h", &"x".repeat(64)] {
        assert!(UserName::parse(name).is_some(), "{name}");
    }
    for name in ["", "a b", "a/b", "ä", "a*", &"x".repeat(65)] {
        assert!(UserName::parse(name).is_none(), "{name}");
    }
    let folded = |name: &str| UserName::parse(name).map(|name| name.folded());
    assert_eq!(folded("Anna"), folded("anna"));
    for path in ["/", "/a/", "/a/b/"] {
        assert!(is_path(path), "{path}");
    }
    for path in ["", "a/", "/a", "/a b/", "//ä//"] {
        assert!(!is_path(path), "{path}");
    }
}

#[test]
fn ids_and_secrets_have_aws_shapes() {
    let entropy = Counter::default();
    let id = AccessKeyId::generate(KeyKind::Lasting, &entropy);
    assert_eq!(id.as_str().len(), 20);
    assert_eq!(AccessKeyId::parse(id.as_str()), Some(id.clone()));
    assert!(id.as_str().starts_with("AKIA"), "{id}");
    let other = AccessKeyId::generate(KeyKind::Lasting, &entropy);
    assert_ne!(id, other);
    let session = AccessKeyId::generate(KeyKind::Session, &entropy);
    assert!(session.as_str().starts_with("ASIA"), "{session}");
    assert!(
        AccessKeyId::parse("short").is_none() && AccessKeyId::parse("AKIA-123456789012").is_none()
    );
    let secret = Secret::generate(&entropy);
    assert_eq!(secret.reveal().len(), 40);
    assert_ne!(secret.reveal(), Secret::generate(&entropy).reveal());
    assert_eq!(format!("{secret:?}"), "Secret(…)");
    let id = unique_id(IdKind::User, &entropy);
    assert!(id.starts_with("AIDA") && id.len() == 21, "{id}");
}

#[test]
fn states_are_aws_words() {
    for state in [KeyState::Active, KeyState::Inactive] {
        assert_eq!(KeyState::parse(state.as_str()), Some(state));
    }
    assert_eq!(KeyState::parse("active"), None);
}
