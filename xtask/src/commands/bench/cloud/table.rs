//! The figures, with ratios to the first.

use super::Figures;
use super::load::Load;
use super::own::LOG_BYTES;
use crate::memory::megabytes;

/// What is compared, and whether more is better.
struct Row {
    name: &'static str,
    text: fn(&Figures) -> String,
    value: fn(&Figures) -> f64,
    more_is_better: bool,
}

const ROWS: [Row; 6] = [
    Row {
        name: "start to first answer",
        text: |figures| format!("{} ms", figures.start.as_millis()),
        value: |figures| figures.start.as_secs_f64(),
        more_is_better: false,
    },
    Row {
        name: "Firehose PutRecord",
        text: |figures| rate(figures.put_record),
        value: |figures| figures.put_record.per_second(),
        more_is_better: true,
    },
    Row {
        name: "S3 put",
        text: |figures| rate(figures.put_object),
        value: |figures| figures.put_object.per_second(),
        more_is_better: true,
    },
    Row {
        name: "S3 get",
        text: |figures| rate(figures.get_object),
        value: |figures| figures.get_object.per_second(),
        more_is_better: true,
    },
    Row {
        name: "memory at rest",
        text: |figures| megabytes(figures.at_rest),
        value: |figures| figures.at_rest as f64,
        more_is_better: false,
    },
    Row {
        name: "memory after the records",
        text: |figures| megabytes(figures.after_records),
        value: |figures| figures.after_records as f64,
        more_is_better: false,
    },
];

/// The figures of one, shown while the rest is measured.
pub fn list(figures: &Figures) -> String {
    let rows = ROWS
        .iter()
        .map(|row| format!("    {}: {}\n", row.name, (row.text)(figures)));
    format!("{}\n{}", figures.name, rows.collect::<String>())
}

/// A table in Markdown: the first of all, and the others with how many times better it is.
pub fn table(all: &[Figures]) -> String {
    let Some((own, others)) = all.split_first() else {
        return String::new();
    };
    let names: Vec<&str> = all.iter().map(|figures| figures.name.as_str()).collect();
    let mut text = format!("| | {} |\n", names.join(" | "));
    text += &format!("| --- |{}\n", " --- |".repeat(all.len()));
    for row in ROWS {
        text += &format!("| {} | {} |", row.name, (row.text)(own));
        for other in others {
            let ratio = (row.value)(own) / (row.value)(other);
            let better = if row.more_is_better {
                ratio
            } else {
                1.0 / ratio
            };
            text += &format!(" {} (× {better:.1}) |", (row.text)(other));
        }
        text += "\n";
    }
    if let Some(clicks) = &own.clicks {
        text += &format!(
            "| PUT /clicks, accepted | {} |{}\n| PUT /clicks, all {} in S3 after | {:.1} s |{}\n",
            rate(clicks.accepted),
            " – |".repeat(others.len()),
            clicks.accepted.requests,
            clicks.stored.as_secs_f64(),
            " – |".repeat(others.len()),
        );
        if let Some((without, with)) = clicks.searched {
            text += &format!(
                "| PUT /clicks while a log of {} is searched | {} ({:.2} of without) |{}\n",
                megabytes(LOG_BYTES as u64),
                rate(with),
                with.per_second() / without.per_second(),
                " – |".repeat(others.len()),
            );
        }
    }
    text
}

fn rate(load: Load) -> String {
    format!("{:.0}/s", load.per_second())
}
