//! Prefixes of object keys, with the expressions that are evaluated at delivery.
//!
//! The rules are those of AWS's page "Understand custom prefixes for Amazon S3 objects"
//! (firehose/latest/dev/s3-prefixes). Of Java's date patterns the numeric fields of date and
//! time of day are built; the rest is refused.

use std::fmt::Write;
use time::OffsetDateTime;
use uuid::Uuid;

/// A prefix is no longer than this when it is evaluated (s3-prefixes, "Semantic rules").
const MAX_EVALUATED: usize = 512;

/// The length of `!{firehose:random-string}` (s3-prefixes, "The firehose namespace").
const RANDOM_STRING: usize = 11;

/// The date that is appended to a prefix without a timestamp of its own.
const DEFAULT_DATE: &str = "!{timestamp:yyyy/MM/dd/HH/}";

/// What `!{firehose:error-output-type}` becomes for records that the processor failed.
const PROCESSING_FAILED: &str = "processing-failed";

/// Where objects go: what is delivered, and what failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefixes {
    delivered: Prefix,
    failed: Prefix,
}

impl Prefixes {
    /// Parses both prefixes as they are declared. The error is that of the first, or of the
    /// second.
    pub fn parse(prefix: &str, error_prefix: Option<&str>) -> Result<Self, PrefixError> {
        let delivered = Prefix::parse(prefix).map_err(PrefixError::Prefix)?;
        if delivered.contains(|part| matches!(part, Part::ErrorOutputType)) {
            return Err(PrefixError::Prefix(
                "must not contain !{firehose:error-output-type}".into(),
            ));
        }
        let failed = match error_prefix {
            Some(error_prefix) => {
                let failed = Prefix::parse(error_prefix).map_err(PrefixError::ErrorOutputPrefix)?;
                let named = failed.contains(|part| matches!(part, Part::ErrorOutputType));
                if failed.has_expressions() && !named {
                    return Err(PrefixError::ErrorOutputPrefix(
                        "with an expression must contain !{firehose:error-output-type}".into(),
                    ));
                }
                failed
            }
            None if delivered.has_expressions() => {
                return Err(PrefixError::ErrorOutputPrefix(
                    "must be given when prefix contains expressions".into(),
                ));
            }
            None => Prefix::parse(&format!("{prefix}{PROCESSING_FAILED}/{DEFAULT_DATE}"))
                .map_err(PrefixError::Prefix)?,
        };
        let dated = delivered.contains(|part| matches!(part, Part::Timestamp(_)));
        let delivered = if dated {
            delivered
        } else {
            Prefix::parse(&format!("{prefix}{DEFAULT_DATE}")).map_err(PrefixError::Prefix)?
        };
        Ok(Self { delivered, failed })
    }

    /// The prefix of an object of delivered records, the oldest of which arrived at `time`.
    pub fn delivered(&self, time: OffsetDateTime) -> String {
        self.delivered.evaluate(time)
    }

    /// The prefix of an object of failed records, the oldest of which arrived at `time`.
    pub fn failed(&self, time: OffsetDateTime) -> String {
        self.failed.evaluate(time)
    }
}

/// What is wrong with which prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrefixError {
    Prefix(String),
    ErrorOutputPrefix(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Prefix {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Timestamp(Vec<Field>),
    ErrorOutputType,
    RandomString,
}

/// A piece of a date pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Field {
    Literal(String),
    /// A number, padded with zeros to at least this many digits.
    Number(Unit, usize),
    /// The year's last two digits.
    ShortYear,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

impl Prefix {
    fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once("!{") {
            let (expression, after) = split_expression(after)
                .ok_or_else(|| format!("has an expression without an end: !{{{after}"))?;
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.into()));
            }
            parts.push(parse_expression(expression)?);
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.into()));
        }
        let prefix = Self { parts };
        let length = prefix.evaluate(OffsetDateTime::UNIX_EPOCH).chars().count();
        if prefix.has_expressions() && length > MAX_EVALUATED {
            return Err(format!(
                "is {length} characters long when it is evaluated, {MAX_EVALUATED} are allowed"
            ));
        }
        Ok(prefix)
    }

    fn contains(&self, wanted: impl Fn(&Part) -> bool) -> bool {
        self.parts.iter().any(wanted)
    }

    fn has_expressions(&self) -> bool {
        self.contains(|part| !matches!(part, Part::Literal(_)))
    }

    fn evaluate(&self, time: OffsetDateTime) -> String {
        let mut key = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => key.push_str(literal),
                Part::Timestamp(fields) => {
                    for field in fields {
                        field.evaluate(time, &mut key);
                    }
                }
                Part::ErrorOutputType => key.push_str(PROCESSING_FAILED),
                Part::RandomString => {
                    key.extend(Uuid::new_v4().to_string().chars().take(RANDOM_STRING));
                }
            }
        }
        key
    }
}

