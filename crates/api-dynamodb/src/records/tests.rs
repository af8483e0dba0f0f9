//! Readers of item files, and what hostile ones make of them.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::wire::render;

fn read(bytes: &[u8], packing: Packing, format: Format) -> Vec<Entry> {
    let object = std::io::Cursor::new(bytes.to_vec());
    Records::new(Box::new(object), packing, format).collect()
}

/// Returns records as lines: items as JSON, mistakes by their kind and words.
fn told(entries: &[Entry]) -> Vec<String> {
    let shown = |item: &Item| {
        let mut out = Vec::new();
        render::tree(&mut out, item).unwrap();
        String::from_utf8(out).unwrap()
    };
    let one = |entry: &Entry| match &entry.record {
        Ok(Record::Put { item, condition }) => match condition {
            Some(_) => format!("{} if", shown(item)),
            None => shown(item),
        },
        Ok(Record::Delete(key)) => format!("gone {}", shown(key)),
        Err(error) => format!("! {error}"),
    };
    entries.iter().map(one).collect()
}

fn columns(delimiter: u8, header: Option<&[&str]>, kinds: &[(&str, KeyKind)]) -> Format {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Format::Csv(Columns {
        delimiter,
        header: header.map(owned),
        kinds: kinds
            .iter()
            .map(|(name, kind)| ((*name).to_owned(), *kind))
            .collect(),
    })
}

fn check(format: Format, text: &str, expect: &[&str]) {
    let entries = read(text.as_bytes(), Packing::None, format);
    let found = told(&entries);
    let alike = |(found, expect): (&String, &&str)| match expect.strip_suffix('…') {
        Some(start) => found.starts_with(start),
        None => found == expect,
    };
    assert_eq!(found.len(), expect.len(), "{text:?}: {found:#?}");
    assert!(
        found.iter().zip(expect).all(alike),
        "{text:?}: {found:#?} and not {expect:#?}"
    );
}

#[test]
fn lines_of_json_are_items() {
    let text = "{\"Item\":{\"pk\":{\"S\":\"a\"},\"n\":{\"N\":\"1\"}}}\n\n  \n\
                {\"Item\":{\"pk\":{\"S\":\"b\"}},\"Other\":1}\r\n\
                {\"Keys\":{\"pk\":{\"S\":\"c\"}},\"NewImage\":{\"pk\":{\"S\":\"c\"}},\
                \"OldImage\":{\"pk\":{\"S\":\"old\"}}}\n\
                {\"Keys\":{\"pk\":{\"S\":\"d\"}},\"OldImage\":{\"pk\":{\"S\":\"d\"}}}\n\
                {\"Item\":{\"pk\":{\"S\":\"e\"}},\"ConditionExpression\":\"attribute_exists(#a)\",\
                \"ExpressionAttributeNames\":{\"#a\":\"pk\"}}";
    let expect = [
        r#"{"n":{"N":"1"},"pk":{"S":"a"}}"#,
        r#"{"pk":{"S":"b"}}"#,
        r#"{"pk":{"S":"c"}}"#,
        r#"gone {"pk":{"S":"d"}}"#,
        r#"{"pk":{"S":"e"}} if"#,
    ];
    check(Format::Json, text, &expect);
    let bytes: u64 = read(text.as_bytes(), Packing::None, Format::Json)
        .iter()
        .map(|entry| entry.bytes)
        .sum();
    assert_eq!(bytes, text.len() as u64);
}

