//! Pieces of HTML.

use super::Portraits;
use crate::answer::Answer;
use serde_json::Value;

/// A text that means nothing but itself, between tags and in attributes.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            // Letters that steer the direction of writing would mix up what follows.
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                escaped.push('\u{fffd}');
            }
            letter if letter.is_control() => escaped.push('\u{fffd}'),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// A value as a number; 0 when it is none.
pub fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_default()
}

/// `12,345`.
pub fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A value as people read it.
pub fn shown(column: &str, value: &Value, portraits: &Portraits) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::Number(_) if column == "share" => format!("{:.1} %", number(value) * 100.0),
        Value::Number(found) if found.is_f64() => format!("{:.3}", number(value)),
        Value::Number(_) if column == "weekday" || column == "hourOfDay" => value.to_string(),
        Value::Number(_) => thousands(number(value)),
        Value::String(text) => match portraits.get(text) {
            Some(portrait) => escape(&portrait.name),
            None => escape(text),
        },
        other => escape(&other.to_string()),
    }
}

/// An answer as a table of at most `most` rows.
pub fn table(answer: &Answer, portraits: &Portraits, most: usize) -> String {
    let is_number = |at: usize| answer.rows.iter().all(|row| row[at].is_number());
    let classes: Vec<&str> = (0..answer.columns.len())
        .map(|at| {
            if is_number(at) {
                " class=\"number\""
            } else {
                ""
            }
        })
        .collect();
    let mut html = "<table>\n<thead><tr>".to_owned();
    for (column, class) in answer.columns.iter().zip(&classes) {
        html += &format!("<th scope=\"col\"{class}>{}</th>", escape(column));
    }
    html += "</tr></thead>\n<tbody>\n";
    for row in answer.rows.iter().take(most) {
        html += "<tr>";
        for ((column, value), class) in answer.columns.iter().zip(row).zip(&classes) {
            html += &format!("<td{class}>{}</td>", shown(column, value, portraits));
        }
        html += "</tr>\n";
    }
    html += "</tbody>\n</table>\n";
    if answer.rows.len() > most {
        html += &format!(
            "<p class=\"about\">The first {most} of {} rows.</p>\n",
            answer.rows.len()
        );
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (number, expected) in [(0.0, "0"), (999.0, "999"), (1_234_567.0, "1,234,567")] {
            assert_eq!(thousands(number), expected);
        }
    }
}
