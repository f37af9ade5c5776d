//! What the engine answers, and how outputs wait for it.

use std::collections::{HashMap, HashSet};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use pulumi_gestalt_model::{FAILED, PulumiValue, PulumiValueContent, ResolvedOutput};
use pulumi_protocol::UNKNOWN;

use crate::engine::Engine;

/// What a resource or a function has become.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Functions have none.
    pub urn: Option<String>,
    /// `None` when it is unknown, as it is in a preview for what does not exist yet.
    pub id: Option<String>,
    pub fields: HashMap<String, PulumiValue>,
    /// Whether what is not among the fields is unknown, or not there at all.
    pub rest_is_unknown: bool,
    /// What everything that comes of it depends on.
    pub dependencies: HashSet<String>,
}

impl Answer {
    /// Of what failed: everything that comes of it has failed too.
    pub(crate) fn failed() -> Self {
        Self::unknown(HashSet::from([FAILED.to_owned()]))
    }

    pub(crate) fn unknown(dependencies: HashSet<String>) -> Self {
        Self {
            urn: None,
            id: None,
            fields: HashMap::new(),
            rest_is_unknown: true,
            dependencies,
        }
    }

    /// One of the outputs.
    pub fn field(&self, name: &str) -> ResolvedOutput<PulumiValue> {
        let mut dependencies = self.dependencies.clone();
        let (value, secret) = match self.fields.get(name) {
            Some(value) => {
                dependencies.extend(value.dependencies.iter().cloned());
                let known = value.content != PulumiValueContent::Nothing;
                (known.then(|| value.clone()), value.secret)
            }
            None if self.rest_is_unknown => (None, false),
            None => (Some(PulumiValue::none()), false),
        };
        ResolvedOutput {
            value,
            secret,
            dependencies,
        }
    }

    pub fn urn(&self) -> ResolvedOutput<String> {
        self.text(self.urn.clone())
    }

    pub fn id(&self) -> ResolvedOutput<String> {
        self.text(self.id.clone())
    }

    /// `URN::ID`, by which resources refer to their provider. It is known even in a preview in which
    /// the provider does not exist yet: the id in it then says so.
    pub fn provider_reference(&self) -> ResolvedOutput<String> {
        let id = self.id.as_deref().unwrap_or(UNKNOWN);
        self.text(self.urn.as_ref().map(|urn| format!("{urn}::{id}")))
    }

    fn text(&self, value: Option<String>) -> ResolvedOutput<String> {
        ResolvedOutput {
            value,
            secret: false,
            dependencies: self.dependencies.clone(),
        }
    }
}

/// An answer that is still to come.
#[derive(Clone)]
pub struct Answered {
    engine: Engine,
    id: usize,
    answer: Shared<BoxFuture<'static, Arc<Answer>>>,
}

impl std::fmt::Debug for Answered {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Answered").finish_non_exhaustive()
    }
}

impl Answered {
    /// Starts what gives the answer.
    pub(crate) fn start(
        engine: &Engine,
        subject: String,
        answer: impl Future<Output = Answer> + Send + 'static,
    ) -> Self {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let (id, given_up) = engine.0.waits.open(subject);
        let of = engine.clone();
        engine.spawn(crate::waits::CURRENT.scope(id, async move {
            let answer = tokio::select! {
                answer = answer => answer,
                Ok(()) = given_up => Answer::failed(),
            };
            of.0.waits.close(id);
            // It is no error that nobody waits for the answer.
            drop(sender.send(Arc::new(answer)));
        }));
        // A task of its own gives the answer, so that a row of resources, each of which waits for the
        // one before, is never polled as a whole.
        let answer = async move {
            receiver
                .await
                .unwrap_or_else(|_| Arc::new(Answer::failed()))
        };
        Self {
            engine: engine.clone(),
            id,
            answer: answer.boxed().shared(),
        }
    }
}

impl Future for Answered {
    type Output = Arc<Answer>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Arc<Answer>> {
        let polled = self.answer.poll_unpin(context);
        if polled.is_pending() {
            self.engine.0.waits.note(self.id);
        }
        polled
    }
}
