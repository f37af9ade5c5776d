//! CloudFront: distributions in front of private buckets.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `distribution` | a distribution's settings, and which of them a request meets |
//! | `shared`, `headers` | what distributions refer to; policies for the headers of answers |
//! | [`answer`] | a request, from the viewer to the origin and back |
//! | `compression` | what goes out compressed |
//! | `invalidations`, [`wire`] | what it is told to forget, as AWS's clients tell it |
//! | [`ports`] | what it needs of other services |
//! | `resources` | its resource types |
//! | here | the account's distributions and their ports |
//!
//! Nothing is cached: every request goes to the origin.

#![warn(unreachable_pub)]

pub mod answer;
mod compression;
mod distribution;
mod headers;
mod invalidations;
pub mod ports;
mod resources;
mod shared;
pub mod wire;

use cloud_core::context::Context;
use cloud_core::error::{AwsError, AwsResult};
use cloud_iam::Iam;
use cloud_resource::resource::{AnyResourceType, bind};
use distribution::Distribution;
use invalidations::Invalidations;
use ports::Origins;
use resources::OfDistributions;
use shared::CachePolicy;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Policies of AWS's own that any distribution may name:
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html>.
const CACHING_DISABLED: &str = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
const CACHING_OPTIMIZED: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";

/// The distributions of the account.
pub struct CloudFront {
    context: Context,
    iam: Arc<Iam>,
    origins: Arc<dyn Origins>,
    /// All ports that distributions can have.
    all_ports: Vec<u16>,
    state: RwLock<CloudFrontState>,
}

#[derive(Debug, Default)]
struct CloudFrontState {
    distributions: BTreeMap<String, Arc<Distribution>>,
    /// Which port a distribution has, from before it is deployed.
    ports: BTreeMap<u16, String>,
    /// What distributions refer to.
    shared: shared::All,
    /// By distribution, of those that are live.
    invalidations: HashMap<String, Invalidations>,
}

impl CloudFront {
    /// No distribution yet. `ports` are all that distributions can have.
    pub fn new(
        context: &Context,
        iam: Arc<Iam>,
        origins: Arc<dyn Origins>,
        ports: Vec<u16>,
    ) -> Self {
        Self {
            context: context.clone(),
            iam,
            origins,
            all_ports: ports,
            state: RwLock::default(),
        }
    }

    /// Its resource types.
    pub fn resource_types(self: &Arc<Self>) -> Vec<Box<dyn AnyResourceType>> {
        vec![
            bind(OfDistributions(resources::CachePolicy), self),
            bind(resources::Distribution, self),
            bind(OfDistributions(resources::OriginAccessControl), self),
            bind(OfDistributions(resources::ResponseHeadersPolicy), self),
        ]
    }

    /// The port of a distribution: its own, the one it had before, or the lowest that is free.
    fn take_port(&self, id: &str, before: Option<u16>) -> AwsResult<u16> {
        self.write().take_port(id, &self.all_ports, before)
    }

    /// The port that a distribution has.
    pub(crate) fn port_of(&self, id: &str) -> Option<u16> {
        let state = self.read();
        let mut ports = state.ports.iter();
        ports.find(|(_, owner)| *owner == id).map(|(port, _)| *port)
    }

    /// Makes a distribution live, in place of an earlier version of itself.
    pub fn deploy(&self, distribution: Distribution) {
        let id = distribution.id.clone();
        self.write()
            .distributions
            .insert(id, Arc::new(distribution));
    }

    /// Takes a distribution out of service and frees its port.
    pub fn remove(&self, id: &str) {
        let mut state = self.write();
        state.distributions.remove(id);
        state.invalidations.remove(id);
        state.ports.retain(|_, owner| owner != id);
    }

    /// Whether a distribution is live.
    pub fn has(&self, id: &str) -> bool {
        self.read().distributions.contains_key(id)
    }

    /// The distribution at a port.
    pub fn at(&self, port: u16) -> Option<Arc<Distribution>> {
        let state = self.read();
        let id = state.ports.get(&port)?;
        state.distributions.get(id).cloned()
    }

    /// Does something with the invalidations of a distribution that is live.
    pub(crate) fn with_invalidations<T>(
        &self,
        id: &str,
        work: impl FnOnce(&mut Invalidations) -> AwsResult<T>,
    ) -> AwsResult<T> {
        let mut state = self.write();
        if !state.distributions.contains_key(id) {
            let message = format!("The specified distribution does not exist: {id}");
            return Err(AwsError::new(404, "NoSuchDistribution", message));
        }
        work(state.invalidations.entry(id.to_owned()).or_default())
    }

    pub(crate) fn has_cache_policy(&self, id: &str) -> bool {
        let managed = [CACHING_DISABLED, CACHING_OPTIMIZED];
        managed.contains(&id) || self.shared::<CachePolicy>(id).is_some()
    }

    /// Whether a cache policy lets answers out compressed.
    pub(crate) fn compresses(&self, cache_policy_id: &str) -> bool {
        let own = self.shared::<CachePolicy>(cache_policy_id);
        own.map_or(cache_policy_id == CACHING_OPTIMIZED, |own| own.compresses)
    }

    fn read(&self) -> RwLockReadGuard<'_, CloudFrontState> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, CloudFrontState> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CloudFrontState {
    /// See [`CloudFront::take_port`]; `all` are those that there are.
    fn take_port(&mut self, id: &str, all: &[u16], before: Option<u16>) -> AwsResult<u16> {
        if let Some((port, _)) = self.ports.iter().find(|(_, owner)| *owner == id) {
            return Ok(*port);
        }
        let is_free = |port: &u16| all.contains(port) && !self.ports.contains_key(port);
        let lowest = || all.iter().copied().filter(is_free).min();
        let port = before.filter(is_free).or_else(lowest).ok_or_else(|| {
            AwsError::new(
                400,
                "TooManyDistributions",
                format!(
                    "all {} ports that distributions can have are taken",
                    all.len()
                ),
            )
        })?;
        self.ports.insert(port, id.to_owned());
        Ok(port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_gets_the_lowest_free_port_and_keeps_it() -> AwsResult<()> {
        let mut state = CloudFrontState::default();
        let all = [7003, 7004, 7005];
        assert_eq!(state.take_port("A", &all, None)?, 7003);
        assert_eq!(state.take_port("B", &all, Some(7005))?, 7005);
        assert_eq!(state.take_port("A", &all, None)?, 7003);
        // One that is taken, or none of ours any more, is not given again.
        assert_eq!(state.take_port("C", &all, Some(7003))?, 7004);
        assert!(state.take_port("D", &all, Some(9000)).is_err());
        state.ports.retain(|_, owner| owner != "A");
        assert_eq!(state.take_port("D", &all, Some(9000))?, 7003);
        Ok(())
    }
}
