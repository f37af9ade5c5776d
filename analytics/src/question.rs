//! The questions: a file of SQL each, in `analytics/queries`.
//!
//! A file begins with comments that say what it answers, then which columns the answer has and
//! which parameters take the places of the question marks, in their order:
//!
//! ```sql
//! -- How many clicks there were.
//! -- Columns: clicks
//! -- Parameters: datehour, since
//! ```

use crate::span::Span;
use crate::store::RecordKind;
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::Path;

/// What takes the place of a question mark. All of them say from when on, each in the form of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameter {
    /// The first partition, as in column `datehour`: `2026/01/31/12`.
    DateHour,
    /// The first moment, as in column `clickedAt`: `2026-01-31T12:00:00.000Z`.
    Since,
    /// The first moment, in milliseconds since the Unix epoch.
    SinceMillis,
}

/// A question, and how it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Of its file, without the ending.
    pub name: String,
    /// What it answers, in one or two sentences.
    pub about: String,
    /// The names of the answer's columns. Athena gives names in small letters alone, so they are
    /// taken from here.
    pub columns: Vec<String>,
    pub parameters: Vec<Parameter>,
    /// The whole file.
    pub sql: String,
}

impl Parameter {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "datehour" => Some(Self::DateHour),
            "since" => Some(Self::Since),
            "since_millis" => Some(Self::SinceMillis),
            _ => None,
        }
    }

    /// The parameter's value, as a literal of SQL.
    pub fn literal(self, span: &Span) -> String {
        match self {
            Self::DateHour => format!("'{}'", span.first_hour()),
            Self::Since => format!("'{}'", span.since()),
            Self::SinceMillis => span.since_millis().to_string(),
        }
    }
}

