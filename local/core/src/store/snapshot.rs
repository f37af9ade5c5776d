//! All records as of one moment.

use super::{RECORDS, full_key};
use anyhow::Result;
use redb::{Database, ReadOnlyTable, ReadableDatabase};

/// All records as of one moment: what is committed later is not in it. [`super::Store::read`]
/// gives one, on a thread that may wait for the disk.
pub struct Snapshot {
    records: ReadOnlyTable<&'static str, &'static [u8]>,
}

impl Snapshot {
    pub(super) fn of(database: &Database) -> Result<Self> {
        let records = database.begin_read()?.open_table(RECORDS)?;
        Ok(Self { records })
    }

    /// The record under `key`, if there is one.
    pub fn get(&self, table: &str, key: &str) -> Result<Option<Vec<u8>>> {
        let value = self.records.get(full_key(table, key).as_str())?;
        Ok(value.map(|value| value.value().to_vec()))
    }

    /// All records of `table` whose key starts with `prefix`, in the order of their keys.
    pub fn scan(&self, table: &str, prefix: &str) -> Result<Vec<(String, Vec<u8>)>> {
        self.range(table, prefix, "", usize::MAX)
    }

    /// Up to `limit` records of `table` whose key starts with `prefix` and is not less than
    /// `from`, in the order of their keys.
    pub fn range(
        &self,
        table: &str,
        prefix: &str,
        from: &str,
        limit: usize,
    ) -> Result<Vec<(String, Vec<u8>)>> {
        let prefix = full_key(table, prefix);
        let start = full_key(table, from).max(prefix.clone());
        let table_length = table.len() + 1;
        let mut found = Vec::new();
        for record in self.records.range(start.as_str()..)?.take(limit) {
            let (key, value) = record?;
            let key = key.value();
            if !key.starts_with(&prefix) {
                break;
            }
            found.push((key[table_length..].to_owned(), value.value().to_vec()));
        }
        Ok(found)
    }
}
