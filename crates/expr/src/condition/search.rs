//! `begins_with` and `contains`, in time linear in their operands.

use item::value::AttributeValue;

/// Returns whether a text or bytes begin with another.
pub(super) fn begins_with(value: &AttributeValue, prefix: &AttributeValue) -> bool {
    match (value, prefix) {
        (AttributeValue::S(text), AttributeValue::S(prefix)) => text.starts_with(prefix.as_str()),
        (AttributeValue::B(bytes), AttributeValue::B(prefix)) => bytes.starts_with(prefix),
        (_, _) => false,
    }
}

/// Returns whether a text or bytes contain another, or a set or a list an element.
pub(super) fn contains(value: &AttributeValue, element: &AttributeValue) -> bool {
    match (value, element) {
        (AttributeValue::S(text), AttributeValue::S(part)) => text.contains(part.as_str()),
        (AttributeValue::B(bytes), AttributeValue::B(part)) => contains_bytes(bytes, part),
        (AttributeValue::Ss(set), AttributeValue::S(element)) => set.contains(element),
        (AttributeValue::Ns(set), AttributeValue::N(element)) => set.contains(element),
        (AttributeValue::Bs(set), AttributeValue::B(element)) => set.contains(element),
        (AttributeValue::L(list), element) => list.contains(element),
        (_, _) => false,
    }
}

/// Returns whether `bytes` contain `part`, by the method of Knuth, Morris and Pratt: an item
/// may hold 400 KiB of each, which a search of every offset would take minutes over.
fn contains_bytes(bytes: &[u8], part: &[u8]) -> bool {
    let mut fallback = Vec::with_capacity(part.len());
    let mut matched = 0;
    for (at, byte) in part.iter().enumerate() {
        if at > 0 {
            matched = extend(part, &fallback, matched, *byte);
        }
        fallback.push(matched);
    }
    let mut matched = 0;
    for byte in bytes {
        if matched == part.len() {
            break;
        }
        matched = extend(part, &fallback, matched, *byte);
    }
    matched == part.len()
}

/// Returns how many bytes of `part` match after `byte`, when `matched` did before it.
fn extend(part: &[u8], fallback: &[usize], matched: usize, byte: u8) -> usize {
    let mut matched = matched;
    loop {
        if part.get(matched) == Some(&byte) {
            return matched + 1;
        }
        let Some(shorter) = matched.checked_sub(1).and_then(|at| fallback.get(at)) else {
            return 0;
        };
        matched = *shorter;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::contains_bytes;

    proptest! {
        #[test]
        fn bytes_are_found_as_a_search_of_every_offset_finds_them(
            bytes in proptest::collection::vec(0_u8..2, 0..40),
            part in proptest::collection::vec(0_u8..2, 0..8),
        ) {
            let naive = part.is_empty() || bytes.windows(part.len()).any(|window| window == part);
            prop_assert_eq!(contains_bytes(&bytes, &part), naive);
        }
    }
}
