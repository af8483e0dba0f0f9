//! Tests of tokens: what they say, and where they stand.

use super::{TokenKind, tokens};
use crate::error::Malformed;

/// Writes tokens as `kind:text@line:column+length`.
fn shown(text: &str) -> String {
    let tokens = tokens(text).unwrap();
    let shown = tokens.iter().map(|token| {
        let at = token.at;
        let (line, column, length) = (at.line, at.column, at.length);
        format!("{:?}:{}@{line}:{column}+{length}", token.kind, token.text)
    });
    shown.collect::<Vec<_>>().join(" ")
}

#[test]
fn tokens_say_where_they_stand_in_characters() {
    assert_eq!(shown("SELECT "), "Keyword:SELECT@1:1+6 End:@1:8+0");
    assert_eq!(
        shown("'é''é' \"a\"\"b\"\n  x.5"),
        "Text:é''é@1:1+6 Quoted:a\"\"b@1:8+6 Word:x@2:3+1 Symbol:.@2:4+1 Number:5@2:5+1 End:@2:6+0"
    );
    assert_eq!(shown("-- é\n/* \n */ ?"), "Parameter:?@3:5+1 End:@3:6+0");
    assert_eq!(shown("'a\nb' c"), "Text:a\nb@1:1+5 Word:c@2:4+1 End:@2:5+0");
}

#[test]
fn the_longest_symbol_and_the_whole_number_are_one_token() {
    let kinds = |text: &str| -> Vec<String> {
        let tokens = tokens(text).unwrap();
        let said = tokens.iter().filter(|token| token.kind != TokenKind::End);
        said.map(|token| token.text.to_owned()).collect()
    };
    assert_eq!(
        kinds("<<1>><>!=<=>=||"),
        ["<<", "1", ">>", "<>", "!=", "<=", ">=", "||"]
    );
    assert_eq!(
        kinds("1.5e-3 .5 1. 2E+4 7"),
        ["1.5e-3", ".5", "1.", "2E+4", "7"]
    );
    assert_eq!(kinds("a-1 $b_2"), ["a", "-", "1", "$b_2"]);
}

#[test]
fn what_is_no_token_is_refused() {
    let refused = |text: &str| tokens(text).err();
    assert_eq!(refused("a # b"), Some(Malformed::Token));
    assert_eq!(refused("é"), Some(Malformed::Token));
    assert_eq!(refused("1e"), Some(Malformed::Token));
    assert_eq!(refused("1a"), Some(Malformed::Token));
    for open in ["'a", "\"a", "`a", "'a''", "/* a *"] {
        assert_eq!(refused(open), Some(Malformed::Unterminated), "{open}");
    }
}

#[test]
fn keywords_are_not_names_in_any_case() {
    for word in ["SELECT", "select", "Size", "key", "zone"] {
        assert_eq!(tokens(word).unwrap()[0].kind, TokenKind::Keyword, "{word}");
    }
    // Reserved in expressions, yet free here.
    for word in [
        "name", "status", "year", "data", "ttl", "remove", "offset", "sel",
    ] {
        assert_eq!(tokens(word).unwrap()[0].kind, TokenKind::Word, "{word}");
    }
}
