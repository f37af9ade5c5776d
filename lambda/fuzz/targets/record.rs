//! Any bytes as a record's data, and any as the mysfits service's answer, told apart by the
//! first zero byte: the reply holds the record once, and a line that is one line of JSON, no
//! longer than the bound.
//!
//! A property that does not hold panics, as in a test, so that the fuzzer finds out.
#![no_main]

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lambda::catalogue::Findings;
use lambda::enrich::MAX_GROWTH;
use lambda::event::Batch;
use lambda::mysfit::Mysfit;
use lambda::processor::{answer, read};
use lambda::upstream::Answer;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

const YETI: &[u8] = br#"{"goodevil":"Evil","lawchaos":"Neutral","species":"Yeti"}"#;

fuzz_target!(|input: &[u8]| {
    let split = input.iter().position(|byte| *byte == 0);
    let (data, said) = match split {
        Some(zero) => (&input[..zero], &input[zero + 1..]),
        None => (input, YETI),
    };
    let event = json!({ "records": [{
        "recordId": "r",
        "approximateArrivalTimestamp": 1_495_072_949_453_u64,
        "data": STANDARD.encode(data),
    }]});
    let batch: Batch = serde_json::from_str(&event.to_string()).expect("an event");
    let mysfit = Mysfit::parse(said).map(Arc::new);
    let readings = read(&batch.contents);
    let answers: HashMap<_, _> = readings
        .iter()
        .flatten()
        .map(|(click, _)| match &mysfit {
            Ok(mysfit) => (click.mysfit_id, Ok(Answer::Mysfit(Arc::clone(mysfit)))),
            Err(_) => (click.mysfit_id, Ok(Answer::Unknown)),
        })
        .collect();
    let user = readings
        .iter()
        .flatten()
        .map(|(click, _)| click.user_id.to_string())
        .next();
    let findings = Findings {
        answers,
        ..Findings::default()
    };
    let (reply, failed) = answer(batch.ids, readings, &findings).expect("all is answered");

    let reply = serde_json::to_vec(&reply).expect("a reply");
    let reply: Value = serde_json::from_slice(&reply).expect("a reply in JSON");
    let records = reply["records"].as_array().expect("records");
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["recordId"], "r");
    if records[0]["result"] == "ProcessingFailed" {
        assert_eq!(failed.len(), 1);
        return;
    }
    assert_eq!(records[0]["result"], "Ok");
    let line = STANDARD
        .decode(records[0]["data"].as_str().expect("data"))
        .expect("base64");
    assert!(line.len() <= data.len() + MAX_GROWTH);
    assert_eq!(
        line.iter().position(|byte| *byte == b'\n'),
        Some(line.len() - 1)
    );
    let line: Value = serde_json::from_slice(&line).expect("a line of JSON");
    assert_eq!(line["userId"].as_str(), user.as_deref());
    assert_eq!(line.as_object().map(|fields| fields.len()), Some(6));
});
