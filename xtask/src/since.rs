//! A point in time as people write it: a date, or how long ago it was.

use anyhow::{Context, Error, Result, bail};
use std::str::FromStr;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, Duration, OffsetDateTime};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since(pub OffsetDateTime);

impl Since {
    /// In milliseconds since the Unix epoch.
    pub fn unix_millis(self) -> i64 {
        let millis = self.0.unix_timestamp_nanos() / 1_000_000;
        millis.try_into().unwrap_or_default()
    }

    fn parse(text: &str, now: OffsetDateTime) -> Result<Self> {
        if let Ok(time) = OffsetDateTime::parse(text, &Rfc3339) {
            return Ok(Self(time));
        }
        if let Some(day) = day(text) {
            return Ok(Self(day));
        }
        let ago = ago(text).with_context(|| {
            format!(
                "`{text}` is neither a time like 2026-01-31T12:00:00Z or 2026-01-31 nor how long \
                 ago, like 2h"
            )
        })?;
        match now.checked_sub(ago) {
            Some(time) => Ok(Self(time)),
            None => bail!("`{text}` is before the beginning of time"),
        }
    }
}

impl FromStr for Since {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text, OffsetDateTime::now_utc())
    }
}

/// A day in UTC: `2026-01-31`.
fn day(text: &str) -> Option<OffsetDateTime> {
    let day = Date::parse(text, format_description!("[year]-[month]-[day]")).ok()?;
    Some(day.midnight().assume_utc())
}

/// `90s`, `15m`, `2h`, `7d`, `1w`.
fn ago(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        "w" => 7 * 24 * 60 * 60,
        _ => return None,
    };
    let number: u32 = number.parse().ok()?;
    Some(Duration::seconds(i64::from(number) * seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn a_time_is_given_as_itself_or_as_how_long_ago() -> Result<()> {
        let now = datetime!(2026-03-01 12:00 UTC);
        for (text, expected) in [
            ("2026-01-31T12:00:00+01:00", datetime!(2026-01-31 11:00 UTC)),
            ("2026-01-31", datetime!(2026-01-31 00:00 UTC)),
            ("90s", datetime!(2026-03-01 11:58:30 UTC)),
            ("2h", datetime!(2026-03-01 10:00 UTC)),
            ("1w", datetime!(2026-02-22 12:00 UTC)),
        ] {
            assert_eq!(Since::parse(text, now)?.0, expected, "{text}");
        }
        for text in [
            "",
            "h",
            "-2h",
            "2 hours",
            "2x",
            "é",
            "2026-02-30",
            "4000000000w",
        ] {
            assert!(Since::parse(text, now).is_err(), "{text}");
        }
        Ok(())
    }
}
