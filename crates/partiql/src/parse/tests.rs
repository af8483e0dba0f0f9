//! Tests of limits, and of what a statement says before it meets a table.

use item::key::{KeyAttribute, KeyKind, KeySchema};

use crate::error::{CallProblem, PartiqlError};
use crate::plan::{self, Call, Keys};
use crate::statement::{self, StatementKind};

#[track_caller]
fn refused(text: &str, message: &str) {
    let error = statement::parse(text).err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some(message));
}

#[test]
fn a_statement_has_at_most_8192_characters() {
    let of_length = |length: usize| {
        let text = "SELECT * FROM One WHERE a = 'é'";
        let rest = "é".repeat(length - text.chars().count());
        format!("SELECT * FROM One WHERE a = 'é{rest}'")
    };
    assert!(statement::parse(&of_length(8192)).is_ok());
    assert_eq!(
        statement::parse(&of_length(8193)).err(),
        Some(PartiqlError::TooLong)
    );
}

#[test]
fn a_statement_has_at_most_300_operators_and_64_levels() {
    let any = |count: usize| {
        let tests = vec!["a=1"; count];
        format!("SELECT * FROM One WHERE {}", tests.join(" OR "))
    };
    // 150 comparisons, 149 times `OR`.
    assert!(statement::parse(&any(150)).is_ok());
    refused(
        &any(151),
        "The expression contains too many operators; operator count: 301",
    );
    let nested = |depth: usize| {
        let (open, close) = ("(".repeat(depth), ")".repeat(depth));
        format!("SELECT * FROM One WHERE {open}a=1{close}")
    };
    assert!(statement::parse(&nested(64)).is_ok());
    refused(
        &nested(65),
        "Statement wasn't well formed, can't be processed: Nesting levels exceed 64",
    );
}

#[test]
fn a_read_has_at_most_50_partitions_and_100_keys() {
    let attribute = |name: &str, kind| {
        let name = name.to_owned();
        KeyAttribute { name, kind }
    };
    let schema = KeySchema {
        partition: attribute("pk", KeyKind::S),
        sort: Some(attribute("sk", KeyKind::N)),
    };
    let plan = |partitions: usize, sorts: usize| {
        let partitions: Vec<_> = (0..partitions).map(|one| format!("'{one}'")).collect();
        let sorts: Vec<_> = (0..sorts).map(|one| one.to_string()).collect();
        let (partitions, sorts) = (partitions.join(","), sorts.join(","));
        let text = format!("SELECT * FROM One WHERE pk IN [{partitions}] AND sk IN [{sorts}]");
        let statement = statement::parse(&text).unwrap();
        let keys = Keys {
            table: &schema,
            index: None,
        };
        let error = plan::of(&statement, keys, &[]).err();
        error.map(|error| error.to_string())
    };
    let many = "Too many decomposed read operations for a given query.";
    assert_eq!(plan(50, 2), None);
    assert_eq!(plan(51, 1).as_deref(), Some(many));
    assert_eq!(plan(34, 3).as_deref(), Some(many));
    assert_eq!(plan(1, 100), None);
    let candidates = "The IN operator is provided with too many operands; number of operands: 101";
    assert_eq!(plan(1, 101).as_deref(), Some(candidates));
}

#[test]
fn a_statement_says_what_it_does_and_to_what() {
    let says = |text: &str| {
        let statement = statement::parse(text).unwrap();
        let index = statement.index().map(str::to_owned);
        (
            statement.kind(),
            statement.table().to_owned(),
            index,
            statement.parameters(),
        )
    };
    let one = || "One".to_owned();
    assert_eq!(
        says("SELECT * FROM \"One\".\"my index\" WHERE a = ? AND b IN [?, '?']"),
        (StatementKind::Select, one(), Some("my index".to_owned()), 2)
    );
    assert_eq!(
        says("insert into One value {'pk': ?}"),
        (StatementKind::Insert, one(), None, 1)
    );
    assert_eq!(
        says("update One set a = ? remove b where pk = ?"),
        (StatementKind::Update, one(), None, 2)
    );
    assert_eq!(
        says("delete from One where pk = 'a'"),
        (StatementKind::Delete, one(), None, 0)
    );
    assert_eq!(
        says("exists(select * from One where pk = 'a' and b = ?)"),
        (StatementKind::Exists, one(), None, 1)
    );
}

#[test]
fn not_every_statement_stands_in_every_call() {
    let schema = KeySchema {
        partition: KeyAttribute {
            name: "pk".to_owned(),
            kind: KeyKind::S,
        },
        sort: None,
    };
    let check = |text: &str| {
        let statement = statement::parse(text).unwrap();
        let keys = Keys {
            table: &schema,
            index: Some(&schema),
        };
        let plan = plan::of(&statement, keys, &[]).unwrap();
        [Call::Statement, Call::Batch, Call::Transaction]
            .map(|call| plan::check_call(&statement, &plan, call).err())
    };
    let (batch, transaction) = (CallProblem::SelectInBatch, CallProblem::SelectInTransaction);
    assert_eq!(check("SELECT a FROM One WHERE pk='a'"), [None, None, None]);
    for text in [
        "SELECT * FROM One",
        "SELECT * FROM One WHERE pk='a' AND n=1",
        "SELECT * FROM One WHERE pk IN ['a']",
        "SELECT * FROM One WHERE pk='a' OR pk='b'",
    ] {
        assert_eq!(
            check(text),
            [None, Some(batch), Some(transaction)],
            "{text}"
        );
    }
    assert_eq!(
        check("SELECT * FROM One.idx WHERE pk='a'"),
        [None, Some(batch), Some(CallProblem::IndexInTransaction)]
    );
    let outside = Some(CallProblem::ExistsOutside);
    assert_eq!(
        check("EXISTS(SELECT * FROM One WHERE pk='a' AND n=1)"),
        [outside, outside, None]
    );
    assert_eq!(
        check("INSERT INTO One VALUE {'pk':'a'}"),
        [None, None, None]
    );
    assert_eq!(check("UPDATE One SET n=1 WHERE pk='a'"), [None, None, None]);
    let returning = Some(CallProblem::ReturningInTransaction);
    assert_eq!(
        check("UPDATE One SET n=1 WHERE pk='a' RETURNING ALL NEW *"),
        [None, None, returning]
    );
    assert_eq!(
        check("DELETE FROM One WHERE pk='a' RETURNING ALL OLD *"),
        [None, None, returning]
    );
}

#[test]
fn reads_and_writes_do_not_stand_together() {
    use StatementKind::{Delete, Exists, Insert, Select, Update};
    let check = |kinds: &[StatementKind], call| plan::check_together(kinds, call).err();
    assert_eq!(check(&[Select, Select], Call::Batch), None);
    assert_eq!(check(&[Insert, Update, Delete], Call::Batch), None);
    assert_eq!(check(&[Exists, Update], Call::Transaction), None);
    let batch = Some(CallProblem::MixedBatch);
    assert_eq!(check(&[Select, Delete], Call::Batch), batch);
    let transaction = Some(CallProblem::MixedTransaction);
    assert_eq!(check(&[Exists, Select], Call::Transaction), transaction);
    assert_eq!(check(&[Select, Insert], Call::Transaction), transaction);
}
