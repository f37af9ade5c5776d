//! Records that the engine may not know, or knows by another name.
//!
//! An engine that is killed while it creates a resource may never have received the answer, or
//! never have saved it. On AWS nobody can tell a call that never arrived from one whose answer was
//! lost. Here the creation is known, so that the next session that wants the same resource gets it.
//! A record is *confirmed* when its session ended normally, or when an engine shows that it knows
//! the resource. When a later session creates a resource whose record is not confirmed, it is the
//! same creation once more, and gets the resource that is there.
//!
//! `pulumi stack rename` changes names in the engine's state alone. A record takes the name under
//! which the engine speaks of it.

use crate::deployments::{Deployments, Record};
use crate::package::{Declared, ProviderPackage};
use crate::resource::Properties;
use crate::urn::Urn;
use anyhow::Context;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::store::{Batch, Store};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// The table of what is noted of records, under the records' keys.
pub(crate) const NOTES: &str = "resources.notes";

/// A session of an engine: one connection to the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session(u64);

impl Session {
    /// A session that is none of those before.
    pub fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed))
    }
}

impl Deployments {
    /// The generation that the next resource under this URN will have, for a session: that of a
    /// creation whose answer was lost, or a new one.
    pub(crate) fn generation_for(&self, urn: &str, session: Option<Session>) -> u64 {
        match self.lost(urn, session) {
            Some(record) => record.generation,
            None => self.next_generation(urn),
        }
    }

    /// The resource under this URN that an earlier session has created, if no engine has shown
    /// since then that it knows the resource.
    pub fn lost(&self, urn: &str, session: Option<Session>) -> Option<Record> {
        let session = session?;
        let state = self.read();
        let mut unconfirmed = state.records.values().rev().filter(|record| {
            !record.notes.confirmed
                && record.resource.urn == urn
                && state.sessions.get(&record.sequence) != Some(&session)
        });
        unconfirmed.next().cloned()
    }

    /// Notes that an engine knows this resource, and under which name.
    pub(crate) async fn known_as(&self, record: &Record, urn: &Urn) -> AwsResult<()> {
        let renamed = record.resource.urn != urn.as_str();
        if record.notes.confirmed && !renamed {
            return Ok(());
        }
        self.note(|other, _| other.sequence == record.sequence, Some(urn))
            .await
    }

    /// Notes that an engine knows a resource under this URN.
    pub async fn known(&self, urn: &Urn) -> AwsResult<()> {
        let of_urn = |record: &Record| record.resource.urn == urn.as_str();
        self.note(|record, _| !record.notes.confirmed && of_urn(record), None)
            .await
    }

    /// Notes that a session ended normally: its engine has received all answers.
    pub async fn ended(&self, session: Session) -> AwsResult<()> {
        let of_session = |of: Option<Session>| of == Some(session);
        self.note(|record, of| !record.notes.confirmed && of_session(of), None)
            .await
    }

    /// Deletes the unconfirmed resources of a stack, the youngest first, and gives their URNs. To
    /// be called when no state holds them.
    pub async fn delete_unconfirmed(
        &self,
        package: &ProviderPackage,
        stack: &str,
    ) -> AwsResult<Vec<String>> {
        let mut deleted = Vec::new();
        for record in self.all().into_iter().rev() {
            if record.resource.stack == stack && !record.notes.confirmed {
                self.delete(package, &record).await?;
                deleted.push(record.resource.urn);
            }
        }
        Ok(deleted)
    }

    /// Confirms records, and gives them a name.
    async fn note(
        &self,
        which: impl Fn(&Record, Option<Session>) -> bool,
        name: Option<&Urn>,
    ) -> AwsResult<()> {
        // What a record says itself is not written here: a change of it may be under way.
        let _noting = self.noting.lock().await;
        let noted: Vec<(u64, Notes)> = {
            let state = self.read();
            let session = |record: &Record| state.sessions.get(&record.sequence).copied();
            let records = state.records.values();
            records
                .filter(|record| which(record, session(record)))
                .map(|record| (record.sequence, record.notes.with_name(record, name)))
                .collect()
        };
        if noted.is_empty() {
            return Ok(());
        }
        let batch = noted
            .iter()
            .try_fold(Batch::new(), |batch, (sequence, notes)| {
                notes.put(batch, *sequence)
            })?;
        self.commit(batch).await?;
        let mut state = self.write();
        for (sequence, notes) in noted {
            if let Some(record) = state.records.get_mut(&sequence) {
                record.take(notes);
            }
        }
        Ok(())
    }
}

/// What is noted of a record beside what it says itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notes {
    /// Whether an engine knows it, as far as the cloud can tell.
    pub confirmed: bool,
    /// The URN under which the engine speaks of it, when that is not the one in the record.
    pub urn: Option<String>,
    /// The URN it was created under, when the engine has another name for it since. Its physical
    /// id was derived from that one.
    pub born: Option<String>,
}

impl Default for Notes {
    fn default() -> Self {
        Self {
            confirmed: true,
            urn: None,
            born: None,
        }
    }
}

impl Notes {
    /// Notes of a record whose creation is not confirmed yet.
    pub(crate) fn unconfirmed() -> Self {
        Self {
            confirmed: false,
            ..Self::default()
        }
    }

    fn with_name(&self, record: &Record, name: Option<&Urn>) -> Self {
        let mut notes = Self {
            confirmed: true,
            ..self.clone()
        };
        if let Some(urn) = name.filter(|urn| record.resource.urn != urn.as_str()) {
            notes.urn = Some(urn.as_str().to_owned());
            notes
                .born
                .get_or_insert_with(|| record.resource.urn.clone());
        }
        notes
    }

    /// Adds these notes of the record of this sequence.
    pub fn put(&self, batch: Batch, sequence: u64) -> AwsResult<Batch> {
        let json = serde_json::to_vec(self).map_err(AwsError::internal)?;
        Ok(batch.put(NOTES, &crate::deployments::key(sequence), json))
    }

    /// Reads what is noted of the records of a store, by their sequences.
    pub async fn open(store: &Store) -> anyhow::Result<BTreeMap<u64, Self>> {
        let mut notes = BTreeMap::new();
        for (key, json) in store.scan(NOTES, "").await? {
            let sequence = key
                .parse()
                .with_context(|| format!("{key} is no sequence"))?;
            let of_one = serde_json::from_slice(&json)
                .with_context(|| format!("the notes of resource {key} cannot be read"))?;
            notes.insert(sequence, of_one);
        }
        Ok(notes)
    }
}

impl Record {
    /// The record with these notes, under the name that they give it.
    pub fn take(&mut self, notes: Notes) {
        if let Some(urn) = notes.urn.as_deref().and_then(Urn::parse) {
            self.resource.urn = urn.as_str().to_owned();
            self.resource.stack = urn.stack;
        }
        self.notes = notes;
    }
}

/// Whether a resource can be given these inputs without being replaced.
pub(crate) fn same_place(declared: Declared<'_>, old: &Properties, new: &Properties) -> bool {
    let of_schema = declared.schema.input_properties.iter();
    let of_schema = of_schema
        .filter(|(_, property)| property.replace_on_changes)
        .map(|(name, _)| name.as_str());
    let of_type = declared.of.replaces_on().iter().copied();
    of_schema.chain(of_type).all(|path| {
        let top = path.split(['.', '[']).next().unwrap_or(path);
        old.get(top) == new.get(top)
    })
}
