//! The contract, record by record.

use super::*;
use anyhow::Result;
use proptest::prelude::*;
use serde_json::{Value, json};

fn entries(count: u64) -> Vec<Entry> {
    (1..=count)
        .map(|sequence| Entry::for_test(sequence, 1_700_000_000_123, 3))
        .collect()
}

fn data(count: u64) -> Vec<Bytes> {
    (1..=count)
        .map(|number| Bytes::from(number.to_string()))
        .collect()
}

#[test]
fn the_event_is_what_firehose_sends() -> Result<()> {
    let arn = "arn:aws:firehose:eu-west-1:000000000000:deliverystream/clicks";
    let entries = entries(2);
    let payload = event(arn, "eu-west-1", &entries, &data(2));
    let event: Value = serde_json::from_slice(&payload)?;
    assert_eq!(event["deliveryStreamArn"], arn);
    assert_eq!(event["region"], "eu-west-1");
    let records: Vec<_> = event["records"].as_array().into_iter().flatten().collect();
    assert_eq!(records[0]["data"], "MQ==");
    assert_eq!(records[1]["data"], "Mg==");
    assert_eq!(
        records[0]["approximateArrivalTimestamp"],
        1_700_000_000_123_i64
    );
    assert_ne!(records[0]["recordId"], records[1]["recordId"]);

    let again: Value = serde_json::from_slice(&super::event(arn, "eu-west-1", &entries, &data(2)))?;
    assert_eq!(again["records"], event["records"]);
    assert_ne!(again["invocationId"], event["invocationId"]);
    Ok(())
}

/// What a reply says of records 1, 2 and 3; `reply` gets their ids.
fn outcomes_of(reply: impl Fn(&[String]) -> Value) -> Vec<String> {
    let entries = entries(3);
    let ids: Vec<_> = entries.iter().map(record_id).collect();
    outcomes(&entries, reply(&ids).to_string().as_bytes())
        .into_iter()
        .map(|outcome| match outcome {
            Outcome::Ok(data) => String::from_utf8_lossy(&data).into_owned(),
            Outcome::Dropped => "dropped".into(),
            Outcome::Failed(failure) => failure.code.into_owned(),
        })
        .collect()
}

fn ok(id: &str, data: &str) -> Value {
    json!({"recordId": id, "result": "Ok", "data": STANDARD.encode(data)})
}

#[test]
fn each_record_is_judged_by_itself() {
    let outcomes = outcomes_of(|ids| {
        json!({"records": [
            {"recordId": ids[2], "result": "Dropped", "data": "unused"},
            ok(&ids[1], "two"),
            {"recordId": ids[0], "result": "ProcessingFailed"},
            ok("never sent", "x"),
        ]})
    });
    assert_eq!(
        outcomes,
        ["Lambda.ProcessingFailedStatus", "two", "dropped"]
    );
}

#[test]
fn missing_duplicate_and_empty_handed_records_fail_alone() {
    let outcomes = outcomes_of(|ids| {
        json!({"records": [
            ok(&ids[0], "one"),
            ok(&ids[0], "one again"),
            {"recordId": ids[1], "result": "Ok"},
        ]})
    });
    assert_eq!(
        outcomes,
        [
            "Lambda.DuplicatedRecordId",
            "Lambda.InvalidReturnFormat",
            "Lambda.MissingRecordId"
        ]
    );
}

#[test]
fn ok_with_empty_data_delivers_nothing_and_is_no_failure() {
    let outcomes = outcomes_of(
        |ids| json!({"records": [ok(&ids[0], ""), ok(&ids[1], "b"), ok(&ids[2], "c")]}),
    );
    assert_eq!(outcomes, ["", "b", "c"]);
}

#[test]
fn a_reply_that_cannot_be_used_fails_the_whole_batch() {
    let unknown = outcomes_of(
        |ids| json!({"records": [ok(&ids[0], "a"), ok(&ids[1], "b"), {"recordId": ids[2], "result": "Maybe"}]}),
    );
    assert_eq!(unknown, ["Lambda.JsonProcessingException"; 3]);
    let unusable = outcomes_of(
        |ids| json!({"records": [ok(&ids[0], "a"), ok(&ids[1], "b"), {"recordId": ids[2], "result": "Ok", "data": "%%"}]}),
    );
    assert_eq!(unusable, ["Lambda.FunctionError"; 3]);
    assert_eq!(
        outcomes_of(|_| json!("hello")),
        ["Lambda.JsonProcessingException"; 3]
    );
    assert_eq!(outcomes_of(|_| json!({})), ["Lambda.MissingRecordId"; 3]);
}

proptest! {
    #[test]
    fn the_bound_of_an_event_holds(lengths in prop::collection::vec(0usize..400, 1..50)) {
        let entries = entries(lengths.len() as u64);
        let data: Vec<_> = lengths.iter().map(|length| Bytes::from(vec![b'x'; *length])).collect();
        let arn = format!("arn:aws:firehose:ap-southeast-1:000000000000:deliverystream/{}", "n".repeat(64));
        let event = event(&arn, "ap-southeast-1", &entries, &data);
        let bound: usize = lengths.iter().map(|length| event_bytes(*length)).sum();
        prop_assert!(event.len() <= bound + EVENT_OVERHEAD);
    }

    #[test]
    fn any_bytes_are_a_reply_for_every_record(reply in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(outcomes(&entries(3), &reply).len(), 3);
    }
}
