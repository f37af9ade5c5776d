//! The page with plots: one file, which needs nothing from elsewhere and runs no script. After
//! every plot comes its table.

mod html;
mod plots;

use crate::answer::Answer;
use html::{escape, number};
use std::collections::BTreeMap;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

const STYLE: &str = include_str!("style.css");

const MOMENT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute] UTC");

/// How many rows a table of the page has.
const ROWS: usize = 200;

/// Who is clicked on, as the page shows it.
#[derive(Debug, Clone)]
pub struct Portrait {
    pub name: String,
    /// An SVG.
    pub picture: Vec<u8>,
}

/// Portraits by the ids of mysfits.
pub type Portraits = BTreeMap<String, Portrait>;

/// The order of the sections, with those that take the whole width. What is not named here comes
/// after them, as a table.
const SECTIONS: [(&str, bool); 11] = [
    ("by-hour", true),
    ("top-mysfits", false),
    ("by-species", false),
    ("by-alignment", false),
    ("guests", false),
    ("users", true),
    ("by-weekday", false),
    ("by-hour-of-day", false),
    ("failed", true),
    ("pairs", false),
    ("looked-again", false),
];

/// The page of these answers. `title` says whose they are.
pub fn page(answers: &[Answer], portraits: &Portraits, title: &str, now: OffsetDateTime) -> String {
    let find = |name: &str| answers.iter().find(|answer| answer.query == name);
    let mut sections = String::new();
    for (name, wide) in SECTIONS {
        if let Some(answer) = find(name) {
            sections += &section(answer, portraits, wide);
        }
    }
    let others = answers.iter().filter(|answer| {
        answer.query != "totals" && !SECTIONS.iter().any(|(name, _)| *name == answer.query)
    });
    for answer in others {
        sections += &section(answer, portraits, true);
    }
    let totals = find("totals").map(totals).unwrap_or_default();
    let title = escape(title);
    let made = now.format(MOMENT).unwrap_or_default();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'; img-src data:\">\n\
         <title>Clicks: {title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<h1>Who looks at which mysfit</h1>\n<p class=\"about\">{title}, {made}</p>\n\
         {totals}</header>\n<main>\n{sections}</main>\n\
         <footer>Each click is counted once, however often it was delivered. Times are UTC.\
         </footer>\n</body>\n</html>\n"
    )
}

fn section(answer: &Answer, portraits: &Portraits, wide: bool) -> String {
    let class = if wide { " class=\"wide\"" } else { "" };
    let name = escape(&answer.query);
    let content = if answer.rows.is_empty() {
        "<p class=\"nothing\">Nothing yet.</p>\n".to_owned()
    } else {
        let table = html::table(answer, portraits, ROWS);
        match plot(answer, portraits) {
            // The plot says nothing that the table does not say.
            Some(plot) => format!(
                "<figure>\n<div aria-hidden=\"true\">\n{plot}</div>\n<details>\n\
                 <summary>As a table</summary>\n{table}</details>\n</figure>\n"
            ),
            None => table,
        }
    };
    format!(
        "<section{class} id=\"{name}\" aria-labelledby=\"{name}-title\">\n\
         <h2 id=\"{name}-title\">{}</h2>\n<p class=\"about\">{}</p>\n{content}</section>\n",
        escape(heading(&answer.query)),
        escape(&answer.about)
    )
}

fn heading(query: &str) -> &str {
    match query {
        "by-hour" => "Clicks over time",
        "top-mysfits" => "Mysfits",
        "by-alignment" => "Hearts and manners",
        "by-species" => "Species",
        "guests" => "Guests and users",
        "users" => "New and returning users",
        "by-weekday" => "Days of the week",
        "by-hour-of-day" => "Hours of the day",
        "failed" => "Records that failed",
        "pairs" => "Looked at by the same user",
        "looked-again" => "Looked at again",
        other => other,
    }
}

fn plot(answer: &Answer, portraits: &Portraits) -> Option<String> {
    match answer.query.as_str() {
        "by-hour" => plots::over_time(answer),
        "top-mysfits" => plots::ranking(answer, "mysfitId", "clicks", portraits),
        "by-species" => plots::ranking(answer, "species", "clicks", portraits),
        "by-alignment" => plots::nine(answer),
        "guests" => plots::shares(answer),
        "users" => plots::new_and_returning(answer),
        "by-weekday" => plots::week(answer),
        "by-hour-of-day" => plots::day(answer),
        "failed" => plots::reasons(answer),
        _ => None,
    }
}

fn totals(totals: &Answer) -> String {
    let first = |column: &str| totals.column(column).first().copied().map(number);
    let figure = |name: &str, column: &str| {
        let value = first(column).unwrap_or_default();
        format!(
            "<div><dt>{name}</dt><dd>{}</dd></div>\n",
            html::thousands(value)
        )
    };
    format!(
        "<dl class=\"figures\">\n{}{}{}</dl>\n",
        figure("Clicks", "clicks"),
        figure("Users", "users"),
        figure("Delivered once more", "repeats")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use time::macros::datetime;

    fn answer(query: &str, columns: &[&str], rows: Value) -> Answer {
        let rows = rows.as_array().cloned().unwrap_or_default();
        let rows = rows.into_iter().filter_map(|row| row.as_array().cloned());
        Answer {
            query: query.to_owned(),
            about: "What?".to_owned(),
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
            rows: rows.collect(),
        }
    }

    #[test]
    fn what_people_call_themselves_is_text_on_the_page() {
        let evil = "</td><script>alert(1)</script>\"'&";
        let answers = [
            answer(
                "looked-again",
                &["userId", "mysfitId", "clicks"],
                json!([[evil, evil, 2]]),
            ),
            answer(
                "top-mysfits",
                &["mysfitId", "clicks", "users"],
                json!([[evil, 2, 1]]),
            ),
            answer("failed", &["reason", "records"], json!([[evil, 2]])),
            answer("own", &["userId"], json!([[evil]])),
        ];
        let page = page(
            &answers,
            &Portraits::new(),
            evil,
            datetime!(2026-01-01 0:00 UTC),
        );
        assert!(!page.contains("<script"), "{page}");
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;"));
        assert!(page.contains("2026-01-01 00:00 UTC"));
    }

    #[test]
    fn without_clicks_there_is_nothing_yet() {
        let answers = SECTIONS.map(|(name, _)| answer(name, &["a"], json!([])));
        let page = page(
            &answers,
            &Portraits::new(),
            "t",
            datetime!(2026-01-01 0:00 UTC),
        );
        assert_eq!(page.matches("Nothing yet.").count(), SECTIONS.len());
    }
}
