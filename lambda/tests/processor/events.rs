//! Events as Firehose sends them, and the reply read back.

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

pub const ARRIVAL: i64 = 1_495_072_949_453;

pub fn id(n: usize) -> String {
    format!("b41ff031-141e-4a8d-bb56-{n:012x}")
}

pub fn record_id(n: usize) -> String {
    format!("4954698668313554428650745793632162567570019247{n:016}")
}

pub fn click(user: &str, mysfit: &str) -> String {
    json!({ "userId": user, "mysfitId": mysfit }).to_string()
}

/// Records with this data, as they are before base64.
pub fn event<D: AsRef<[u8]>>(datas: impl IntoIterator<Item = D>) -> String {
    records(datas.into_iter().map(|data| json!(STANDARD.encode(data))))
}

/// Records with whatever these values are as their data.
pub fn records(datas: impl IntoIterator<Item = Value>) -> String {
    let records: Vec<_> = datas
        .into_iter()
        .enumerate()
        .map(|(n, data)| {
            json!({
                "recordId": record_id(n),
                "approximateArrivalTimestamp": ARRIVAL,
                "data": data,
            })
        })
        .collect();
    json!({
        "invocationId": "e2dbcb5a-7f2c-4b5a-8d0e-2a1bf7e1a0d4",
        "deliveryStreamArn": "arn:aws:firehose:us-east-1:000000000000:deliverystream/clicks",
        "region": "us-east-1",
        "records": records,
    })
    .to_string()
}

/// The reply to `count` records: each record's line, or `None` for one that failed. Every
/// recordId must be there once, in order.
pub fn lines(reply: &[u8], count: usize) -> Result<Vec<Option<String>>> {
    let reply: Value = serde_json::from_slice(reply)?;
    let records = reply["records"].as_array().context("no records")?;
    ensure!(
        records.len() == count,
        "{} records, not {count}",
        records.len()
    );
    let lines = records.iter().enumerate().map(|(n, record)| {
        ensure!(record["recordId"] == record_id(n), "record {n} is {record}");
        match record["result"].as_str() {
            Some("ProcessingFailed") => Ok(None),
            Some("Ok") => {
                let data = record["data"].as_str().context("no data")?;
                Ok(Some(String::from_utf8(STANDARD.decode(data)?)?))
            }
            other => anyhow::bail!("record {n} has result {other:?}"),
        }
    });
    lines.collect()
}