/// Splits after the brace that ends an expression; one in single quotes does not.
fn split_expression(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    for (position, character) in text.char_indices() {
        match character {
            '\'' => quoted = !quoted,
            '}' if !quoted => return Some((&text[..position], &text[position + 1..])),
            _ => {}
        }
    }
    None
}

fn parse_expression(expression: &str) -> Result<Part, String> {
    match expression.split_once(':') {
        Some(("firehose", "error-output-type")) => Ok(Part::ErrorOutputType),
        Some(("firehose", "random-string")) => Ok(Part::RandomString),
        Some(("timestamp", pattern)) => parse_pattern(pattern).map(Part::Timestamp),
        Some(("partitionKeyFromQuery" | "partitionKeyFromLambda", _)) => Err(format!(
            "uses !{{{expression}}}, which needs dynamic partitioning; the embedded cloud has none"
        )),
        _ => Err(format!(
            "uses !{{{expression}}}, which is no expression; there are \
             !{{timestamp:…}}, !{{firehose:error-output-type}} and !{{firehose:random-string}}"
        )),
    }
}

fn parse_pattern(pattern: &str) -> Result<Vec<Field>, String> {
    if pattern.is_empty() {
        return Err("uses !{timestamp:} without a pattern".into());
    }
    let mut fields = Vec::new();
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        let field = match character {
            '\'' => Field::Literal(quoted(&mut characters).ok_or_else(|| {
                format!("uses !{{timestamp:{pattern}}}, in which a quote has no end")
            })?),
            'a'..='z' | 'A'..='Z' => {
                let mut width = 1;
                while characters.next_if_eq(&character).is_some() {
                    width += 1;
                }
                number(character, width).ok_or_else(|| {
                    format!(
                        "uses !{{timestamp:{pattern}}}; of its letters the embedded cloud knows \
                         y, u, M, d, H, m and s as numbers, '{}' is none of them",
                        character.to_string().repeat(width)
                    )
                })?
            }
            // Java reserves these for optional sections and for the future.
            '[' | ']' | '{' | '}' | '#' => {
                return Err(format!(
                    "uses !{{timestamp:{pattern}}}; '{character}' must be in single quotes"
                ));
            }
            other => Field::Literal(other.into()),
        };
        fields.push(field);
    }
    Ok(fields)
}

/// The text up to the closing quote; two quotes in a row are one, and nothing but two quotes is
/// one as well.
fn quoted(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    if characters.next_if_eq(&'\'').is_some() {
        return Some("'".into());
    }
    let mut text = String::new();
    loop {
        match characters.next()? {
            '\'' if characters.next_if_eq(&'\'').is_some() => text.push('\''),
            '\'' => return Some(text),
            other => text.push(other),
        }
    }
}

fn number(letter: char, width: usize) -> Option<Field> {
    let unit = match letter {
        'y' | 'u' if width == 2 => return Some(Field::ShortYear),
        'y' | 'u' if width <= 4 => Unit::Year,
        // From three letters on Java writes the month's name.
        'M' if width <= 2 => Unit::Month,
        'd' if width <= 2 => Unit::Day,
        'H' if width <= 2 => Unit::Hour,
        'm' if width <= 2 => Unit::Minute,
        's' if width <= 2 => Unit::Second,
        _ => return None,
    };
    Some(Field::Number(unit, width))
}

