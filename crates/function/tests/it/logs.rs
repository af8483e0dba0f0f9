//! What functions write, in order and around it Lambda's own lines.

use crate::bootstrap::{World, f};

#[tokio::test]
async fn a_tail_has_the_invocation_and_nothing_else() {
    let world = World::new();
    world.text("{}").await;
    let answer = world.answer(r#"{"do": "print"}"#).await;
    let tail = answer.log_tail.unwrap();
    let lines: Vec<_> = tail.lines().collect();
    let [start, out, err, end, report] = lines[..] else {
        panic!("{tail}");
    };
    let id = answer.request_id;
    assert_eq!(start, format!("START RequestId: {id} Version: $LATEST"));
    assert_eq!(out, "to standard output");
    assert_eq!(err, "to standard error");
    assert_eq!(end, format!("END RequestId: {id}"));
    assert!(report.starts_with(&format!("REPORT RequestId: {id}\tDuration: ")));
    assert!(report.contains("\tMemory Size: 128 MB\tMax Memory Used: "));
    assert!(
        !report.contains("Init Duration"),
        "only the first has it: {report}"
    );
}

#[tokio::test]
async fn the_log_has_starts_too_and_is_there_when_the_answer_is() {
    let world = World::new();
    world.text(r#"{"do": "print"}"#).await;
    let lines = world.host.log(&f(), 0, 100).unwrap();
    let texts: Vec<_> = lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(texts[0], "starting");
    assert!(texts[1].starts_with("START"));
    assert_eq!(texts[2..4], ["to standard output", "to standard error"]);
    assert!(texts[5].contains("\tInit Duration: "), "{texts:?}");
    assert!(lines[0].stream.contains("/[$LATEST]"));
    assert!(
        lines
            .windows(2)
            .all(|pair| pair[0].sequence + 1 == pair[1].sequence)
    );
    let from = lines[4].sequence;
    assert_eq!(
        world.host.log(&f(), from, 100).unwrap().len(),
        texts.len() - 4
    );
}

#[tokio::test]
async fn each_instance_has_a_stream_of_its_own() {
    let world = World::new();
    world.text("{}").await;
    world.answer(r#"{"do": "exit", "code": 1}"#).await;
    world.text("{}").await;
    let lines = world.host.log(&f(), 0, 100).unwrap();
    let streams: std::collections::BTreeSet<_> = lines.iter().map(|line| &line.stream).collect();
    assert_eq!(streams.len(), 2);
}
