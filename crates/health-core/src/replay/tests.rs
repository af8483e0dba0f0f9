//! The replay window against a set that remembers everything.

use std::collections::BTreeSet;

use proptest::prelude::{any, prop, proptest};

use super::{Admitted, Incarnation, NotAdmitted, Window};
use crate::limits::REPLAY_WINDOW;

#[test]
fn a_later_life_starts_anew_and_an_earlier_one_is_over() {
    let mut window = Window::default();
    assert_eq!(window.admit(Incarnation(5), 9), Ok(Admitted::Reborn));
    assert_eq!(window.admit(Incarnation(6), 1), Ok(Admitted::Reborn));
    assert_eq!(window.admit(Incarnation(5), 10), Err(NotAdmitted::Ended(5)));
    assert_eq!(
        window.admit(Incarnation(6), 1),
        Err(NotAdmitted::Replayed(1))
    );
    assert_eq!(window.admit(Incarnation(6), u64::MAX), Ok(Admitted::Newest));
    assert_eq!(
        window.admit(Incarnation(6), 2),
        Err(NotAdmitted::Replayed(2))
    );
}

proptest! {
    #[test]
    fn each_sequence_gets_in_once_and_only_while_it_is_recent(
        sequences in prop::collection::vec(1..400_u64, 1..300),
        far in any::<bool>(),
    ) {
        let mut window = Window::default();
        let (mut seen, mut highest) = (BTreeSet::new(), 0);
        for sequence in sequences {
            let sequence = if far { sequence * 7 } else { sequence };
            let admitted = window.admit(Incarnation(1), sequence);
            let recent = sequence + REPLAY_WINDOW > highest;
            assert_eq!(admitted.is_ok(), recent && !seen.contains(&sequence), "{sequence}");
            if admitted.is_ok() {
                seen.insert(sequence);
                assert_eq!(admitted == Ok(Admitted::Overtaken), sequence < highest);
                highest = highest.max(sequence);
            }
        }
    }
}
