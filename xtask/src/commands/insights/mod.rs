//! `cargo xtask insights`: answers from the clicks, by DuckDB on this machine or by Athena.

mod athena;
mod fetch;
mod page;
mod publish;
mod source;
#[cfg(test)]
mod tests;

use crate::cache;
use crate::checkout::Checkout;
use crate::progress;
use crate::session::LOCAL;
use crate::since::Since;
use crate::stack::Stack;
use analytics::answer::{self, Answer};
use analytics::duckdb::DuckDb;
use analytics::embedded;
use analytics::popular;
use analytics::question::{self, Question};
use analytics::span::Span;
use analytics::store::{Contents, RecordKind, Store};
use analytics::table;
use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use source::Source;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use time::OffsetDateTime;

#[derive(Args)]
pub struct Insights {
    /// What to answer, by the names in analytics/queries; without a name, all of it
    queries: Vec<String>,
    /// The stack whose clicks
    #[arg(short, long, default_value = LOCAL)]
    stack: String,
    /// Only clicks from then on: 2026-01-31, 2026-01-31T12:00:00Z, or 90s, 15m, 2h, 7d, 1w ago
    #[arg(long)]
    since: Option<Since>,
    /// Who answers
    #[arg(long, value_enum, default_value_t = Engine::Embedded)]
    engine: Engine,
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Where a page of --format html is written; otherwise it goes to standard output, or from a
    /// terminal to a file whose path is printed
    #[arg(long)]
    output: Option<PathBuf>,
    /// Shows the page of --format html in the browser
    #[arg(long)]
    open: bool,
    /// A bucket to read in place of a stack's, with the credentials of the environment
    #[arg(long, conflicts_with_all = ["stack", "engine"])]
    bucket: Option<String>,
    /// What the keys of the clicks in --bucket begin with
    #[arg(long, default_value = "firehose/", requires = "bucket")]
    prefix: String,
    /// Answers from clicks that nobody made, to see what there is to see
    #[arg(long, conflicts_with_all = ["stack", "bucket", "engine", "since"])]
    demonstration: bool,
    /// Shows what was looked at most in the last 7 days on the stack's site; needs
    /// mysfits:insightsOnSite
    #[arg(long, conflicts_with_all = ["queries", "since", "format", "output", "open", "bucket", "demonstration"])]
    publish: bool,
}

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Engine {
    /// DuckDB on this machine, from objects that are fetched once
    Embedded,
    /// Athena, where the clicks are; it bills by what it reads
    Athena,
}

/// How answers look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: aligned, with bars
    Table,
    /// An array of {query, columns, rows}
    Json,
    Csv,
    /// A page with plots
    Html,
}

impl Insights {
    pub async fn run(self) -> Result<()> {
        if self.format != Format::Html && (self.open || self.output.is_some()) {
            bail!("--open and --output are for --format html");
        }
        let checkout = Checkout::open()?;
        if self.publish {
            return self.publish(&checkout).await;
        }
        let questions = Question::all(&checkout.root.join("analytics/queries"))?;
        let questions = question::select(questions, &self.queries)?;
        let answers = self.answers(&checkout, &questions).await?;
        let catalogue = page::Catalogue::read(&checkout.root)?;
        let text = match self.format {
            Format::Table => table::to_text(&answers, &catalogue.names()),
            Format::Json => answer::to_json(&answers)?,
            Format::Csv => answer::to_csv(&answers),
            Format::Html => {
                let page = page::write(&answers, &catalogue, &self.title())?;
                return page::deliver(&page, &checkout, self.output.as_deref(), self.open);
            }
        };
        print(&text)
    }

    async fn publish(mut self, checkout: &Checkout) -> Result<()> {
        let stack = Stack::open(&self.stack).await?;
        publish::check(&stack)?;
        let until = OffsetDateTime::now_utc();
        let since = until - popular::SPAN;
        self.since = Some(Since(since));
        let questions = Question::all(&checkout.root.join("analytics/queries"))?;
        let questions = question::select(questions, &[popular::QUESTION.to_owned()])?;
        match self.answers(checkout, &questions).await?.as_slice() {
            [answer] => publish::deliver(&stack, answer, since, until).await,
            _ => bail!("{} has no answer", popular::QUESTION),
        }
    }

    async fn answers(&self, checkout: &Checkout, questions: &[Question]) -> Result<Vec<Answer>> {
        let span = match (self.since, self.engine) {
            (Some(since), _) => Span::since_moment(since.0),
            (None, Engine::Embedded) => Span::all(),
            (None, Engine::Athena) => Span::all_of_tables(),
        };
        span.check()?;
        if self.demonstration {
            let folder = tempfile::tempdir_in(&checkout.home)?;
            let store = Store::new(folder.path().to_owned());
            return embedded_answers(&store, questions, &span, page::demonstration).await;
        }
        if let Some(bucket) = &self.bucket {
            let source = Source::of_bucket(bucket, &self.prefix)?;
            return answers_from(checkout, &source, questions, &span).await;
        }
        let stack = Stack::open(&self.stack).await?;
        match self.engine {
            Engine::Athena => athena::ask(&stack, questions, &span).await,
            Engine::Embedded => {
                let source = Source::of_stack(&stack)?;
                answers_from(checkout, &source, questions, &span).await
            }
        }
    }

    fn title(&self) -> String {
        match (self.demonstration, &self.bucket) {
            (true, _) => "a demonstration, of clicks that nobody made".to_owned(),
            (_, Some(bucket)) => format!("bucket {bucket}"),
            _ => format!("stack {}", self.stack),
        }
    }
}

/// Answers from the objects of a bucket, once they are here.
async fn answers_from(
    checkout: &Checkout,
    source: &Source,
    questions: &[Question],
    span: &Span,
) -> Result<Vec<Answer>> {
    let store = fetch::store(&checkout.home, &source.bucket)?;
    embedded_answers(&store, questions, span, async |kind, store: &Store| {
        fetch::objects(source, kind, store, span).await
    })
    .await
}

/// Answers from a store that is filled for each table that the questions read.
async fn embedded_answers(
    store: &Store,
    questions: &[Question],
    span: &Span,
    fill: impl AsyncFn(RecordKind, &Store) -> Result<Vec<analytics::store::Object>>,
) -> Result<Vec<Answer>> {
    let duckdb = engine().await?;
    let mut contents = [Contents::default(), Contents::default()];
    let mut left_out = analytics::store::LeftOut::default();
    for (kind, contents) in [RecordKind::Clicks, RecordKind::Failed]
        .into_iter()
        .zip(&mut contents)
    {
        if questions.iter().any(|question| question.reads(kind)) {
            let objects = fill(kind, store).await?;
            store.examine_new(kind, &objects, &duckdb).await?;
            *contents = store.contents(kind, &objects)?;
            left_out.add(contents.left_out.clone());
        }
    }
    if !left_out.is_empty() {
        eprint!(
            "warning: not all of what was found is counted\n{}",
            left_out.to_text()
        );
    }
    let [clicks, failed] = contents;
    embedded::ask(&duckdb, store, questions, span, &clicks, &failed).await
}

/// DuckDB, which is fetched the first time.
async fn engine() -> Result<DuckDb> {
    let cache = cache::folder()?;
    match DuckDb::there(&cache).await {
        Some(duckdb) => Ok(duckdb),
        None => progress::during("fetching DuckDB", DuckDb::fetch(&cache)).await,
    }
}

/// To standard output, whose reader may have seen enough.
fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}
