//! Tests of the XML reader and writer.

use proptest::prelude::{ProptestConfig, Strategy, any, prop, proptest};
use proptest::{prop_assert, prop_assert_eq};

use super::{Element, XmlError, XmlWriter, parse};

#[test]
fn text_entities_and_sections_are_joined() {
    let root = parse("<a>1 &lt; 2 &#38; <![CDATA[<3>]]> <!-- no --> &#x20AC;</a>".as_bytes())
        .expect("well formed");
    assert_eq!(root.text, "1 < 2 & <3>  €");
}

#[test]
fn lists_and_members_are_found() {
    let root = parse(b"<C><Regions><Region>a</Region><Region>b</Region><X/></Regions></C>")
        .expect("well formed");
    let regions: Vec<&str> = root
        .members("Regions", "Region")
        .map(|region| region.text.as_str())
        .collect();
    assert_eq!(regions, ["a", "b"]);
    assert_eq!(root.members("Absent", "Region").count(), 0);
    assert_eq!(root.text_of("Absent"), None);
}

#[test]
fn what_is_not_well_formed_is_refused() {
    for text in [
        "",
        "<a>",
        "<a></b>",
        "</a>",
        "<a/><b/>",
        "<a/>text",
        "text",
        "<a>&nbsp;</a>",
        "<a>&#0;</a>",
        "<a",
        "<a>&#xFFFFFFFF;</a>",
        "<a/><",
    ] {
        let refused = parse(text.as_bytes());
        assert!(
            matches!(refused, Err(XmlError::Malformed { .. })),
            "{text}: {refused:?}"
        );
    }
    assert!(matches!(
        parse(b"<a>\xff</a>"),
        Err(XmlError::Malformed { .. })
    ));
}

#[test]
fn entities_cannot_be_defined() {
    let bomb = b"<!DOCTYPE a [<!ENTITY b \"bbbbbbbb\">]><a>&b;&b;</a>";
    assert!(matches!(parse(bomb), Err(XmlError::DocumentType)));
}

#[test]
fn depth_and_size_are_bounded() {
    let nested = |levels: usize| ["<a>".repeat(levels), "</a>".repeat(levels)].concat();
    assert!(parse(nested(32).as_bytes()).is_ok());
    assert!(matches!(
        parse(nested(33).as_bytes()),
        Err(XmlError::TooDeep)
    ));
    assert!(matches!(
        parse("<a>".repeat(1 << 20).as_bytes()),
        Err(XmlError::TooDeep)
    ));
    let wide = format!("<a>{}</a>", "<b/>".repeat(200_000));
    assert!(matches!(parse(wide.as_bytes()), Err(XmlError::TooLarge)));
}

#[test]
fn characters_that_xml_cannot_hold_are_replaced() {
    let mut xml = XmlWriter::undeclared();
    xml.leaf("a", "b\u{1}c");
    assert_eq!(xml.finish(), "<a>b\u{fffd}c</a>");
}

#[test]
fn what_is_left_open_is_closed() {
    let mut xml = XmlWriter::declared();
    xml.open("a");
    xml.open("b");
    xml.close();
    xml.open_in("c", "urn:\"d\"");
    let text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a><b></b><c xmlns=\"urn:&quot;d&quot;\"></c></a>";
    assert_eq!(xml.finish(), text);
}

fn elements() -> impl Strategy<Value = Element> {
    let leaf = ("[A-Za-z][A-Za-z0-9]{0,8}", "[ -~é€]{0,16}").prop_map(|(name, text)| Element {
        name,
        text,
        children: Vec::new(),
    });
    leaf.prop_recursive(4, 32, 6, |inner| {
        ("[A-Za-z]{1,8}", prop::collection::vec(inner, 1..6)).prop_map(|(name, children)| Element {
            name,
            text: String::new(),
            children,
        })
    })
}

fn write(xml: &mut XmlWriter, element: &Element) {
    if element.children.is_empty() {
        xml.leaf(&element.name, &element.text);
    } else {
        xml.within(&element.name, |xml| {
            for child in &element.children {
                write(xml, child);
            }
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_reads_back(element in elements()) {
        let mut xml = XmlWriter::declared();
        write(&mut xml, &element);
        let read = parse(&xml.finish());
        prop_assert!(read.is_ok());
        prop_assert_eq!(read.ok(), Some(element));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn no_markup_makes_the_reader_panic(text in "[<>/a&;!\\[\\]?\"'= -]{0,40}") {
        let _ = parse(text.as_bytes());
    }
}
