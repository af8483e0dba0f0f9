//! Tests of the grammar: what parses, and what each refused text is told.

use std::collections::BTreeMap;

use bytes::Bytes;
use item::number::Number;
use item::value::AttributeValue;
use proptest::prelude::*;

use super::{condition, filter, key_condition, projection, update};
use crate::error::ExprError;
use crate::placeholders::Placeholders;

/// Placeholders for all tests: names #a..#d, and a value of each kind.
fn placeholders() -> Placeholders {
    let names = [("#a", "a"), ("#b", "b"), ("#dot", "x.y"), ("#size", "size")];
    let values = [
        (":s", AttributeValue::from("text")),
        (":t", AttributeValue::from("S")),
        (":n", AttributeValue::from(5)),
        (":m", AttributeValue::from(3)),
        (":b", AttributeValue::B(Bytes::from_static(b"x"))),
        (":bool", AttributeValue::from(true)),
        (":null", AttributeValue::Null),
        (":l", AttributeValue::L(vec![])),
        (":map", AttributeValue::M(BTreeMap::new())),
        (":ss", AttributeValue::Ss(["x".to_owned()].into())),
        (":ns", AttributeValue::Ns([Number::from(1_i64)].into())),
    ];
    let names = names.map(|(key, name)| (key.to_owned(), name.to_owned()));
    let values = values.map(|(key, value)| (key.to_owned(), value));
    Placeholders::new(Some(names.into()), Some(values.into())).unwrap()
}

type Rule<T> = fn(&str, &mut Placeholders) -> Result<T, ExprError>;

#[track_caller]
fn parses<T>(rule: Rule<T>, text: &str) -> T {
    match rule(text, &mut placeholders()) {
        Ok(parsed) => parsed,
        Err(error) => panic!("{text}: {error}"),
    }
}

#[track_caller]
fn refuses<T>(rule: Rule<T>, text: &str, message: &str) {
    let error = rule(text, &mut placeholders())
        .err()
        .map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some(message), "{text}");
}

#[track_caller]
fn same(one: &str, two: &str) {
    assert_eq!(
        parses(condition, one),
        parses(condition, two),
        "{one} and {two}"
    );
}

#[test]
fn precedence_is_not_and_or() {
    same("a=:n OR b=:n AND NOT c=:n", "a=:n OR (b=:n AND (NOT c=:n))");
    same("NOT a=:n AND b=:n", "(NOT a=:n) AND b=:n");
    same(
        "a BETWEEN :m AND :n AND b=:n",
        "(a BETWEEN :m AND :n) AND b=:n",
    );
    same("NOT NOT a=:n", "a=:n");
    same(
        "not A1=:n and b IN(:n) or c<>:n",
        "NOT A1=:n AND b IN (:n) OR c<>:n",
    );
    same("(a) = (:n)", "a = :n");
    same("((a) = :n)", "a = :n");
    same("(a).b[0] = :n", "a.b[0] = :n");
    same("size(a) > :n", "size ( a ) > :n");
    same("(size(a)) > :n", "size(a) > :n");
}

#[test]
fn names_and_indexes_make_paths() {
    let shown = |text| {
        let mut paths = Vec::new();
        let condition = parses(condition, text);
        condition.for_each_path(&mut |path| paths.push(path.to_string()));
        paths.join(" ")
    };
    assert_eq!(shown("#a.b[1][2].#dot = :n"), "[a, b, [1], [2], x.y]");
    assert_eq!(shown("a . b [ 1 ] = c1_2"), "[a, b, [1]] [c1_2]");
    assert_eq!(
        shown("#size IN (b, :n, c) AND contains(d, e)"),
        "[size] [b] [c] [d] [e]"
    );
    assert_eq!(shown("a BETWEEN b AND size(c)"), "[a] [b] [c]");
}

