//! Conditional requests:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html>.

use super::errors::{no_such_key, precondition_failed};
use super::version::Version;
use crate::error::{AwsError, AwsResult};
use time::OffsetDateTime;

/// An entity tag to compare with, or any at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tag {
    Any,
    Is(String),
}

/// On what a write depends.
#[derive(Debug, Clone, Default)]
pub struct WriteConditions {
    pub if_match: Option<Tag>,
    pub if_none_match: Option<Tag>,
}

/// On what a read, or the source of a copy, depends.
#[derive(Debug, Clone, Default)]
pub struct ReadConditions {
    pub if_match: Option<Tag>,
    pub if_none_match: Option<Tag>,
    pub if_modified_since: Option<OffsetDateTime>,
    pub if_unmodified_since: Option<OffsetDateTime>,
}

impl Tag {
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

impl ReadConditions {
    /// Decides with the object that would be read: 412, or 304 when it is what the client has.
    /// A date counts only where no tag of its kind is given (RFC 9110, section 13.2.2), and in
    /// whole seconds.
    pub fn check(&self, etag: &str, modified: OffsetDateTime) -> AwsResult<()> {
        let modified = modified.unix_timestamp();
        match (&self.if_match, self.if_unmodified_since) {
            (Some(tag), _) if !tag.matches(etag) => return Err(precondition_failed()),
            (None, Some(since)) if modified > since.unix_timestamp() => {
                return Err(precondition_failed());
            }
            _ => {}
        }
        let unchanged = match (&self.if_none_match, self.if_modified_since) {
            (Some(tag), _) => tag.matches(etag),
            (None, Some(since)) => modified <= since.unix_timestamp(),
            (None, None) => false,
        };
        if unchanged {
            return Err(AwsError::new(304, "NotModified", "Not Modified"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_follow_the_order_of_the_rfc() {
        let at = |seconds| OffsetDateTime::from_unix_timestamp(seconds).ok();
        let is = |tag: &str| Some(Tag::Is(tag.to_owned()));
        // If-Match, If-None-Match, modified since, unmodified since; the status.
        for (if_match, if_none_match, modified_since, unmodified_since, expected) in [
            (None, None, None, None, 200),
            (is("a"), None, None, None, 200),
            (is("b"), None, None, None, 412),
            (Some(Tag::Any), None, None, None, 200),
            (None, is("a"), None, None, 304),
            (None, is("b"), None, None, 200),
            (None, Some(Tag::Any), None, None, 304),
            (None, None, at(100), None, 304),
            (None, None, at(99), None, 200),
            (None, None, None, at(100), 200),
            (None, None, None, at(99), 412),
            (is("a"), None, None, at(99), 200),
            (None, is("b"), at(100), None, 200),
        ] {
            let conditions = ReadConditions {
                if_match,
                if_none_match,
                if_modified_since: modified_since,
                if_unmodified_since: unmodified_since,
            };
            let modified = at(100).unwrap_or(OffsetDateTime::UNIX_EPOCH);
            let status = conditions
                .check("a", modified)
                .map_or_else(|error| error.status, |()| 200);
            assert_eq!(status, expected, "{conditions:?}");
        }
    }
}
