//! What the stack costs: the tables of docs/cost-and-limits.md are computed from docs/prices.json,
//! and the quantities in there are those of the stack.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{all, mock, one, run};

/// A month, as AWS's pricing pages take it for metrics: 30 days.
const MONTH_SECONDS: u64 = 30 * 24 * 60 * 60;

fn read(file: &str) -> Result<String> {
    let path = format!("{}/../docs/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).context(path)
}

fn prices() -> Result<Value> {
    Ok(serde_json::from_str(&read("prices.json")?)?)
}

fn number(value: &Value) -> Result<f64> {
    value
        .as_f64()
        .with_context(|| format!("{value} is no number"))
}

#[test]
fn the_tables_are_computed_from_the_prices() -> Result<()> {
    let page = read("cost-and-limits.md")?;
    let prices = prices()?;
    let tables = prices["tables"].as_object().context("no tables")?;
    for (title, lines) in tables {
        let table = table(&prices["prices"], lines)?;
        ensure!(
            page.contains(&format!("## {title}\n{table}")),
            "docs/cost-and-limits.md does not have, under {title}:\n{table}"
        );
    }
    Ok(())
}

fn table(prices: &Value, lines: &Value) -> Result<String> {
    let mut text = "| what | how much of it | price in dollars | dollars | where the price is |\n\
                    | --- | --- | --- | --- | --- |\n"
        .to_owned();
    let mut sum = 0.0;
    for line in lines.as_array().context("no lines")? {
        let name = line["price"].as_str().context("no price")?;
        let price = &prices[name];
        let (dollars, per) = (number(&price["dollars"])?, number(&price["per"])?);
        let free = price["free"].as_f64().unwrap_or_default();
        let cost = (number(&line["quantity"])? - free).max(0.0) / per * dollars;
        sum += cost;
        let (of, unit) = (line["of"].as_str(), price["unit"].as_str());
        let source = price["source"].as_str().context("no source")?;
        text += &format!(
            "| {name} | {} | {dollars} {} | {cost:.2} | {source} |\n",
            of.context("no quantity in words")?,
            unit.context("no unit")?
        );
    }
    text += &format!("| **together** | | | **{sum:.2}** | |\n");
    Ok(text)
}

/// A quantity of a table, by the table's place and the price's name.
fn quantity(table: &str, price: &str) -> Result<f64> {
    let prices = prices()?;
    let tables = prices["tables"].as_object().context("no tables")?;
    let (_, lines) = tables
        .iter()
        .find(|(title, _)| title.contains(table))
        .context("no such table")?;
    let mut lines = lines.as_array().context("no lines")?.iter();
    let line = lines.find(|line| line["price"] == price);
    number(&line.with_context(|| format!("{table} has no {price}"))?["quantity"])
}

#[test]
fn the_quantities_are_those_of_the_stack() -> Result<()> {
    let run = run(mock())?;
    let mut watched = 0;
    for alarm in all(&run, "cloudwatch/metricAlarm") {
        let queries = alarm.inputs["metricQueries"].as_array();
        let queried = queries.map_or(1, |queries| {
            queries
                .iter()
                .filter(|query| query["metric"].is_object())
                .count()
        });
        watched += queried;
    }
    let is = |table, price: &str, stack: usize| -> Result<()> {
        ensure!(
            quantity(table, price)? == stack as f64,
            "{price} of {table}: {stack}"
        );
        Ok(())
    };
    is("nobody clicks", "CloudWatch, alarms", watched)?;
    let own = all(&run, "cloudwatch/logMetricFilter").count();
    is("always clicks", "CloudWatch, metrics of one's own", own)?;
    let boards = all(&run, "cloudwatch/dashboard").count();
    is("nobody clicks", "CloudWatch, dashboards", boards)?;

    let stream = one(&run, "kinesis/firehoseDeliveryStream", "mysfits-clicks")?;
    let s3 = &stream.inputs["extendedS3Configuration"];
    let seconds = s3["bufferingInterval"].as_u64().context("no interval")?;
    let objects = usize::try_from(MONTH_SECONDS / seconds)?;
    is("always clicks", "S3, PUT requests", objects)?;
    let parameters = &s3["processingConfiguration"]["processors"][0]["parameters"];
    let seconds = parameters[2]["parameterValue"]
        .as_str()
        .context("no interval")?;
    let batches = usize::try_from(MONTH_SECONDS / seconds.parse::<u64>()?)?;
    is("always clicks", "Lambda, requests", batches)?;

    // A visit loads each file once; CloudFront asks the bucket for those that are never stale.
    let files = all(&run, "s3/bucketObjectv2").filter(|file| {
        let key = file.inputs["key"].as_str().unwrap_or_default();
        let elsewhere = ["mysfits/", "profile/", "images/share/"];
        // What only visitors of other pages load, and what only some deployments offer.
        let seldom = ["404.html", "visit.js", "account.js", "adoption.js"];
        !elsewhere.iter().any(|folder| key.starts_with(folder)) && !seldom.contains(&key)
    });
    let files: Vec<_> = files.collect();
    let stale = files
        .iter()
        .filter(|file| file.inputs["cacheControl"] == "no-cache");
    const VISITS: usize = 200_000;
    is(
        "million of clicks",
        "S3, GET requests",
        VISITS * stale.count(),
    )?;
    is(
        "million of clicks",
        "CloudFront, HTTPS requests",
        VISITS * files.len(),
    )
}