#[test]
fn broken_lines_do_not_hold_up_the_others() {
    let good = "{\"Item\":{\"pk\":{\"S\":\"a\"}}}";
    let deep = "[".repeat(100_000);
    let cases = [
        (
            "{\"Item\":{\"pk\":{\"S\":\"a\"}}",
            "! the record is malformed: …",
        ),
        (
            "{\"Item\":{\"pk\":{\"S\":1}}}",
            "! the record is malformed: …",
        ),
        (
            "{\"Item\":{\"pk\":{\"B\":\"%\"}}}",
            "! the record is malformed: …",
        ),
        (&deep, "! the record is malformed: …"),
        ("{} {}", "! the record is malformed: …"),
        ("\u{0}", "! the record is malformed: …"),
        ("{}", "! the record has no Item, …"),
        (
            "{\"Item\":{\"pk\":{}}}",
            "! Supplied AttributeValue is empty, …",
        ),
        (
            "{\"Item\":{\"\":{\"S\":\"\"}}}",
            "! One or more parameter values were invalid: Empty…",
        ),
        (
            "{\"Item\":{\"pk\":{\"N\":\"x\"}}}",
            "! The parameter cannot be converted …",
        ),
        (
            "{\"Item\":{\"pk\":{\"S\":\"a\"}},\"ConditionExpression\":\"!\"}",
            "! Invalid ConditionExpression: …",
        ),
    ];
    for (broken, expect) in cases {
        let text = format!("{good}\n{broken}\n{good}\n");
        let item = r#"{"pk":{"S":"a"}}"#;
        check(Format::Json, &text, &[item, expect, item]);
    }
    let entries = read(b"{\"Item\"\xff\n", Packing::None, Format::Json);
    assert!(entries[0].record.is_err());
}

#[test]
fn long_lines_are_not_kept() {
    let mut text = format!(
        "{{\"Item\":{{\"pk\":{{\"S\":\"{}\"}}}}}}\n",
        "x".repeat(9 << 20)
    );
    let length = text.len() as u64;
    text.push_str("{\"Item\":{\"pk\":{\"S\":\"a\"}}}\n");
    for format in [Format::Json, Format::Ion] {
        let entries = read(text.as_bytes(), Packing::None, format);
        assert!(matches!(entries[0].record, Err(RecordError::TooLong)));
        assert_eq!(entries[0].bytes, length);
        assert_eq!(entries.len(), 2);
    }
    // A quote that is never closed: what follows is read again behind the bound.
    let rows = "a,b\n\"".to_owned() + &"x,y\n".repeat(3 << 20);
    let entries = read(rows.as_bytes(), Packing::None, columns(b',', None, &[]));
    assert!(matches!(entries[0].record, Err(RecordError::TooLong)));
    assert!(entries[1].record.is_ok());
}

#[test]
fn structs_of_ion_are_items() {
    let text = "$ion_1_0 {Item:{pk:\"a\",n:1.5,e:-12d-3,big:1_000,hex:0xff,yes:true,none:null,\
                typed:null.string,'quoted name':\"\\u00e9\\x41\\n\\ud83d\\ude00\",b:{{ AQI= }},\
                l:[1,\"x\",],m:{\"in side\":2e3},ss:$dynamodb_SS::[\"p\",\"q\"],\
                ns:$dynamodb_NS::[1.,2],bs:'$dynamodb_BS'::[{{AQ==}}]}}\n\
                // a comment with a {\n\
                $ion_1_0 {\n  Item: { /* here } */ pk: '''long\n''' '''text''' }\n}\n\
                {Item:{pk:\"two\"}} {Item:{pk:\"three\"}}\n\
                $ion_1_0 {Record:{Metadata:{WriteTimestampMicros:1.},Keys:{pk:\"k\"}}}\n\
                {Item:{pk:\"c\"},ConditionExpression:\"pk = :v\",\
                ExpressionAttributeValues:{':v':\"c\"}}";
    let first = "{\"b\":{\"B\":\"AQI=\"},\"big\":{\"N\":\"1000\"},\"bs\":{\"BS\":[\"AQ==\"]},\
                 \"e\":{\"N\":\"-0.012\"},\"hex\":{\"N\":\"255\"},\
                 \"l\":{\"L\":[{\"N\":\"1\"},{\"S\":\"x\"}]},\
                 \"m\":{\"M\":{\"in side\":{\"N\":\"2000\"}}},\"n\":{\"N\":\"1.5\"},\
                 \"none\":{\"NULL\":true},\"ns\":{\"NS\":[\"1\",\"2\"]},\"pk\":{\"S\":\"a\"},\
                 \"quoted name\":{\"S\":\"éA\\n😀\"},\"ss\":{\"SS\":[\"p\",\"q\"]},\
                 \"typed\":{\"NULL\":true},\"yes\":{\"BOOL\":true}}";
    let expect = [
        first,
        r#"{"pk":{"S":"long\ntext"}}"#,
        r#"{"pk":{"S":"two"}}"#,
        r#"{"pk":{"S":"three"}}"#,
        r#"gone {"pk":{"S":"k"}}"#,
        r#"{"pk":{"S":"c"}} if"#,
    ];
    check(Format::Ion, text, &expect);
}

