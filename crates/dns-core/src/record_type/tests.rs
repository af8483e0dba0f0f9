//! Tests of record types.

use super::RecordType;

#[test]
fn names_and_numbers_lead_back() {
    for record_type in RecordType::all() {
        assert_eq!(RecordType::parse(record_type.as_str()), Some(record_type));
        assert_eq!(RecordType::from_code(record_type.code()), Some(record_type));
    }
    assert_eq!(RecordType::parse("a"), None);
    assert_eq!(RecordType::from_code(255), None);
}

#[test]
fn the_order_is_that_of_the_names() {
    let names: Vec<_> = RecordType::all().map(RecordType::as_str).collect();
    assert!(names.is_sorted());
    assert!(RecordType::all().is_sorted());
}
