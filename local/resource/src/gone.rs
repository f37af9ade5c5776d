//! Records of resources that no longer exist: deleted through a service's own API, or together with
//! the resource that they belonged to.

use crate::deployments::{Deployments, Record};
use crate::package::ProviderPackage;
use crate::resource::AnyResourceType;
use cloud_core::error::AwsResult;

impl Deployments {
    /// Forgets the records of these types whose resources are gone.
    pub(crate) async fn forget_gone(
        &self,
        package: &ProviderPackage,
        tokens: &[&str],
    ) -> AwsResult<()> {
        for token in tokens {
            let Some(declared) = package.resource_type(token) else {
                continue;
            };
            for record in self.settled(declared.of) {
                let known = Some(record.resource.clone());
                let found = declared
                    .of
                    .read(&record.resource.scope(), &record.resource.id, known)
                    .await;
                if matches!(found, Ok(None)) {
                    tracing::info!(urn = record.resource.urn, "forgetting what is gone");
                    self.forget(&record).await?;
                }
            }
        }
        Ok(())
    }

    /// Forgets a resource that a read has not found, and the resources that belonged to it. A
    /// resource that the cloud could not start is not gone, and stays. Says whether it was
    /// forgotten.
    pub(crate) async fn forget_unless_dead(
        &self,
        package: &ProviderPackage,
        of: &dyn AnyResourceType,
        record: &Record,
    ) -> AwsResult<bool> {
        let settled = |record: &Record| {
            let mut settled = self.settled(of);
            settled.any(|settled| settled.sequence == record.sequence)
        };
        if !settled(record) {
            return Ok(false);
        }
        self.forget(record).await?;
        self.forget_gone(package, of.holds()).await?;
        Ok(true)
    }

    /// The records of a type that no creation is at work on, and that are live.
    fn settled(&self, of: &dyn AnyResourceType) -> impl Iterator<Item = Record> + use<> {
        let state = self.read();
        let of_type = state.records.values().filter(|record| {
            record.token == of.token()
                && !state.dead.contains_key(&record.sequence)
                && !state.reserved.contains(&record.key(of))
        });
        of_type.cloned().collect::<Vec<_>>().into_iter()
    }
}
