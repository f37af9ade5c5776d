//! What is deployed: durable records, in the order in which they were created.
//!
//! A record is on disk before the service goes live with its resource, so that a start of the cloud
//! makes live again what was deployed before.

use crate::answers::{NOTES, Notes, Session};
use crate::package::{Declared, ProviderPackage};
use crate::reservations::Key;
use crate::resource::{AnyResourceType, Properties, Resource};
use crate::urn::Urn;
use anyhow::Result;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::store::{Batch, Store};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::sync::Notify;

const RESOURCES: &str = "resources";
pub(crate) const GENERATIONS: &str = "generations";

/// One deployed resource.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    /// Its place in the order of creation.
    pub sequence: u64,
    /// Its type's token.
    pub token: String,
    /// See [`New::generation`](crate::resource::New::generation).
    pub generation: u64,
    /// The resource itself.
    pub resource: Resource<Properties>,
    #[serde(skip)]
    pub notes: Notes,
}

/// All that is deployed, in memory and in the store.
pub struct Deployments {
    store: Store,
    /// What the store holds, for readers. A change is written to the store first and here when it
    /// is on disk, so that nobody sees what a crash would take back. Never held while waiting.
    state: RwLock<DeploymentsState>,
    /// Told whenever a creation has ended.
    pub(crate) freed: Notify,
    /// One writer of notes at a time. It is held while the store writes, which only a lock of
    /// tokio's may be.
    pub(crate) noting: tokio::sync::Mutex<()>,
}

#[derive(Default)]
pub(crate) struct DeploymentsState {
    /// By sequence.
    pub(crate) records: BTreeMap<u64, Record>,
    last_sequence: u64,
    /// Why resources are not live although they are deployed, by sequence.
    pub(crate) dead: BTreeMap<u64, AwsError>,
    /// What is being created.
    pub(crate) reserved: HashSet<Key>,
    /// Who has asked for what was created since the cloud started, by sequence.
    pub(crate) sessions: HashMap<u64, Session>,
    /// How many resources were created under an URN since its stack was last empty.
    pub(crate) generations: HashMap<String, u64>,
}

impl Deployments {
    /// Reads the records of a store.
    pub async fn open(store: Store) -> Result<Self> {
        let mut state = DeploymentsState::default();
        let mut notes = Notes::open(&store).await?;
        for (key, json) in store.scan(RESOURCES, "").await? {
            let mut record: Record = match serde_json::from_slice(&json) {
                Ok(record) => record,
                Err(error) => {
                    store.unreadable(RESOURCES, &key, &error);
                    continue;
                }
            };
            if let Some(notes) = notes.remove(&record.sequence) {
                record.take(notes);
            }
            state.last_sequence = state.last_sequence.max(record.sequence);
            state.records.insert(record.sequence, record);
        }
        for (urn, json) in store.scan(GENERATIONS, "").await? {
            match serde_json::from_slice(&json) {
                Ok(generation) => {
                    state.generations.insert(urn, generation);
                }
                Err(error) => store.unreadable(GENERATIONS, &urn, &error),
            }
        }
        Ok(Self {
            store,
            state: RwLock::new(state),
            freed: Notify::new(),
            noting: tokio::sync::Mutex::default(),
        })
    }

    /// Everything deployed, in the order of creation.
    pub fn all(&self) -> Vec<Record> {
        self.read().records.values().cloned().collect()
    }

    /// A resource of this type and id; the first one where ids are not unique by themselves. Types
    /// without regions, and callers that know none, find it wherever it is.
    pub fn find(&self, token: &str, id: &str, region: Option<&str>) -> Option<Record> {
        let state = self.read();
        let mut found = state.with_id(token, id, region);
        found.next().cloned()
    }

