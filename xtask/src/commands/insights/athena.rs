//! The questions, asked of Athena: each is run as the stack has it deployed, in the stack's
//! workgroup.

use crate::aws::failure::Failure;
use crate::aws::{ATHENA, Aws};
use crate::progress;
use crate::session::LOCAL;
use crate::stack::Stack;
use analytics::answer::Answer;
use analytics::question::Question;
use analytics::span::Span;
use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use uuid::Uuid;

const NAMED_QUERY: &str = "aws:athena/namedQuery:NamedQuery";

/// How often a query's state is asked for: calls are throttled for the account as a whole, and a
/// query takes seconds.
const INTERVAL: Duration = Duration::from_millis(700);

/// Where a stack's queries are run.
pub struct Workgroup<'a> {
    pub aws: &'a Aws,
    pub name: &'a str,
    pub database: &'a str,
}

/// Runs the deployed query of each question.
pub async fn ask(stack: &Stack, questions: &[Question], span: &Span) -> Result<Vec<Answer>> {
    if stack.name == LOCAL {
        bail!(
            "the embedded cloud has no Athena: leave --engine out, and the same queries are \
             answered by the embedded engine"
        );
    }
    let without = "was it deployed with mysfits:analytics, which is true by default?";
    let workgroup = Workgroup {
        aws: &stack.aws,
        name: stack.output("queryWorkgroup").context(without)?,
        database: stack.output("queryDatabase").context(without)?,
    };
    let mut answers = Vec::new();
    for question in questions {
        let deployed = stack
            .of_type(NAMED_QUERY)
            .find(|query| query.outputs["name"] == question.name.as_str())
            .and_then(|query| query.outputs["query"].as_str());
        let deployed = deployed.with_context(|| {
            format!(
                "query {} is not deployed: run `pulumi up -s {}`",
                question.name, stack.name
            )
        })?;
        let question = Question::parse(&question.name, deployed)
            .with_context(|| format!("query {} as it is deployed", question.name))?;
        answers.push(workgroup.ask(&question, span).await?);
    }
    Ok(answers)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Started {
    query_execution_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Asked {
    query_execution: Execution,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Execution {
    status: Status,
    #[serde(default)]
    statistics: Statistics,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Status {
    state: String,
    state_change_reason: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statistics {
    #[serde(default)]
    data_scanned_in_bytes: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    result_set: ResultSet,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ResultSet {
    #[serde(default)]
    rows: Vec<Row>,
    result_set_metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    column_info: Vec<Column>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Column {
    name: String,
    #[serde(rename = "Type")]
    kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    #[serde(default)]
    data: Vec<Datum>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Datum {
    var_char_value: Option<String>,
}

impl Workgroup<'_> {
    /// Runs one query to its end; Ctrl-C stops it on AWS too.
    pub async fn ask(&self, question: &Question, span: &Span) -> Result<Answer> {
        let step = progress::step(format!("asking Athena: {}", question.name));
        let mut start = json!({
            "QueryString": question.sql,
            "QueryExecutionContext": { "Catalog": "AwsDataCatalog", "Database": self.database },
            "WorkGroup": self.name,
            "ClientRequestToken": Uuid::new_v4().to_string(),
        });
        let values = question.values(span);
        if !values.is_empty() {
            start["ExecutionParameters"] = json!(values);
        }
        let started: Started = self.call("StartQueryExecution", &start).await?;
        let id = json!({ "QueryExecutionId": started.query_execution_id });

        let mut interrupts =
            signal(SignalKind::interrupt()).context("signals cannot be received")?;
        let ended = tokio::select! {
            ended = self.wait(&id, &step, question) => ended,
            _ = interrupts.recv() => Err(anyhow!("interrupted")),
        };
        let scanned = match ended {
            Ok(scanned) => scanned,
            Err(error) => {
                // It may have ended by itself, which is as good.
                self.aws.json(ATHENA, "StopQueryExecution", &id).await.ok();
                return Err(error);
            }
        };
        let rows = self.rows(&id, question).await?;
        step.done();
        eprintln!("{}: {} scanned", question.name, bytes(scanned));
        Ok(Answer {
            query: question.name.clone(),
            about: question.about.clone(),
            columns: question.columns.clone(),
            rows,
        })
    }

    /// Waits for a query's end; gives the bytes that it has read.
    async fn wait(&self, id: &Value, step: &progress::Step, question: &Question) -> Result<u64> {
        loop {
            let Asked { query_execution } = self.call("GetQueryExecution", id).await?;
            let scanned = query_execution.statistics.data_scanned_in_bytes;
            let Status {
                state,
                state_change_reason,
            } = query_execution.status;
            match state.as_str() {
                "SUCCEEDED" => return Ok(scanned),
                "QUEUED" | "RUNNING" => {
                    let state = state.to_lowercase();
                    step.at(&format!("{state}, {} scanned", bytes(scanned)));
                    tokio::time::sleep(INTERVAL).await;
                }
                _ => bail!(
                    "query {} {}: {}; docs/insights.md says how to find a broken line",
                    question.name,
                    state.to_lowercase(),
                    state_change_reason.unwrap_or_default()
                ),
            }
        }
    }

    async fn rows(&self, id: &Value, question: &Question) -> Result<Vec<Vec<Value>>> {
        let mut rows = Vec::new();
        let mut input = id.clone();
        let mut first = true;
        loop {
            let page: Page = self.call("GetQueryResults", &input).await?;
            let columns = page.result_set.result_set_metadata.column_info;
            // Athena has small letters alone.
            let same = columns.len() == question.columns.len()
                && columns
                    .iter()
                    .zip(&question.columns)
                    .all(|(column, name)| column.name.to_lowercase() == name.to_lowercase());
            if !same {
                let names: Vec<_> = columns.into_iter().map(|column| column.name).collect();
                bail!(
                    "query {} was answered with the columns {}, and its head names {}",
                    question.name,
                    names.join(", "),
                    question.columns.join(", ")
                );
            }
            // The first row of the first page has the names of the columns.
            let skipped = usize::from(std::mem::take(&mut first));
            for row in page.result_set.rows.into_iter().skip(skipped) {
                let values = row.data.into_iter().zip(&columns);
                let values = values.map(|(datum, column)| value(datum, &column.kind));
                rows.push(values.collect::<Result<Vec<_>>>()?);
            }
            match page.next_token {
                Some(token) => input["NextToken"] = token.into(),
                None => return Ok(rows),
            }
        }
    }

    async fn call<T: for<'a> Deserialize<'a>>(&self, action: &str, input: &Value) -> Result<T> {
        let mut attempts = 0;
        let answer = loop {
            match self.aws.json(ATHENA, action, input).await {
                // Too many at once, of everybody in the account.
                Err(Failure::Refused(refusal)) if refusal.later && attempts < 5 => {
                    attempts += 1;
                    tokio::time::sleep(INTERVAL * attempts).await;
                }
                answer => break answer,
            }
        };
        let answer = answer.with_context(|| format!("Athena's {action} failed"))?;
        serde_json::from_value(answer).with_context(|| format!("Athena's answer to {action}"))
    }
}

/// A value as JSON: Athena gives texts, and their types beside them.
fn value(datum: Datum, kind: &str) -> Result<Value> {
    let Some(text) = datum.var_char_value else {
        return Ok(Value::Null);
    };
    let number = |text: &str| serde_json::from_str::<serde_json::Number>(text).map(Value::Number);
    Ok(match kind {
        "tinyint" | "smallint" | "integer" | "bigint" => number(&text)?,
        "float" | "double" | "decimal" => number(&text).unwrap_or(Value::String(text)),
        _ => Value::String(text),
    })
}

fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut unit = 0;
    let mut size = count as f64;
    while size >= 1_000.0 && unit < UNITS.len() - 1 {
        size /= 1_000.0;
        unit += 1;
    }
    match unit {
        0 => format!("{count} B"),
        _ => format!("{size:.1} {}", UNITS[unit]),
    }
}
