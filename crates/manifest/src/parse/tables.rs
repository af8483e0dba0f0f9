//! `[tables.*]`: keys, stream, replicas, expiry and tags.
//!
//! Indexes are made through DynamoDB's own API.

use base::name::TableName;
use base::region::RegionName;

use crate::limits::{ATTRIBUTE_BYTES_MAX, TAG_CHARS_MAX, TAGS_MAX};
use crate::model::{KeyAttribute, KeyType, Region, StreamView, Table};
use crate::parse::find_region;
use crate::parse::section::{Entry, Section};
use crate::problem::Code;

pub(super) fn read(root: &Section<'_>, regions: &[Region]) -> Vec<Table> {
    let example = "[tables.carts]";
    let Some(section) = root.entry("tables").and_then(|entry| entry.names(example)) else {
        return Vec::new();
    };
    let entries = section.entries();
    let read = entries.iter().filter_map(|entry| table(entry, regions));
    read.collect()
}

fn table(entry: &Entry<'_>, regions: &[Region]) -> Option<Table> {
    let name = TableName::parse(entry.key.value);
    if name.is_err() {
        entry.bad_name("table", "3 to 255 characters of a-z, A-Z, 0-9, _, - and .");
    }
    let section = entry.section(&KEYS, "[tables.carts]")?;
    let partition_key = section
        .required("partition_key", "partition_key = { customer = \"S\" }")
        .and_then(|entry| key(&entry));
    let sort_key = section.entry("sort_key").map(|entry| (key(&entry), entry));
    if let (Some(partition), Some((Some(sort), entry))) = (&partition_key, &sort_key)
        && partition.name == sort.name
    {
        let message = format!("`{}` is both partition key and sort key", sort.name);
        entry.problem(
            Code::BadKeySchema,
            message,
            "the same attribute",
            "name another",
        );
    }
    let stream = section.entry("stream").and_then(|entry| {
        let words = StreamView::ALL.map(StreamView::as_str);
        let at = entry.word(&words, "stream = \"NEW_AND_OLD_IMAGES\"")?;
        StreamView::ALL.get(at).copied()
    });
    let replicas = section.entry("regions").map_or_else(
        || regions.iter().map(|region| region.name.clone()).collect(),
        |entry| replicas(&entry, regions),
    );
    let mut given = section
        .entry("tags")
        .map_or_else(Vec::new, |entry| tags(&entry));
    if let Some(entry) = section.entry("resolver")
        && let Some(at) = entry.word(&RESOLVERS, "resolver = \"item\"")
        && let Some(name) = RESOLVERS.get(at)
    {
        check_offered(&entry, name);
        given.retain(|(key, _)| key != RESOLVER_TAG);
        given.push((RESOLVER_TAG.to_owned(), (*name).to_owned()));
    }
    Some(Table {
        name: name.ok()?,
        partition_key: partition_key?,
        sort_key: sort_key.and_then(|(key, _)| key),
        stream,
        regions: replicas,
        ttl: section.entry("ttl").and_then(|entry| ttl(&entry)),
        tags: given,
    })
}

fn key(entry: &Entry<'_>) -> Option<KeyAttribute> {
    let example = "partition_key = { customer = \"S\" }";
    let section = entry.names(example)?;
    let entries = section.entries();
    let [attribute] = &entries[..] else {
        let message = format!("`{}` must name one attribute", entry.name);
        let fix = format!("write, for example: {example}");
        let label = format!("{} attributes", entries.len());
        entry.problem(Code::BadKeySchema, message, &label, &fix);
        return None;
    };
    let name = attribute.key.value;
    if name.is_empty() || ATTRIBUTE_BYTES_MAX < name.len() {
        attribute.bad_name("key attribute", "1 to 255 bytes");
        return None;
    }
    let at = attribute.word(&KEY_TYPES.map(KeyType::as_str), example)?;
    Some(KeyAttribute {
        name: name.to_owned(),
        kind: *KEY_TYPES.get(at)?,
    })
}

