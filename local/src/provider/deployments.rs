//! What is deployed: durable records, in the order in which they were created.
//!
//! A resource is created in three steps: its type decides and computes, the record becomes
//! durable, the service goes live with it. A crash after the second step is a resource that
//! the next start makes live; before it, nothing was created.

use super::package::Package;
use super::resource::{AnyResourceType, New, Properties, Resource};
use crate::cloud::Cloud;
use crate::error::{AwsError, AwsResult};
use crate::store::{Batch, Store};
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

const RESOURCES: &str = "resources";
const GENERATIONS: &str = "generations";

/// One deployed resource.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    /// Its place in the order of creation.
    pub sequence: u64,
    /// Its type's token.
    pub token: String,
    /// See [`New::generation`].
    pub generation: u64,
    /// The resource itself.
    pub resource: Resource<Properties>,
}

/// How a deployed resource is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing {
    pub urn: String,
    #[serde(rename = "type")]
    pub token: String,
    pub id: String,
    pub region: String,
    #[serde(flatten)]
    pub condition: Condition,
}

/// Whether a deployed resource does what it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "condition", content = "reason", rename_all = "camelCase")]
pub enum Condition {
    Live,
    /// Validated and stored; nothing runs behind a resource of its type.
    DeclaredOnly,
    /// Its service did not take it when the cloud started.
    NotLive(String),
}

/// All that is deployed, in memory and in the store.
pub struct Deployments {
    store: Store,
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    /// By sequence.
    records: BTreeMap<u64, Record>,
    last_sequence: u64,
    /// Why resources are not live although they are deployed, by sequence.
    dead: BTreeMap<u64, AwsError>,
    /// Types, regions and ids that are being created.
    reserved: HashSet<(String, String, String)>,
    /// How many resources were created under an URN since its stack was last empty.
    generations: HashMap<String, u64>,
}