#[test]
fn syntax_errors_name_the_token_and_its_surroundings() {
    let check = |text: &str, token: &str, near: &str| {
        let message = format!("Syntax error; token: \"{token}\", near: \"{near}\"");
        refuses(
            condition,
            text,
            &format!("Invalid ConditionExpression: {message}"),
        );
    };
    check("a == :n", "=", "== :n");
    check("a = ", "<EOF>", "=");
    check("a", "<EOF>", "a");
    check("(a) b", "b", ") b");
    check("(((", "<EOF>", "(");
    check("a = :n)", ")", ":n)");
    check("a IN ()", ")", "()");
    check("a IN :n", ":n", "IN :n");
    check("a[:n] = :n", ":n", "[:n]");
    check("a[-1] = :n", "-", "[-1");
    check("a. = :n", "=", ". = :n");
    check("1a = :n", "1", "1a");
    check("_a = :n", "_", "_a");
    check("# = :n", "#", "# =");
    check("a ! :n", "!", "a ! :n");
    check("a = é", "é", "= é");
    check("AND = :n", "AND", "AND =");
    check("a = :n AND", "<EOF>", "AND");
    check("a BETWEEN :n OR :n", "OR", ":n OR :n");
    check("(a = :n) = :n", "=", ") = :n");
    check("size(a = :n) = :n", "=", "a = :n");
    check("f()", ")", "()");
    check("a,b", ",", "a,b");
}

#[test]
fn conditions_are_checked_as_text() {
    let check = |text: &str, problem: &str| {
        refuses(
            condition,
            text,
            &format!("Invalid ConditionExpression: {problem}"),
        );
    };
    check("", "The expression can not be empty;");
    check(" \t ", "Syntax error; token: \"<EOF>\", near: \" \t \"");
    check("((a = :n))", "The expression has redundant parentheses;");
    check(
        "((attribute_exists(a)))",
        "The expression has redundant parentheses;",
    );
    check("((a)) = :n", "The expression has redundant parentheses;");
    check(
        "size = :n",
        "Attribute name is a reserved keyword; reserved keyword: size",
    );
    check(
        "a.Value = :n",
        "Attribute name is a reserved keyword; reserved keyword: Value",
    );
    check("dog(a) = :n", "Invalid function name; function: dog");
    check("SIZE(a) = :n", "Invalid function name; function: SIZE");
    check(
        "list_append(a, a) = :n",
        "The function is not allowed in a condition expression; function: list_append",
    );
    let misused = "The function is not allowed to be used this way in an expression; function: ";
    check("size(a)", &format!("{misused}size"));
    check("a = :n AND size(a)", &format!("{misused}size"));
    check(
        "attribute_exists(a) = :n",
        &format!("{misused}attribute_exists"),
    );
    check("size(contains(a, :n)) = :n", &format!("{misused}contains"));
}

#[test]
fn conditions_are_checked_for_their_operands() {
    let check = |text: &str, problem: &str| {
        refuses(
            condition,
            text,
            &format!("Invalid ConditionExpression: {problem}"),
        );
    };
    check(
        "#nope = :n",
        "An expression attribute name used in the document path is not defined; \
         attribute name: #nope",
    );
    check(
        "a = :nope",
        "An expression attribute value used in expression is not defined; attribute value: :nope",
    );
    let count = "Incorrect number of operands for operator or function; operator or function: ";
    check(
        "attribute_exists(a, b)",
        &format!("{count}attribute_exists, number of operands: 2"),
    );
    check(
        "begins_with(a)",
        &format!("{count}begins_with, number of operands: 1"),
    );
    check(
        "size(a, b) = :n",
        &format!("{count}size, number of operands: 2"),
    );
    let path = "Operator or function requires a document path; operator or function: ";
    check("attribute_exists(:n)", &format!("{path}attribute_exists"));
    check(
        "attribute_not_exists(size(a))",
        &format!("{path}attribute_not_exists"),
    );
    let kind = "Incorrect operand type for operator or function; operator or function: ";
    check(
        "begins_with(a, :n)",
        &format!("{kind}begins_with, operand type: N"),
    );
    check(
        "begins_with(a, size(b))",
        &format!("{kind}begins_with, operand type: N"),
    );
    check("a < :bool", &format!("{kind}<, operand type: BOOL"));
    check(":l >= a", &format!("{kind}>=, operand type: L"));
    check(
        "a BETWEEN :ss AND :ss",
        &format!("{kind}BETWEEN, operand type: SS"),
    );
    check(
        "size(:null) = :n",
        &format!("{kind}size, operand type: NULL"),
    );
    check(
        "size(size(a)) = :n",
        &format!("{kind}size, operand type: N"),
    );
    check(
        "attribute_type(a, :n)",
        &format!("{kind}attribute_type, operand type: N"),
    );
    check(
        "attribute_type(a, b)",
        &format!("{kind}attribute_type, operand type: {{NS,SS,L,BS,N,M,B,BOOL,NULL,S}}"),
    );
}

