//! What distributions refer to: origin access controls, cache policies and response headers
//! policies. Each of them has a name that no other of its kind has, and cannot be removed while a
//! distribution uses it.

use crate::CloudFront;
use crate::distribution::Distribution;
use crate::headers::HeadersPolicy;
use cloud_core::error::{AwsError, AwsResult};
use std::collections::HashMap;
use std::sync::Arc;

/// A kind of them.
pub(crate) trait Shared: Sized + Send + Sync + 'static {
    /// The kind, as AWS's error codes begin with it.
    const KIND: &'static str;
    /// The kind, in messages.
    const NAME: &'static str;

    /// All of the kind.
    fn of(all: &All) -> &Named<Self>;

    fn of_mut(all: &mut All) -> &mut Named<Self>;

    fn is_used_by(distribution: &Distribution, id: &str) -> bool;
}

/// Names and contents, by id.
pub(crate) type Named<T> = HashMap<String, (String, Arc<T>)>;

/// All kinds.
#[derive(Debug, Default)]
pub(crate) struct All {
    access_controls: Named<AccessControl>,
    cache_policies: Named<CachePolicy>,
    headers_policies: Named<HeadersPolicy>,
}

/// An origin access control.
#[derive(Debug)]
pub(crate) struct AccessControl {
    /// Whether CloudFront signs what it asks of the origin.
    pub signs: bool,
}

impl Shared for AccessControl {
    const KIND: &'static str = "OriginAccessControl";
    const NAME: &'static str = "origin access control";

    fn of(all: &All) -> &Named<Self> {
        &all.access_controls
    }

    fn of_mut(all: &mut All) -> &mut Named<Self> {
        &mut all.access_controls
    }

    fn is_used_by(distribution: &Distribution, id: &str) -> bool {
        distribution.uses_access_control(id)
    }
}

/// A cache policy. Nothing is cached, so that only compression is left of it.
#[derive(Debug)]
pub(crate) struct CachePolicy {
    /// Whether answers may go out compressed by gzip.
    pub compresses: bool,
}

impl Shared for CachePolicy {
    const KIND: &'static str = "CachePolicy";
    const NAME: &'static str = "cache policy";

    fn of(all: &All) -> &Named<Self> {
        &all.cache_policies
    }

    fn of_mut(all: &mut All) -> &mut Named<Self> {
        &mut all.cache_policies
    }

    fn is_used_by(distribution: &Distribution, id: &str) -> bool {
        distribution.uses_cache_policy(id)
    }
}

impl Shared for HeadersPolicy {
    const KIND: &'static str = "ResponseHeadersPolicy";
    const NAME: &'static str = "response headers policy";

    fn of(all: &All) -> &Named<Self> {
        &all.headers_policies
    }

    fn of_mut(all: &mut All) -> &mut Named<Self> {
        &mut all.headers_policies
    }

    fn is_used_by(distribution: &Distribution, id: &str) -> bool {
        distribution.uses_headers_policy(id)
    }
}

impl CloudFront {
    pub(crate) fn shared<T: Shared>(&self, id: &str) -> Option<Arc<T>> {
        let state = self.read();
        let (_, one) = T::of(&state.shared).get(id)?;
        Some(Arc::clone(one))
    }

    /// Deploys one, in place of an earlier version of itself.
    pub(crate) fn put_shared<T: Shared>(&self, id: &str, name: &str, one: T) {
        let mut state = self.write();
        T::of_mut(&mut state.shared).insert(id.to_owned(), (name.to_owned(), Arc::new(one)));
    }

    /// Refuses a name that another of the kind has.
    pub(crate) fn check_name<T: Shared>(&self, id: Option<&str>, name: &str) -> AwsResult<()> {
        let state = self.read();
        let others = T::of(&state.shared).iter();
        let mut others = others.filter(|(other, _)| Some(other.as_str()) != id);
        match others.any(|(_, (taken, _))| taken == name) {
            true => Err(AwsError::new(
                409,
                format!("{}AlreadyExists", T::KIND),
                format!("the name {name} is taken"),
            )),
            false => Ok(()),
        }
    }

    /// Removes one that no distribution uses.
    pub(crate) fn remove_shared<T: Shared>(&self, id: &str) -> AwsResult<()> {
        let mut state = self.write();
        let mut distributions = state.distributions.values();
        if let Some(user) = distributions.find(|one| T::is_used_by(one, id)) {
            return Err(AwsError::new(
                409,
                format!("{}InUse", T::KIND),
                format!("the {} is used by distribution {}", T::NAME, user.id),
            ));
        }
        T::of_mut(&mut state.shared).remove(id);
        Ok(())
    }
}
