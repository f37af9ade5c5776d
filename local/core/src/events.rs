//! What happens in the cloud, for the person who watches: the newest events of each kind, in
//! memory, with numbers that only grow.
//!
//! Nothing waits here. An event is built before the lock is taken, the lock is held for as long
//! as a queue takes one element, and texts are cut before they are kept. Each kind has a queue of
//! its own, so that a hundred thousand requests do not push out the one refusal among them.

use crate::faults::Fault;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use time::OffsetDateTime;
use tokio::sync::Notify;
use uuid::Uuid;

/// How many events of each kind are kept.
pub const KEPT: usize = 200;

/// How much of a text is kept, in bytes.
const MAX_TEXT: usize = 1024;

/// How many lines of an object are kept.
const MAX_LINES: usize = 10;

/// The newest events of each kind, since the process was started. A reset leaves them.
#[derive(Debug)]
pub struct Events {
    /// Another one after each start: numbers of another run mean nothing.
    run: String,
    queues: Mutex<Queues>,
    news: Notify,
}

#[derive(Debug, Default)]
struct Queues {
    /// The number of the newest event, 0 when there is none.
    last: u64,
    of_kind: [Queue; Event::KINDS.len()],
}

#[derive(Debug, Default)]
struct Queue {
    /// How many there were, kept or not.
    total: u64,
    kept: VecDeque<Arc<Numbered>>,
}

/// An event, with its place among the others.
#[derive(Debug, Serialize)]
pub struct Numbered {
    pub number: u64,
    /// In milliseconds since the Unix epoch, on the machine's clock.
    pub at: i64,
    #[serde(flatten)]
    pub event: Event,
}

/// What a watcher is given.
#[derive(Debug, Serialize)]
pub struct News {
    pub run: String,
    /// The number to ask with the next time.
    pub last: u64,
    /// How many events of each kind there were since the start, kept or not.
    pub totals: BTreeMap<&'static str, u64>,
    /// In the order of their numbers.
    pub events: Vec<Arc<Numbered>>,
}

/// One thing that happened. Durations are in milliseconds, sizes in bytes.
#[derive(Debug, Serialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Event {
    /// A deployed API has answered a request.
    Request {
        api: String,
        stage: String,
        method: String,
        path: String,
        status: u16,
        duration: u64,
        request_id: String,
        body: String,
        answer: String,
        /// Why it is no success, where that is known.
        reason: Option<String>,
    },
    /// A delivery stream has taken records, and they are on disk.
    Accepted {
        stream: String,
        records: usize,
        bytes: usize,
    },
    /// A batch of a stream was with its processor.
    Batch {
        stream: String,
        function: String,
        records: usize,
        attempt: u32,
        duration: u64,
        ok: usize,
        dropped: usize,
        failed: usize,
        /// Why the invocation as a whole failed.
        error: Option<String>,
    },
    /// A function has answered.
    Invocation {
        function: String,
        bytes: usize,
        duration: u64,
        /// Whether a new environment was started for it.
        cold: bool,
        /// The error object that it answered with.
        error: Option<String>,
    },
    /// A stream has stored an object.
    Object {
        stream: String,
        bucket: String,
        key: String,
        bytes: usize,
        records: usize,
        /// Whether it is under the error prefix.
        failed: bool,
        /// Its first lines, before compression.
        lines: Vec<String>,
        /// Whether it has more than these.
        more: bool,
    },
    /// A record that will be stored under the error prefix.
    Failed {
        stream: String,
        code: String,
        message: String,
        attempts: u32,
        /// When it was accepted, in milliseconds since the Unix epoch.
        arrived: i64,
        /// The record's data as it was accepted, as text.
        data: String,
    },
    /// A stream could not invoke its processor, or not store an object.
    #[serde(rename = "trouble")]
    DeliveryFailure {
        stream: String,
        code: String,
        message: String,
    },
    /// IAM has refused a call.
    Refusal {
        caller: String,
        action: String,
        resource: String,
        reason: String,
        /// The policy that the statement is missing in, or that denies.
        policy: String,
        /// A statement that would allow the call; none when another one denies it.
        statement: Option<Value>,
    },
    /// Somebody has switched a fault on.
    Fault { fault: Fault },
    /// Somebody has switched the faults of a service off, or all.
    FaultsOff { service: Option<String> },
    /// The cloud was emptied.
    Reset {},
    /// A line of a log.
    Log {
        group: String,
        stream: String,
        message: String,
    },
}

impl Event {
    /// The names of all kinds, as they are on the wire.
    pub(crate) const KINDS: [&'static str; 12] = [
        "request",
        "accepted",
        "batch",
        "invocation",
        "object",
        "failed",
        "trouble",
        "refusal",
        "fault",
        "faultsOff",
        "reset",
        "log",
    ];

    /// Its place in [`Self::KINDS`].
    fn kind(&self) -> usize {
        match self {
            Self::Request { .. } => 0,
            Self::Accepted { .. } => 1,
            Self::Batch { .. } => 2,
            Self::Invocation { .. } => 3,
            Self::Object { .. } => 4,
            Self::Failed { .. } => 5,
            Self::DeliveryFailure { .. } => 6,
            Self::Refusal { .. } => 7,
            Self::Fault { .. } => 8,
            Self::FaultsOff { .. } => 9,
            Self::Reset {} => 10,
            Self::Log { .. } => 11,
        }
    }
}

impl Default for Events {
    fn default() -> Self {
        Self {
            run: Uuid::new_v4().to_string(),
            queues: Mutex::default(),
            news: Notify::new(),
        }
    }
}

