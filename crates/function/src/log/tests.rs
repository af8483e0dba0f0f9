//! Lines cut, kept, bounded and read back.

use super::*;

fn at() -> WallTime {
    WallTime::from_micros(0)
}

#[track_caller]
fn cut(chunks: &[&str], expect: &[&str]) {
    let mut cutter = LineCutter::default();
    let mut lines = Vec::new();
    for chunk in chunks {
        cutter.feed(chunk.as_bytes(), |line| lines.push(line));
    }
    cutter.finish(|line| lines.push(line));
    assert_eq!(lines, expect);
}

#[test]
fn lines_are_cut_wherever_the_reads_fall() {
    cut(&["a\nb\n"], &["a", "b"]);
    cut(&["a", "\n", "b"], &["a", "b"]);
    cut(&["a\r\n\nb"], &["a", "", "b"]);
    cut(&[], &[]);
}

#[test]
fn long_lines_are_split() {
    let long = "x".repeat(LOG_LINE_BYTES_MAX.as_len());
    cut(&[&long, "yz\n"], &[&long, "yz"]);
    cut(&[&long, "\nz\n"], &[&long, "z"]);
}

#[test]
fn what_is_no_utf8_is_kept_as_well_as_can_be() {
    let mut cutter = LineCutter::default();
    let mut lines = Vec::new();
    cutter.feed(b"a\xffb\n", |line| lines.push(line));
    assert_eq!(lines, ["a\u{fffd}b"]);
}

#[test]
fn readers_follow_by_sequence() {
    let (log, stream) = (Log::new(), Arc::from("s"));
    for text in ["a", "b", "c"] {
        log.push(at(), &stream, text.to_owned());
    }
    let texts = |from, count| {
        let lines = log.read(from, count);
        lines.into_iter().map(|l| l.text).collect::<String>()
    };
    assert_eq!(texts(0, 2), "ab");
    assert_eq!(texts(2, 9), "c");
    assert_eq!(texts(3, 9), "");
    assert_eq!(*log.watch().borrow(), 3);
}

#[test]
fn the_oldest_lines_go_first() {
    let (log, stream) = (Log::new(), Arc::from("s"));
    let line = "x".repeat(1 << 14);
    for _ in 0..100 {
        log.push(at(), &stream, line.clone());
    }
    let lines = log.read(0, 1000);
    assert_eq!(lines.len(), LOG_BYTES_MAX.as_len() >> 14);
    assert_eq!(lines.last().map(|line| line.sequence), Some(99));
}

#[test]
fn a_tail_has_one_stream_and_a_bound() {
    let log = Log::new();
    let (mine, other): (Arc<str>, Arc<str>) = (Arc::from("s"), Arc::from("s"));
    log.push(at(), &mine, "before".into());
    let from = log.next();
    log.push(at(), &mine, "one".into());
    log.push(at(), &other, "two".into());
    log.push(at(), &mine, "three".into());
    assert_eq!(log.tail(from, &mine), "one\nthree\n");
    log.push(at(), &mine, "é".repeat(3_000));
    let tail = log.tail(from, &mine);
    assert!(tail.len() <= LOG_TAIL_BYTES_MAX.as_len());
    assert!(tail.ends_with("é\n"));
}
