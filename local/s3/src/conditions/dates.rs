//! The three forms of a date in HTTP: <https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7>.

use time::{Date, Month, OffsetDateTime, Time};

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Reads a date of any of the three forms.
pub(super) fn http_date(text: &str) -> Option<OffsetDateTime> {
    let fields: Vec<&str> = text
        .split([' ', ',', '-'])
        .filter(|field| !field.is_empty())
        .collect();
    let (day, month, year, time) = match fields.as_slice() {
        // Sun, 06 Nov 1994 08:49:37 GMT; Sunday, 06-Nov-94 08:49:37 GMT
        [weekday, day, month, year, time, "GMT"] if is_weekday(weekday) => (day, month, year, time),
        // Sun Nov  6 08:49:37 1994
        [weekday, month, day, time, year] if is_weekday(weekday) => (day, month, year, time),
        _ => return None,
    };
    let month = MONTHS.iter().position(|name| name == month)?;
    let month = Month::try_from(u8::try_from(month + 1).ok()?).ok()?;
    let date = Date::from_calendar_date(whole_year(year)?, month, number(day)?).ok()?;
    let &[hour, minute, second] = time.split(':').collect::<Vec<_>>().as_slice() else {
        return None;
    };
    let time = Time::from_hms(number(hour)?, number(minute)?, number(second)?).ok()?;
    Some(date.with_time(time).assume_utc())
}

/// A year of two digits is of the last hundred years, or at most 50 years ahead.
fn whole_year(text: &str) -> Option<i32> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let year: i32 = text.parse().ok().filter(|_| is_number)?;
    match text.len() {
        4 => Some(year),
        2 => {
            let now = OffsetDateTime::now_utc().year();
            let year = now - now % 100 + year;
            Some(if year > now + 50 { year - 100 } else { year })
        }
        _ => None,
    }
}

fn number(text: &str) -> Option<u8> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

fn is_weekday(text: &str) -> bool {
    text.len() >= 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_are_read() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            let seconds = http_date(text).map(OffsetDateTime::unix_timestamp);
            assert_eq!(seconds, Some(784_111_777), "{text}");
        }
        for text in [
            "",
            "1994-11-06T08:49:37Z",
            "784111777",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 25:00:00 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
            "\"etag\"",
        ] {
            assert_eq!(http_date(text), None, "{text}");
        }
    }
}