fn replicas(entry: &Entry<'_>, regions: &[Region]) -> Vec<RegionName> {
    let mut replicas: Vec<RegionName> = Vec::new();
    let items = entry.texts("regions = [\"us-east-1\", \"eu-west-1\"]");
    for item in &items {
        let Some(text) = item.text("regions = [\"us-east-1\"]") else {
            continue;
        };
        match find_region(regions, text.value) {
            Some(name) if replicas.contains(&name) => {
                let message = format!("`{name}` is given twice");
                let fix = "name each region once";
                item.problem(Code::DuplicateKey, message, "given again", fix);
            }
            Some(name) => replicas.push(name),
            None => item.ctx.unknown_region(item.span(), text.value, regions),
        }
    }
    if items.is_empty() && entry.value.get_ref().is_array() {
        let message = format!("`{}` names no region", entry.name);
        let fix = "name at least one, or leave the key out for all regions";
        entry.problem(Code::OutOfRange, message, "empty", fix);
    }
    replicas
}

fn ttl(entry: &Entry<'_>) -> Option<String> {
    let name = entry.text("ttl = \"expires_at\"")?.value;
    if name.is_empty() || ATTRIBUTE_BYTES_MAX < name.len() {
        let message = format!("`{name}` is no attribute name");
        let fix = "name the attribute that holds the expiry, in seconds since 1970";
        entry.problem(Code::BadName, message, "not allowed", fix);
        return None;
    }
    Some(name.to_owned())
}

/// Checks that a resolver is the one that is offered.
fn check_offered(entry: &Entry<'_>, name: &str) {
    if name != "item" {
        let message = format!("the resolver `{name}` is not offered yet");
        let fix = "leave it out, or write \"item\": of two writes that raced the later one stays";
        entry.problem(Code::Unsupported, message, "not offered", fix);
    }
}

fn tags(entry: &Entry<'_>) -> Vec<(String, String)> {
    let example = "tags = { team = \"shop\" }";
    let entries = entry.names(example).map(|s| s.entries());
    let entries = entries.unwrap_or_default();
    if TAGS_MAX < entries.len() {
        let message = format!("`{}` has more than {TAGS_MAX} tags", entry.name);
        entry.problem(Code::TooMany, message, "too many in here", "leave some out");
    }
    let mut tags = Vec::new();
    for entry in entries {
        let Some(text) = entry.text(example) else {
            continue;
        };
        let key = entry.key.value;
        let (key_max, value_max) = TAG_CHARS_MAX;
        let wrong = if key.is_empty() || key_max < key.chars().count() {
            Some(format!("a tag key is 1 to {key_max} characters"))
        } else if key.starts_with("aws:") {
            Some("tag keys that start with `aws:` are AWS's own".to_owned())
        } else if value_max < text.value.chars().count() {
            Some(format!("a tag value is at most {value_max} characters"))
        } else {
            None
        };
        if key == RESOLVER_TAG {
            check_offered(&entry, text.value);
        }
        match wrong {
            None => tags.push((key.to_owned(), text.value.to_owned())),
            Some(rule) => {
                let message = format!("tag `{key}` is refused by DynamoDB");
                let span = entry.key.span.clone();
                let ctx = entry.ctx;
                ctx.problem(Code::BadTag, span, message, "not allowed", &rule);
            }
        }
    }
    tags
}

const KEYS: [&str; 7] = [
    "partition_key",
    "sort_key",
    "stream",
    "regions",
    "ttl",
    "resolver",
    "tags",
];

/// What may become of writes that raced, and the tag that says so.
const RESOLVERS: [&str; 3] = ["item", "attributes", "counters"];
const RESOLVER_TAG: &str = "hither:resolver";

const KEY_TYPES: [KeyType; 3] = [KeyType::String, KeyType::Number, KeyType::Binary];
