//! Tests of the ids of changes.

use clock::time::WallTime;
use control::control::Position;

use super::ChangeId;

#[test]
fn an_id_says_where_and_when() {
    let id = ChangeId {
        position: Position {
            origin: 14,
            seq: 0x1234_5678_9abc,
        },
        submitted: WallTime::from_micros(1_795_000_000_123_000),
    };
    let text = id.as_text();
    assert_eq!(text.len(), 32);
    assert_eq!(ChangeId::parse(&text), Some(id));
}

#[test]
fn a_text_that_is_no_id_is_none() {
    let position = Position { origin: 1, seq: 7 };
    let submitted = WallTime::from_micros(1_795_000_000_000_000);
    let text = ChangeId {
        position,
        submitted,
    }
    .as_text();
    let mut typo = text.clone();
    typo.replace_range(5..6, "F");
    for text in [
        "",
        "C1",
        "C2682N5HXP0BZ4",
        &text[1..],
        &text[..31],
        &typo,
        "Cé",
    ] {
        assert_eq!(ChangeId::parse(text), None, "{text}");
    }
}
