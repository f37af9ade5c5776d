//! The real processor under the embedded cloud's Runtime API, invoked with events that no honest
//! client sends.

use crate::clicks::MYSFIT;
use crate::place::Place;
use crate::records::client;
use anyhow::{Context, Result, ensure};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Response;
use serde_json::{Value, json};
use std::time::SystemTime;

#[tokio::test]
async fn every_record_of_a_hostile_batch_has_its_outcome_and_the_function_goes_on() -> Result<()> {
    let place = Place::new()?;
    place.xtask(&["up"])?;
    let function = Function::of(&place, &place.outputs()?)?;

    let text = |text: &str| json!(STANDARD.encode(text));
    let click = |user: Value, mysfit: &str| {
        text(&json!({ "userId": user, "mysfitId": mysfit }).to_string())
    };
    let good = click(json!("ada"), MYSFIT);
    let bad = [
        json!("***"),
        json!(7),
        Value::Null,
        json!(STANDARD.encode([0xff, 0xfe])),
        text(""),
        text("[1, 2"),
        text("null"),
        text("{}"),
        text(&"[".repeat(100_000)),
        text(&"x".repeat(1_000_000)),
        click(json!(1), MYSFIT),
        click(json!("u"), "../../etc/passwd"),
        click(json!("u"), "%2e%2e%2fmysfits"),
        click(json!("u"), "x?y=1"),
        click(json!("u"), &"a".repeat(10_240)),
        click(json!("u"), "b41ff031-141e-4a8d-bb56-000000000000"),
    ];
    let mixed: Vec<_> = bad
        .iter()
        .flat_map(|bad| [bad.clone(), good.clone()])
        .collect();
    let results = function.results(&mixed).await?;
    for (index, result) in results.iter().enumerate() {
        let expected = ["ProcessingFailed", "Ok"][index % 2];
        ensure!(result == expected, "{index}: {result} of {}", mixed[index]);
    }

    // An event that is no batch gets an answer or an error, and the next batch works as before.
    for event in [
        "null",
        "[]",
        "{}",
        r#"{"records":"x"}"#,
        r#"{"records":[[],7,{}]}"#,
    ] {
        let answer = function.invoke(event.to_owned()).await?;
        ensure!(answer.status() == 200, "{event}: {}", answer.status());
        ensure!(
            function.results(std::slice::from_ref(&good)).await? == ["Ok"],
            "after {event}"
        );
    }
    let most = vec![good; 10_000];
    ensure!(
        function
            .results(&most)
            .await?
            .iter()
            .all(|result| result == "Ok")
    );
    Ok(())
}

/// The processor, invoked as the AWS CLI does it.
struct Function {
    endpoint: String,
    path: String,
}

impl Function {
    fn of(place: &Place, outputs: &Value) -> Result<Self> {
        let name = outputs["processor"].as_str().context("no processor")?;
        Ok(Self {
            endpoint: place.aws()?,
            path: format!("/2015-03-31/functions/{name}/invocations"),
        })
    }

    /// The outcomes of records with this data, which must all be there and in order.
    async fn results(&self, datas: &[Value]) -> Result<Vec<String>> {
        let records: Vec<_> = datas
            .iter()
            .enumerate()
            .map(|(index, data)| {
                json!({
                    "recordId": index.to_string(),
                    "approximateArrivalTimestamp": 1_495_072_949_453_i64,
                    "data": data,
                })
            })
            .collect();
        let answer = self
            .invoke(json!({ "records": records }).to_string())
            .await?;
        let failed = answer.headers().contains_key("x-amz-function-error");
        let reply: Value = answer.json().await?;
        ensure!(!failed, "{reply}");
        let records = reply["records"].as_array().context("no records")?;
        ensure!(records.len() == datas.len(), "{} records", records.len());
        records
            .iter()
            .enumerate()
            .map(|(index, record)| {
                let id = index.to_string();
                ensure!(record["recordId"] == id, "{id}: {record}");
                Ok(record["result"].as_str().context("no result")?.to_owned())
            })
            .collect()
    }

    async fn invoke(&self, event: String) -> Result<Response> {
        let url = format!("{}{}", self.endpoint, self.path);
        let identity = aws_credential_types::Credentials::new("test", "test", None, None, "test");
        let identity = identity.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name("lambda")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let body = SignableBody::Bytes(event.as_bytes());
        let request = SignableRequest::new("POST", &url, std::iter::empty(), body)?;
        let (instructions, _) = sign(request, &parameters)?.into_parts();
        let mut request = client()?.post(&url);
        for (name, value) in instructions.headers() {
            request = request.header(name, value);
        }
        Ok(request.body(event).send().await?)
    }
}