    /// The resource that an engine means: by its id and the inputs that it knows of it, which are
    /// absent when it imports. Where several resources have one id, the URN decides.
    pub(crate) fn find_as(
        &self,
        of: &dyn AnyResourceType,
        urn: &str,
        id: &str,
        region: Option<&str>,
        inputs: &Properties,
    ) -> Option<Record> {
        let state = self.read();
        let form = of.import_id();
        let imported_as = |record: &Record| {
            let resource = &record.resource;
            form.and_then(|form| form.of(&resource.inputs, Some(&resource.id)))
        };
        let wanted = form.and_then(|form| form.of(inputs, Some(id)));
        let candidates = || state.with_id(of.token(), id, region);
        let found = candidates()
            .find(|record| wanted.is_some() && imported_as(record) == wanted)
            .or_else(|| candidates().find(|record| record.resource.urn == urn))
            .or_else(|| candidates().find(|_| wanted.is_none()))
            .or_else(|| {
                // As `pulumi import` calls it.
                let mut records = state.of_type(of.token(), region);
                records
                    .find(|record| inputs.is_empty() && imported_as(record).as_deref() == Some(id))
            });
        found.cloned()
    }

    /// The generation that the next resource under this URN will have.
    pub fn next_generation(&self, urn: &str) -> u64 {
        self.read().generations.get(urn).copied().unwrap_or(0) + 1
    }

    /// A resource that no program has created here: from now on it is one that is deployed.
    pub fn adopt(&self, token: &str, resource: Resource<Properties>) -> Record {
        Record {
            sequence: self.take_sequence(),
            token: token.to_owned(),
            generation: 0,
            resource,
            notes: Notes::default(),
        }
    }

    /// Starts to count generations from the beginning when nothing of the stack is left. Called
    /// when the engine begins to work on a stack, and not when the last resource is deleted,
    /// because a replacement may follow that deletion.
    pub async fn begin(&self, stack: &str, project: &str) -> AwsResult<()> {
        let prefix = pulumi_protocol::urn::prefix_of(stack, project);
        let forgotten: Vec<String> = {
            let state = self.read();
            // Of a stack that was renamed, the ids are still derived from its old name.
            let of_stack = |urn: &String| urn.starts_with(&prefix);
            let holds_ids = |record: &Record| {
                of_stack(&record.resource.urn) || record.notes.born.as_ref().is_some_and(of_stack)
            };
            if state.records.values().any(holds_ids) {
                return Ok(());
            }
            let urns = state.generations.keys();
            urns.filter(|urn| urn.starts_with(&prefix))
                .cloned()
                .collect()
        };
        if forgotten.is_empty() {
            return Ok(());
        }
        let batch = forgotten
            .iter()
            .fold(Batch::new(), |batch, urn| batch.delete(GENERATIONS, urn));
        self.commit(batch).await?;
        let mut state = self.write();
        for urn in &forgotten {
            state.generations.remove(urn);
        }
        Ok(())
    }

    /// Changes a resource, durably, and makes the change live. When that fails, the old one
    /// stays as it was.
    pub async fn update(
        &self,
        package: &ProviderPackage,
        old: Record,
        urn: String,
        inputs: Properties,
        common: Properties,
    ) -> AwsResult<Record> {
        let of = resource_type(package, &old.token)?;
        let mut outputs = of.update(&old.resource, &inputs).await?;
        outputs.extend(common);
        let mut new = old.clone();
        if let Some(parsed) = Urn::parse(&urn) {
            new.resource.stack = parsed.stack;
        }
        new.resource.urn = urn;
        new.resource.inputs = inputs;
        new.resource.outputs = outputs;
        self.replace(&new).await?;

        if let Err(error) = of.activate(&new.resource).await {
            self.replace(&old).await?;
            if let Err(error) = of.activate(&old.resource).await {
                tracing::error!(id = old.resource.id, %error, "going back after a failed update");
            }
            return Err(error);
        }
        Ok(new)
    }

    /// Takes a resource out of service and forgets it, with what goes with it.
    pub async fn delete(&self, package: &ProviderPackage, record: &Record) -> AwsResult<()> {
        let of = resource_type(package, &record.token)?;
        of.delete(&record.resource).await?;
        self.forget(record).await?;
        self.forget_gone(package, of.holds()).await
    }

