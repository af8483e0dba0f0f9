//! What is wrong with the values of a record set.
//!
//! Codes and texts are Route 53's; DNS knows only what is wrong.

use control::dns::Data;
use dns_core::name::BadName;
use dns_core::rdata::{BadRdata, Fault, Rdata};
use dns_core::record_type::RecordType;

use super::{Action, Change};
use crate::limits::{VALUE_CHARACTERS_MAX, VALUES_MAX};

/// Returns what is wrong with a change's values.
pub(super) fn wrong(change: &Change) -> Vec<String> {
    let Data::Records { values, .. } = &change.set.data else {
        return Vec::new();
    };
    // What is removed is compared with what is there, whatever it is.
    if change.action == Action::Delete {
        return Vec::new();
    }
    let mut messages = Vec::new();
    if VALUES_MAX < values.len() {
        messages.push(format!(
            "Cannot have more than {VALUES_MAX} records in a RRSet."
        ));
    }
    let single = matches!(change.record_type, RecordType::Cname | RecordType::Soa);
    if single && 1 < values.len() {
        messages.push(format!(
            "RRSet of type {} may contain only one ResourceRecord.",
            change.record_type
        ));
    }
    for (at, value) in values.iter().enumerate() {
        if VALUE_CHARACTERS_MAX < value.chars().count() {
            messages.push(format!(
                "A value has more than {VALUE_CHARACTERS_MAX} characters."
            ));
        } else if let Err(bad) = Rdata::parse(change.record_type, value) {
            messages.push(worded(change.record_type, &bad));
        } else if values.iter().take(at).any(|other| other == value) {
            messages.push(format!("Duplicate Resource Record: '{value}'"));
        }
    }
    messages
}

fn worded(record_type: RecordType, bad: &BadRdata) -> String {
    let (code, text) = code(record_type, &bad.fault);
    let value = &bad.value;
    format!("Invalid Resource Record: 'FATAL problem: {code} ({text}) encountered with '{value}''")
}

fn code(record_type: RecordType, fault: &Fault) -> (String, String) {
    let plain = |code: &str, text: &str| (code.to_owned(), text.to_owned());
    match fault {
        Fault::Ipv4 => plain(
            "ARRDATAIllegalIPv4Address",
            "Value is not a valid IPv4 address",
        ),
        Fault::Ipv6 => plain(
            "AAAARRDATAIllegalIPv6Address",
            "Value is not a valid IPv6 address",
        ),
        Fault::Name(BadName::Empty) => plain("DomainNameEmpty", "Domain name is empty"),
        Fault::Name(BadName::LabelEmpty) => plain("DomainLabelEmpty", "Domain label is empty"),
        Fault::Name(BadName::LabelTooLong) => {
            plain("DomainLabelTooLong", "Domain label is too long")
        }
        Fault::Name(BadName::NameTooLong) => plain("DomainNameTooLong", "Domain name is too long"),
        Fault::Name(BadName::Unsupported) => plain(
            "UnsupportedCharacter",
            "Value contains unsupported characters",
        ),
        Fault::NotQuoted => plain(
            "InvalidCharacterString",
            "Value should be enclosed in quotation marks",
        ),
        Fault::StringTooLong => plain("CharacterStringTooLong", "Value is too long"),
        Fault::FieldCount { expected } => {
            let number = match expected {
                2 => "Two",
                3 => "Three",
                4 => "Four",
                6 => "Six",
                7 => "Seven",
                _ => "Enough",
            };
            (
                format!("{record_type}RRDATANot{number}Fields"),
                format!("{record_type} record doesn't have {expected} fields"),
            )
        }
        Fault::Number { .. } | Fault::Hex | Fault::Tag | Fault::Parameter(_) | Fault::TooLong => {
            let text = fault.to_string();
            let (first, rest) = text.split_at(text.len().min(1));
            (
                format!("{record_type}RRDATAIllegalField"),
                format!("{}{rest}", first.to_uppercase()),
            )
        }
    }
}