#[test]
fn conditions_are_checked_for_their_values() {
    let check = |text: &str, problem: &str| {
        refuses(
            condition,
            text,
            &format!("Invalid ConditionExpression: {problem}"),
        );
    };
    check(
        "attribute_type(a, :s)",
        "Invalid attribute type name found; type: text, \
         valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
    );
    let distinct = "The first operand must be distinct from the remaining operands for this \
                    operator or function; operator: ";
    check("a = #a", &format!("{distinct}=, first operand: [a]"));
    check(
        "contains(a.b[0], a.b[0])",
        &format!("{distinct}contains, first operand: [a, b, [0]]"),
    );
    check(
        "a BETWEEN :n AND :m",
        "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; \
         lower bound operand: AttributeValue: {N:5}, upper bound operand: AttributeValue: {N:3}",
    );
    check(
        "a BETWEEN :n AND :s",
        "The BETWEEN operator requires same data type for lower and upper bounds; \
         lower bound operand: AttributeValue: {N:5}, upper bound operand: AttributeValue: {S:text}",
    );
    check(
        "a[9999999999] = :n",
        "List index is not within the allowable range; index: [9999999999]",
    );
    check(
        &format!("a{} = :n", ".b".repeat(32)),
        "The document path has too many nesting levels; nesting levels: 33",
    );
    parses(condition, &format!("a{} = :n", ".b".repeat(31)));
}

#[test]
fn a_syntax_error_hides_all_others_and_the_text_hides_its_meaning() {
    let invalid = "Invalid ConditionExpression: ";
    refuses(
        condition,
        "dog(#nope) = ",
        &format!("{invalid}Syntax error; token: \"<EOF>\", near: \"=\""),
    );
    refuses(
        condition,
        "a = :nope AND dog(b)",
        &format!("{invalid}Invalid function name; function: dog"),
    );
    let action = "Invalid UpdateExpression: ";
    refuses(
        update,
        "ADD a :s REMOVE a",
        &format!(
            "{action}Two document paths overlap with each other; must remove or rewrite one of \
             these paths; path one: [a], path two: [a]"
        ),
    );
    refuses(
        update,
        "REMOVE a, a SET b = #nope",
        &format!(
            "{action}An expression attribute name used in the document path is not defined; \
             attribute name: #nope"
        ),
    );
    refuses(
        condition,
        "contains(:nope, :nope2)",
        &format!(
            "{invalid}An expression attribute value used in expression is not defined; \
             attribute value: :nope"
        ),
    );
}

#[test]
fn the_limits_are_inclusive() {
    let spaces = " ".repeat(4096 - "a = :n".len());
    parses(condition, &format!("a ={spaces} :n"));
    refuses(
        filter,
        &format!("a =  {spaces}:n"),
        "Invalid FilterExpression: Expression size has exceeded the maximum allowed size; \
         expression size: 4097",
    );
    // 150 tests and 150 joints.
    let chain = |tests: usize| vec!["a<b"; tests].join(" or ");
    parses(condition, &chain(150));
    refuses(
        condition,
        &chain(151),
        "Invalid ConditionExpression: The expression contains too many operators; \
         operator count: 301",
    );
    let candidates = |count: usize| format!("a IN ({})", vec![":n"; count].join(","));
    parses(condition, &candidates(100));
    refuses(
        condition,
        &candidates(101),
        "Invalid ConditionExpression: The IN operator is provided with too many operands; \
         number of operands: 101",
    );
}

