//! Made-up clicks: for the demonstration, the tests and the benchmark. The same numbers always give
//! the same clicks.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fastrand::Rng;
use serde_json::json;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Duration, OffsetDateTime};

const MOMENT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
const DATE_HOUR: &[BorrowedFormatItem<'_>] = format_description!("[year]/[month]/[day]/[hour]");

/// How many of a hundred clicks are of guests.
const GUESTS: u32 = 40;

/// How often each hour of the day is chosen, from 0 on.
const HOURS: [u32; 24] = [
    3, 2, 1, 1, 1, 2, 4, 7, 9, 10, 10, 11, 13, 12, 11, 11, 12, 14, 17, 20, 21, 18, 12, 6,
];

/// How many clicks each day of the week has of what it would have without a rhythm, in hundredths,
/// from Monday on.
const DAYS: [u32; 7] = [85, 88, 90, 95, 110, 130, 120];

/// Why records fail, as the processor and Firehose say it, and how often of a hundred.
const REASONS: [(&str, u32); 3] = [
    (
        "The Lambda function returned the records with a result of ProcessingFailed.",
        70,
    ),
    (
        "The Lambda function was successfully invoked but it returned an error result.",
        25,
    ),
    ("The Lambda invocation timed out.", 5),
];

/// A mysfit as records know it.
#[derive(Debug, Clone)]
pub struct Mysfit {
    pub id: String,
    pub goodevil: String,
    pub lawchaos: String,
    pub species: String,
}

/// A click of the generator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Click {
    pub user: String,
    /// Which of the mysfits.
    pub mysfit: usize,
    pub at: OffsetDateTime,
    pub id: String,
}

/// Objects of clicks, spread evenly over a span of time.
#[derive(Debug, Clone)]
pub struct Generator {
    pub mysfits: Vec<Mysfit>,
    pub start: OffsetDateTime,
    pub length: Duration,
    pub objects: u32,
    /// How many clicks an object has, in the mean.
    pub clicks: u32,
    /// How many users there are, beside guests.
    pub users: u32,
    /// Whether objects of some hours of the day have more clicks than others.
    pub rhythm: bool,
}

impl Generator {
    /// The clicks of an object, in the order of time.
    pub fn clicks(&self, object: u32) -> Vec<Click> {
        let mut random = Rng::with_seed(u64::from(object));
        let slice = self.length / self.objects;
        let start = self.start + slice * object;
        let mean: u32 = HOURS.iter().sum::<u32>() / 24;
        let hour = usize::from(start.hour());
        let day = DAYS[usize::from(start.weekday().number_days_from_monday())];
        let busy = HOURS[hour] * self.clicks / mean * day * random.u32(80..120) / 10_000;
        let count = if self.rhythm { busy } else { self.clicks };
        let mut clicks: Vec<Click> = (0..count)
            .map(|_| Click {
                user: self.user(&mut random),
                mysfit: self.mysfit(&mut random),
                at: start + slice * random.f64(),
                id: uuid(&mut random),
            })
            .collect();
        clicks.sort_by_key(|click| click.at);
        clicks
    }

    /// An object's lines, as the processor writes them.
    pub fn lines(&self, clicks: &[Click]) -> String {
        let lines = clicks.iter().map(|click| {
            let mysfit = &self.mysfits[click.mysfit];
            // Nothing in it needs an escape.
            format!(
                "{{\"userId\":\"{}\",\"mysfitId\":\"{}\",\"goodevil\":\"{}\",\"lawchaos\":\"{}\",\
                 \"species\":\"{}\",\"clickedAt\":\"{}\",\"clickId\":\"{}\"}}\n",
                click.user,
                mysfit.id,
                mysfit.goodevil,
                mysfit.lawchaos,
                mysfit.species,
                text(click.at, MOMENT),
                click.id
            )
        });
        lines.collect()
    }

    /// Lines of records that failed, as Firehose writes them: one for about a hundred clicks.
    pub fn failed_lines(&self, clicks: &[Click]) -> String {
        let failed = clicks.iter().step_by(100).map(|click| {
            let mut random =
                Rng::with_seed(click.user.len() as u64 ^ click.at.microsecond() as u64);
            let mut chosen = random.u32(0..100);
            let reason = REASONS.iter().find(|(_, share)| {
                let found = chosen < *share;
                chosen = chosen.saturating_sub(*share);
                found
            });
            let data = json!({ "userId": click.user, "mysfitId": click.id, "clickId": click.id });
            let millis = click.at.unix_timestamp_nanos() / 1_000_000;
            let millis = i64::try_from(millis).unwrap_or_default();
            let line = json!({
                "attemptsMade": 4,
                "arrivalTimestamp": millis,
                "errorCode": "Lambda.FunctionError",
                "errorMessage": reason.map_or(REASONS[0].0, |(reason, _)| reason),
                "attemptEndingTimestamp": millis + 1_500,
                "rawData": STANDARD.encode(data.to_string()),
                "lambdaArn": "arn:aws:lambda:us-east-1:000000000000:function:processor:$LATEST",
            });
            format!("{line}\n")
        });
        failed.collect()
    }

    /// The key of an object, under the hour of its oldest record.
    pub fn key(prefix: &str, clicks: &[Click], object: u32) -> String {
        let oldest = clicks
            .first()
            .map_or(OffsetDateTime::UNIX_EPOCH, |click| click.at);
        format!("{prefix}{}/generated-{object:06}", text(oldest, DATE_HOUR))
    }

    fn user(&self, random: &mut Rng) -> String {
        if random.u32(0..100) < GUESTS {
            return "guest".to_owned();
        }
        // A few come often, most of them seldom.
        let share = random.f64().powi(2);
        format!("user-{}", (share * f64::from(self.users)) as u32)
    }

    fn mysfit(&self, random: &mut Rng) -> usize {
        let share = random.f64().powf(1.6);
        ((share * self.mysfits.len() as f64) as usize).min(self.mysfits.len().saturating_sub(1))
    }
}

fn text(moment: OffsetDateTime, format: &[BorrowedFormatItem<'_>]) -> String {
    moment.format(format).unwrap_or_default()
}

/// A UUID of version 4, of this generator's own numbers.
fn uuid(random: &mut Rng) -> String {
    let number = random.u128(..);
    let hex = format!("{number:032x}");
    format!(
        "{}-{}-4{}-a{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..]
    )
}
