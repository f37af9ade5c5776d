//! A value that is not there yet.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};

use crate::error::Result;
use crate::from_value::FromPulumiValue;
use crate::to_value::ToPulumiValue;
use crate::value::{PulumiValue, PulumiValueContent};

/// A value that is there once the resources that it comes from are.
///
/// It may stay unknown: in a preview, nothing is computed from what does not exist yet.
#[must_use = "an output that nothing uses is never computed"]
pub struct Output<T> {
    node: Shared<BoxFuture<'static, Node<T>>>,
}

/// What an output has become.
pub struct ResolvedOutput<T> {
    /// `None` when it is unknown.
    pub value: Option<T>,
    pub secret: bool,
    /// The URNs of the resources that it was computed from.
    pub dependencies: HashSet<String>,
}

/// A dependency that says that a resource failed, beside URNs or in place of them. It goes wherever
/// dependencies go, so that everything made of the value counts as failed too, and is not
/// registered.
pub const FAILED: &str = "failed";

impl<T> ResolvedOutput<T> {
    /// Of what failed, and the user knows: nothing comes of it.
    #[must_use]
    pub fn failed() -> Self {
        Self {
            value: None,
            secret: false,
            dependencies: HashSet::from([FAILED.to_owned()]),
        }
    }

    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.dependencies.contains(FAILED)
    }
}

impl ResolvedOutput<String> {
    /// The same, with the text as a value.
    #[must_use]
    pub fn into_value(self) -> ResolvedOutput<PulumiValue> {
        let value = self.value.map(|text| PulumiValue {
            content: PulumiValueContent::String(text),
            secret: self.secret,
            dependencies: self.dependencies.clone(),
        });
        ResolvedOutput {
            value,
            secret: self.secret,
            dependencies: self.dependencies,
        }
    }
}

/// Without the value, which may be a secret.
impl<T> fmt::Debug for ResolvedOutput<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ResolvedOutput")
            .field("known", &self.value.is_some())
            .field("secret", &self.secret)
            .field("dependencies", &self.dependencies)
            .finish_non_exhaustive()
    }
}

struct Node<T> {
    value: Option<Arc<T>>,
    secret: bool,
    dependencies: Arc<HashSet<String>>,
}

impl<T> fmt::Debug for Output<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Output").finish_non_exhaustive()
    }
}

impl<T> Clone for Output<T> {
    fn clone(&self) -> Self {
        Self {
            node: self.node.clone(),
        }
    }
}

impl<T> Clone for Node<T> {
    fn clone(&self) -> Self {
        Self {
            value: self.value.clone(),
            secret: self.secret,
            dependencies: self.dependencies.clone(),
        }
    }
}

impl<T> From<ResolvedOutput<T>> for Node<T> {
    fn from(resolved: ResolvedOutput<T>) -> Self {
        Self {
            value: resolved.value.map(Arc::new),
            secret: resolved.secret,
            dependencies: Arc::new(resolved.dependencies),
        }
    }
}

impl<T: Send + Sync + 'static> Output<T> {
    /// One whose value is there.
    pub fn new(value: T) -> Self {
        Self::known(Some(value), false)
    }

    /// One whose value is there, and a secret.
    pub fn new_secret(value: T) -> Self {
        Self::known(Some(value), true)
    }

    /// One that is unknown.
    pub fn new_nothing() -> Self {
        Self::known(None, false)
    }

    /// One that is what the future says.
    pub fn from_resolved_future(
        resolved: impl Future<Output = ResolvedOutput<T>> + Send + 'static,
    ) -> Self {
        Self::from_node(resolved.map(Node::from))
    }

    /// The same value, as a secret.
    pub fn secret(&self) -> Self {
        self.with_secret(true)
    }

    /// The same value, for everybody to see.
    pub fn unsecret(&self) -> Self {
        self.with_secret(false)
    }

    /// What `change` makes of the value; it is not called when there is none.
    pub fn map<U, F>(&self, change: F) -> Output<U>
    where
        T: Clone,
        U: Send + Sync + 'static,
        F: Fn(T) -> U + Send + Sync + 'static,
    {
        Output::from_node(self.node.clone().map(move |node| {
            Node {
                value: node
                    .value
                    .map(|value| Arc::new(change(Arc::unwrap_or_clone(value)))),
                secret: node.secret,
                dependencies: node.dependencies,
            }
        }))
    }

    /// The output that `change` makes of the value; it is not called when there is none.
    pub fn and_then<U, F>(&self, change: F) -> Output<U>
    where
        T: Clone,
        U: Send + Sync + 'static,
        F: Fn(T) -> Output<U> + Send + Sync + 'static,
    {
        let node = self.node.clone();
        Output::from_node(async move {
            let node = node.await;
            let Some(value) = node.value else {
                return Node {
                    value: None,
                    secret: node.secret,
                    dependencies: node.dependencies,
                };
            };
            let next = change(Arc::unwrap_or_clone(value)).node.await;
            let both = node.dependencies.union(&next.dependencies);
            Node {
                value: next.value,
                secret: node.secret || next.secret,
                dependencies: Arc::new(both.cloned().collect()),
            }
        })
    }

    /// What it has become. Between outputs, [`map`](Self::map) and [`and_then`](Self::and_then)
    /// keep what is secret and what depends on what.
    pub async fn resolve(&self) -> ResolvedOutput<T>
    where
        T: Clone,
    {
        let node = self.node.clone().await;
        ResolvedOutput {
            value: node.value.map(Arc::unwrap_or_clone),
            secret: node.secret,
            dependencies: Arc::unwrap_or_clone(node.dependencies),
        }
    }

    /// Itself: generated code asks for it.
    #[doc(hidden)]
    pub fn drop_type(self) -> Self {
        self
    }

    fn known(value: Option<T>, secret: bool) -> Self {
        let resolved = ResolvedOutput {
            value,
            secret,
            dependencies: HashSet::new(),
        };
        Self::from_node(std::future::ready(resolved.into()))
    }

    fn with_secret(&self, secret: bool) -> Self {
        Self::from_node(self.node.clone().map(move |node| Node { secret, ..node }))
    }

    fn from_node(node: impl Future<Output = Node<T>> + Send + 'static) -> Self {
        Self {
            node: node.boxed().shared(),
        }
    }
}

impl<T: ToPulumiValue + Send + Sync + 'static> ToPulumiValue for Output<T> {
    async fn to_pulumi_value(&self) -> PulumiValue {
        let node = self.node.clone().await;
        let mut value = match &node.value {
            Some(value) => value.to_pulumi_value().await,
            None => PulumiValue::nothing(),
        };
        value.secret |= node.secret;
        value.dependencies.extend(node.dependencies.iter().cloned());
        value
    }
}

impl<T: FromPulumiValue + Send + Sync + 'static> FromPulumiValue for Output<T> {
    fn from_pulumi_value(value: &PulumiValue) -> Result<Self> {
        let known = match value.content {
            PulumiValueContent::Nothing => None,
            _ => Some(T::from_pulumi_value(value)?),
        };
        let resolved = ResolvedOutput {
            value: known,
            secret: value.secret,
            dependencies: value.dependencies.clone(),
        };
        Ok(Self::from_node(std::future::ready(resolved.into())))
    }
}