#[test]
fn no_depth_overflows_the_stack() {
    let nested = |depth: usize| format!("a<b {}{}", "or (a<b ".repeat(depth), ")".repeat(depth));
    let condition_149 = parses(condition, &nested(149));
    assert!(!condition_149.evaluate(None));
    let negated = |depth: usize| format!("{}a<b{}", "not (".repeat(depth), ")".repeat(depth));
    assert!(parses(condition, &negated(299)).evaluate(None));
    let redundant = format!("{}a<b{}", "(".repeat(2046), ")".repeat(2046));
    let invalid = "Invalid ConditionExpression: ";
    refuses(
        condition,
        &redundant,
        &format!("{invalid}The expression has redundant parentheses;"),
    );
    for text in [
        "(".repeat(4096),
        "not ".repeat(1000),
        "a<f(".repeat(900),
        nested(454),
    ] {
        assert!(condition(&text, &mut placeholders()).is_err());
    }
    for text in [
        format!("SET a = {}", "(".repeat(4000)),
        format!("SET a = {}", "if_not_exists(a,".repeat(250)),
        format!("a < {}", "size(".repeat(250)),
        format!("a < {}b{}", "(".repeat(2000), ")".repeat(2000)),
        format!("REMOVE a{}", "[1]".repeat(1300)),
    ] {
        assert!(update(&text, &mut placeholders()).is_err());
    }
    let deep = format!(
        "SET a = {}:n{}",
        "if_not_exists(b, ".repeat(64),
        ")".repeat(64)
    );
    parses(update, &deep);
}

#[test]
fn projections_name_distinct_paths() {
    let projected = parses(projection, "a.b, #a.c, a.d[1], a.d[0], #dot");
    assert!(projected.touches("a") && projected.touches("x.y"));
    assert!(!projected.touches("b"));
    let check = |text: &str, problem: &str| {
        refuses(
            projection,
            text,
            &format!("Invalid ProjectionExpression: {problem}"),
        );
    };
    let overlap = "Two document paths overlap with each other; must remove or rewrite one of \
                   these paths; path one: ";
    check("a, a", &format!("{overlap}[a], path two: [a]"));
    check("a, a.b", &format!("{overlap}[a], path two: [a, b]"));
    check(
        "a.b[1], c, a",
        &format!("{overlap}[a, b, [1]], path two: [a]"),
    );
    check("a, #a", &format!("{overlap}[a], path two: [a]"));
    check(
        "a.b, a[1]",
        "Two document paths conflict with each other; must remove or rewrite one of these paths; \
         path one: [a, b], path two: [a, [1]]",
    );
    check("a,", "Syntax error; token: \"<EOF>\", near: \",\"");
    check("a b", "Syntax error; token: \"b\", near: \"a b\"");
    check(
        "name",
        "Attribute name is a reserved keyword; reserved keyword: name",
    );
    check(":n", "Syntax error; token: \":n\", near: \":n\"");
}

#[test]
fn updates_have_each_section_once() {
    let actions = parses(
        update,
        "set a = :n, b.c = a + :n REMOVE d, e[0] add f :ns, g :n delete h :ss",
    );
    assert_eq!(actions.actions().len(), 7);
    parses(update, "SET a = (b - :n)");
    parses(
        update,
        "SET a = if_not_exists(b, if_not_exists(c, :n)) + :n",
    );
    parses(update, "SET a = list_append(if_not_exists(a, :l), :l)");
    let check = |text: &str, problem: &str| {
        refuses(
            update,
            text,
            &format!("Invalid UpdateExpression: {problem}"),
        );
    };
    check("", "The expression can not be empty;");
    check("SET", "Syntax error; token: \"<EOF>\", near: \"SET\"");
    check(
        "HELLO a = :n",
        "Syntax error; token: \"HELLO\", near: \"HELLO a\"",
    );
    check("SET a = :n b", "Syntax error; token: \"b\", near: \":n b\"");
    check(
        "SET :n = :n",
        "Syntax error; token: \":n\", near: \"SET :n =\"",
    );
    check(
        "SET a = :n + :n + :n",
        "Syntax error; token: \"+\", near: \":n + :n\"",
    );
    check(
        "SET a = (b + :n) + :n",
        "Syntax error; token: \":n\", near: \"+ :n\"",
    );
    check(
        "SET a = if_not_exists(a, :n + :n)",
        "Syntax error; token: \"+\", near: \":n + :n\"",
    );
    check("ADD numx 1", "Syntax error; token: \"1\", near: \"numx 1\"");
    check("ADD a b", "Syntax error; token: \"b\", near: \"a b\"");
    check(
        "SET a = SET",
        "Syntax error; token: \"SET\", near: \"= SET\"",
    );
}