#[test]
fn broken_ion_does_not_hold_up_what_follows_its_version_marker() {
    let good = "$ion_1_0 {Item:{pk:\"a\"}}";
    let deep = format!("{{Item:{}}}", "[".repeat(100));
    let cases = [
        "{Item:{pk:\"a\"}",
        "{Item:{pk:}}",
        "{Item:{pk:symbol}}",
        "{Item:{pk:2020-01-01T}}",
        "{Item:{pk:{{\"clob\"}}}}",
        "{Item:{pk:{{%}}}}",
        "{Item:{pk:(a b)}}",
        "{Item:{pk:\"a\\q\"}}",
        "{Item:{pk:\"\\ud800\"}}",
        "{Item:{pk:$dynamodb_SS::[\"a\",\"a\"]}}",
        "{Item:{pk:$dynamodb_NS::[]}}",
        "{Item:{pk:other::1}}",
        "{Item:{true:1}}",
        "{Item:[1]}",
        "[1]",
        "{Item:{pk:\"a\"",
        "{Item:{pk:nan}}",
        &deep,
    ];
    for broken in cases {
        let text = format!("{good}\n$ion_1_0 {broken}\n{good}\n");
        let item = r#"{"pk":{"S":"a"}}"#;
        check(Format::Ion, &text, &[item, "! …", item]);
    }
    // Without a marker, what is never closed takes the rest with it, and is one mistake.
    check(Format::Ion, "{Item:{a:1}\n{Item:{a:2}}\n", &["! …"]);
    check(Format::Ion, "{Item:{a:'''1}\n", &["! …"]);
    check(Format::Ion, "/* {Item:{a:1}}\n", &["! …"]);
    check(Format::Ion, "{Item:{a:{{AQ==\n", &["! …"]);
}

#[test]
fn rows_of_csv_are_items() {
    let kinds = [("pk", KeyKind::S), ("sk", KeyKind::N), ("raw", KeyKind::B)];
    let text = "\u{feff}pk,sk,raw,note\na,1,AQI=,\n\"b,\"\"q\"\"\",-2.50,,\"two\nlines\"\r\n";
    let expect = [
        r#"{"note":{"S":""},"pk":{"S":"a"},"raw":{"B":"AQI="},"sk":{"N":"1"}}"#,
        r#"{"note":{"S":"two\nlines"},"pk":{"S":"b,\"q\""},"raw":{"B":""},"sk":{"N":"-2.5"}}"#,
    ];
    check(columns(b',', None, &kinds), text, &expect);
    let header = Some(&["pk", "n"][..]);
    for delimiter in [b';', b':', b'|', b'\t', b' '] {
        let text = format!("a{0}1\nb{0}2\n", char::from(delimiter));
        let expect = [
            r#"{"n":{"S":"1"},"pk":{"S":"a"}}"#,
            r#"{"n":{"S":"2"},"pk":{"S":"b"}}"#,
        ];
        check(columns(delimiter, header, &kinds), &text, &expect);
    }
    let broken = "a,\"1\"2\na,5\" disk\na\na,1,2\nb,2\n";
    let expect = [
        "! the record is malformed: a closing quote must end its field",
        "! the record is malformed: a field with quotes in it must be between quotes, and they \
         doubled",
        "! the record is malformed: the row has 1 fields, and the header 2",
        "! the record is malformed: the row has 3 fields, and the header 2",
        r#"{"n":{"S":"2"},"pk":{"S":"b"}}"#,
    ];
    check(columns(b',', header, &kinds), broken, &expect);
    let header = Some(&["pk", "sk"][..]);
    let expect = ["! The parameter cannot be converted to a numeric value…"];
    check(columns(b',', header, &kinds), "a,one\n", &expect);
    for header in ["a,a\n1,2\n", ",a\n1,2\n", "\"a\n", "a,b\"\n1,2\n"] {
        let expect = ["! the rest of the object cannot be read: …"];
        check(columns(b',', None, &kinds), header, &expect);
    }
    check(columns(b',', None, &kinds), "", &[]);
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(text).unwrap();
    packed.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    ruzstd::encoding::compress_to_vec(text, level)
}

