//! The event that Firehose invokes a processor with, read leniently: what is wrong with one
//! record is that record's alone, and only an event that is no event fails as a whole.

use std::fmt;
use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::json::{Fields, Object, Scalar};
use crate::refusal::Refusal;

/// The records of one invocation. The ids, which the reply repeats, and the data, from which clicks
/// are read, are kept apart, so that neither is copied.
#[derive(Debug, Default)]
pub struct Batch {
    pub ids: RecordIds,
    pub contents: Contents,
    /// Records without a recordId: nothing can be said about them in the reply.
    pub anonymous: usize,
}

/// The recordIds in order, in one buffer.
#[derive(Debug, Default)]
pub struct RecordIds {
    text: String,
    ends: Vec<usize>,
}

impl RecordIds {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(&self.text[start..end])
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    pub fn push(&mut self, id: &str) {
        self.text.push_str(id);
        self.ends.push(self.text.len());
    }
}

impl<'a> FromIterator<&'a str> for RecordIds {
    fn from_iter<T: IntoIterator<Item = &'a str>>(ids: T) -> Self {
        let mut all = Self::default();
        ids.into_iter().for_each(|id| all.push(id));
        all
    }
}

/// What the records hold, in the order of their ids. Their data lies in one buffer, decoded
/// while the event is parsed, so that no record costs a copy of its base64.
#[derive(Debug, Default)]
pub struct Contents {
    records: Vec<Record>,
    data: Vec<u8>,
}

#[derive(Debug)]
struct Record {
    arrival: Option<i64>,
    data: Result<Range<usize>, Refusal>,
}

/// What one record holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Content<'a> {
    /// `approximateArrivalTimestamp`: milliseconds since 1970.
    pub arrival: Option<i64>,
    pub data: Result<&'a [u8], Refusal>,
}

impl Contents {
    pub fn iter(&self) -> impl Iterator<Item = Content<'_>> {
        self.records.iter().map(|record| Content {
            arrival: record.arrival,
            data: match &record.data {
                Ok(range) => Ok(&self.data[range.clone()]),
                Err(refusal) => Err(refusal.clone()),
            },
        })
    }

    fn decode(&mut self, base64: &str) -> Result<Range<usize>, Refusal> {
        let start = self.data.len();
        match STANDARD.decode_vec(base64, &mut self.data) {
            Ok(()) => Ok(start..self.data.len()),
            Err(_) => {
                self.data.truncate(start);
                Err(Refusal::NotBase64)
            }
        }
    }
}

impl Batch {
    fn push(&mut self, raw: RawRecord) {
        let Scalar::Text(id) = raw.id else {
            self.anonymous += 1;
            return;
        };
        let data = match raw.data {
            Scalar::Text(base64) => self.contents.decode(&base64),
            _ => Err(Refusal::NoData),
        };
        let arrival = match raw.arrival {
            Scalar::Integer(milliseconds) => Some(milliseconds),
            _ => None,
        };
        self.ids.push(&id);
        self.contents.records.push(Record { arrival, data });
    }
}

impl<'de> Deserialize<'de> for Batch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EventVisitor)
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum EventField {
    Records,
    #[serde(other)]
    Other,
}

struct EventVisitor;

impl<'de> Visitor<'de> for EventVisitor {
    type Value = Batch;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("the event of a Firehose data transformation")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Batch, A::Error> {
        let mut records = None;
        while let Some(field) = map.next_key()? {
            match field {
                EventField::Records => records = Some(map.next_value::<Records>()?.0),
                EventField::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        records.ok_or_else(|| de::Error::missing_field("records"))
    }
}

struct Records(Batch);

impl<'de> Deserialize<'de> for Records {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(RecordsVisitor).map(Self)
    }
}

struct RecordsVisitor;

impl<'de> Visitor<'de> for RecordsVisitor {
    type Value = Batch;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Batch, A::Error> {
        let mut batch = Batch::default();
        while let Some(Object(raw)) = seq.next_element()? {
            batch.push(raw.unwrap_or_default());
        }
        Ok(batch)
    }
}

#[derive(Default)]
struct RawRecord<'a> {
    id: Scalar<'a>,
    arrival: Scalar<'a>,
    data: Scalar<'a>,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum RecordField {
    RecordId,
    ApproximateArrivalTimestamp,
    Data,
    #[serde(other)]
    Other,
}

