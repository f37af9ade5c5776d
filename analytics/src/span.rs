//! The span of time whose clicks are counted.

use anyhow::{Result, ensure};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Duration, OffsetDateTime, UtcOffset};

const DATE_HOUR: &[BorrowedFormatItem<'_>] = format_description!("[year]/[month]/[day]/[hour]");
const MOMENT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// The first partition of the tables on AWS, which know no earlier ones. Each hour of the range is
/// a request to S3 for a query that names no first hour, so it begins in the year in which the
/// first stack could be deployed.
pub const FIRST_PARTITION: &str = "2026/01/01/00";

/// Before all hours of keys.
const BEFORE_ALL: &str = "0000/01/01/00";

/// A span of time that lasts until now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The first partition, when nothing says since when.
    first: &'static str,
    since: Option<Moment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Moment {
    first_hour: String,
    text: String,
    millis: i64,
}

impl Span {
    /// All there is in the bucket.
    pub fn all() -> Self {
        Self {
            first: BEFORE_ALL,
            since: None,
        }
    }

    /// All that the tables on AWS know.
    pub fn all_of_tables() -> Self {
        Self {
            first: FIRST_PARTITION,
            since: None,
        }
    }

    /// From a moment on.
    pub fn since_moment(since: OffsetDateTime) -> Self {
        let since = since.to_offset(UtcOffset::UTC);
        // An object is filed under the hour of its oldest record, so that one may have records of
        // the hour after: no buffer waits longer than 900 s.
        let hour_before = since.checked_sub(Duration::HOUR).unwrap_or(since);
        let text = |moment: OffsetDateTime, format| moment.format(format).unwrap_or_default();
        let millis = since.unix_timestamp_nanos() / 1_000_000;
        Self {
            first: BEFORE_ALL,
            since: Some(Moment {
                first_hour: text(hour_before, DATE_HOUR),
                text: text(since, MOMENT),
                millis: i64::try_from(millis).unwrap_or_default(),
            }),
        }
    }

    /// Says whether the moment can be said as a key and a click say it.
    ///
    /// # Errors
    /// When the span begins in a year that has not four digits.
    pub fn check(&self) -> Result<()> {
        if let Some(since) = &self.since {
            ensure!(
                since.first_hour.len() == FIRST_PARTITION.len() && !since.text.is_empty(),
                "the span begins too long ago"
            );
        }
        Ok(())
    }

    /// Whether it has a beginning.
    pub fn is_limited(&self) -> bool {
        self.since.is_some()
    }

    /// The first partition: `2026/01/31/12`.
    pub fn first_hour(&self) -> &str {
        let since = self.since.as_ref();
        since.map_or(self.first, |since| &since.first_hour)
    }

    /// The first moment: `2026-01-31T12:00:00.000Z`. Without a limit, a text before all of them.
    pub fn since(&self) -> &str {
        self.since.as_ref().map_or("0", |since| &since.text)
    }

    /// The first moment in milliseconds since the Unix epoch.
    pub fn since_millis(&self) -> i64 {
        self.since.as_ref().map_or(0, |since| since.millis)
    }
}

/// The hour in an object's key, after its prefix: the last `yyyy/MM/dd/HH/`.
pub fn hour_of(key: &str) -> Option<&str> {
    let (folder, _) = key.rsplit_once('/')?;
    let start = folder.len().checked_sub(FIRST_PARTITION.len())?;
    let hour = folder.get(start..)?;
    let fits = hour
        .bytes()
        .zip(FIRST_PARTITION.bytes())
        .all(|(letter, model)| match model {
            b'/' => letter == b'/',
            _ => letter.is_ascii_digit(),
        });
    fits.then_some(hour)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn a_span_begins_one_partition_early() {
        let span = Span::since_moment(datetime!(2026-01-01 00:59:59.9999 +01:00));
        assert_eq!(span.first_hour(), "2025/12/31/22");
        assert_eq!(span.since(), "2025-12-31T23:59:59.999Z");
        assert_eq!(span.since_millis(), 1_767_225_599_999);
        assert_eq!(Span::all().since(), "0");
    }

    #[test]
    fn an_hour_is_before_the_last_slash() {
        assert_eq!(
            hour_of("firehose/2026/11/23/16/a-1-2026-11"),
            Some("2026/11/23/16")
        );
        assert_eq!(hour_of("clicks-2026/11/23/16/a"), Some("2026/11/23/16"));
        for key in [
            "",
            "a",
            "firehose/a",
            "2026/11/23/a",
            "2026/11/23/1x/a",
            "é/11/23/16/a",
        ] {
            assert_eq!(hour_of(key), None, "{key}");
        }
    }
}