    /// Makes everything deployed live again. A resource that fails is reported and does not keep
    /// the others from starting. An update may have made a resource depend on a younger one, so
    /// failed ones are tried again as long as any of them succeeds.
    pub async fn activate_all(&self, package: &ProviderPackage) {
        let mut waiting = self.all();
        for record in &waiting {
            if let Ok(of) = resource_type(package, &record.token) {
                of.announce(&record.resource);
            }
        }
        loop {
            let before = waiting.len();
            let mut failed = Vec::new();
            for record in waiting {
                if let Err(error) = activate(package, &record).await {
                    failed.push((record, error));
                }
            }
            if failed.is_empty() || failed.len() == before {
                for (record, error) in failed {
                    tracing::error!(
                        urn = record.resource.urn,
                        id = record.resource.id,
                        %error,
                        "a deployed resource is not live"
                    );
                    let mut state = self.write();
                    state.dead.insert(record.sequence, error);
                }
                return;
            }
            waiting = failed.into_iter().map(|(record, _)| record).collect();
        }
    }

    async fn replace(&self, record: &Record) -> AwsResult<()> {
        self.commit(put(Batch::new(), record)?).await?;
        let mut state = self.write();
        let mut record = record.clone();
        // What was noted in the meantime counts.
        if let Some(known) = state.records.get(&record.sequence) {
            record.notes.clone_from(&known.notes);
        }
        state.dead.remove(&record.sequence);
        state.records.insert(record.sequence, record);
        Ok(())
    }

    /// Forgets a record.
    pub(crate) async fn forget(&self, record: &Record) -> AwsResult<()> {
        self.commit(delete(Batch::new(), record)).await?;
        self.write().remove(record);
        Ok(())
    }

    pub(crate) async fn commit(&self, batch: Batch) -> AwsResult<()> {
        let written = self.store.commit(batch).await;
        written.map_err(|error| AwsError::internal(format!("{error:#}")))
    }

    pub(crate) fn take_sequence(&self) -> u64 {
        let mut state = self.write();
        state.last_sequence += 1;
        state.last_sequence
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, DeploymentsState> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, DeploymentsState> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DeploymentsState {
    fn of_type<'a>(
        &'a self,
        token: &'a str,
        region: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Record> {
        self.records.values().filter(move |record| {
            record.token == token && region.is_none_or(|region| record.resource.region == region)
        })
    }

    fn with_id<'a>(
        &'a self,
        token: &'a str,
        id: &'a str,
        region: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Record> {
        self.of_type(token, region)
            .filter(move |record| record.resource.id == id)
    }

    pub(crate) fn remove(&mut self, record: &Record) {
        self.records.remove(&record.sequence);
        self.dead.remove(&record.sequence);
        self.sessions.remove(&record.sequence);
    }
}

async fn activate(package: &ProviderPackage, record: &Record) -> AwsResult<()> {
    let of = resource_type(package, &record.token)?;
    of.activate(&record.resource).await
}

fn resource_type<'a>(
    package: &'a ProviderPackage,
    token: &str,
) -> AwsResult<&'a dyn AnyResourceType> {
    Ok(declared(package, token)?.of)
}

pub(crate) fn declared<'a>(package: &'a ProviderPackage, token: &str) -> AwsResult<Declared<'a>> {
    package.resource_type(token).ok_or_else(|| {
        AwsError::new(
            400,
            "UnknownResourceType",
            format!("this version of the embedded cloud does not know {token}"),
        )
    })
}

/// Keys sort like sequences.
pub(crate) fn key(sequence: u64) -> String {
    format!("{sequence:020}")
}

pub(crate) fn delete(batch: Batch, record: &Record) -> Batch {
    let key = key(record.sequence);
    batch.delete(RESOURCES, &key).delete(NOTES, &key)
}

pub(crate) fn put(batch: Batch, record: &Record) -> AwsResult<Batch> {
    let json = serde_json::to_vec(record).map_err(AwsError::internal)?;
    Ok(batch.put(RESOURCES, &key(record.sequence), json))
}
