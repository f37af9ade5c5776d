//! What the processor knows of mysfits: the cache first, then the mysfits service, asked once
//! for an id however many want to know.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::future::{BoxFuture, FutureExt, Shared, WeakShared};
use futures::stream::{self, StreamExt};
use tokio::time::timeout_at;

use crate::cache::Cache;
use crate::config::Config;
use crate::mysfit::MysfitId;
use crate::upstream::{Answer, Asked, Failure, Patience, Upstream, UpstreamError};

/// How many questions are open at a time.
pub const CONCURRENCY: usize = 16;

/// Mysfits that are remembered. The largest entry is under 400 bytes, so that both caches
/// together stay below 8 MB.
const CAPACITY: usize = 10_000;

/// Invented ids are remembered in a cache of their own: they cannot push mysfits out.
const NEGATIVE_CAPACITY: usize = 10_000;

pub struct Catalogue {
    upstream: Upstream,
    known: Mutex<Cache<MysfitId, Answer>>,
    refused: Mutex<Cache<MysfitId, Answer>>,
    in_flight: Mutex<HashMap<MysfitId, WeakShared<Flight>>>,
}

type Flight = BoxFuture<'static, Asked>;

/// What a batch wanted to know.
#[derive(Debug, Default)]
pub struct Findings {
    pub answers: HashMap<MysfitId, Result<Answer, Failure>>,
    pub cache_hits: usize,
    pub requests: usize,
    /// From the first question to the last answer.
    pub asking: Duration,
}

impl Catalogue {
    pub fn new(config: Config) -> Result<Arc<Self>, UpstreamError> {
        let upstream = Upstream::new(config.base.clone(), Patience::default(), CONCURRENCY)?;
        Ok(Self::with_upstream(&config, upstream))
    }

    pub fn with_upstream(config: &Config, upstream: Upstream) -> Arc<Self> {
        Arc::new(Self {
            upstream,
            known: Mutex::new(Cache::new(config.cache_ttl, CAPACITY)),
            refused: Mutex::new(Cache::new(config.negative_cache_ttl, NEGATIVE_CAPACITY)),
            in_flight: Mutex::default(),
        })
    }

    /// Finds out about every id, before `deadline`.
    pub async fn find(
        self: &Arc<Self>,
        ids: HashSet<MysfitId>,
        trace_id: Option<&str>,
        deadline: Instant,
    ) -> Findings {
        let start = Instant::now();
        let mut findings = Findings::default();
        let mut unknown = Vec::new();
        for id in ids {
            match self.remembered(id, start) {
                Some(answer) => {
                    findings.answers.insert(id, Ok(answer));
                }
                None => unknown.push(id),
            }
        }
        findings.cache_hits = findings.answers.len();
        if unknown.is_empty() {
            return findings;
        }

        let mut asking = stream::iter(unknown)
            .map(|id| async move { (id, self.ask(id, trace_id, deadline).await) })
            .buffer_unordered(CONCURRENCY);
        while let Some((id, asked)) = asking.next().await {
            findings.requests += asked.requests as usize;
            findings.answers.insert(id, asked.answer);
        }
        findings.asking = start.elapsed();
        findings
    }

    fn remembered(&self, id: MysfitId, now: Instant) -> Option<Answer> {
        let known = lock(&self.known).get(&id, now);
        known.or_else(|| lock(&self.refused).get(&id, now))
    }

    fn remember(&self, id: MysfitId, answer: &Answer) {
        let cache = match answer {
            Answer::Mysfit(_) => &self.known,
            Answer::Unknown | Answer::Unusable(_) => &self.refused,
        };
        lock(cache).insert(id, answer.clone(), Instant::now());
    }

    async fn ask(
        self: &Arc<Self>,
        id: MysfitId,
        trace_id: Option<&str>,
        deadline: Instant,
    ) -> Asked {
        let late = Asked {
            answer: Err(Failure::Deadline),
            requests: 0,
        };
        if Instant::now() >= deadline {
            return late;
        }
        let (flight, mine) = self.board(id, trace_id);
        match timeout_at(deadline.into(), flight).await {
            // Requests are counted where they were started.
            Ok(asked) => Asked {
                requests: if mine { asked.requests } else { 0 },
                ..asked
            },
            Err(_) => Asked {
                requests: mine.into(),
                ..late
            },
        }
    }

    /// The question about `id` that is under way, or a new one; and whether it is new. The
    /// question ends when nobody waits for it any more.
    fn board(self: &Arc<Self>, id: MysfitId, trace_id: Option<&str>) -> (Shared<Flight>, bool) {
        let mut in_flight = lock(&self.in_flight);
        if let Some(flight) = in_flight.get(&id).and_then(WeakShared::upgrade) {
            return (flight, false);
        }
        let landing = Landing {
            catalogue: Arc::clone(self),
            id,
        };
        let trace_id = trace_id.map(str::to_owned);
        let flight = async move {
            let Landing { catalogue, id } = &landing;
            let asked = catalogue.upstream.ask(*id, trace_id.as_deref()).await;
            if let Ok(answer) = &asked.answer {
                catalogue.remember(*id, answer);
            }
            asked
        };
        let flight = flight.boxed().shared();
        if let Some(weak) = flight.downgrade() {
            in_flight.insert(id, weak);
        }
        (flight, true)
    }
}

/// Takes a question out of the list of those under way when it has ended, in any way.
struct Landing {
    catalogue: Arc<Catalogue>,
    id: MysfitId,
}

impl Drop for Landing {
    fn drop(&mut self) {
        lock(&self.catalogue.in_flight).remove(&self.id);
    }
}

/// What these mutexes guard is whole after every statement, so a panic elsewhere is no reason
/// to give it up.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
