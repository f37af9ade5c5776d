//! What became of an object's records in replays: one journal an object, in the same bucket.
//!
//! Before records are sent the journal says so, and afterwards whether they were taken. A replay
//! that ends in between leaves them *in doubt*: Firehose may have them, and there is no way to find
//! out. Each write is conditional on the one before, so that of two replays one goes on and the
//! other leaves the object to it.

use crate::aws::s3::Objects;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

/// What the keys of journals begin with; the key of the failed records follows.
const PREFIX: &str = "replayed/";

/// How often a journal is written when S3 refuses.
const ATTEMPTS: u32 = 4;

/// The first pause between two attempts.
const PAUSE: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub struct Journal<'a> {
    objects: &'a Objects,
    key: String,
    /// Of the journal as it is in S3.
    etag: Option<String>,
    state: JournalState,
    in_flight: Lines,
}

/// Another replay is at work on the object.
#[derive(Debug, thiserror::Error)]
#[error("another replay is at work on it")]
pub struct LeftToAnother;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct JournalState {
    /// Who wrote it, so that no two replays write the same.
    replay: String,
    /// The entity tag of the failed records.
    object: String,
    /// How many records the object has.
    records: Option<usize>,
    sent: Lines,
    in_doubt: Lines,
}

/// Lines of an object, from 0 on; written as ranges whose end is not in them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(u32, u32)>", into = "Vec<(u32, u32)>")]
pub struct Lines(BTreeSet<u32>);

/// Where the journal of an object is.
pub fn key_of(failed: &str) -> String {
    format!("{PREFIX}{failed}")
}

/// Whether it is the key of a journal.
pub fn is_journal(key: &str) -> bool {
    key.starts_with(PREFIX)
}

impl<'a> Journal<'a> {
    /// The journal of the object with this key and entity tag, before anything was sent.
    pub fn new(objects: &'a Objects, failed: &str, etag: &str, replay: &str) -> Self {
        Self {
            objects,
            key: key_of(failed),
            etag: None,
            state: JournalState {
                replay: replay.to_owned(),
                object: etag.to_owned(),
                ..JournalState::default()
            },
            in_flight: Lines::default(),
        }
    }

    /// What earlier replays have left, if anything.
    pub async fn read(&mut self) -> Result<()> {
        let Some(found) = self.objects.get(&self.key).await? else {
            return Ok(());
        };
        let state: JournalState = serde_json::from_slice(&found.bytes)
            .with_context(|| format!("{} is no journal of a replay", self.key))?;
        if state.object != self.state.object {
            bail!("it was changed after a replay had begun with it");
        }
        self.etag = Some(found.etag);
        let replay = std::mem::take(&mut self.state.replay);
        self.state = JournalState { replay, ..state };
        Ok(())
    }

    /// Whether every record of the object was taken, and how many there are.
    pub fn complete(&self) -> Option<usize> {
        let records = self.state.records?;
        (self.state.sent.0.len() == records).then_some(records)
    }

    /// How many records the object has, once it is read.
    pub fn count(&mut self, records: usize) {
        self.state.records = Some(records);
    }

    pub fn is_sent(&self, line: u32) -> bool {
        self.state.sent.0.contains(&line)
    }

    pub fn is_in_doubt(&self, line: u32) -> bool {
        self.state.in_doubt.0.contains(&line)
    }

    /// The lines are about to be sent.
    pub async fn begin(&mut self, lines: impl IntoIterator<Item = u32>) -> Result<()> {
        self.in_flight.0.extend(lines);
        self.save().await
    }

    /// Of the lines in flight, these were taken.
    pub fn taken(&mut self, lines: impl IntoIterator<Item = u32>) {
        for line in lines {
            self.in_flight.0.remove(&line);
            self.state.in_doubt.0.remove(&line);
            self.state.sent.0.insert(line);
        }
    }

    /// Of the lines in flight, these were not taken. One that was in doubt before stays so.
    pub fn refused(&mut self, lines: impl IntoIterator<Item = u32>) {
        for line in lines {
            self.in_flight.0.remove(&line);
        }
    }

    /// Writes what is known, with what is in flight as in doubt.
    pub async fn save(&mut self) -> Result<()> {
        let mut state = self.state.clone();
        state.in_doubt.0.extend(&self.in_flight.0);
        let bytes = serde_json::to_vec(&state)?;
        let mut attempt = 0;
        loop {
            let over = self.etag.as_deref();
            match self.objects.put_over(&self.key, over, bytes.clone()).await {
                Ok(Some(etag)) => {
                    self.etag = Some(etag);
                    return Ok(());
                }
                Ok(None) => {
                    // An attempt whose answer was lost may have written it.
                    let there = self.objects.get(&self.key).await?;
                    match there.filter(|there| there.bytes == bytes) {
                        Some(own) => self.etag = Some(own.etag),
                        None => return Err(LeftToAnother.into()),
                    }
                    return Ok(());
                }
                Err(error) if attempt + 1 == ATTEMPTS => {
                    return Err(error.context(format!("{} cannot be written", self.key)));
                }
                Err(_) => tokio::time::sleep(PAUSE * 2_u32.pow(attempt)).await,
            }
            attempt += 1;
        }
    }
}

impl From<Vec<(u32, u32)>> for Lines {
    fn from(ranges: Vec<(u32, u32)>) -> Self {
        Self(ranges.into_iter().flat_map(|(from, to)| from..to).collect())
    }
}

impl From<Lines> for Vec<(u32, u32)> {
    fn from(lines: Lines) -> Self {
        let mut ranges: Self = Vec::new();
        for line in lines.0 {
            match ranges.last_mut() {
                Some((_, end)) if *end == line => *end += 1,
                _ => ranges.push((line, line + 1)),
            }
        }
        ranges
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_written_as_ranges() -> Result<()> {
        let lines = Lines([0, 1, 2, 5, 7, 8].into());
        let text = serde_json::to_string(&lines)?;
        assert_eq!(text, "[[0,3],[5,6],[7,9]]");
        assert_eq!(serde_json::from_str::<Lines>(&text)?, lines);
        Ok(())
    }
}
