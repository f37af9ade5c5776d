//! What every question is to be answered with, counted in another way than SQL's.

use analytics::generate::{Click, Generator};
use anyhow::Result;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use time::OffsetDateTime;

/// What is counted of clicks: how many, and by whom.
type Counts<K> = BTreeMap<K, (u64, BTreeSet<String>)>;

fn count<K: Ord>(clicks: &[Click], key: impl Fn(&Click) -> K) -> Counts<K> {
    let mut counts = Counts::new();
    for click in clicks {
        let (count, users) = counts.entry(key(click)).or_default();
        *count += 1;
        users.insert(click.user.clone());
    }
    counts
}

/// Rows with most clicks first, then in the order of their keys.
fn ranked<K: Ord>(counts: Counts<K>, row: impl Fn(&K) -> Vec<Value>) -> Vec<Vec<Value>> {
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|(one, (few, _)), (other, (many, _))| many.cmp(few).then(one.cmp(other)));
    with_counts(counts.into_iter(), row)
}

fn with_counts<K>(
    counts: impl Iterator<Item = (K, (u64, BTreeSet<String>))>,
    row: impl Fn(&K) -> Vec<Value>,
) -> Vec<Vec<Value>> {
    let rows = counts.map(|(key, (clicks, users))| {
        let mut row = row(&key);
        row.extend([json!(clicks), json!(users.len())]);
        row
    });
    rows.collect()
}

fn date(at: OffsetDateTime) -> String {
    format!(
        "{:04}-{:02}-{:02}",
        at.year(),
        u8::from(at.month()),
        at.day()
    )
}

/// The rows of each question about clicks, by its name.
pub fn expected(
    generator: &Generator,
    clicks: &[Click],
) -> BTreeMap<&'static str, Vec<Vec<Value>>> {
    let mysfit = |click: &Click| &generator.mysfits[click.mysfit];
    let users: BTreeSet<&str> = clicks.iter().map(|click| click.user.as_str()).collect();
    let mut expected = BTreeMap::new();
    expected.insert(
        "totals",
        vec![vec![json!(clicks.len()), json!(users.len())]],
    );
    expected.insert(
        "top-mysfits",
        ranked(count(clicks, |click| mysfit(click).id.clone()), |id| {
            vec![json!(id)]
        }),
    );
    expected.insert(
        "by-species",
        ranked(
            count(clicks, |click| mysfit(click).species.clone()),
            |kind| vec![json!(kind)],
        ),
    );
    let alignment = |click: &Click| {
        (
            mysfit(click).goodevil.clone(),
            mysfit(click).lawchaos.clone(),
        )
    };
    expected.insert(
        "by-alignment",
        ranked(count(clicks, alignment), |(heart, manners)| {
            vec![json!(heart), json!(manners)]
        }),
    );
    let hours = count(clicks, |click| {
        format!("{}T{:02}:00Z", date(click.at), click.at.hour())
    });
    expected.insert(
        "by-hour",
        with_counts(hours.into_iter(), |hour| vec![json!(hour)]),
    );
    let hours = count(clicks, |click| click.at.hour());
    expected.insert(
        "by-hour-of-day",
        with_counts(hours.into_iter(), |hour| vec![json!(hour)]),
    );
    let days = count(clicks, |click| click.at.weekday().number_from_monday());
    expected.insert(
        "by-weekday",
        with_counts(days.into_iter(), |day| vec![json!(day)]),
    );

    let guests = clicks.iter().filter(|click| click.user == "guest").count();
    let share = |part: usize| json!(part as f64 / clicks.len() as f64);
    let others = clicks.len() - guests;
    expected.insert(
        "guests",
        vec![
            vec![json!("guests"), json!(guests), share(guests)],
            vec![json!("users"), json!(others), share(others)],
        ],
    );

    let known: Vec<Click> = clicks
        .iter()
        .filter(|click| click.user != "guest")
        .cloned()
        .collect();
    let mut first: BTreeMap<&str, String> = BTreeMap::new();
    for click in &known {
        first.entry(&click.user).or_insert_with(|| date(click.at));
    }
    let days = count(&known, |click| date(click.at));
    let days = days.into_iter().map(|(day, (_, users))| {
        let new = users
            .iter()
            .filter(|user| first[user.as_str()] == day)
            .count();
        vec![
            json!(day),
            json!(users.len()),
            json!(new),
            json!(users.len() - new),
        ]
    });
    expected.insert("users", days.collect());

    let again = count(&known, |click| {
        (click.user.clone(), mysfit(click).id.clone())
    });
    let again = again
        .into_iter()
        .filter(|(_, (count, _))| *count >= 2)
        .collect();
    let again = ranked(again, |(user, id)| vec![json!(user), json!(id)]);
    let again = again.into_iter().take(100).map(|mut row| {
        row.pop();
        row
    });
    expected.insert("looked-again", again.collect());

    let mut seen: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for click in &known {
        seen.entry(&click.user)
            .or_default()
            .insert(&mysfit(click).id);
    }
    let mut pairs: Counts<(&str, &str)> = Counts::new();
    for ids in seen.values() {
        for one in ids {
            for other in ids.iter().filter(|other| *other > one) {
                pairs.entry((one, other)).or_default().0 += 1;
            }
        }
    }
    let pairs = ranked(pairs, |(one, other)| vec![json!(one), json!(other)]);
    let pairs = pairs.into_iter().take(100).map(|mut row| {
        row.pop();
        row
    });
    expected.insert("pairs", pairs.collect());
    expected
}

/// The rows of the question about failed records.
pub fn failures(generator: &Generator) -> Result<Vec<Vec<Value>>> {
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    for number in 0..generator.objects {
        for line in generator.failed_lines(&generator.clicks(number)).lines() {
            let line: Value = serde_json::from_str(line)?;
            let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
            let reason = format!("{}: {}", text("errorCode"), text("errorMessage"));
            *reasons.entry(reason).or_default() += 1;
        }
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by(|(one, few), (other, many)| many.cmp(few).then(one.cmp(other)));
    let rows = reasons
        .into_iter()
        .map(|(reason, count)| vec![json!(reason), json!(count)]);
    Ok(rows.collect())
}
