//! Any bytes as an event: every recordId that was read comes back once, in order.
//!
//! A property that does not hold panics, as in a test, so that the fuzzer finds out.
#![no_main]

use lambda::catalogue::Findings;
use lambda::event::Batch;
use lambda::processor::{answer, read};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|input: &[u8]| {
    let Ok(batch) = serde_json::from_slice::<Batch>(input) else {
        return;
    };
    let ids: Vec<String> = batch.ids.iter().map(str::to_owned).collect();
    let readings = read(&batch.contents);
    assert_eq!(readings.len(), ids.len());
    let (reply, failed) =
        answer(batch.ids, readings, &Findings::default()).expect("none was asked");
    assert_eq!(failed.len(), ids.len());
    let reply = serde_json::to_vec(&reply).expect("a reply");
    let reply: Value = serde_json::from_slice(&reply).expect("a reply in JSON");
    let back = reply["records"].as_array().expect("records");
    assert!(
        back.iter()
            .map(|record| record["recordId"].as_str())
            .eq(ids.iter().map(|id| Some(id.as_str())))
    );
});
