//! A value of no particular type.

use std::fmt;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};

use crate::to_value::{ToPulumiValue, array, object};
use crate::value::{PulumiValue, PulumiValueContent};

/// A value of no particular type: what `pulumi_any!` makes.
#[derive(Clone)]
pub struct PulumiValueMiddleware(Shared<BoxFuture<'static, PulumiValue>>);

impl fmt::Debug for PulumiValueMiddleware {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PulumiAny").finish_non_exhaustive()
    }
}

impl PulumiValueMiddleware {
    pub fn ready(value: PulumiValue) -> Self {
        Self::deferred(std::future::ready(value))
    }

    pub fn deferred(value: impl Future<Output = PulumiValue> + Send + 'static) -> Self {
        Self(value.boxed().shared())
    }
}

impl ToPulumiValue for PulumiValueMiddleware {
    fn to_pulumi_value(&self) -> impl Future<Output = PulumiValue> + Send {
        self.0.clone()
    }
}

pub fn pulumi_value_middleware(content: PulumiValueContent) -> PulumiValueMiddleware {
    PulumiValueMiddleware::ready(content.into())
}

pub fn to_pulumi_value_middleware<T>(value: T) -> PulumiValueMiddleware
where
    T: ToPulumiValue + Send + Sync + 'static,
{
    PulumiValueMiddleware::deferred(async move { value.to_pulumi_value().await })
}

pub fn pulumi_value_middleware_array(items: Vec<PulumiValueMiddleware>) -> PulumiValueMiddleware {
    PulumiValueMiddleware::deferred(async move { array(items.iter()).await })
}

/// Of two entries of one name the last one stays.
pub fn pulumi_value_middleware_object(
    entries: Vec<(String, PulumiValueMiddleware)>,
) -> PulumiValueMiddleware {
    let entries: std::collections::BTreeMap<_, _> = entries.into_iter().collect();
    PulumiValueMiddleware::deferred(async move { object(entries.iter()).await })
}
