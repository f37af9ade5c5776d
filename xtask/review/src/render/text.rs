//! A review for a terminal.

use std::fmt::Write;

use super::{PRICES, command, dollars, sentence, summary};
use crate::{Finding, Review};

/// The review of a stack, in the order of what matters most.
pub fn render(stack: &str, review: &Review, approval: Option<&str>) -> String {
    let mut text = format!("Stack {stack}: {}.\n", summary(review));
    if !review.is_empty() {
        changes(review, &mut text);
    }
    if !review.warnings.is_empty() {
        text += "\nWarnings\n";
        for warning in &review.warnings {
            line(&mut text, 4, &warning.replace('\n', " "));
        }
    }
    if let Some(approval) = approval {
        let _ = writeln!(
            text,
            "\nThis and nothing else: {}",
            command(stack, approval)
        );
    }
    text
}

fn changes(review: &Review, text: &mut String) {
    *text += "\nLost\n";
    for loss in &review.lost {
        line(text, 4, &sentence(loss));
        for change in &loss.because {
            line(text, 8, &change.to_string());
        }
    }
    if review.lost.is_empty() {
        line(text, 4, "nothing");
    }
    findings("Public or allowed", &review.access, text);
    findings("Seen by visitors and clients", &review.seen, text);
    let _ = writeln!(text, "\nCost ({PRICES})");
    for table in &review.cost.tables {
        line(text, 4, &format!("{}: {}", table.of, dollars(table)));
        for item in &table.changes {
            let show = |dollars: Option<f64>| {
                dollars.map_or("unknown".to_owned(), |dollars| format!("{dollars:.2}"))
            };
            line(
                text,
                8,
                &format!(
                    "{}: {} → {}",
                    item.price,
                    show(item.before),
                    show(item.after)
                ),
            );
        }
    }
    for part in &review.rest {
        let _ = writeln!(text, "\n{}", part.name);
        for row in &part.rows {
            line(text, 4, &format!("{} {}", row.on, row.what));
            for change in &row.changes {
                line(text, 8, change);
            }
        }
    }
}

fn findings(title: &str, findings: &[Finding], text: &mut String) {
    let _ = writeln!(text, "\n{title}");
    for finding in findings {
        line(text, 4, &format!("{}: {}", finding.on, finding.says));
    }
    if findings.is_empty() {
        line(text, 4, "nothing");
    }
}

fn line(text: &mut String, indent: usize, says: &str) {
    let _ = writeln!(text, "{:indent$}{says}", "");
}
