//! What the public site may show of the clicks: which mysfits are viewed most, and nothing about
//! the viewers.

use crate::answer::Answer;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The question whose answer is published.
pub const QUESTION: &str = "top-mysfits";

/// How far back it looks.
pub const SPAN: time::Duration = time::Duration::DAY.saturating_mul(7);

/// How many mysfits are named.
const MOST: usize = 5;

/// Fewer clicks may be those of one person, for all guests are one user. A mysfit with fewer is not
/// named.
pub const FEWEST_CLICKS: u64 = 20;

/// What a page shows: `since` and `until`, RFC 3339 in UTC, and `mysfits` with `mysfitId` and
/// `clicks`, the most popular first.
pub fn published(answer: &Answer, since: OffsetDateTime, until: OffsetDateTime) -> Value {
    let mysfits: Vec<Value> = answer
        .column("mysfitId")
        .into_iter()
        .zip(answer.column("clicks"))
        .filter(|(_, clicks)| clicks.as_u64() >= Some(FEWEST_CLICKS))
        .take(MOST)
        .map(|(mysfit, clicks)| json!({ "mysfitId": mysfit, "clicks": clicks }))
        .collect();
    let text = |moment: OffsetDateTime| {
        let moment = moment.replace_nanosecond(0).unwrap_or(moment);
        moment.format(&Rfc3339).unwrap_or_default()
    };
    json!({ "since": text(since), "until": text(until), "mysfits": mysfits })
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn nothing_that_a_few_people_did_is_published() {
        let row = |mysfit: &str, clicks: u64| vec![json!(mysfit), json!(clicks), json!(3)];
        let answer = Answer {
            query: QUESTION.to_owned(),
            about: String::new(),
            columns: ["mysfitId", "clicks", "users"].map(str::to_owned).into(),
            rows: vec![row("a", 1_000), row("b", 20), row("c", 19), row("d", 1)],
        };
        let (since, until) = (
            datetime!(2026-11-20 12:00:00.5 UTC),
            datetime!(2026-11-27 12:00:00.5 UTC),
        );
        let expected = json!({
            "since": "2026-11-20T12:00:00Z",
            "until": "2026-11-27T12:00:00Z",
            "mysfits": [{ "mysfitId": "a", "clicks": 1_000 }, { "mysfitId": "b", "clicks": 20 }],
        });
        assert_eq!(published(&answer, since, until), expected);

        let many = (0..30).map(|at| row(&at.to_string(), 100 - at)).collect();
        let answer = Answer {
            rows: many,
            ..answer
        };
        let list = published(&answer, since, until);
        assert_eq!(list["mysfits"].as_array().map(Vec::len), Some(MOST));
    }
}
