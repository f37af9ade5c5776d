//! The answer to Firehose: every recordId once, in order, and never more than Lambda lets
//! through.
//!
//! # Why the stream's processor buffer is 0.3 MB
//!
//! Enrichment makes short clicks much longer, so a full buffer can give a reply over the
//! limit. The worst record is the shortest click (63 bytes, with an empty userId) on a mysfit
//! with the longest attributes: its line has 63 + 322 bytes, and with the longest recordId
//! its part of the reply is 716 bytes, eleven times what came in. A buffer may hold, over its
//! size, the one record that filled it, of at most 1,000 KiB, which grows by a third.
//! `worst_reply` is that sum. With Firehose's default of 1 MB it is 13.2 MB, with 0.4 MB
//! 6.1 MB, and with 0.3 MB 4.9 MB: the largest tenth that fits. A buffer size is a hint to
//! Firehose, so the reply guards its limit all the same: what does not fit is failed.

use std::ops::Range;

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::enrich;
use crate::event::RecordIds;
use crate::json;
use crate::mysfit::MysfitId;
use crate::refusal::Refusal;

/// Lambda's limit for a synchronous answer, "6 MB" in its documentation, taken as the
/// smaller of the two readings.
pub const REPLY_LIMIT: usize = 6_000_000;

/// The largest record that Firehose takes, before base64 (its documentation, quotas).
pub const MAX_RECORD: usize = 1_000 * 1024;

/// The longest recordId seen from Firehose; its documentation names no limit.
pub const MAX_RECORD_ID: usize = 160;

/// The shortest click that can be enriched.
pub const MIN_CLICK: usize = r#"{"userId":"","mysfitId":""}"#.len() + MysfitId::LEN;

/// The buffer size that `infra` gives the stream, in bytes.
pub const PROCESSOR_BUFFER: usize = 3 * 1024 * 1024 / 10;

const ENVELOPE: usize = r#"{"records":[]}"#.len();
const FAILED: usize = r#"{"recordId":,"result":"ProcessingFailed"}"#.len();
const OK: usize = r#"{"recordId":,"result":"Ok","data":""}"#.len();

/// An upper bound for the reply to a batch that filled a processor buffer of `buffer` bytes.
pub const fn worst_reply(buffer: usize) -> usize {
    ENVELOPE + buffer.div_ceil(MIN_CLICK) * worst_record(MIN_CLICK) + worst_record(MAX_RECORD)
}

const fn worst_record(click: usize) -> usize {
    let quotes_and_comma = 3;
    OK + MAX_RECORD_ID + quotes_and_comma + base64_len(click + enrich::MAX_GROWTH)
}

const fn base64_len(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

/// A reply in which every record is failed until its line is in and has been found to fit.
#[derive(Debug)]
pub struct Reply {
    ids: RecordIds,
    /// Where each record's line is, if it has one.
    places: Vec<Option<Range<usize>>>,
    lines: Vec<u8>,
    /// Of the reply as JSON.
    size: usize,
    limit: usize,
}

impl Reply {
    pub fn failed(ids: RecordIds) -> Self {
        Self::with_limit(ids, REPLY_LIMIT)
    }

    fn with_limit(ids: RecordIds, limit: usize) -> Self {
        let records: usize = ids.iter().map(|id| FAILED + json::string_len(id)).sum();
        let commas = ids.len().saturating_sub(1);
        Self {
            size: ENVELOPE + records + commas,
            places: vec![None; ids.len()],
            lines: Vec::new(),
            ids,
            limit,
        }
    }

    pub fn ids(&self) -> &RecordIds {
        &self.ids
    }

    /// Lets `write` append the line of the record at `index` to what it is given.
    pub fn enriched(
        &mut self,
        index: usize,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), Refusal> {
        let start = self.lines.len();
        write(&mut self.lines);
        let end = self.lines.len();
        let size = self.size - FAILED + OK + base64_len(end - start);
        match self.places.get_mut(index) {
            Some(place) if size <= self.limit => {
                *place = Some(start..end);
                self.size = size;
                Ok(())
            }
            _ => {
                self.lines.truncate(start);
                Err(Refusal::ReplyFull)
            }
        }
    }
}

impl Serialize for Reply {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut reply = serializer.serialize_struct("Reply", 1)?;
        reply.serialize_field("records", &Records(self))?;
        reply.end()
    }
}

struct Records<'a>(&'a Reply);

impl Serialize for Records<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Reply {
            ids, places, lines, ..
        } = self.0;
        let records = ids.iter().zip(places);
        serializer.collect_seq(records.map(|(id, place)| Record {
            id,
            line: place.clone().map(|place| &lines[place]),
        }))
    }
}

struct Record<'a> {
    id: &'a str,
    line: Option<&'a [u8]>,
}

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut record = serializer.serialize_struct("Record", 3)?;
        record.serialize_field("recordId", self.id)?;
        match self.line {
            // Without data: Firehose keeps the record as it came.
            None => record.serialize_field("result", "ProcessingFailed")?,
            Some(line) => {
                record.serialize_field("result", "Ok")?;
                record.serialize_field("data", &Base64(line))?;
            }
        }
        record.end()
    }
}

struct Base64<'a>(&'a [u8]);

