//! Every question, read by a parser that is neither engine's: sqlglot, as Athena's dialect.

use analytics::question::Question;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const VERSION: &str = "30.30.0";
const HASH: &str = "06c4c212a7868c7dcff0fd0fda348dd3c5cbad40137b3083a70ecdfe22921cf9";

/// Parses what it is given as JSON, and says what it found: the columns of the one statement, and
/// functions that the dialect does not know.
const SCRIPT: &str = "
import json, sys
import sqlglot
from sqlglot import exp

def read(sql, dialect):
    statements = sqlglot.parse(sql, read=dialect, error_level=sqlglot.ErrorLevel.RAISE)
    assert len(statements) == 1, 'not one statement'
    return statements[0]

found = {}
for name, sql in json.load(sys.stdin).items():
    athena = read(sql, 'athena')
    read(sql, 'duckdb')
    found[name] = {
        'query': isinstance(athena, exp.Query),
        'columns': athena.named_selects,
        'unknown': sorted(call.name for call in athena.find_all(exp.Anonymous)),
        'parameters': len(list(athena.find_all(exp.Placeholder))),
    }
json.dump(found, sys.stdout)
";

/// sqlglot from PyPI, once for all checkouts.
fn sqlglot() -> Result<PathBuf> {
    let cache = match std::env::var_os("XDG_CACHE_HOME") {
        Some(cache) if !cache.is_empty() => PathBuf::from(cache),
        _ => std::env::home_dir().context("no home")?.join(".cache"),
    };
    let cache = cache.join("mysfits");
    let place = cache.join(format!("sqlglot-{VERSION}"));
    if place.is_dir() {
        return Ok(place);
    }
    fs::create_dir_all(&cache)?;
    let folder = tempfile::tempdir_in(&cache)?;
    let requirements = folder.path().join("requirements.txt");
    fs::write(
        &requirements,
        format!("sqlglot=={VERSION} --hash=sha256:{HASH}\n"),
    )?;
    let packages = folder.path().join("packages");
    let installed = Command::new("python3")
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--require-hashes",
        ])
        .args([
            "--disable-pip-version-check",
            "--only-binary",
            ":all:",
            "--target",
        ])
        .arg(&packages)
        .arg("--requirement")
        .arg(&requirements)
        .status()
        .context("the queries are parsed with Python's sqlglot: install Python 3 with pip")?;
    ensure!(installed.success(), "pip cannot install sqlglot {VERSION}");
    match fs::rename(&packages, &place) {
        // Another test run was faster.
        Err(_) if place.is_dir() => {}
        renamed => renamed?,
    }
    Ok(place)
}

/// What sqlglot says of some queries, or why it cannot read them.
fn parse(queries: &Value) -> Result<std::result::Result<Value, String>> {
    let mut child = Command::new("python3")
        .args(["-c", SCRIPT])
        .env("PYTHONPATH", sqlglot()?)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    serde_json::to_writer(&mut stdin, queries)?;
    drop(stdin);
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Ok(Err(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    Ok(Ok(serde_json::from_slice(&output.stdout)?))
}

#[test]
fn athena_s_dialect_has_every_question() -> Result<()> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let questions = Question::all(&package.join("queries"))?;
    let queries: serde_json::Map<String, Value> = questions
        .iter()
        .map(|question| (question.name.clone(), question.sql.clone().into()))
        .collect();
    let found = parse(&queries.into())?.map_err(anyhow::Error::msg)?;
    for question in &questions {
        let found = &found[&question.name];
        let name = &question.name;
        assert_eq!(found["query"], true, "{name} is no query");
        assert_eq!(
            found["columns"],
            serde_json::json!(question.columns),
            "{name}"
        );
        assert_eq!(found["unknown"], serde_json::json!([]), "{name}");
        assert_eq!(found["parameters"], question.parameters.len(), "{name}");
        // No reader of the text could take another one for a parameter.
        let marks = question.sql.matches('?').count();
        assert_eq!(marks, question.parameters.len(), "{name}");
    }
    Ok(())
}

#[test]
fn what_athena_cannot_read_is_found() -> Result<()> {
    for sql in ["SELECT FROM WHERE", "SELECT (1", "SELECT 1; SELECT 2"] {
        let parsed = parse(&serde_json::json!({ "bad": sql }))?;
        assert!(parsed.is_err(), "{sql}: {parsed:?}");
    }
    Ok(())
}