impl Field {
    fn evaluate(&self, time: OffsetDateTime, key: &mut String) {
        // Writing to a string does not fail.
        let _ = match self {
            Self::Literal(literal) => write!(key, "{literal}"),
            Self::ShortYear => write!(key, "{:02}", time.year().rem_euclid(100)),
            Self::Number(unit, width) => {
                let number = match unit {
                    Unit::Year => time.year(),
                    Unit::Month => i32::from(u8::from(time.month())),
                    Unit::Day => i32::from(time.day()),
                    Unit::Hour => i32::from(time.hour()),
                    Unit::Minute => i32::from(time.minute()),
                    Unit::Second => i32::from(time.second()),
                };
                write!(key, "{number:0width$}")
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const TIME: OffsetDateTime = datetime!(2018-08-07 09:05:03.250 UTC);

    fn evaluated(prefix: &str, error_prefix: Option<&str>) -> (String, String) {
        match Prefixes::parse(prefix, error_prefix) {
            Ok(prefixes) => (prefixes.delivered(TIME), prefixes.failed(TIME)),
            Err(error) => (format!("{error:?}"), String::new()),
        }
    }

    #[test]
    fn prefixes_are_evaluated_as_the_documentation_says() {
        let cases = [
            (
                "",
                None,
                "2018/08/07/09/",
                "processing-failed/2018/08/07/09/",
            ),
            (
                "firehose/",
                None,
                "firehose/2018/08/07/09/",
                "firehose/processing-failed/2018/08/07/09/",
            ),
            (
                "no-slash",
                None,
                "no-slash2018/08/07/09/",
                "no-slashprocessing-failed/2018/08/07/09/",
            ),
            ("a/", Some("failed/"), "a/2018/08/07/09/", "failed/"),
            (
                "a/",
                Some("!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH}/"),
                "a/2018/08/07/09/",
                "processing-failed/2018/08/07/09/",
            ),
            (
                "p/year=!{timestamp:yyyy}/month=!{timestamp:MM}/",
                Some("e/!{timestamp:'year='yyyy'/month='MM}/!{firehose:error-output-type}"),
                "p/year=2018/month=08/",
                "e/year=2018/month=08/processing-failed",
            ),
            (
                "!{timestamp:yy-M-d-H:m:s''uu'}'}",
                Some("!{firehose:error-output-type}"),
                "18-8-7-9:5:3'18}",
                "processing-failed",
            ),
        ];
        for (prefix, error_prefix, delivered, failed) in cases {
            assert_eq!(
                evaluated(prefix, error_prefix),
                (delivered.into(), failed.into()),
                "{prefix} and {error_prefix:?}"
            );
        }
    }

    #[test]
    fn random_strings_have_eleven_characters_and_differ() {
        let prefix = "!{firehose:random-string}";
        let failed = Some("!{firehose:error-output-type}");
        let (one, _) = evaluated(&format!("{prefix}/{prefix}/!{{timestamp:yyyy}}"), failed);
        let parts: Vec<_> = one.split('/').collect();
        assert_eq!(parts[0].len(), RANDOM_STRING);
        assert_eq!(parts[1].len(), RANDOM_STRING);
        assert_ne!(parts[0], parts[1]);
        assert_eq!(parts[2], "2018");
    }

    #[test]
    fn what_aws_refuses_or_this_cloud_cannot_do_is_refused_by_name() {
        let long = format!("{}!{{timestamp:yyyy}}", "x".repeat(509));
        let failed = Some("!{firehose:error-output-type}/");
        let cases = [
            ("!{firehose:error-output-type}/", failed, "must not contain"),
            (
                "!{timestamp:yyyy}/",
                None,
                "must be given when prefix contains expressions",
            ),
            (
                "a/",
                Some("!{timestamp:yyyy}/"),
                "must contain !{firehose:error-output-type}",
            ),
            ("!{timestamp:yyyy", failed, "without an end"),
            ("!{timestamp:'yyyy}", failed, "without an end"),
            ("!{timestamp:}", failed, "without a pattern"),
            ("!{timestamp:MMM}", failed, "'MMM' is none of them"),
            (
                "!{timestamp:yyyy[-MM]}",
                failed,
                "'[' must be in single quotes",
            ),
            (
                "!{partitionKeyFromQuery:user}/",
                failed,
                "dynamic partitioning",
            ),
            (
                "!{partitionKeyFromLambda:user}/",
                failed,
                "dynamic partitioning",
            ),
            ("!{aws:region}/", failed, "is no expression"),
            ("!{yyyy}/", failed, "is no expression"),
            (&long, failed, "is 513 characters long"),
        ];
        for (prefix, error_prefix, reason) in cases {
            let (error, _) = evaluated(prefix, error_prefix);
            assert!(error.contains(reason), "{prefix}: {error}");
        }
    }
}
