//! Conditional requests:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html>.
//!
//! A read compares as HTTP does (RFC 9110, section 13): a list of entity tags, weak ones too. A
//! write does not: S3 compares the whole text of the header with the one tag that there is, and
//! refuses what it has no meaning for. Both were seen against AWS:
//! <https://github.com/versity/versitygw/pull/2368>, <https://github.com/aws/aws-sdk-ruby/issues/3144>.

mod dates;

use super::errors::{no_such_key, precondition_failed};
use super::version::Version;
use cloud_core::error::{AwsError, AwsResult};
use dates::http_date;
use http::{HeaderMap, HeaderName, header};
use s3s::dto::Range;
use time::OffsetDateTime;

/// The entity tags of a header, or any at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tags {
    Any,
    Of(Vec<EntityTag>),
}

/// An entity tag, without its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityTag {
    pub value: String,
    pub is_weak: bool,
}

/// What a client has, when it asks for the rest of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfRange {
    Tag(EntityTag),
    Date(OffsetDateTime),
    /// Neither: it fits nothing.
    Unknown,
}

/// What a write depends on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteConditions {
    pub if_match: Option<Tag>,
    /// Only [`Tag::Any`] comes from a client.
    pub if_none_match: Option<Tag>,
}

/// What a write, or a deletion, expects to find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tag {
    Any,
    /// This text, without one pair of quotes around it.
    Is(String),
}

/// What a read, or the source of a copy, depends on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadConditions {
    pub if_match: Option<Tags>,
    pub if_none_match: Option<Tags>,
    pub if_modified_since: Option<OffsetDateTime>,
    pub if_unmodified_since: Option<OffsetDateTime>,
    pub if_range: Option<IfRange>,
}

/// All conditions of a request; its operation knows which of them count.
#[derive(Debug, Clone, Default)]
pub struct Conditions {
    pub read: ReadConditions,
    /// Those on the source of a copy.
    pub source: ReadConditions,
    if_match: Option<String>,
    if_none_match: Option<String>,
}

impl Conditions {
    pub fn of(headers: &HeaderMap) -> Self {
        let source = |name| HeaderName::from_static(name);
        Self {
            read: ReadConditions::of(headers),
            source: ReadConditions {
                if_match: tags(headers, &source("x-amz-copy-source-if-match")),
                if_none_match: tags(headers, &source("x-amz-copy-source-if-none-match")),
                if_modified_since: date(headers, &source("x-amz-copy-source-if-modified-since")),
                if_unmodified_since: date(
                    headers,
                    &source("x-amz-copy-source-if-unmodified-since"),
                ),
                if_range: None,
            },
            if_match: text(headers, &header::IF_MATCH),
            if_none_match: text(headers, &header::IF_NONE_MATCH),
        }
    }

    /// Those of a write: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>
    /// takes an entity tag in `If-Match`, and `*` in `If-None-Match`; everything else is refused.
    pub fn write(&self) -> AwsResult<WriteConditions> {
        let refused = |what| {
            AwsError::new(
                501,
                "NotImplemented",
                format!(
                    "A header you provided implies functionality that is not implemented: {what}"
                ),
            )
        };
        match (self.if_match.as_deref(), self.if_none_match.as_deref()) {
            (Some(_), Some(_)) => Err(refused("If-Match together with If-None-Match")),
            (Some("*"), None) => Err(refused("If-Match takes an entity tag here, not *")),
            (None, Some(tag)) if tag != "*" => Err(refused("If-None-Match takes * here")),
            (if_match, if_none_match) => Ok(WriteConditions {
                if_match: if_match.map(Tag::of),
                if_none_match: if_none_match.map(Tag::of),
            }),
        }
    }

    /// Those of a deletion, which takes `*` in `If-Match` too:
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html>.
    pub fn deletion(&self) -> WriteConditions {
        WriteConditions {
            if_match: self.if_match.as_deref().map(Tag::of),
            if_none_match: None,
        }
    }
}

impl Tag {
    pub fn of(text: &str) -> Self {
        if text == "*" {
            return Self::Any;
        }
        let inner = text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'));
        Self::Is(inner.unwrap_or(text).to_owned())
    }

    fn matches(&self, etag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Is(tag) => tag == etag,
        }
    }
}

