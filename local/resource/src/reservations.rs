//! Ids that are reserved for resources while they are being created.

use crate::deployments::{Deployments, Record};
use crate::resource::{AnyResourceType, Properties, Resource};
use cloud_core::error::{AwsError, AwsResult};

/// What tells one resource from all others: type, region, id, and what `pulumi import` calls it.
pub(crate) type Key = (String, String, String, Option<String>);

impl Record {
    pub fn key(&self, of: &dyn AnyResourceType) -> Key {
        let Resource {
            region, id, inputs, ..
        } = &self.resource;
        key_of(of, region, id, inputs)
    }
}

pub(crate) fn key_of(of: &dyn AnyResourceType, region: &str, id: &str, inputs: &Properties) -> Key {
    let imported_as = of.import_id().and_then(|form| form.of(inputs, Some(id)));
    (
        of.token().to_owned(),
        region.to_owned(),
        id.to_owned(),
        imported_as,
    )
}

impl Deployments {
    /// Reserves an id for one creation, because two creations may have checked at the same time
    /// that it is free. Gives the resource that is deployed under the id, when the type overwrites
    /// it. Of two creations that overwrite, the second waits for the first.
    pub(crate) async fn reserve(
        &self,
        of: &dyn AnyResourceType,
        key: Key,
    ) -> AwsResult<(Reservation<'_>, Option<Record>)> {
        loop {
            let freed = self.freed.notified();
            {
                let mut state = self.write();
                let mut records = state.records.values();
                let deployed = records.find(|record| {
                    record.token == key.0 && record.resource.id == key.2 && record.key(of) == key
                });
                let deployed = deployed.cloned();
                let is_free = !state.reserved.contains(&key);
                if is_free && (deployed.is_none() || of.overwrites()) {
                    state.reserved.insert(key.clone());
                    drop(state);
                    let reservation = Reservation {
                        deployments: self,
                        key,
                    };
                    return Ok((reservation, deployed));
                }
                if !of.overwrites() {
                    let holder = deployed.map(|record| record.resource.urn);
                    let holder = holder.unwrap_or("part of what is being deployed".to_owned());
                    let message = format!("{} {} is deployed already, as {holder}", key.0, key.2);
                    return Err(AwsError::new(409, "ResourceAlreadyExists", message));
                }
            }
            freed.await;
        }
    }
}

/// An id that nobody else may take while this lives.
pub(crate) struct Reservation<'a> {
    deployments: &'a Deployments,
    key: Key,
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        self.deployments.write().reserved.remove(&self.key);
        self.deployments.freed.notify_waiters();
    }
}
