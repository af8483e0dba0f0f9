//! Wildcards against texts, by hand and beside the plainest matcher. No variables.

use proptest::prelude::*;

use super::Glob;

#[track_caller]
fn check(pattern: &str, yes: &[&str], no: &[&str]) {
    let glob = Glob::of(pattern);
    for text in yes {
        assert!(glob.matches(text), "{pattern:?} stands for {text:?}");
    }
    for text in no {
        assert!(
            !glob.matches(text),
            "{pattern:?} does not stand for {text:?}"
        );
    }
}

#[test]
fn wildcards_stand_for_what_aws_says() {
    check("", &[""], &["a"]);
    check("*", &["", "a", "a:b/c"], &[]);
    check("**", &["", "a", "ab"], &[]);
    check("?", &["a", "ä", "*"], &["", "ab"]);
    check("a?c", &["abc", "a?c", "aäc"], &["ac", "abbc", "abcd"]);
    check("a*c", &["ac", "abc", "abcbc"], &["a", "acb", "cac"]);
    check("*a*", &["a", "bab"], &["", "b"]);
    check("ab*ba", &["abba", "ab-ba"], &["aba", "ab", "ba"]);
    check("*?b", &["ab", "xxb", "bb"], &["b", "ba"]);
    check("?*?", &["ab", "abc"], &["", "a"]);
    check("a*b?*c", &["abxc", "aabbxyc"], &["abc", "ab"]);
    check(
        "table/*/index/*",
        &["table/a/index/b", "table/a/b/index/"],
        &["table/a/index"],
    );
    check(
        "Games?ore*",
        &["GamesXoreQ", "GamesSore"],
        &["GameScores", "gamesXore"],
    );
}

#[test]
fn a_pattern_without_wildcards_is_known_as_one_text() {
    assert_eq!(Glob::of("abc").literal(), Some("abc"));
    assert_eq!(Glob::of("a?c").literal(), None);
    assert_eq!(Glob::of("a*").literal(), None);
}

/// The plainest matcher that is right: try every length for each `*`.
fn slow(pattern: &[char], text: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('*', rest)) => (0..=text.len()).any(|at| slow(rest, &text[at..])),
        Some(('?', rest)) => !text.is_empty() && slow(rest, &text[1..]),
        Some((letter, rest)) => text.first() == Some(letter) && slow(rest, &text[1..]),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn it_agrees_with_trying_everything(pattern in "[ab?*ä]{0,7}", text in "[abä]{0,8}") {
        let (letters, of_text): (Vec<char>, Vec<char>) =
            (pattern.chars().collect(), text.chars().collect());
        prop_assert_eq!(Glob::of(&pattern).matches(&text), slow(&letters, &of_text));
    }
}

/// A matcher that goes back would need more steps than there are atoms.
#[test]
fn a_hostile_pattern_costs_no_more_than_its_length() {
    let pattern = format!("{}b", "a*".repeat(3_000));
    let text = "a".repeat(100_000);
    assert!(!Glob::of(&pattern).matches(&text));
    let pattern = "*?a".repeat(2_000) + "b";
    assert!(!Glob::of(&pattern).matches(&text));
}