#[test]
fn objects_are_unpacked_and_truncated_ones_read_as_far_as_they_go() {
    let line = |number: usize| format!("{{\"Item\":{{\"pk\":{{\"S\":\"{number}\"}}}}}}\n");
    let half = |from: usize| (from..from + 5000).map(line).collect::<String>();
    for (packing, pack) in [
        (Packing::Gzip, gzip as fn(&[u8]) -> Vec<u8>),
        (Packing::Zstd, zstd),
    ] {
        let mut packed = pack(half(0).as_bytes());
        if packing == Packing::Zstd {
            // A frame to be skipped, of 3 bytes.
            packed.extend_from_slice(b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc");
        }
        packed.extend_from_slice(&pack(half(5000).as_bytes()));
        let entries = read(&packed, packing, Format::Json);
        assert_eq!(entries.len(), 10_000, "{packing:?}");
        assert!(entries.iter().all(|entry| entry.record.is_ok()));
        assert_eq!(told(&entries)[9999], r#"{"pk":{"S":"9999"}}"#);
        let cut = packed.len() - packed.len() / 8;
        let entries = read(&packed[..cut], packing, Format::Json);
        let (last, whole) = entries.split_last().unwrap();
        assert!(
            matches!(last.record, Err(RecordError::Unreadable(_))),
            "{packing:?}"
        );
        assert!(whole.len() >= 5000, "{packing:?}: {}", whole.len());
        let entries = read(b"no such format", packing, Format::Json);
        assert_eq!(entries.len(), 1, "{packing:?}");
        assert!(matches!(entries[0].record, Err(RecordError::Unreadable(_))));
        assert_eq!(read(b"", packing, Format::Json).len(), 0);
    }
}

#[test]
fn a_small_object_that_unpacks_to_much_is_read_within_bounds() {
    let bomb = gzip(&vec![b'x'; 64 << 20]);
    assert!(bomb.len() < 100_000);
    let entries = read(&bomb, Packing::Gzip, Format::Json);
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].bytes, 64 << 20);
    assert!(matches!(entries[0].record, Err(RecordError::TooLong)));
}

#[test]
fn a_line_of_many_structs_is_read_one_by_one() {
    let text = "{}".repeat(RECORD_BYTES_MAX / 2);
    let object = Box::new(std::io::Cursor::new(text.clone().into_bytes()));
    let mut records = Records::new(object, Packing::None, Format::Ion);
    let first = records.next().unwrap();
    assert_eq!(first.bytes, text.len() as u64);
    assert_eq!(records.structs.as_ref().map(Structs::read), Some(2));
    assert_eq!(records.next().unwrap().bytes, 0);
    assert_eq!(records.structs.as_ref().map(Structs::read), Some(4));
}

#[test]
fn a_record_has_no_more_values_than_an_item_can() {
    let many = "! the record is malformed: it has more values than an item can…";
    let list = format!(
        "{{Item:{{pk:[{}]}}}}\n{{Item:{{pk:1.}}}}",
        "0,".repeat(410_000)
    );
    check(Format::Ion, &list, &[many, "{\"pk\":{\"N\":\"1\"}}"]);
    let list = format!(
        "{{\"Item\":{{\"pk\":{{\"L\":[{}{{}}]}}}}}}",
        "{},".repeat(820_000)
    );
    check(Format::Json, &list, &[many]);
}

#[test]
fn a_window_of_zstd_is_no_larger_than_8_mib() {
    // The magic number, a frame without a size or a checksum, its window, and an empty last block.
    let frame = |window: u8| [0x28, 0xb5, 0x2f, 0xfd, 0, window, 1, 0, 0];
    let fits = read(&frame(13 << 3), Packing::Zstd, Format::Json);
    assert!(fits.is_empty(), "{fits:?}");
    let entries = read(&frame(14 << 3), Packing::Zstd, Format::Json);
    assert!(told(&entries)[0].contains("cannot be read"), "{entries:?}");
}