impl Serialize for Base64<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Base64Display::new(self.0, &STANDARD))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::click::Click;
    use crate::click_id::ClickId;
    use crate::enrich::Arrival;
    use crate::mysfit::{Mysfit, MysfitError};

    const ID: &str = "b41ff031-141e-4a8d-bb56-158a22bea0b3";

    fn ids(count: usize) -> RecordIds {
        let ids: Vec<_> = (0..count)
            .map(|n| format!("{n:0>MAX_RECORD_ID$}"))
            .collect();
        ids.iter().map(String::as_str).collect()
    }

    /// The longest mysfit there is.
    fn giant() -> Result<Mysfit, MysfitError> {
        let attribute = "x".repeat(Mysfit::MAX_ATTRIBUTE);
        let answer = json!({ "goodevil": attribute, "lawchaos": attribute, "species": attribute });
        Mysfit::parse(answer.to_string().as_bytes())
    }

    fn click(len: usize) -> String {
        let user = "u".repeat(len - MIN_CLICK);
        format!(r#"{{"userId":"{user}","mysfitId":"{ID}"}}"#)
    }

    /// The reply to clicks of these lengths, all on the longest mysfit, and how many are Ok.
    fn enriched(clicks: &[usize]) -> Result<(Reply, usize), TestCaseError> {
        let mysfit = giant().map_err(|error| TestCaseError::fail(format!("{error:?}")))?;
        let arrival = Arrival::from_millis(0).ok_or_else(|| TestCaseError::fail("arrival"))?;
        let mut reply = Reply::failed(ids(clicks.len()));
        let mut ok = 0;
        for (index, &len) in clicks.iter().enumerate() {
            let text = click(len);
            prop_assert_eq!(text.len(), len);
            let click =
                Click::parse(text.as_bytes()).map_err(|r| TestCaseError::fail(r.to_string()))?;
            let written = reply.enriched(index, |out| {
                enrich::push_line(out, &click, &mysfit, arrival, ClickId::of_record("r"))
            });
            ok += usize::from(written.is_ok());
        }
        Ok((reply, ok))
    }

    #[test]
    fn the_reply_is_firehoses() -> serde_json::Result<()> {
        let mut reply = Reply::failed(["a", "b\"\n", "c"].into_iter().collect());
        let ok = reply.enriched(1, |out| out.extend_from_slice(b"{}\n"));
        assert_eq!(ok, Ok(()));
        let text = serde_json::to_string(&reply)?;
        assert_eq!(text.len(), reply.size);
        assert_eq!(
            text,
            concat!(
                r#"{"records":[{"recordId":"a","result":"ProcessingFailed"},"#,
                r#"{"recordId":"b\"\n","result":"Ok","data":"e30K"},"#,
                r#"{"recordId":"c","result":"ProcessingFailed"}]}"#
            )
        );
        assert_eq!(
            serde_json::to_string(&Reply::failed(ids(0)))?,
            r#"{"records":[]}"#
        );
        Ok(())
    }

    /// The numbers in the module's documentation.
    #[test]
    fn the_worst_batch_of_the_chosen_buffer_fits() -> Result<(), TestCaseError> {
        assert_eq!(MIN_CLICK, 63);
        assert_eq!(enrich::MAX_GROWTH, 322);
        assert_eq!(worst_record(MIN_CLICK), 716);
        let mega = 1024 * 1024;
        assert_eq!(worst_reply(mega) / 100_000, 132);
        assert_eq!(worst_reply(mega * 4 / 10) / 100_000, 61);
        assert!(worst_reply(PROCESSOR_BUFFER) <= REPLY_LIMIT);
        assert!(worst_reply(mega * 4 / 10) > REPLY_LIMIT);

        let mut clicks = vec![MIN_CLICK; PROCESSOR_BUFFER / MIN_CLICK];
        clicks.push(MAX_RECORD);
        let (reply, ok) = enriched(&clicks)?;
        assert_eq!(ok, clicks.len());
        let size = serde_json::to_vec(&reply)
            .map_err(|e| TestCaseError::fail(e.to_string()))?
            .len();
        assert_eq!(size, reply.size);
        assert!(size <= worst_reply(PROCESSOR_BUFFER), "{size}");
        assert!(
            size + 1_000 > worst_reply(PROCESSOR_BUFFER),
            "the bound is tight: {size}"
        );
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// However a buffer is filled, its reply stays below the bound.
        #[test]
        fn no_batch_is_worse(lens in prop::collection::vec(MIN_CLICK..4 * MIN_CLICK, 1..400), last in MIN_CLICK..=MAX_RECORD) {
            let buffer = lens.iter().sum();
            let (reply, _) = enriched(&[&lens[..], &[last]].concat())?;
            prop_assert!(reply.size <= worst_reply(buffer));
        }

        /// What would not fit is failed, and the reply is whole.
        #[test]
        fn the_limit_holds(lines in prop::collection::vec(0usize..200, 1..30), room in 0usize..4_000) {
            let limit = Reply::failed(ids(lines.len())).size + room;
            let mut reply = Reply::with_limit(ids(lines.len()), limit);
            let mut written = Vec::new();
            for (index, len) in lines.iter().enumerate() {
                written.push(reply.enriched(index, |out| out.resize(out.len() + len, b'x')).is_ok());
            }
            let json = serde_json::to_string(&reply)?;
            prop_assert_eq!(json.len(), reply.size);
            prop_assert!(json.len() <= limit);
            let value: Value = serde_json::from_str(&json)?;
            let results: Vec<_> = value["records"].as_array().into_iter().flatten().map(|r| r["result"] == "Ok").collect();
            prop_assert_eq!(results, written);
        }
    }
}