impl Deployments {
    /// Reads the records of a store.
    pub fn open(store: Store) -> Result<Self> {
        let mut state = State::default();
        for (key, json) in store.scan(RESOURCES, "")? {
            let record: Record = match serde_json::from_slice(&json) {
                Ok(record) => record,
                Err(error) => {
                    store.unreadable(RESOURCES, &key, &error);
                    continue;
                }
            };
            state.last_sequence = state.last_sequence.max(record.sequence);
            state.records.insert(record.sequence, record);
        }
        for (urn, json) in store.scan(GENERATIONS, "")? {
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
        })
    }

    /// Everything deployed, in the order of creation.
    pub fn all(&self) -> Vec<Record> {
        self.read().records.values().cloned().collect()
    }

    /// Everything deployed and how it is, in the order of creation.
    pub fn standing(&self, package: &Package) -> Vec<Standing> {
        let state = self.read();
        let standing = state.records.values().map(|record| {
            let declared = package.resource_type(&record.token);
            let declared_only = declared.is_some_and(|declared| declared.of.declared_only());
            Standing {
                urn: record.resource.urn.clone(),
                token: record.token.clone(),
                id: record.resource.id.clone(),
                region: record.resource.region.clone(),
                condition: match state.dead.get(&record.sequence) {
                    Some(error) => Condition::NotLive(error.to_string()),
                    None if declared_only => Condition::DeclaredOnly,
                    None => Condition::Live,
                },
            }
        });
        standing.collect()
    }

    /// The resource of this type and id. Ids are unique within a region alone; types without
    /// regions, and callers that know none, find it wherever it is.
    pub fn find(&self, token: &str, id: &str, region: Option<&str>) -> Option<Record> {
        self.read()
            .records
            .values()
            .find(|record| {
                record.token == token
                    && record.resource.id == id
                    && region.is_none_or(|region| record.resource.region == region)
            })
            .cloned()
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
        }
    }

    /// Starts counting generations anew when nothing of the stack is left. Called when the
    /// engine begins to work on a stack, and not when the last resource is deleted: that may be
    /// the first half of its replacement.
    pub async fn begin(&self, stack: &str, project: &str) -> AwsResult<()> {
        let prefix = format!("urn:pulumi:{stack}::{project}::");
        let forgotten: Vec<String> = {
            let state = self.read();
            let deployed = |record: &Record| record.resource.urn.starts_with(&prefix);
            if state.records.values().any(deployed) {
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

    /// Creates a resource, durably, and makes it live. When any step fails, nothing is left.
    /// `common` are the computed properties that all types have alike.
    pub async fn create(
        &self,
        cloud: &Arc<Cloud>,
        token: &str,
        new: New,
        inputs: Properties,
        common: Properties,
    ) -> AwsResult<Record> {
        let of = resource_type(&cloud.package, token)?;
        let mut deployed = of.create(cloud, &new, &inputs).await?;
        deployed.outputs.extend(common);
        let _reserved = self.reserve(token, &new.region, &deployed.id)?;
        let record = Record {
            sequence: self.take_sequence(),
            token: of.token().to_owned(),
            generation: new.generation,
            resource: Resource {
                urn: new.urn.clone(),
                stack: new.stack,
                region: new.region,
                id: deployed.id,
                inputs,
                outputs: deployed.outputs,
            },
        };
        let batch = put(Batch::new(), &record)?.put(
            GENERATIONS,
            &new.urn,
            new.generation.to_string().into_bytes(),
        );
        self.commit(batch).await?;
        {
            let mut state = self.write();
            state.records.insert(record.sequence, record.clone());
            state.generations.insert(new.urn, new.generation);
        }

        if let Err(error) = of.activate(cloud, &record.resource).await {
            // What the service may have taken over before it failed goes too.
            if let Err(error) = of.delete(cloud, &record.resource).await {
                tracing::warn!(id = record.resource.id, %error, "clearing up after a failed creation");
            }
            self.forget(&record).await?;
            return Err(error);
        }
        Ok(record)
    }

    /// Changes a resource, durably, and makes the change live. When that fails, the old one
    /// stays as it was.
    pub async fn update(
        &self,
        cloud: &Arc<Cloud>,
        old: Record,
        urn: String,
        inputs: Properties,
        common: Properties,
    ) -> AwsResult<Record> {
        let of = resource_type(&cloud.package, &old.token)?;
        let mut outputs = of.update(cloud, &old.resource, &inputs).await?;
        outputs.extend(common);
        let mut new = old.clone();
        new.resource.urn = urn;
        new.resource.inputs = inputs;
        new.resource.outputs = outputs;
        self.replace(&new).await?;

        if let Err(error) = of.activate(cloud, &new.resource).await {
            self.replace(&old).await?;
            if let Err(error) = of.activate(cloud, &old.resource).await {
                tracing::error!(id = old.resource.id, %error, "going back after a failed update");
            }
            return Err(error);
        }
        Ok(new)
    }

    /// Takes a resource out of service and forgets it.
    pub async fn delete(&self, cloud: &Arc<Cloud>, record: &Record) -> AwsResult<()> {
        let of = resource_type(&cloud.package, &record.token)?;
        of.delete(cloud, &record.resource).await?;
        self.forget(record).await
    }

    /// Keeps an id for one creation: types look at what is deployed, and two of them may have
    /// looked at the same time.
    fn reserve(&self, token: &str, region: &str, id: &str) -> AwsResult<Reservation<'_>> {
        let key = (token.to_owned(), region.to_owned(), id.to_owned());
        let mut state = self.write();
        let mut records = state.records.values();
        let deployed = records.find(|record| {
            let resource = &record.resource;
            record.token == token && resource.region == region && resource.id == id
        });
        let holder = match deployed.map(|record| record.resource.urn.clone()) {
            Some(urn) => urn,
            None if state.reserved.insert(key.clone()) => {
                return Ok(Reservation {
                    deployments: self,
                    key,
                });
            }
            None => "part of what is being deployed".to_owned(),
        };
        let message = format!("{token} {id} is deployed already, as {holder}");
        Err(AwsError::new(409, "ResourceAlreadyExists", message))
    }

    async fn replace(&self, record: &Record) -> AwsResult<()> {
        self.commit(put(Batch::new(), record)?).await?;
        let mut state = self.write();
        state.records.insert(record.sequence, record.clone());
        state.dead.remove(&record.sequence);
        Ok(())
    }

    async fn forget(&self, record: &Record) -> AwsResult<()> {
        self.commit(Batch::new().delete(RESOURCES, &key(record)))
            .await?;
        let mut state = self.write();
        state.records.remove(&record.sequence);
        state.dead.remove(&record.sequence);
        Ok(())
    }

    async fn commit(&self, batch: Batch) -> AwsResult<()> {
        let written = self.store.commit(batch).await;
        written.map_err(|error| AwsError::internal(format!("{error:#}")))
    }

    fn take_sequence(&self) -> u64 {
        let mut state = self.write();
        state.last_sequence += 1;
        state.last_sequence
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An id that nobody else may take while this lives.
struct Reservation<'a> {
    deployments: &'a Deployments,
    key: (String, String, String),
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        self.deployments.write().reserved.remove(&self.key);
    }
}

/// Makes everything deployed live again. What fails is reported and does not keep the rest
/// from starting; since an update may have made a resource depend on a younger one, what failed
/// is tried again as long as that gets any further.
pub async fn activate_all(cloud: &Arc<Cloud>) {
    let mut waiting = cloud.deployments.all();
    loop {
        let before = waiting.len();
        let mut failed = Vec::new();
        for record in waiting {
            if let Err(error) = activate(cloud, &record).await {
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
                let mut state = cloud.deployments.write();
                state.dead.insert(record.sequence, error);
            }
            return;
        }
        waiting = failed.into_iter().map(|(record, _)| record).collect();
    }
}

async fn activate(cloud: &Arc<Cloud>, record: &Record) -> AwsResult<()> {
    let of = resource_type(&cloud.package, &record.token)?;
    of.activate(cloud, &record.resource).await
}

fn resource_type<'a>(package: &'a Package, token: &str) -> AwsResult<&'a dyn AnyResourceType> {
    let declared = package.resource_type(token).ok_or_else(|| {
        AwsError::new(
            400,
            "UnknownResourceType",
            format!("this version of the embedded cloud does not know {token}"),
        )
    })?;
    Ok(declared.of)
}

/// Keys sort like sequences.
fn key(record: &Record) -> String {
    format!("{:020}", record.sequence)
}

fn put(batch: Batch, record: &Record) -> AwsResult<Batch> {
    let json = serde_json::to_vec(record).map_err(AwsError::internal)?;
    Ok(batch.put(RESOURCES, &key(record), json))
}
