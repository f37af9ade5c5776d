//! A batch of records, from what Firehose sends to what it gets back.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::catalogue::{Catalogue, Findings};
use crate::click::Click;
use crate::click_id::ClickId;
use crate::enrich::{self, Arrival};
use crate::event::{Batch, Contents, RecordIds};
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::upstream::{Answer, Failure};

pub struct Processor {
    catalogue: Arc<Catalogue>,
}

/// What an invocation's context says to the batch.
#[derive(Clone, Copy, Debug)]
pub struct Invocation<'a> {
    /// When the last answer of the mysfits service is of use.
    pub deadline: Instant,
    pub trace_id: Option<&'a str>,
}

/// What came of a batch, and what the log says about it.
#[derive(Debug)]
pub struct Outcome {
    pub reply: Result<Reply, Unanswered>,
    pub report: Report,
}

#[derive(Debug, Default)]
pub struct Report {
    pub records: usize,
    /// Records without a recordId, which no reply can name.
    pub anonymous: usize,
    pub failed: Vec<Failed>,
    pub mysfits: usize,
    pub cache_hits: usize,
    pub requests: usize,
    pub asking: Duration,
}

#[derive(Debug, PartialEq)]
pub struct Failed {
    /// Of the record, in the batch and in the reply.
    pub index: usize,
    pub refusal: Refusal,
}

/// Not one mysfit of the batch could be looked up, so that the batch is Firehose's to retry.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error(
    "none of the {mysfits} mysfits of this batch could be looked up, so that it is to be retried: {failure}"
)]
pub struct Unanswered {
    pub mysfits: usize,
    /// One of them.
    pub failure: Failure,
}

impl Processor {
    pub fn new(catalogue: Arc<Catalogue>) -> Self {
        Self { catalogue }
    }

    /// Enriches a batch. The rule for its records:
    ///
    /// - A record is `Ok` when it is a click on a mysfit that the service, or the cache, gives
    ///   attributes for.
    /// - Everything that is wrong with a record, its click or its mysfit makes that record
    ///   `ProcessingFailed`, and no other. A well-formed reply is final: Firehose keeps the
    ///   record under its error prefix and does not send it again.
    /// - When the service gives no answer about an id, after retries, the records with that id
    ///   fail alone as well, as long as any id of the batch was answered: then the trouble is
    ///   the id's, and failing the batch would make one invented id fail its neighbours.
    ///   "Answered" includes 404 and 403, which say that there is no such mysfit, and what the
    ///   cache remembers.
    /// - When there were ids to ask about and none was answered, the trouble is the service's:
    ///   the invocation fails, and Firehose retries the whole batch. No record is lost to a
    ///   service that is down for a moment.
    pub async fn process(&self, batch: Batch, invocation: Invocation<'_>) -> Outcome {
        let Batch {
            ids: record_ids,
            contents,
            anonymous,
        } = batch;
        let readings = read(&contents);
        let ids: HashSet<_> = readings
            .iter()
            .flatten()
            .map(|(click, _)| click.mysfit_id)
            .collect();
        let mysfits = ids.len();
        let Invocation { deadline, trace_id } = invocation;
        let findings = self.catalogue.find(ids, trace_id, deadline).await;
        let mut report = Report {
            records: readings.len(),
            anonymous,
            mysfits,
            cache_hits: findings.cache_hits,
            requests: findings.requests,
            asking: findings.asking,
            failed: Vec::new(),
        };
        let reply = answer(record_ids, readings, &findings).map(|(reply, failed)| {
            report.failed = failed;
            reply
        });
        Outcome { reply, report }
    }
}

/// What a record says, when it is a click.
pub type Reading<'a> = Result<(Click<'a>, Arrival), Refusal>;

pub fn read(contents: &Contents) -> Vec<Reading<'_>> {
    let readings = contents.iter().map(|content| {
        let click = Click::parse(content.data?)?;
        let arrival = content.arrival.and_then(Arrival::from_millis);
        Ok((click, arrival.ok_or(Refusal::NoArrival)?))
    });
    readings.collect()
}

/// The reply, by the rule of `Processor::process`, and the records that failed.
pub fn answer(
    record_ids: RecordIds,
    readings: Vec<Reading>,
    findings: &Findings,
) -> Result<(Reply, Vec<Failed>), Unanswered> {
    if let Some(unanswered) = unanswered(findings) {
        return Err(unanswered);
    }
    let mut reply = Reply::failed(record_ids);
    let mut failed = Vec::new();
    for (index, reading) in readings.into_iter().enumerate() {
        let enriched = reading.and_then(|click| enrich(&mut reply, index, click, findings));
        if let Err(refusal) = enriched {
            failed.push(Failed { index, refusal });
        }
    }
    Ok((reply, failed))
}

fn unanswered(findings: &Findings) -> Option<Unanswered> {
    let answers = findings.answers.values();
    let failures: Option<Vec<_>> = answers.map(|answer| answer.as_ref().err()).collect();
    let failures = failures?;
    Some(Unanswered {
        mysfits: failures.len(),
        failure: (*failures.first()?).clone(),
    })
}

fn enrich(
    reply: &mut Reply,
    index: usize,
    (click, arrival): (Click, Arrival),
    findings: &Findings,
) -> Result<(), Refusal> {
    let id = click.mysfit_id;
    let of_record = || ClickId::of_record(reply.ids().get(index).unwrap_or_default());
    let click_id = click.click_id.unwrap_or_else(of_record);
    match findings.answers.get(&id) {
        Some(Ok(Answer::Mysfit(mysfit))) => reply.enriched(index, |out| {
            enrich::push_line(out, &click, mysfit, arrival, click_id);
        }),
        Some(Ok(Answer::Unknown)) => Err(Refusal::UnknownMysfit(id)),
        Some(Ok(Answer::Unusable(attribute))) => Err(Refusal::UnusableMysfit(id, attribute)),
        Some(Err(failure)) => Err(Refusal::NotAnswered(id, failure.clone())),
        None => Err(Refusal::NotAnswered(id, Failure::Deadline)),
    }
}
