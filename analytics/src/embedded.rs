//! The questions, asked of DuckDB on this machine.

use crate::answer::{self, Answer};
use crate::duckdb::{self, DuckDb};
use crate::question::Question;
use crate::span::Span;
use crate::store::{Contents, Readable, RecordKind, Store};
use anyhow::{Context, Result};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// Functions of Athena that DuckDB has under another name.
const MACROS: &str = "\
CREATE MACRO day_of_week(day) AS isodow(day);
CREATE MACRO from_iso8601_timestamp(moment) AS CAST(moment AS TIMESTAMP WITH TIME ZONE);
CREATE MACRO from_iso8601_date(day) AS CAST(day AS DATE);
";

/// Asks all questions about contents of a store, in one run of the engine.
///
/// # Errors
/// When the engine fails at a question, or answers with other columns than the question names.
pub async fn ask(
    duckdb: &DuckDb,
    store: &Store,
    questions: &[Question],
    span: &Span,
    clicks: &Contents,
    failed: &Contents,
) -> Result<Vec<Answer>> {
    let work = store.workplace()?;
    let mut sql = format!("SET TimeZone = 'UTC';\n{MACROS}");
    // Lines are read once when several questions are about them.
    let once = questions.len() == 1;
    sql += &table(RecordKind::Clicks, &clicks.files, once)?;
    sql += &table(RecordKind::Failed, &failed.files, once)?;
    let place = |question: &Question| work.path().join(format!("{}.json", question.name));
    for question in questions {
        let place = place(question);
        let place = duckdb::text(store.relative(&place))?;
        let filled = question.filled(span)?;
        // On lines of its own, for it may end with a comment.
        writeln!(
            sql,
            "COPY (\n{filled}\n) TO {place} (FORMAT json, ARRAY true);"
        )?;
    }
    let folder = store.relative(work.path());
    duckdb.run(store.folder(), folder, &sql).await?;
    let answer = |question: &Question| -> Result<Answer> {
        let rows = answer::parse_rows(&fs::read(place(question))?)?;
        Ok(Answer {
            query: question.name.clone(),
            about: question.about.clone(),
            columns: question.columns.clone(),
            rows: Answer::rows(&question.columns, rows)
                .with_context(|| format!("query {}", question.name))?,
        })
    };
    questions.iter().map(answer).collect()
}

/// A table, or a view when it is read once.
fn table(kind: RecordKind, files: &[Readable], once: bool) -> Result<String> {
    let columns: Vec<&str> = kind.columns().iter().map(|(name, _)| *name).collect();
    let columns = columns.join(", ");
    let mut parts = Vec::new();
    for broken in [false, true] {
        let files = files.iter().filter(|file| file.has_broken_lines == broken);
        let files: Vec<&Path> = files.map(|file| file.path.as_path()).collect();
        if files.is_empty() {
            continue;
        }
        let mut part = format!(
            "SELECT {columns}, regexp_extract(file, \
             '([0-9]{{4}}/[0-9]{{2}}/[0-9]{{2}}/[0-9]{{2}})/[^/]*$', 1) AS datehour FROM {}",
            kind.reader(files.into_iter())?
        );
        if broken {
            part += &format!(" WHERE {}", kind.is_record());
        }
        parts.push(part);
    }
    let name = kind.table();
    if parts.is_empty() {
        let typed = kind.columns().iter();
        let typed: Vec<_> = typed.map(|(name, kind)| format!("{name} {kind}")).collect();
        return Ok(format!(
            "CREATE TABLE {name} ({}, datehour VARCHAR);\n",
            typed.join(", ")
        ));
    }
    let what = if once { "VIEW" } else { "TABLE" };
    Ok(format!(
        "CREATE {what} {name} AS {};\n",
        parts.join(" UNION ALL ")
    ))
}