impl Question {
    /// Every question of a folder, in order of name.
    ///
    /// # Errors
    /// When the folder cannot be read, has no question, or one of them has no good head.
    pub fn all(folder: &Path) -> Result<Vec<Self>> {
        let read = || -> Result<Vec<Self>> {
            let mut questions = Vec::new();
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                if path.extension().is_some_and(|ending| ending == "sql") {
                    let name = path.file_stem().and_then(|name| name.to_str());
                    let name = name.context("a file's name is no text")?;
                    let sql = fs::read_to_string(&path)?;
                    let question = Self::parse(name, &sql);
                    questions.push(question.with_context(|| path.display().to_string())?);
                }
            }
            questions.sort_by(|one, other| one.name.cmp(&other.name));
            ensure!(!questions.is_empty(), "there is no .sql file");
            Ok(questions)
        };
        read().with_context(|| format!("the questions in {} cannot be read", folder.display()))
    }

    /// Reads one question.
    ///
    /// # Errors
    /// When its head lacks something, or its parameters do not match its question marks.
    pub fn parse(name: &str, sql: &str) -> Result<Self> {
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        ensure!(
            !name.is_empty() && name.chars().all(allowed),
            "the file's name is made of other characters than letters, digits and -"
        );
        let mut about = Vec::new();
        let mut columns = None;
        let mut parameters = None;
        let head = sql.lines().map_while(|line| line.strip_prefix("--"));
        for line in head.map(str::trim) {
            let list = |text: &str| -> Vec<String> {
                let items = text.split(',').map(str::trim);
                items
                    .filter(|item| !item.is_empty())
                    .map(str::to_owned)
                    .collect()
            };
            if let Some(text) = line.strip_prefix("Columns:") {
                columns = Some(list(text));
            } else if let Some(text) = line.strip_prefix("Parameters:") {
                parameters = Some(list(text));
            } else {
                about.push(line);
            }
        }
        ensure!(
            !about.is_empty(),
            "it does not begin with `-- ` and what it answers"
        );
        let columns = columns.unwrap_or_default();
        ensure!(
            !columns.is_empty(),
            "its head has no line `-- Columns: NAME, NAME`, with those of the answer"
        );
        let parameters = parameters.context(
            "its head has no line `-- Parameters: NAME, NAME` for its question marks; there are \
             datehour, since and since_millis",
        )?;
        let parameters = parameters
            .iter()
            .map(|parameter| {
                Parameter::parse(parameter).with_context(|| {
                    format!("parameter {parameter} is none of datehour, since and since_millis")
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let places = places(sql)?.len();
        ensure!(
            places == parameters.len(),
            "it has {places} question marks, and its head names {} parameters",
            parameters.len()
        );
        Ok(Self {
            name: name.to_owned(),
            about: about.join(" "),
            columns,
            parameters,
            sql: sql.to_owned(),
        })
    }

    /// Whether it reads a table.
    pub fn reads(&self, kind: RecordKind) -> bool {
        let code = self.sql.lines().map(|line| line.split("--").next());
        code.flatten().any(|line| {
            let mut words = line.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
            words.any(|word| word.eq_ignore_ascii_case(kind.table()))
        })
    }

    /// The parameters' values, as literals of SQL.
    pub fn values(&self, span: &Span) -> Vec<String> {
        let parameters = self.parameters.iter();
        parameters
            .map(|parameter| parameter.literal(span))
            .collect()
    }

    /// The SQL with its parameters filled in.
    ///
    /// # Errors
    /// Like [`Question::parse`].
    pub fn filled(&self, span: &Span) -> Result<String> {
        let mut sql = String::new();
        let mut rest = 0;
        for (place, value) in places(&self.sql)?.into_iter().zip(self.values(span)) {
            sql += &self.sql[rest..place];
            sql += &value;
            rest = place + 1;
        }
        Ok(sql + &self.sql[rest..])
    }
}

/// The questions of these names, or all of them when there are no names.
///
/// # Errors
/// When there is none of a name; with those that there are.
pub fn select(questions: Vec<Question>, names: &[String]) -> Result<Vec<Question>> {
    if names.is_empty() {
        return Ok(questions);
    }
    let mut selected: Vec<Question> = Vec::new();
    for name in names {
        let Some(question) = questions.iter().find(|question| question.name == *name) else {
            let known: Vec<&str> = questions.iter().map(|known| known.name.as_str()).collect();
            bail!("there is no query {name}; there are {}", known.join(", "));
        };
        if !selected.contains(question) {
            selected.push(question.clone());
        }
    }
    Ok(selected)
}

/// Where the question marks of parameters are: not those in texts, names and comments.
fn places(sql: &str) -> Result<Vec<usize>> {
    let mut places = Vec::new();
    let mut rest = sql.char_indices();
    while let Some((at, letter)) = rest.next() {
        match letter {
            '?' => places.push(at),
            '\'' | '"' => {
                // A doubled quotation mark ends one text and begins the next: the same places.
                ensure!(
                    rest.any(|(_, other)| other == letter),
                    "a {letter} is not closed"
                );
            }
            '-' if sql[at..].starts_with("--") => {
                rest.find(|(_, other)| *other == '\n');
            }
            ';' => bail!("it has a semicolon: a file is one query, without one at its end"),
            _ => {}
        }
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const SQL: &str = "-- What? And\n-- why?\n-- Columns: a, b\n-- Parameters: since, datehour, \
                       since_millis\nSELECT '?''?' AS \"a?\", 1 AS b -- ?\nFROM t WHERE x >= ? AND \
                       y = ? AND z = ?\n";

    #[test]
    fn a_question_has_a_head() -> Result<()> {
        let question = Question::parse("a-b", SQL)?;
        assert_eq!(question.about, "What? And why?");
        assert_eq!(question.columns, ["a", "b"]);
        let span = Span::since_moment(datetime!(2026-03-01 00:30 UTC));
        assert!(question.filled(&span)?.ends_with(
            "x >= '2026-03-01T00:30:00.000Z' AND y = '2026/02/28/23' AND z = 1772325000000\n"
        ));
        Ok(())
    }

    #[test]
    fn what_is_missing_in_a_head_is_said() {
        for (sql, expected) in [
            ("SELECT 1", "what it answers"),
            ("-- a\nSELECT 1", "Columns"),
            ("-- a\n-- Columns: a\nSELECT 1", "Parameters"),
            (
                "-- a\n-- Columns: a\n-- Parameters: x\nSELECT ?",
                "parameter x",
            ),
            (
                "-- a\n-- Columns: a\n-- Parameters:\nSELECT ?",
                "1 question marks",
            ),
            (
                "-- a\n-- Columns: a\n-- Parameters:\nSELECT 1;",
                "semicolon",
            ),
            (
                "-- a\n-- Columns: a\n-- Parameters:\nSELECT '1",
                "not closed",
            ),
        ] {
            let error = Question::parse("a", sql).map_err(|error| error.to_string());
            assert!(
                error.as_ref().is_err_and(|text| text.contains(expected)),
                "{sql}: {error:?}"
            );
        }
        assert!(Question::parse("a b", SQL).is_err());
    }

    #[test]
    fn an_unknown_question_is_answered_with_those_there_are() -> Result<()> {
        let all = vec![Question::parse("one", SQL)?, Question::parse("two", SQL)?];
        let error = select(all, &["three".to_owned()]).map_err(|error| error.to_string());
        assert_eq!(
            error.err().as_deref(),
            Some("there is no query three; there are one, two")
        );
        Ok(())
    }
}
