//! Statements of PartiQL: parsed, then planned against tables of several shapes.
//!
//! It runs no plan.

use item::key::{KeyAttribute, KeyKind, KeySchema};
use item::value::{AttributeValue, Item};
use partiql::plan::{self, Call, Keys, Plan};
use partiql::statement;

/// Takes the text of a statement.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(statement) = statement::parse(text) else {
        return;
    };
    assert!(!statement.table().is_empty(), "a statement names a table");
    let cycle = [
        AttributeValue::from("a"),
        AttributeValue::from(5),
        AttributeValue::L(vec!["a".into(), 5.into()]),
        AttributeValue::M([("a".to_owned(), true.into())].into()),
        AttributeValue::Null,
    ];
    let parameters: Vec<_> = cycle
        .into_iter()
        .cycle()
        .take(statement.parameters())
        .collect();
    for (table, index) in [
        (schema(KeyKind::S, Some(KeyKind::N)), None),
        (schema(KeyKind::S, None), None),
        (
            schema(KeyKind::N, Some(KeyKind::S)),
            Some(schema(KeyKind::S, Some(KeyKind::S))),
        ),
    ] {
        let index = index.as_ref().or_else(|| statement.index().map(|_| &table));
        let keys = Keys {
            table: &table,
            index,
        };
        let Ok(plan) = plan::of(&statement, keys, &parameters) else {
            continue;
        };
        for call in [Call::Statement, Call::Batch, Call::Transaction] {
            let _ = plan::check_call(&statement, &plan, call);
        }
        check(&plan, &table);
    }
}

/// Checks that what is written has the key that it is written under.
fn check(plan: &Plan, table: &KeySchema) {
    match plan {
        Plan::Insert(insert) => {
            assert_eq!(table.key_of(&insert.item).as_ref(), Ok(&insert.key));
            assert!(insert.condition.evaluate(None), "nothing is in the way");
            assert!(
                !insert.condition.evaluate(Some(&insert.item)),
                "it is there"
            );
        }
        Plan::Update(update) => {
            assert!(
                !update.condition.evaluate(None),
                "there is nothing to change"
            );
            let before = update.key.to_item(table);
            if let Ok(after) = update.changes.apply(&before) {
                assert_eq!(table.key_of(&after).as_ref(), Ok(&update.key));
            }
        }
        Plan::Delete(delete) => {
            let holds = delete
                .condition
                .as_ref()
                .is_none_or(|one| one.evaluate(None));
            assert!(holds, "what is not there is gone");
        }
        Plan::Check(check) => assert!(!check.condition.evaluate(None), "nothing exists"),
        Plan::Select(select) => {
            let _ = select.list.of(&Item::from_iter([("a", "b")]));
        }
    }
}

fn schema(partition: KeyKind, sort: Option<KeyKind>) -> KeySchema {
    let attribute = |name: &str, kind| KeyAttribute {
        name: name.to_owned(),
        kind,
    };
    KeySchema {
        partition: attribute("pk", partition),
        sort: sort.map(|kind| attribute("sk", kind)),
    }
}
