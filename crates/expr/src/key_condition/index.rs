//! Key conditions on an index, whose partition and sort keys may have several attributes.
//!
//! Every attribute of the partition key is tested for equality; those of the sort key are tested
//! from left to right, and only the last one tested may be so by a range.
//! Source: DynamoDB developer guide, "Multi-attribute keys pattern".

use item::key::{KeyAttribute, KeyError, KeyRole, KeyValue, encode_sort, prefix_end};

use super::{BindError, KeyCondition, KeyTest, SortRange, key_value};

/// What a query reads of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexRange {
    /// The partition: a value for each attribute of its key.
    pub partition: Vec<KeyValue>,
    /// The values of the first attributes of the sort key.
    pub equal: Vec<KeyValue>,
    /// The range of the attribute after them; all of it where there is none.
    pub range: Option<SortRange>,
}

impl KeyCondition {
    /// Returns the range that the condition means in an index of this key.
    ///
    /// Errors: [`BindError`] when the condition and the key do not fit.
    pub fn bind_index(
        &self,
        partition: &[KeyAttribute],
        sort: &[KeyAttribute],
    ) -> Result<IndexRange, BindError> {
        let keys = || partition.iter().chain(sort);
        let test = |key: &KeyAttribute| {
            let found = self.tests.iter().find(|(name, _)| *name == key.name);
            found.map(|(_, test)| test)
        };
        let missed = |key: &KeyAttribute| BindError::Missed {
            name: key.name.clone(),
        };
        let mut values = Vec::with_capacity(partition.len());
        for key in partition {
            match test(key).ok_or_else(|| missed(key))? {
                KeyTest::Eq(value) => values.push(key_value(key, value, KeyRole::Partition)?),
                KeyTest::Lt(_)
                | KeyTest::Le(_)
                | KeyTest::Gt(_)
                | KeyTest::Ge(_)
                | KeyTest::Between(..)
                | KeyTest::BeginsWith(_) => return Err(BindError::NotSupported),
            }
        }
        let is_surplus = |(name, _): &(String, KeyTest)| !keys().any(|key| key.name == *name);
        if self.tests.iter().any(is_surplus) {
            let untested = sort.iter().find(|key| test(key).is_none());
            return Err(untested.map_or(BindError::NotSupported, missed));
        }
        let mut found = IndexRange {
            partition: values,
            equal: Vec::new(),
            range: None,
        };
        let mut gap: Option<&KeyAttribute> = None;
        for key in sort {
            match (test(key), gap) {
                (None, _) => gap = gap.or(Some(key)),
                (Some(_), Some(gap)) => return Err(missed(gap)),
                (Some(_), None) if found.range.is_some() => return Err(BindError::NotSupported),
                (Some(test), None) => match test.bind(key)? {
                    SortRange::Eq(value) => found.equal.push(value),
                    range @ (SortRange::Lt(_)
                    | SortRange::Le(_)
                    | SortRange::Gt(_)
                    | SortRange::Ge(_)
                    | SortRange::Between(..)
                    | SortRange::BeginsWith(_)) => found.range = Some(range),
                },
            }
        }
        found.check(partition, sort)?;
        Ok(found)
    }
}

impl IndexRange {
    /// Checks that the values are short enough together to be a key.
    fn check(&self, partition: &[KeyAttribute], sort: &[KeyAttribute]) -> Result<(), BindError> {
        let mut tested = self.equal.clone();
        tested.extend(self.range.as_ref().map(|range| range.longest().clone()));
        let sides = [
            (&self.partition, partition, KeyRole::Partition),
            (&tested, sort, KeyRole::Sort),
        ];
        for (values, keys, role) in sides {
            if !role.fits(values) {
                let last = keys.iter().take(values.len()).next_back();
                return Err(BindError::Key(KeyError::TooLong {
                    name: last.map(|key| key.name.clone()).unwrap_or_default(),
                    role,
                    bytes: values.iter().map(KeyValue::bytes).sum(),
                }));
            }
        }
        Ok(())
    }

    /// Returns the encoded sort keys of the range: from the first one, up to but not with the
    /// second.
    ///
    /// Shape: empty or `None` where the range is open on that side.
    pub fn bytes(&self) -> (Vec<u8>, Option<Vec<u8>>) {
        let prefix: Vec<u8> = self.equal.iter().flat_map(encode_sort).collect();
        let (from, to) = match &self.range {
            Some(range) => range.bytes(),
            None => (Vec::new(), None),
        };
        let to = match to {
            Some(to) => Some([&prefix[..], &to].concat()),
            None => prefix_end(&prefix),
        };
        ([prefix, from].concat(), to)
    }

    /// Returns whether the range holds a sort key, given as the values of all its attributes.
    pub fn contains(&self, sort: &[KeyValue]) -> bool {
        let (equal, rest) = sort.split_at(self.equal.len().min(sort.len()));
        let in_range = match (&self.range, rest.first()) {
            (Some(range), Some(value)) => range.contains(value),
            (Some(_), None) => false,
            (None, _) => true,
        };
        equal == self.equal && in_range
    }
}

#[cfg(test)]
mod tests;
