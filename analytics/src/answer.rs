//! What a question was answered with, for programs: JSON and CSV.

use anyhow::{Context, Result, ensure};
use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};
use serde_json::{Map, Value};

/// A table of values.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The question's name.
    pub query: String,
    pub about: String,
    pub columns: Vec<String>,
    /// A value for each column.
    pub rows: Vec<Vec<Value>>,
}

impl Answer {
    /// The values of a column, in the order of the rows.
    pub fn column(&self, name: &str) -> Vec<&Value> {
        let Some(at) = self.columns.iter().position(|column| column == name) else {
            return Vec::new();
        };
        self.rows.iter().filter_map(|row| row.get(at)).collect()
    }

    /// Rows as an engine gives them: objects with the names of the columns.
    ///
    /// # Errors
    /// When a row has other columns than the question's head names.
    pub fn rows(columns: &[String], objects: Vec<Map<String, Value>>) -> Result<Vec<Vec<Value>>> {
        let row = |mut object: Map<String, Value>| {
            let names: Vec<String> = object.keys().cloned().collect();
            let row = columns.iter().map(|column| object.remove(column));
            let row = row
                .collect::<Option<Vec<_>>>()
                .filter(|_| object.is_empty());
            row.with_context(|| {
                format!(
                    "the answer has the columns {}, and the query's head names {}",
                    names.join(", "),
                    columns.join(", ")
                )
            })
        };
        objects.into_iter().map(row).collect()
    }
}

/// `{"query": …, "columns": […], "rows": [{…}]}`, with the columns of a row in their order.
impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut answer = serializer.serialize_struct("Answer", 3)?;
        answer.serialize_field("query", &self.query)?;
        answer.serialize_field("columns", &self.columns)?;
        let rows = self.rows.iter().map(|row| Row(&self.columns, row));
        answer.serialize_field("rows", &rows.collect::<Vec<_>>())?;
        answer.end()
    }
}

struct Row<'a>(&'a [String], &'a [Value]);

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0.iter().zip(self.1) {
            row.serialize_entry(name, value)?;
        }
        row.end()
    }
}

/// An array of answers.
///
/// # Errors
/// None that is known: the values are JSON already.
pub fn to_json(answers: &[Answer]) -> Result<String> {
    Ok(serde_json::to_string_pretty(answers)? + "\n")
}

/// Each answer with a line of names, as RFC 4180 has it. Several answers have a line `# NAME`
/// before each and an empty one between them.
pub fn to_csv(answers: &[Answer]) -> String {
    let mut text = String::new();
    for (at, answer) in answers.iter().enumerate() {
        if answers.len() > 1 {
            if at > 0 {
                text.push('\n');
            }
            text += &format!("# {}\n", answer.query);
        }
        let names = answer.columns.iter().map(|name| cell(name));
        text += &(names.collect::<Vec<_>>().join(",") + "\n");
        for row in &answer.rows {
            let cells = row.iter().map(|value| match value {
                Value::Null => String::new(),
                Value::String(text) => cell(text),
                other => other.to_string(),
            });
            text += &(cells.collect::<Vec<_>>().join(",") + "\n");
        }
    }
    text
}

fn cell(text: &str) -> String {
    match text.is_empty() || text.contains(['"', ',', '\n', '\r', '#', ' ']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

/// Reads the rows that DuckDB has written: an array of objects.
///
/// # Errors
/// When it is none.
pub fn parse_rows(json: &[u8]) -> Result<Vec<Map<String, Value>>> {
    let rows: Value = serde_json::from_slice(json).context("the engine's answer is no JSON")?;
    let Value::Array(rows) = rows else {
        anyhow::bail!("the engine's answer is no array");
    };
    let objects = rows.into_iter().map(|row| match row {
        Value::Object(object) => Some(object),
        _ => None,
    });
    let objects: Option<Vec<_>> = objects.collect();
    let objects = objects.context("the engine's answer has rows that are no objects")?;
    ensure!(
        objects.iter().all(|object| !object.is_empty()),
        "the engine's answer has no columns"
    );
    Ok(objects)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer() -> Answer {
        Answer {
            query: "q".to_owned(),
            about: "What?".to_owned(),
            columns: vec!["user".to_owned(), "clicks".to_owned()],
            rows: vec![
                vec![json!("a\"b,c"), json!(2)],
                vec![json!(""), Value::Null],
            ],
        }
    }

    #[test]
    fn an_answer_is_json_and_csv() -> Result<()> {
        assert_eq!(
            serde_json::to_string(&answer())?,
            r#"{"query":"q","columns":["user","clicks"],"rows":[{"user":"a\"b,c","clicks":2},{"user":"","clicks":null}]}"#
        );
        assert_eq!(to_csv(&[answer()]), "user,clicks\n\"a\"\"b,c\",2\n\"\",\n");
        assert!(to_csv(&[answer(), answer()]).contains("\n\n# q\nuser,"));
        Ok(())
    }

    #[test]
    fn other_columns_than_the_head_names_are_refused() -> Result<()> {
        let rows = parse_rows(br#"[{"user":"a","Clicks":1}]"#)?;
        let error = Answer::rows(&answer().columns, rows).map_err(|error| error.to_string());
        assert!(error.is_err_and(|text| text.contains("Clicks") && text.contains("user, clicks")));
        Ok(())
    }
}