impl Events {
    /// What tells the numbers of this start from those of another.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Keeps an event, in the place of the oldest of its kind when there are [`KEPT`].
    pub fn push(&self, event: Event) {
        let at = unix_millis();
        let kind = event.kind();
        let mut numbered = Numbered {
            number: 0,
            at,
            event,
        };
        let pushed_out = {
            let mut queues = self.lock();
            queues.last += 1;
            numbered.number = queues.last;
            let queue = &mut queues.of_kind[kind];
            queue.total += 1;
            let full = queue.kept.len() >= KEPT;
            let pushed_out = if full { queue.kept.pop_front() } else { None };
            queue.kept.push_back(Arc::new(numbered));
            pushed_out
        };
        // Freed outside the lock.
        drop(pushed_out);
        self.news.notify_waiters();
    }

    /// What is kept of the events after this number. With the number of another run, of all.
    pub fn after(&self, run: &str, number: u64) -> News {
        let number = if run == self.run { number } else { 0 };
        let queues = self.lock();
        let mut events = Vec::new();
        for queue in &queues.of_kind {
            let newer = queue.kept.iter().rev();
            let newer = newer.take_while(|one| one.number > number);
            events.extend(newer.cloned());
        }
        let totals = queues.of_kind.iter().map(|queue| queue.total);
        let news = News {
            run: self.run.clone(),
            last: queues.last,
            totals: Event::KINDS.into_iter().zip(totals).collect(),
            events: Vec::new(),
        };
        drop(queues);
        events.sort_unstable_by_key(|one| one.number);
        News { events, ..news }
    }

    /// Waits until there is an event after this number.
    pub async fn newer(&self, run: &str, number: u64) {
        loop {
            let mut news = std::pin::pin!(self.news.notified());
            // From here on none is missed.
            news.as_mut().enable();
            if run != self.run || self.lock().last > number {
                return;
            }
            news.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The beginning of a text, as far as it is kept.
pub fn excerpt(data: &[u8]) -> String {
    cut(data, MAX_TEXT)
}

fn cut(data: &[u8], length: usize) -> String {
    let kept = data.get(..length).unwrap_or(data);
    let mut text = String::from_utf8_lossy(kept).into_owned();
    if kept.len() < data.len() {
        text.push('…');
    }
    text
}

/// The first lines of an object, and whether it has more.
pub fn first_lines(body: &[u8]) -> (Vec<String>, bool) {
    let body = body.strip_suffix(b"\n").unwrap_or(body);
    if body.is_empty() {
        return (Vec::new(), false);
    }
    let mut lines = body.split(|byte| *byte == b'\n');
    let first = lines.by_ref().take(MAX_LINES).map(excerpt).collect();
    (first, lines.next().is_some())
}

fn unix_millis() -> i64 {
    let nanoseconds = OffsetDateTime::now_utc().unix_timestamp_nanos();
    i64::try_from(nanoseconds / 1_000_000).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(message: &str) -> Event {
        Event::Log {
            group: String::from("g"),
            stream: String::from("s"),
            message: message.to_owned(),
        }
    }

    #[test]
    fn a_rare_event_outlives_any_number_of_others_and_memory_is_bounded() {
        let events = Events::default();
        events.push(Event::Reset {});
        for number in 0..100_000 {
            events.push(log(&number.to_string()));
        }
        let news = events.after("", 0);
        assert_eq!(news.events.len(), 1 + KEPT);
        assert!(matches!(news.events[0].event, Event::Reset {}));
        assert_eq!((news.last, news.totals["log"]), (100_001, 100_000));
        let numbers: Vec<_> = news.events.iter().map(|one| one.number).collect();
        assert!(numbers.is_sorted(), "{numbers:?}");
    }

    #[test]
    fn only_what_is_newer_is_told_and_all_to_a_watcher_of_another_run() {
        let events = Events::default();
        events.push(log("one"));
        events.push(log("two"));
        let run = events.after("", 0).run;
        let told = |run: &str, number| events.after(run, number).events.len();
        assert_eq!((told(&run, 0), told(&run, 1), told(&run, 2)), (2, 1, 0));
        assert_eq!((told("another", 2), told("another", 900)), (2, 2));
    }

    #[tokio::test]
    async fn a_watcher_is_woken() {
        let events = Arc::new(Events::default());
        let run = events.after("", 0).run;
        let watcher = {
            let (events, run) = (Arc::clone(&events), run.clone());
            tokio::spawn(async move { events.newer(&run, 0).await })
        };
        tokio::task::yield_now().await;
        assert!(!watcher.is_finished());
        events.push(log("one"));
        assert!(watcher.await.is_ok());
        // The next one need not wait.
        events.newer(&run, 0).await;
        events.newer("another", 7).await;
    }

    #[test]
    fn texts_are_cut() {
        assert_eq!(excerpt(b"short"), "short");
        let long = excerpt(&[b'x'; 5000]);
        assert_eq!(long.len(), MAX_TEXT + '…'.len_utf8());
        assert_eq!(first_lines(b""), (vec![], false));
        assert_eq!(
            first_lines(b"a\nb\n"),
            (vec![String::from("a"), String::from("b")], false)
        );
        let (lines, more) = first_lines(&b"x\n".repeat(11));
        assert_eq!((lines.len(), more), (MAX_LINES, true));
    }

    #[test]
    fn kinds_are_what_is_on_the_wire() -> Result<(), serde_json::Error> {
        for event in [Event::Reset {}, log(""), Event::FaultsOff { service: None }] {
            let kind = event.kind();
            let wire = serde_json::to_value(event)?;
            assert_eq!(wire["kind"], Event::KINDS[kind]);
        }
        Ok(())
    }
}