#[test]
fn updates_are_checked_before_any_item_is_read() {
    let check = |text: &str, problem: &str| {
        refuses(
            update,
            text,
            &format!("Invalid UpdateExpression: {problem}"),
        );
    };
    check(
        "SET a = :n SET b = :n",
        "The \"SET\" section can only be used once in an update expression;",
    );
    check(
        "SET a = :n REMOVE a",
        "Two document paths overlap with each other; must remove or rewrite one of these paths; \
         path one: [a], path two: [a]",
    );
    check(
        "SET a.b = :n, a[1] = :n",
        "Two document paths conflict with each other; must remove or rewrite one of these paths; \
         path one: [a, b], path two: [a, [1]]",
    );
    check("SET a = f(b)", "Invalid function name; function: f");
    check(
        "SET a = size(b)",
        "The function is not allowed in an update expression; function: size",
    );
    check(
        "SET a = if_not_exists(b, list_append(:l, :l))",
        "The function is not allowed to be used this way in an expression; function: list_append",
    );
    check(
        "SET a = if_not_exists(b.c, b.c)",
        "The first operand must be distinct from the remaining operands for this operator or \
         function; operator: if_not_exists, first operand: [b, c]",
    );
    check(
        "SET a = list_append(list_append(:l, :l), :l)",
        "The function is not allowed to be used this way in an expression; function: list_append",
    );
    check(
        "SET a = if_not_exists(:n, :n)",
        "Operator or function requires a document path; operator or function: if_not_exists",
    );
    check(
        "SET a = list_append(:l)",
        "Incorrect number of operands for operator or function; \
         operator or function: list_append, number of operands: 1",
    );
    let kind = "Incorrect operand type for operator or function; operator or function: ";
    check(
        "SET a = list_append(:l, :s)",
        &format!("{kind}list_append, operand type: S"),
    );
    check("SET a = :s + :n", &format!("{kind}+, operand type: S"));
    check("SET a = b - :l", &format!("{kind}-, operand type: L"));
    let action = "Incorrect operand type for operator or function; operator: ";
    check(
        "ADD a :bool",
        &format!("{action}ADD, operand type: BOOLEAN, typeSet: ALLOWED_FOR_ADD_OPERAND"),
    );
    check(
        "ADD a :s",
        &format!("{action}ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND"),
    );
    check(
        "DELETE a :n",
        &format!("{action}DELETE, operand type: NUMBER, typeSet: ALLOWED_FOR_DELETE_OPERAND"),
    );
}

#[test]
fn updates_are_sums_at_most_and_in_single_parentheses() {
    let check = |text: &str, problem: &str| {
        let message = format!("Invalid UpdateExpression: {problem}");
        refuses(update, text, &message);
    };
    let misused = "The function is not allowed to be used this way in an expression; \
                   function: list_append";
    check("SET a = list_append(b, :l) + :n", misused);
    check("SET a = :n - list_append(b, :l)", misused);
    let redundant = "The expression has redundant parentheses;";
    check("SET a = ((b + :n))", redundant);
    check("SET a = ((:n))", redundant);
    check("SET a = if_not_exists(b, ((c)))", redundant);
    parses(update, "SET a = (b + :n), c = (:n) + (:m), d = ((b) + :n)");
    check(" ", "Syntax error; token: \"<EOF>\", near: \" \"");
}