impl WriteConditions {
    pub fn is_empty(&self) -> bool {
        self.if_match.is_none() && self.if_none_match.is_none()
    }

    /// Decides with the object as it is before the write. A delete marker is no object.
    pub fn check(&self, current: Option<&Version>) -> AwsResult<()> {
        let etag = current
            .and_then(|version| version.content.as_ref())
            .map(|content| content.etag.as_str());
        match (&self.if_match, etag) {
            (Some(_), None) => return Err(no_such_key()),
            (Some(tag), Some(etag)) if !tag.matches(etag) => return Err(precondition_failed()),
            _ => {}
        }
        match (&self.if_none_match, etag) {
            (Some(tag), Some(etag)) if tag.matches(etag) => Err(precondition_failed()),
            _ => Ok(()),
        }
    }
}

/// Whether an object is what the client has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    Changed,
    Unchanged,
}

impl ReadConditions {
    /// Those of a request, which may be one to a distribution.
    pub fn of(headers: &HeaderMap) -> Self {
        Self {
            if_match: tags(headers, &header::IF_MATCH),
            if_none_match: tags(headers, &header::IF_NONE_MATCH),
            if_modified_since: date(headers, &header::IF_MODIFIED_SINCE),
            if_unmodified_since: date(headers, &header::IF_UNMODIFIED_SINCE),
            if_range: text(headers, &header::IF_RANGE).map(|text| IfRange::of(&text)),
        }
    }

    /// Decides with the object that would be read: whether it is what the client has, or 412. A date counts only where no tag of its kind is given (RFC 9110, section 13.2.2), and in
    /// whole seconds.
    pub(crate) fn check(&self, etag: &str, modified: OffsetDateTime) -> AwsResult<Freshness> {
        let modified = modified.unix_timestamp();
        match (&self.if_match, self.if_unmodified_since) {
            (Some(tags), _) if !tags.hold(etag, EntityTag::is_strongly) => {
                return Err(precondition_failed());
            }
            (None, Some(since)) if modified > since.unix_timestamp() => {
                return Err(precondition_failed());
            }
            _ => {}
        }
        let unchanged = match (&self.if_none_match, self.if_modified_since) {
            (Some(tags), _) => tags.hold(etag, EntityTag::is_weakly),
            (None, Some(since)) => modified <= since.unix_timestamp(),
            (None, None) => false,
        };
        Ok(match unchanged {
            true => Freshness::Unchanged,
            false => Freshness::Changed,
        })
    }

    /// Whether a range counts. When the object is not the one that the client has a part of, all of
    /// it is sent (RFC 9110, section 13.1.5), as S3 does:
    /// <https://github.com/awslabs/aws-sdk-kotlin/issues/1645>.
    pub(crate) fn allow_range(&self, etag: &str, modified: OffsetDateTime) -> bool {
        match &self.if_range {
            None => true,
            Some(IfRange::Tag(tag)) => tag.is_strongly(etag),
            Some(IfRange::Date(date)) => date.unix_timestamp() == modified.unix_timestamp(),
            Some(IfRange::Unknown) => false,
        }
    }
}

impl Tags {
    fn hold(&self, etag: &str, compare: impl Fn(&EntityTag, &str) -> bool) -> bool {
        match self {
            Self::Any => true,
            Self::Of(tags) => tags.iter().any(|tag| compare(tag, etag)),
        }
    }

    /// The tags of a list, quoted or, as S3 takes them too, bare.
    fn parse(text: &str) -> Self {
        if text == "*" {
            return Self::Any;
        }
        let mut tags = Vec::new();
        let mut rest = text;
        loop {
            rest = rest.trim_start_matches([' ', '\t', ',']);
            if rest.is_empty() {
                return Self::Of(tags);
            }
            let quoted = rest.strip_prefix("W/").unwrap_or(rest);
            let length = match quoted.strip_prefix('"').and_then(|inner| inner.find('"')) {
                Some(inner) => rest.len() - quoted.len() + inner + 2,
                None => rest.find(',').unwrap_or(rest.len()),
            };
            let (tag, after) = rest.split_at(length);
            tags.push(EntityTag::parse(tag.trim()));
            rest = after;
        }
    }
}