impl<'de> Fields<'de> for RawRecord<'de> {
    fn read<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut record = RawRecord::default();
        while let Some(field) = map.next_key()? {
            match field {
                RecordField::RecordId => record.id = map.next_value()?,
                RecordField::ApproximateArrivalTimestamp => record.arrival = map.next_value()?,
                RecordField::Data => record.data = map.next_value()?,
                RecordField::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn batch(records: serde_json::Value) -> serde_json::Result<Batch> {
        // The bytes, not the value: that is how it arrives.
        let event = json!({ "invocationId": "i", "region": "r", "records": records });
        serde_json::from_slice(event.to_string().as_bytes())
    }

    type Read<'a> = (&'a str, Option<i64>, Result<&'a [u8], Refusal>);

    fn read(batch: &Batch) -> Vec<Read<'_>> {
        let contents = batch.contents.iter();
        let records = batch.ids.iter().zip(contents);
        records
            .map(|(id, content)| (id, content.arrival, content.data))
            .collect()
    }

    #[test]
    fn records_are_read_in_order() -> serde_json::Result<()> {
        let batch = batch(json!([
            { "recordId": "b", "approximateArrivalTimestamp": 1495072949453u64, "data": "aGVsbG8=" },
            { "recordId": "a", "approximateArrivalTimestamp": 0, "data": "" },
        ]))?;
        let read = read(&batch);
        let expected = [
            ("b", Some(1_495_072_949_453), Ok(&b"hello"[..])),
            ("a", Some(0), Ok(&b""[..])),
        ];
        assert_eq!(read, expected);
        Ok(())
    }

    #[test]
    fn a_bad_record_is_bad_alone() -> serde_json::Result<()> {
        let batch = batch(json!([
            { "recordId": "1", "approximateArrivalTimestamp": 1, "data": "*" },
            { "recordId": "2", "approximateArrivalTimestamp": "x", "data": 7 },
            { "recordId": "3", "data": null },
            { "recordId": "4" },
            { "recordId": "5", "approximateArrivalTimestamp": 1, "data": "aGVsbG8" },
            { "recordId": 6, "data": "" },
            { "data": "" },
            null,
            [],
            { "recordId": "7", "approximateArrivalTimestamp": 1, "data": "aGVsbG8=", "x": [{}] },
        ]))?;
        let read = read(&batch);
        let expected = [
            ("1", Some(1), Err(Refusal::NotBase64)),
            ("2", None, Err(Refusal::NoData)),
            ("3", None, Err(Refusal::NoData)),
            ("4", None, Err(Refusal::NoData)),
            ("5", Some(1), Err(Refusal::NotBase64)),
            ("7", Some(1), Ok(&b"hello"[..])),
        ];
        assert_eq!(read, expected);
        assert_eq!(batch.anonymous, 4);
        Ok(())
    }

    #[test]
    fn what_is_no_event_is_an_error() {
        for text in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"records":{}}"#,
            r#"{"records":[}"#,
        ] {
            assert!(serde_json::from_str::<Batch>(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn data_comes_out_as_it_went_in(datas in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..64), 0..8)) {
            let records: Vec<_> = datas
                .iter()
                .map(|data| json!({ "recordId": "r", "data": STANDARD.encode(data) }))
                .collect();
            let batch = batch(json!(records))?;
            let read: Result<Vec<_>, _> = batch.contents.iter().map(|content| content.data.map(<[u8]>::to_vec)).collect();
            prop_assert_eq!(read, Ok(datas));
        }
    }
}