#[test]
fn key_conditions_are_conditions_on_keys() {
    parses(key_condition, "pk = :s AND sk BETWEEN :m AND :n");
    parses(key_condition, "(pk = :s) AND (begins_with(sk, :s))");
    parses(key_condition, ":s = pk and :n < sk");
    refuses(
        key_condition,
        "((pk = :s))",
        "Invalid KeyConditionExpression: The expression has redundant parentheses;",
    );
    let operator = |text: &str, operator: &str| {
        let message = format!("Invalid operator used in KeyConditionExpression: {operator}");
        refuses(key_condition, text, &message);
    };
    operator("pk = :s OR sk = :n", "OR");
    operator("NOT pk = :s", "NOT");
    operator("pk IN (:s)", "IN");
    operator("pk <> :s", "<>");
    operator("attribute_exists(pk)", "attribute_exists");
    operator("contains(pk, :s)", "contains");
    let check = |text: &str, message: &str| refuses(key_condition, text, message);
    check(
        "size(pk) = :n",
        "KeyConditionExpressions cannot contain nested operations",
    );
    check(
        "pk.a = :n",
        "KeyConditionExpressions cannot have conditions on nested attributes",
    );
    check(
        "pk = :s AND pk = :s",
        "KeyConditionExpressions must only contain one condition per key",
    );
    check(
        "a = :s AND b = :s AND c = :s AND d = :s AND e = :s AND f = :s AND g = :s AND h = :s \
         AND i = :s",
        "Conditions can be of length 1 or 2 only",
    );
    let condition = "Invalid condition in KeyConditionExpression: ";
    check(
        "pk = sk",
        &format!("{condition}Multiple attribute names used in one condition"),
    );
    check(":n = :m", &format!("{condition}No key attribute specified"));
    check(
        "begins_with(:s, pk)",
        &format!(
            "{condition}begins_with operator must have the key attribute as its first operand"
        ),
    );
}

#[test]
fn placeholders_used_by_any_expression_count_as_used() {
    let names = BTreeMap::from([("#a".to_owned(), "a".to_owned())]);
    let values = [(":x".to_owned(), 1.into()), (":y".to_owned(), 2.into())];
    let mut placeholders = Placeholders::new(Some(names), Some(values.into())).unwrap();
    condition("a = :x", &mut placeholders).unwrap();
    let unused = |placeholders: &Placeholders| {
        placeholders
            .check_all_used()
            .err()
            .map(|error| error.to_string())
    };
    assert_eq!(
        unused(&placeholders).as_deref(),
        Some("Value provided in ExpressionAttributeNames unused in expressions: keys: {#a}")
    );
    projection("#a", &mut placeholders).unwrap();
    assert_eq!(
        unused(&placeholders).as_deref(),
        Some("Value provided in ExpressionAttributeValues unused in expressions: keys: {:y}")
    );
    update("SET b = :y", &mut placeholders).unwrap();
    assert_eq!(unused(&placeholders), None);
}

proptest! {
    #[test]
    fn no_text_breaks_the_parser(text in "[a-c#:. \\[\\]()<>=,+\\-0-9é]{0,60}") {
        for_all(&text);
    }

    #[test]
    fn no_tokens_break_the_parser(tokens in proptest::collection::vec(
        prop::sample::select(vec![
            "a", "#a", ":n", ":s", "(", ")", ",", ".", "[", "]", "1", "=", "<", "+", "AND", "OR",
            "NOT", "IN", "BETWEEN", "SET", "REMOVE", "ADD", "size", "contains", "if_not_exists",
        ]),
        0..40,
    )) {
        for_all(&tokens.join(" "));
    }
}

fn for_all(text: &str) {
    let mut placeholders = placeholders();
    if let Ok(condition) = condition(text, &mut placeholders) {
        let item = item::value::Item::from_iter([("a", 5)]);
        assert_ne!(
            condition.evaluate(Some(&item)),
            !condition.evaluate(Some(&item))
        );
    }
    if let Ok(update) = update(text, &mut placeholders) {
        let _ = update.apply(&item::value::Item::from_iter([("a", 5)]));
    }
    let _ = projection(text, &mut placeholders);
    let _ = key_condition(text, &mut placeholders);
}