impl EntityTag {
    fn parse(text: &str) -> Self {
        let (is_weak, text) = match text.strip_prefix("W/") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let inner = text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'));
        Self {
            value: inner.unwrap_or(text).to_owned(),
            is_weak,
        }
    }

    /// The tags of objects are strong ones.
    fn is_strongly(&self, etag: &str) -> bool {
        !self.is_weak && self.value == etag
    }

    fn is_weakly(&self, etag: &str) -> bool {
        self.value == etag
    }
}

impl IfRange {
    fn of(text: &str) -> Self {
        match http_date(text) {
            Some(date) => Self::Date(date),
            None if text.contains(' ') => Self::Unknown,
            None => Self::Tag(EntityTag::parse(text)),
        }
    }
}

/// The one range that a request asks for. S3 takes no more than one, and what it cannot read as
/// one counts as absent: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>,
/// and as seen, <https://github.com/localstack/localstack/pull/9082>.
pub fn range(headers: &HeaderMap) -> Option<Range> {
    let text = text(headers, &header::RANGE)?;
    // The s3s crate takes a dash alone for the last 0 bytes.
    Range::parse(&text).ok().filter(|_| text != "bytes=-")
}

fn tags(headers: &HeaderMap, name: &HeaderName) -> Option<Tags> {
    text(headers, name).map(|text| Tags::parse(&text))
}

/// A value that is no date of HTTP counts as absent (RFC 9110, section 13.1.3).
fn date(headers: &HeaderMap, name: &HeaderName) -> Option<OffsetDateTime> {
    http_date(&text(headers, name)?)
}

/// All values of a header, as one list; absent when there is nothing in them.
fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let values = headers.get_all(name).iter();
    let values: Vec<_> = values
        .map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned())
        .filter(|value| !value.is_empty())
        .collect();
    (!values.is_empty()).then(|| values.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_follow_the_order_of_the_rfc() {
        let at = |seconds| OffsetDateTime::from_unix_timestamp(seconds).ok();
        let is = |tags: &str| Some(Tags::parse(tags));
        // If-Match, If-None-Match, modified since, unmodified since; the status.
        for (if_match, if_none_match, modified_since, unmodified_since, expected) in [
            (None, None, None, None, 200),
            (is("a"), None, None, None, 200),
            (is("b"), None, None, None, 412),
            (Some(Tags::Any), None, None, None, 200),
            (None, is("a"), None, None, 304),
            (None, is("b"), None, None, 200),
            (None, Some(Tags::Any), None, None, 304),
            (None, None, at(100), None, 304),
            (None, None, at(99), None, 200),
            (None, None, None, at(100), 200),
            (None, None, None, at(99), 412),
            (is("a"), None, None, at(99), 200),
            (None, is("b"), at(100), None, 200),
            (is("\"b\", \"a\""), None, None, None, 200),
            (is("W/\"a\""), None, None, None, 412),
            (None, is("\"b\" , W/\"a\""), None, None, 304),
        ] {
            let conditions = ReadConditions {
                if_match,
                if_none_match,
                if_modified_since: modified_since,
                if_unmodified_since: unmodified_since,
                if_range: None,
            };
            let modified = at(100).unwrap_or(OffsetDateTime::UNIX_EPOCH);
            let status = conditions.check("a", modified).map_or_else(
                |error| error.status,
                |freshness| match freshness {
                    Freshness::Changed => 200,
                    Freshness::Unchanged => 304,
                },
            );
            assert_eq!(status, expected, "{conditions:?}");
        }
    }

    #[test]
    fn lists_of_tags_are_taken_apart() {
        let tag = |value: &str, is_weak| EntityTag {
            value: value.to_owned(),
            is_weak,
        };
        for (text, expected) in [
            ("\"a\"", vec![tag("a", false)]),
            ("a", vec![tag("a", false)]),
            ("W/\"a\",b", vec![tag("a", true), tag("b", false)]),
            ("\"a,b\", \"c\"", vec![tag("a,b", false), tag("c", false)]),
            (", ,\"a\",", vec![tag("a", false)]),
            ("\"open", vec![tag("\"open", false)]),
            ("W/\"", vec![tag("\"", true)]),
            ("", vec![]),
        ] {
            assert_eq!(Tags::parse(text), Tags::Of(expected), "{text}");
        }
    }
}
