//! A review for a pull request, an issue or the summary of a job.

use std::fmt::Write;

use super::{PRICES, command, dollars, sentence, summary};
use crate::{Finding, Review};

/// Characters of a comment or an issue on GitHub at most, less what is put around a review.
pub const LONGEST_COMMENT: usize = 60_000;

/// The review of a stack. Where it is longer than `longest` characters, the rest by parts is left
/// out, and if that is not enough, its end.
pub fn render(stack: &str, review: &Review, approval: Option<&str>, longest: usize) -> String {
    let mut text = format!(
        "### Stack {}: {}\n",
        escaped(stack),
        escaped(&summary(review))
    );
    if !review.is_empty() {
        changes(review, &mut text);
        let rest = rest(review);
        match text.len() + rest.len() > longest {
            true => {
                text += "\n*The rest is too long for this place: it is in the log of the job.*\n"
            }
            false => text += &rest,
        }
    }
    if !review.warnings.is_empty() {
        text += "\n**Warnings**\n\n";
        for warning in &review.warnings {
            bullet(&mut text, warning);
        }
    }
    if let Some(approval) = approval {
        let _ = writeln!(
            text,
            "\nThis and nothing else: `{}`",
            command(stack, approval)
        );
    }
    cut(text, longest)
}

fn changes(review: &Review, text: &mut String) {
    *text += "\n**Lost**\n\n";
    for loss in &review.lost {
        let _ = writeln!(text, "- :warning: {}", escaped(&sentence(loss)));
        for change in &loss.because {
            let _ = writeln!(text, "  - {}", escaped(&change.to_string()));
        }
    }
    if review.lost.is_empty() {
        *text += "Nothing.\n";
    }
    findings("Public or allowed", &review.access, text);
    findings("Seen by visitors and clients", &review.seen, text);
    let _ = write!(text, "\n**Cost** ({PRICES})\n\n");
    for table in &review.cost.tables {
        bullet(text, &format!("{}: {}", table.of, dollars(table)));
    }
}

/// The table of the rest, folded.
fn rest(review: &Review) -> String {
    let rows: usize = review.rest.iter().map(|part| part.rows.len()).sum();
    if rows == 0 {
        return String::new();
    }
    let mut text =
        format!("\n<details><summary>By part of the stack: {rows} resources</summary>\n\n");
    text += "| part | resource | | properties |\n| --- | --- | --- | --- |\n";
    for part in &review.rest {
        for row in &part.rows {
            let changes: Vec<String> = row.changes.iter().map(|change| escaped(change)).collect();
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} |",
                escaped(&part.name),
                escaped(&row.on),
                row.what,
                changes.join("<br>")
            );
        }
    }
    text + "\n</details>\n"
}

fn findings(title: &str, findings: &[Finding], text: &mut String) {
    let _ = write!(text, "\n**{title}**\n\n");
    for finding in findings {
        bullet(text, &format!("{}: {}", finding.on, finding.says));
    }
    if findings.is_empty() {
        *text += "Nothing.\n";
    }
}

fn bullet(text: &mut String, says: &str) {
    let _ = writeln!(text, "- {}", escaped(says));
}

/// Text that stays text: a value of a stranger's pull request makes no link, no mention and no
/// markup.
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' | '$' => {
                safe.push('\\');
                safe.push(letter);
            }
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '&' => safe += "&amp;",
            // Neither a mention nor an address that becomes a link.
            '@' => safe += "&#64;",
            ':' => safe += "&#58;",
            '\n' | '\r' => safe.push(' '),
            other => safe.push(other),
        }
    }
    // GitHub makes a link of it without a scheme too.
    safe.replace("www.", "www&#46;")
}

fn cut(mut text: String, longest: usize) -> String {
    if text.len() <= longest {
        return text;
    }
    let mut end = longest;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    // Whole lines alone, so that no markup is left open.
    let end = text
        .get(..end)
        .and_then(|kept| kept.rfind('\n'))
        .unwrap_or(end);
    text.truncate(end);
    text + "\n\n*… The rest is too long for this place: it is in the log of the job.*\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stranger_wrote_is_no_markup() {
        let text = "<img src=x> @team [a](https://evil.example) `b` | *c*\n# d";
        assert_eq!(
            escaped(text),
            "&lt;img src=x&gt; &#64;team \\[a\\](https&#58;//evil.example) \\`b\\` \\| \\*c\\* \\# d"
        );
    }

    #[test]
    fn what_is_too_long_is_cut_at_a_line() {
        let text = cut("é\n".repeat(100), 50);
        assert!(
            text.starts_with("é\n") && text.ends_with("job.*\n"),
            "{text}"
        );
    }
}
