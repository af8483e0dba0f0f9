//! Bytes that every region keeps and none holds in memory: the code of functions.
//!
//! It knows nothing of what the bytes are; whoever stores them bounds them.

use std::sync::Arc;

use bytes::Bytes;

use item::codec;
use item::key::{Key, KeyValue};
use item::value::{AttributeValue, Item};
use store::port::Store;
use table::write::{Effect, Write};

use crate::control::{Control, ControlError};
use crate::resource::BadResource;
use crate::system::SystemTable;

impl<S: Store> Control<S> {
    /// Stores bytes under a key of a table that is not kept in memory.
    ///
    /// Errors: those of the tables.
    pub async fn put_blob(
        &self,
        table: SystemTable,
        partition: &str,
        sort: &str,
        bytes: Bytes,
    ) -> Result<(), ControlError> {
        debug_assert!(!table.is_resident(), "resident tables hold resources");
        let key = key_of(partition, sort);
        let mut item = Item::new();
        item.insert(
            "partition".to_owned(),
            AttributeValue::S(partition.to_owned()),
        );
        item.insert("sort".to_owned(), AttributeValue::S(sort.to_owned()));
        item.insert("bytes".to_owned(), AttributeValue::B(bytes));
        let decide = Box::new(move |_: &_| Ok(Effect::Put(item)));
        let write = Write {
            table: Arc::clone(&self.inner.definitions[&table]),
            key,
            decide,
        };
        self.inner
            .tables
            .write(write)
            .await
            .map_err(ControlError::Write)?;
        Ok(())
    }

    /// Returns bytes that [`Control::put_blob`] stored, here or in another region.
    ///
    /// Errors: those of the tables.
    pub async fn blob(
        &self,
        table: SystemTable,
        partition: &str,
        sort: &str,
    ) -> Result<Option<Bytes>, ControlError> {
        let key = key_of(partition, sort);
        let row = self
            .inner
            .tables
            .get(&self.inner.definitions[&table], &key)
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let item = codec::decode(&row.image).map_err(|error| BadResource {
            table,
            partition: partition.to_owned(),
            sort: sort.to_owned(),
            reason: error.to_string(),
        })?;
        Ok(item.get("bytes").and_then(AttributeValue::as_b).cloned())
    }
}

fn key_of(partition: &str, sort: &str) -> Key {
    Key {
        partition: KeyValue::from(partition),
        sort: Some(KeyValue::from(sort)),
    }
}
