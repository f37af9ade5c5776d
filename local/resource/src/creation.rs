//! The creation of a resource, in three steps: its type checks it and computes its outputs, the
//! record is written to disk, the service goes live with it. When the cloud crashes after the
//! second step, the next start makes the resource live. When it crashes earlier, nothing was
//! created, or something that the same creation overwrites when it is repeated.

use crate::answers::{Notes, Session, same_place};
use crate::deployments::{Deployments, GENERATIONS, Record, declared, delete, put};
use crate::package::ProviderPackage;
use crate::reservations::key_of;
use crate::resource::{AnyResourceType, New, Properties, Resource};
use cloud_core::error::AwsResult;
use cloud_core::store::Batch;

/// What a creation came to.
#[derive(Debug)]
pub(crate) struct Created {
    pub record: Record,
    /// What was there before, under the same id, and is overwritten.
    pub overwritten: Option<Record>,
}

impl Deployments {
    /// Creates a resource, durably, and makes it live. When any step fails, nothing is left.
    /// `common` are the computed properties that all types have alike.
    pub async fn create(
        &self,
        package: &ProviderPackage,
        token: &str,
        new: New,
        inputs: Properties,
        common: Properties,
    ) -> AwsResult<Record> {
        let created = self.create_for(None, package, token, new, inputs, common);
        Ok(created.await?.record)
    }

    /// Creates a resource for a session of an engine, which may be killed before it hears of it.
    pub(crate) async fn create_for(
        &self,
        session: Option<Session>,
        package: &ProviderPackage,
        token: &str,
        new: New,
        inputs: Properties,
        common: Properties,
    ) -> AwsResult<Created> {
        let declared = declared(package, token)?;
        let of = declared.of;
        if !of.overwrites() {
            self.forget_gone(package, &[of.token()]).await?;
        }
        let lost = self.lost(&new.urn, session).filter(|lost| {
            let old = &lost.resource;
            // What overwrites needs no help, and what must be replaced is another resource.
            !of.overwrites()
                && old.region == new.region
                && same_place(declared, &old.inputs, &inputs)
        });
        if let Some(lost) = lost {
            let repeated = self.update(package, lost, new.urn, inputs, common).await?;
            if let Some(session) = session {
                self.write().sessions.insert(repeated.sequence, session);
            }
            return Ok(Created {
                record: repeated,
                overwritten: None,
            });
        }

        let mut deployed = of.create(&new, &inputs).await?;
        deployed.outputs.extend(common);
        let key = key_of(of, &new.region, &deployed.id, &inputs);
        let (_reserved, overwritten) = self.reserve(of, key).await?;
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
            notes: match session {
                Some(_) => Notes::unconfirmed(),
                None => Notes::default(),
            },
        };
        let generation = new.generation.to_string().into_bytes();
        let batch = put(Batch::new(), &record)?.put(GENERATIONS, &new.urn, generation);
        let mut batch = record.notes.put(batch, record.sequence)?;
        if let Some(overwritten) = &overwritten {
            batch = delete(batch, overwritten);
        }
        self.commit(batch).await?;
        {
            let mut state = self.write();
            if let Some(overwritten) = &overwritten {
                state.remove(overwritten);
            }
            state.records.insert(record.sequence, record.clone());
            state.generations.insert(new.urn, new.generation);
            state
                .sessions
                .extend(session.map(|session| (record.sequence, session)));
        }

        if let Err(error) = of.activate(&record.resource).await {
            self.undo(of, &record, overwritten).await?;
            return Err(error);
        }
        Ok(Created {
            record,
            overwritten,
        })
    }

    /// Takes back what could not be made live.
    async fn undo(
        &self,
        of: &dyn AnyResourceType,
        record: &Record,
        overwritten: Option<Record>,
    ) -> AwsResult<()> {
        let Some(old) = overwritten else {
            // What the service may have taken over before it failed goes too.
            if let Err(error) = of.delete(&record.resource).await {
                tracing::warn!(id = record.resource.id, %error, "clearing up after a failed creation");
            }
            return self.forget(record).await;
        };
        self.commit(
            old.notes
                .put(put(delete(Batch::new(), record), &old)?, old.sequence)?,
        )
        .await?;
        {
            let mut state = self.write();
            state.remove(record);
            state.records.insert(old.sequence, old.clone());
        }
        if let Err(error) = of.activate(&old.resource).await {
            tracing::error!(id = old.resource.id, %error, "going back after a failed creation");
        }
        Ok(())
    }
}
