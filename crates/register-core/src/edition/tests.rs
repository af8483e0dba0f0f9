//! Tests of editions: whose they are.

use super::{Edition, OperationId};
use crate::limits::RECENT_MAX;

#[test]
fn an_edition_names_its_author_and_eight_before() {
    let mut edition: Option<Edition> = None;
    for author in 1..=12 {
        edition = Some(Edition::after(edition.as_ref(), OperationId(author), None));
    }
    let edition = edition.expect("twelve were made");
    assert_eq!(edition.number, 12);
    assert_eq!(edition.recent.len(), RECENT_MAX);
    assert_eq!(edition.author_of(13), None, "it is later");
    for number in 4..=12_u64 {
        assert_eq!(
            edition.author_of(number),
            Some(OperationId(u128::from(number)))
        );
    }
    assert_eq!(edition.author_of(3), None, "it is too long ago");
}
