//! Tests of trees of paths.

use proptest::prelude::*;

use super::{Clash, Path, PathTree, Step};

fn any_path() -> impl Strategy<Value = Path> {
    let step = prop_oneof![
        "[xy]".prop_map(Step::Name),
        (0_u32..2).prop_map(Step::Index),
    ];
    ("[ab]", proptest::collection::vec(step, 0..3))
        .prop_map(|(attribute, steps)| Path::new(attribute, steps))
}

#[test]
fn clashes_are_told_apart() {
    let path = |steps: Vec<Step>| Path::new("a", steps);
    let name = || Step::Name("x".to_owned());
    assert_eq!(
        path(vec![]).clash(&path(vec![name()])),
        Some(Clash::Overlap)
    );
    assert_eq!(
        path(vec![name()]).clash(&path(vec![Step::Index(0)])),
        Some(Clash::Conflict)
    );
    assert_eq!(
        path(vec![Step::Index(1)]).clash(&path(vec![Step::Index(0)])),
        None
    );
}

proptest! {
    #[test]
    fn a_tree_refuses_exactly_what_clashes_with_a_path_in_it(
        paths in proptest::collection::vec(any_path(), 1..8),
    ) {
        let mut tree = PathTree::default();
        let mut kept: Vec<Path> = Vec::new();
        for path in paths {
            let clashes = kept.iter().any(|one| one.clash(&path).is_some());
            let mut attempt = tree.clone();
            prop_assert_eq!(attempt.insert(&path, ()).is_err(), clashes);
            if !clashes {
                tree = attempt;
                kept.push(path);
            }
        }
    }
}
