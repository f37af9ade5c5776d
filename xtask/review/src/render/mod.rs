//! A review as people read it.

pub mod json;
pub mod markdown;
pub mod text;

use crate::Review;
use crate::cost::Table;
use crate::loss::{How, Loss};

/// What is counted in the first line: `2 created, 1 replaced`.
fn summary(review: &Review) -> String {
    if review.is_empty() {
        return "nothing changes".to_owned();
    }
    let rows = review.rest.iter().flat_map(|part| &part.rows);
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for row in rows {
        match counts.iter_mut().find(|(what, _)| *what == row.what) {
            Some((_, count)) => *count += 1,
            None => counts.push((row.what, 1)),
        }
    }
    let mut said: Vec<String> = counts
        .iter()
        .map(|(what, count)| format!("{count} {what}"))
        .collect();
    if !review.lost.is_empty() {
        said.insert(0, "data is lost".to_owned());
    }
    match said.is_empty() {
        true => "changes in files, answers or policies alone".to_owned(),
        false => said.join(", "),
    }
}

/// `mysfits-clicks-1a2b is deleted: every object…`.
fn sentence(loss: &Loss) -> String {
    let id = match loss.id.as_str() {
        "" => String::new(),
        id => format!(" ({id})"),
    };
    let Loss { on, what, .. } = loss;
    let held = loss
        .held_by
        .map(|why| format!("; {why}"))
        .unwrap_or_default();
    match loss.how {
        How::Deleted => format!("{on}{id} is deleted, and with it {what}{held}"),
        How::Replaced => format!("{on}{id} is replaced, and with the old one goes {what}{held}"),
        How::KeptForLess => format!("{on}{id} keeps less than before: {what} will be gone"),
    }
}

/// `0.90 → 1.00 dollars`.
fn dollars(table: &Table) -> String {
    let show = |dollars: Option<f64>| match dollars {
        Some(dollars) => format!("{dollars:.2}"),
        None => "unknown".to_owned(),
    };
    let (before, after) = (show(table.before), show(table.after));
    match before == after {
        true => format!("{after} dollars, as before"),
        false => format!("{before} → {after} dollars"),
    }
}

/// What the sums are of.
const PRICES: &str = "prices of us-east-1, from docs/prices.json";

/// How a user approves that exactly this is deployed.
fn command(stack: &str, approval: &str) -> String {
    format!("cargo xtask deploy -s {stack} --approved {approval}")
}
