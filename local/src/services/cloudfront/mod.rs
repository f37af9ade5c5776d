//! CloudFront: distributions in front of private buckets.
//!
//! A distribution answers on a port of its own, so that each is an origin of its own to a browser,
//! as on AWS. It keeps no cache: every answer is the bucket's own of this moment, which is what a
//! cache may give at any time.

mod headers;
mod origin;
mod request;

pub use headers::{HeaderRule, ResponseHeaders};
pub use origin::{Origin, Signing, bucket_of};

use crate::error::{AwsError, AwsResult};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

/// The distributions of the account, and the policies that they refer to.
#[derive(Debug, Default)]
pub struct CloudFront {
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    distributions: HashMap<String, Arc<Distribution>>,
    /// Which distribution a port is given to, from its creation on.
    ports: BTreeMap<u16, String>,
    access_controls: HashMap<String, Signing>,
    cache_policies: HashSet<String>,
    response_headers: HashMap<String, Arc<ResponseHeaders>>,
}

/// A deployed distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    pub arn: String,
    /// The object that a request for `/` is for.
    pub default_root_object: Option<String>,
    /// By id.
    pub origins: BTreeMap<String, Origin>,
    /// The ordered ones, and the default behaviour with the pattern `*` behind them.
    pub behaviours: Vec<Behaviour>,
    /// By the status of the origin.
    pub error_responses: BTreeMap<u16, ErrorResponse>,
}

/// What a distribution does with the requests for a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behaviour {
    pub path_pattern: String,
    pub allowed_methods: Vec<String>,
    pub origin_id: String,
    /// The ids of the policies that it refers to.
    pub cache_policy: Option<String>,
    pub response_headers_policy: Option<String>,
}

/// What viewers get instead of an error of the origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorResponse {
    pub page: String,
    pub status: u16,
}

impl CloudFront {
    /// Gives a distribution that is being created the lowest port that no other has.
    ///
    /// # Errors
    /// `TooManyDistributions` when every port is taken.
    pub fn reserve_port(&self, id: &str, ports: &[u16]) -> AwsResult<u16> {
        self.write(|state| {
            if let Some((port, _)) = state.ports.iter().find(|(_, owner)| *owner == id) {
                return Ok(*port);
            }
            let free = ports.iter().find(|port| !state.ports.contains_key(port));
            let port = *free.ok_or_else(|| {
                AwsError::new(
                    400,
                    "TooManyDistributions",
                    format!(
                        "the embedded cloud has {} ports for distributions, and all are taken",
                        ports.len()
                    ),
                )
            })?;
            state.ports.insert(port, id.to_owned());
            Ok(port)
        })
    }

    /// Puts a distribution into service on its port, in place of an earlier version of itself.
    pub fn put_distribution(&self, id: &str, port: u16, distribution: Distribution) {
        self.write(|state| {
            state.ports.insert(port, id.to_owned());
            state
                .distributions
                .insert(id.to_owned(), Arc::new(distribution));
        });
    }

    pub fn remove_distribution(&self, id: &str) {
        self.write(|state| {
            state.distributions.remove(id);
            state.ports.retain(|_, owner| owner != id);
        });
    }

    /// The distribution that answers on a port.
    pub fn on_port(&self, port: u16) -> Option<Arc<Distribution>> {
        self.read(|state| state.distributions.get(state.ports.get(&port)?).cloned())
    }

    /// The ports that are given out, with the ids of their distributions.
    pub fn ports(&self) -> BTreeMap<u16, String> {
        self.read(|state| state.ports.clone())
    }

    pub fn put_access_control(&self, id: &str, signing: Signing) {
        self.write(|state| state.access_controls.insert(id.to_owned(), signing));
    }

    pub fn access_control(&self, id: &str) -> Option<Signing> {
        self.read(|state| state.access_controls.get(id).copied())
    }

    /// Removes an origin access control.
    ///
    /// # Errors
    /// `OriginAccessControlInUse` while a distribution has it.
    pub fn remove_access_control(&self, id: &str) -> AwsResult<()> {
        self.remove(
            "OriginAccessControlInUse",
            |distribution| {
                let mut origins = distribution.origins.values();
                origins.any(|origin| origin.access_control.as_deref() == Some(id))
            },
            |state| {
                state.access_controls.remove(id);
            },
        )
    }

    pub fn put_cache_policy(&self, id: &str) {
        self.write(|state| state.cache_policies.insert(id.to_owned()));
    }

    pub fn has_cache_policy(&self, id: &str) -> bool {
        self.read(|state| state.cache_policies.contains(id))
    }

    /// Removes a cache policy.
    ///
    /// # Errors
    /// `CachePolicyInUse` while a distribution has it.
    pub fn remove_cache_policy(&self, id: &str) -> AwsResult<()> {
        self.remove(
            "CachePolicyInUse",
            |distribution| uses(distribution, |behaviour| &behaviour.cache_policy, id),
            |state| {
                state.cache_policies.remove(id);
            },
        )
    }

    pub fn put_response_headers(&self, id: &str, headers: ResponseHeaders) {
        self.write(|state| {
            state
                .response_headers
                .insert(id.to_owned(), Arc::new(headers))
        });
    }

    pub fn response_headers(&self, id: &str) -> Option<Arc<ResponseHeaders>> {
        self.read(|state| state.response_headers.get(id).cloned())
    }

    /// Removes a response headers policy.
    ///
    /// # Errors
    /// `ResponseHeadersPolicyInUse` while a distribution has it.
    pub fn remove_response_headers(&self, id: &str) -> AwsResult<()> {
        self.remove(
            "ResponseHeadersPolicyInUse",
            |distribution| {
                uses(
                    distribution,
                    |behaviour| &behaviour.response_headers_policy,
                    id,
                )
            },
            |state| {
                state.response_headers.remove(id);
            },
        )
    }

    /// `…InUse` (409) is what the Delete operation of each documents:
    /// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DeleteCachePolicy.html>.
    fn remove(
        &self,
        in_use: &'static str,
        uses: impl Fn(&Distribution) -> bool,
        remove: impl FnOnce(&mut State),
    ) -> AwsResult<()> {
        self.write(|state| {
            if state
                .distributions
                .values()
                .any(|distribution| uses(distribution))
            {
                let reason = "it is attached to one or more distributions";
                return Err(AwsError::new(409, in_use, reason));
            }
            remove(state);
            Ok(())
        })
    }

    fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.write().unwrap_or_else(PoisonError::into_inner))
    }
}

fn uses(
    distribution: &Distribution,
    policy: impl Fn(&Behaviour) -> &Option<String>,
    id: &str,
) -> bool {
    let mut behaviours = distribution.behaviours.iter();
    behaviours.any(|behaviour| policy(behaviour).as_deref() == Some(id))
}
