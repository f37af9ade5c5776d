//! Answers for people: aligned tables with bars, for a terminal.

use crate::answer::Answer;
use serde_json::Value;
use std::collections::BTreeMap;

/// How many signs the longest bar has.
const BAR: usize = 24;

/// How many rows of an answer are shown; JSON and CSV have all.
const ROWS: usize = 40;

/// The first column of answers in the order of time.
const TIMES: [&str; 2] = ["hour", "day"];

/// What a bar is drawn for, the first of them that an answer has.
const MEASURES: [&str; 3] = ["clicks", "users", "records"];

/// The answers, each under its question. `names` are those of mysfits, by their ids.
pub fn to_text(answers: &[Answer], names: &BTreeMap<String, String>) -> String {
    let texts = answers.iter().map(|answer| one(answer, names));
    texts.collect::<Vec<_>>().join("\n")
}

fn one(answer: &Answer, names: &BTreeMap<String, String>) -> String {
    let mut text = format!("{}: {}\n", answer.query, answer.about);
    if answer.rows.is_empty() {
        return text + "  nothing yet\n";
    }
    let left_out = answer.rows.len().saturating_sub(ROWS);
    // Of times the last ones are of interest, of all else the first.
    let is_time = TIMES.contains(&answer.columns[0].as_str());
    let start = if is_time { left_out } else { 0 };
    let shown = &answer.rows[start..answer.rows.len() - (left_out - start)];
    let cells: Vec<Vec<String>> = shown
        .iter()
        .map(|row| {
            let cells = answer.columns.iter().zip(row);
            cells
                .map(|(column, value)| cell(column, value, names))
                .collect()
        })
        .collect();
    let widths: Vec<usize> = (0..answer.columns.len())
        .map(|at| {
            let of_rows = cells.iter().map(|row| width(&row[at]));
            of_rows
                .max()
                .unwrap_or_default()
                .max(width(&answer.columns[at]))
        })
        .collect();
    let is_number = |at: usize| answer.rows.iter().all(|row| row[at].is_number());
    let line = |cells: &[String]| {
        let padded = cells.iter().enumerate().map(|(at, cell)| {
            let padding = " ".repeat(widths[at].saturating_sub(width(cell)));
            match is_number(at) {
                true => padding + cell,
                false => cell.clone() + &padding,
            }
        });
        padded.collect::<Vec<_>>().join("  ")
    };
    text += &format!("  {}\n", line(&answer.columns).trim_end());
    let bars = bars(answer);
    if start > 0 {
        text += &format!("  … {left_out} earlier rows, which --format json and csv have\n");
    }
    for (at, row) in cells.iter().enumerate() {
        let bar = bars.get(start + at).map_or("", String::as_str);
        text += &format!("  {}\n", format!("{}  {bar}", line(row)).trim_end());
    }
    if left_out > start {
        text += &format!("  … and {left_out} rows more, which --format json and csv have\n");
    }
    text
}

fn cell(column: &str, value: &Value, names: &BTreeMap<String, String>) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::Number(number) if column == "share" => {
            format!("{:.1} %", number.as_f64().unwrap_or_default() * 100.0)
        }
        Value::String(text) => match names.get(text) {
            Some(name) => format!("{} {}", printable(text), printable(name)),
            None => printable(text),
        },
        other => other.to_string(),
    }
}

/// What browsers say goes to a terminal: no character of it may steer the terminal.
fn printable(text: &str) -> String {
    let signs = text.chars().map(|sign| match sign {
        sign if sign.is_control() => '\u{fffd}',
        // Marks that turn the direction of writing.
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        sign => sign,
    });
    signs.collect()
}

fn width(text: &str) -> usize {
    text.chars().count()
}

fn bars(answer: &Answer) -> Vec<String> {
    if answer.rows.len() < 2 {
        return Vec::new();
    }
    let Some(measure) = MEASURES
        .iter()
        .find(|measure| answer.columns.iter().any(|column| column == *measure))
    else {
        return Vec::new();
    };
    let values: Vec<f64> = answer
        .column(measure)
        .into_iter()
        .map(|value| value.as_f64().unwrap_or_default())
        .collect();
    let greatest = values.iter().copied().fold(0.0, f64::max);
    let bar = |value: &f64| {
        // In eighths of a sign.
        let eighths = (value / greatest * (BAR * 8) as f64).round().max(0.0) as usize;
        let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
        "█".repeat(eighths / 8) + rest
    };
    match greatest > 0.0 {
        true => values.iter().map(bar).collect(),
        false => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(rows: Vec<Vec<Value>>) -> Answer {
        Answer {
            query: "top".to_owned(),
            about: "Which?".to_owned(),
            columns: vec!["mysfitId".to_owned(), "clicks".to_owned()],
            rows,
        }
    }

    #[test]
    fn a_table_is_aligned_and_has_bars() {
        let names = BTreeMap::from([("m1".to_owned(), "Snowflake".to_owned())]);
        let rows = vec![
            vec![json!("m1"), json!(10)],
            vec![json!("a\u{1b}[31m"), json!(5)],
        ];
        let bars = ["█".repeat(24), "█".repeat(12)];
        assert_eq!(
            to_text(&[answer(rows)], &names),
            format!(
                "top: Which?\n  mysfitId      clicks\n  m1 Snowflake      10  {}\n  \
                 a\u{fffd}[31m             5  {}\n",
                bars[0], bars[1]
            )
        );
    }

    #[test]
    fn without_rows_there_is_nothing_yet() {
        let text = to_text(&[answer(Vec::new())], &BTreeMap::new());
        assert_eq!(text, "top: Which?\n  nothing yet\n");
    }

    #[test]
    fn a_long_table_says_what_it_leaves_out() {
        let rows = (0..42).map(|n| vec![json!(format!("m{n}")), json!(n)]);
        let text = to_text(&[answer(rows.collect())], &BTreeMap::new());
        assert!(text.contains("and 2 rows more"), "{text}");
        let mut hours = answer((0..42).map(|n| vec![json!(n), json!(7)]).collect());
        hours.columns[0] = "hour".to_owned();
        let text = to_text(&[hours], &BTreeMap::new());
        assert!(text.contains("… 2 earlier rows"), "{text}");
        assert!(text.contains("  41  ") && !text.contains("  1  "), "{text}");
    }
}
