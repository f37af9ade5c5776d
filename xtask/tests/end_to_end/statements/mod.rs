//! Takes away each statement of the stack's IAM documents in turn: what breaks, and with which
//! answer or line in the cloud's log. The expectations here follow AWS's rules.

mod declared;
mod provider;

use crate::place::Place;
use crate::records::{Fate, Records, client};
use anyhow::{Context, Result, ensure};
use declared::{Statement, give_back, name, statements, take_away};
use provider::Provider;
use reqwest::Client;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

/// How long a line of the log may take, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(120);

/// The mysfits of the clicks: the second one is asked for only where the site is closed, because
/// the processor remembers what it was told.
const MYSFIT: &str = "b41ff031-141e-4a8d-bb56-158a22bea0b3";
const UNHEARD_OF: &str = "4e53920c-505a-4a90-a694-b9300791f0ae";

/// What breaks without a statement.
struct Expected {
    without: &'static str,
    /// Another statement of the document, without which this one is of use.
    and: Option<&'static str>,
    mysfit: &'static str,
    /// The API's answer to a click.
    answer: (u16, &'static str),
    record: Record,
    /// The site's answer.
    site: u16,
    /// Lines of the cloud's log, by two parts of each.
    said: &'static [(&'static str, &'static str)],
}

enum Record {
    /// The API has refused it.
    None,
    Stored,
    /// Among the failed ones, with this code.
    Failed(&'static str),
    /// Not delivered until the statement is back, and then stored, or failed with a code.
    Kept(Option<&'static str>),
}

/// Where nothing breaks.
const NOTHING: Expected = Expected {
    without: "",
    and: None,
    mysfit: MYSFIT,
    answer: (200, r#"{"status":"OK"}"#),
    record: Record::Stored,
    site: 200,
    said: &[],
};

const EXPECTED: [Expected; 14] = [
    // The function has just been changed, so that no environment runs any more.
    Expected {
        without: "trust mysfits-processor",
        record: Record::Failed("Lambda.InvokeAccessDenied"),
        said: &[
            ("a function cannot start", "sts:AssumeRole"),
            ("a delivery failed", "Lambda.InvokeAccessDenied"),
        ],
        ..NOTHING
    },
    Expected {
        without: "policy mysfits-processor Log",
        said: &[("log lines are dropped", "logs:")],
        ..NOTHING
    },
    Expected {
        without: "trust mysfits-delivery",
        record: Record::Kept(Some("Lambda.AssumeRoleAccessDenied")),
        said: &[
            ("a delivery failed", "Lambda.AssumeRoleAccessDenied"),
            ("the declared log was not written", "sts:AssumeRole"),
            ("a delivery failed", "S3.AccessDenied"),
        ],
        ..NOTHING
    },
    Expected {
        without: "policy mysfits-delivery Store",
        record: Record::Kept(None),
        said: &[
            ("was refused", "s3:PutObject"),
            ("a delivery failed", "S3.AccessDenied"),
        ],
        ..NOTHING
    },
    // The function's own permission names firehose.amazonaws.com, but Firehose calls in its role.
    Expected {
        without: "policy mysfits-delivery Process",
        record: Record::Failed("Lambda.InvokeAccessDenied"),
        said: &[
            ("was refused", "lambda:InvokeFunction"),
            ("a delivery failed", "Lambda.InvokeAccessDenied"),
        ],
        ..NOTHING
    },
    // Nothing is to be logged as long as nothing fails.
    Expected {
        without: "policy mysfits-delivery LogErrors",
        and: Some("policy mysfits-delivery Process"),
        record: Record::Failed("Lambda.InvokeAccessDenied"),
        said: &[
            ("a delivery failed", "Lambda.InvokeAccessDenied"),
            ("the declared log was not written", "logs:PutLogEvents"),
        ],
        ..NOTHING
    },
    // Firehose's role suffices within one account.
    Expected {
        without: "permission mysfits-delivery",
        ..NOTHING
    },
    Expected {
        without: "trust mysfits-api",
        answer: (500, r#"{"message":"Internal server error"}"#),
        record: Record::None,
        said: &[("an API could not answer", "sts:AssumeRole")],
        ..NOTHING
    },
    Expected {
        without: "policy mysfits-api Put",
        answer: (502, r#"{"message":"The click was not stored"}"#),
        record: Record::None,
        ..NOTHING
    },
    Expected {
        without: "trust mysfits-api-logs",
        said: &[("a request is not in the access log", "sts:AssumeRole")],
        ..NOTHING
    },
    Expected {
        without: "policy mysfits-api-logs Log",
        said: &[("a request is not in the access log", "logs:")],
        ..NOTHING
    },
    // What comes over loopback counts as sent over TLS.
    Expected {
        without: "bucket mysfits-clicks-policy TlsOnly",
        ..NOTHING
    },
    Expected {
        without: "bucket mysfits-site-policy TlsOnly",
        ..NOTHING
    },
    // The processor reads the catalogue through the distribution: what is forbidden is unknown.
    Expected {
        without: "bucket mysfits-site-policy Distribution",
        mysfit: UNHEARD_OF,
        record: Record::Failed("Lambda.ProcessingFailedStatus"),
        site: 403,
        ..NOTHING
    },
];

#[tokio::test]
async fn without_a_statement_breaks_what_needs_it_and_nothing_else() -> Result<()> {
    let place = Place::new()?;
    place.xtask(&["up"])?;
    let resources = place.resources()?;
    let statements = statements(&resources)?;
    let declared: BTreeSet<_> = statements.iter().map(|one| one.name.as_str()).collect();
    let expected: BTreeSet<_> = EXPECTED.iter().map(|one| one.without).collect();
    assert_eq!(declared, expected, "declared, and expected here");
    let find = |name: &str| statements.iter().find(|one| one.name == name);

    let mut stack = Stack::of(&place).await?;
    stack.check(&NOTHING, &[]).await.context("all statements")?;
    let functions = resources
        .iter()
        .filter(|one| name(one).is_ok_and(|name| name == "mysfits-processor"));
    let mut functions = functions.filter(|one| one["type"] == "aws:lambda/function:Function");
    let function = functions.next().context("no function")?;
    let mut wrong = Vec::new();
    for expected in &EXPECTED {
        let names = [Some(expected.without), expected.and];
        let taken: Vec<_> = names.into_iter().flatten().filter_map(find).collect();
        if expected.without.contains("processor") {
            stack.renew(function).await?;
        }
        if let Err(error) = stack.check(expected, &taken).await {
            wrong.push(format!("without {}: {error:#}", expected.without));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// The deployed stack.
struct Stack {
    provider: Provider,
    client: Client,
    records: Records,
    log: PathBuf,
    clicks: String,
    site: String,
    /// What the function's time-out was set to last.
    timeout: u32,
}

impl Stack {
    async fn of(place: &Place) -> Result<Self> {
        let outputs = place.outputs()?;
        let url = |name: &str| {
            Ok::<_, anyhow::Error>(outputs[name].as_str().context("no URL")?.to_owned())
        };
        Ok(Self {
            provider: Provider::of(place).await?,
            client: client()?,
            records: Records::of(place, &outputs)?,
            log: place.home.join("cloud.log"),
            clicks: url("clicksEndpoint")?,
            site: url("siteUrl")?,
            timeout: 30,
        })
    }

    /// Changes the function, so that the next invocation has a new environment: one says only
    /// once that its log cannot be written.
    async fn renew(&mut self, function: &Value) -> Result<()> {
        self.timeout -= 1;
        let mut inputs = function["inputs"].clone();
        inputs["timeout"] = self.timeout.into();
        self.provider.update(function, &inputs).await
    }

    /// Sends a click without these statements, and compares.
    async fn check(&mut self, expected: &Expected, without: &[&Statement]) -> Result<()> {
        let user = format!("without {}", expected.without);
        let from = std::fs::read_to_string(&self.log)?.len();
        take_away(without, &mut self.provider).await?;
        let seen = self.click(expected, &user, from).await;
        give_back(without, &mut self.provider).await?;
        seen?;
        if let Record::Kept(code) = expected.record {
            self.settle(&user, code).await?;
        }
        for line in self.said_since(from)?.lines() {
            let is_complaint = line.contains(" WARN ") || line.contains(" ERROR ");
            let mut all = expected.said.iter();
            let is_expected = all.any(|(what, why)| line.contains(what) && line.contains(why));
            ensure!(!is_complaint || is_expected, "said too: {line}");
        }
        Ok(())
    }

    /// Sends the click, and compares what can be seen while the statements are missing.
    async fn click(&self, expected: &Expected, user: &str, from: usize) -> Result<()> {
        let click = json!({ "userId": user, "mysfitId": expected.mysfit });
        let answer = self.client.put(&self.clicks).json(&click).send().await?;
        let (status, text) = (answer.status().as_u16(), answer.text().await?);
        ensure!(
            (status, text.as_str()) == expected.answer,
            "the API said {status} {text}"
        );
        let site = self.client.get(&self.site).send().await?.status();
        ensure!(site == expected.site, "the site said {site}");
        match expected.record {
            Record::Stored => self.settle(user, None).await?,
            Record::Failed(code) => self.settle(user, Some(code)).await?,
            Record::None | Record::Kept(_) => {}
        }
        self.wait_for(expected.said, from).await
    }

    /// Waits for the record: stored, or failed with this code.
    async fn settle(&self, user: &str, code: Option<&str>) -> Result<()> {
        let fate = self.records.fate_of(user).await?;
        let expected = code.map_or(Fate::Stored, |code| Fate::Failed(code.to_owned()));
        ensure!(fate == expected, "the record: {fate:?}");
        Ok(())
    }

    /// Waits until the log has all these lines.
    async fn wait_for(&self, lines: &[(&str, &str)], from: usize) -> Result<()> {
        let wait = async {
            let mut pause = tokio::time::interval(Duration::from_millis(100));
            loop {
                pause.tick().await;
                let said = self.said_since(from)?;
                let is_said = |(what, why): &(&str, &str)| {
                    let mut lines = said.lines();
                    lines.any(|line| line.contains(what) && line.contains(why))
                };
                if lines.iter().all(is_said) {
                    return Ok(());
                }
            }
        };
        match tokio::time::timeout(PATIENCE, wait).await {
            Ok(waited) => waited,
            Err(_) => anyhow::bail!("no {lines:?} in:\n{}", self.said_since(from)?),
        }
    }

    fn said_since(&self, from: usize) -> Result<String> {
        let log = std::fs::read_to_string(&self.log)?;
        Ok(log.get(from..).unwrap_or_default().to_owned())
    }
}
