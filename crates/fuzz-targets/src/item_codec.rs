//! Stored items: bytes that may be one, read whole and read in place.
//!
//! It stores nothing.

use item::codec;
use item::size;
use item::view::ItemRef;

/// Takes the bytes of an item.
pub fn run(data: &[u8]) {
    let decoded = codec::decode(data);
    if let Ok(view) = ItemRef::parse(data) {
        let size = view.size();
        for name in ["", "a", "pk", "\u{10ffff}"] {
            let found = view.get(name).and_then(|value| {
                let value = value.map(|value| value.to_value());
                value.transpose()
            });
            if let (Ok(item), Ok(found)) = (&decoded, found) {
                assert_eq!(item.get(name), found.as_ref(), "{name:?}");
            }
        }
        if let Ok(item) = &decoded {
            assert_eq!(size, Ok(size::item_size(item)));
            assert_eq!(view.len(), item.len());
        }
    }
    if let Ok(item) = decoded {
        assert_eq!(codec::encode(&item), data, "an item has one encoding");
        // Sizes and depths are what a write is refused by: an answer must come for any item.
        let _ = size::check(&item);
    }
}
