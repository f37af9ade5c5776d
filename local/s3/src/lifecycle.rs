//! Lifecycle rules: what they may say, and what is due when; [`super::expiry`] deletes it.
//!
//! Elements and limits:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html>. Days are
//! counted from creation and rounded up to the next midnight, UTC:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html#intro-lifecycle-rules-number-of-days>.
//! This cloud has no transitions between storage classes.

use super::uploads::Upload;
use super::version::Version;
use super::versioning::Versioning;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const MAX_RULES: usize = 1_000;
const MAX_ID: usize = 255;
const MAX_NEWER_VERSIONS: u32 = 100;
const DAY: i64 = 24 * 60 * 60 * 1_000;

/// A rule, as it is declared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Rule {
    pub id: String,
    pub status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    /// The older way to filter by prefix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration: Option<Expiration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noncurrent_version_expiration: Option<NoncurrentVersionExpiration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abort_incomplete_multipart_upload: Option<AbortIncompleteMultipartUpload>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    Enabled,
    Disabled,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Filter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_size_greater_than: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_size_less_than: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<FilterTag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub and: Option<FilterAnd>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilterTag {
    pub key: String,
    pub value: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FilterAnd {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_size_greater_than: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_size_less_than: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Expiration {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// RFC 3339, midnight UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expired_object_delete_marker: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NoncurrentVersionExpiration {
    pub noncurrent_days: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newer_noncurrent_versions: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AbortIncompleteMultipartUpload {
    pub days_after_initiation: Option<u32>,
}

/// What is to be done with one of an object's versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Put a delete marker in front.
    Mark,
    /// Delete the version at this place, for good.
    Delete(usize),
}

/// Refuses rules that AWS refuses, with the place and the reason.
pub(crate) fn check(rules: &[Rule]) -> Result<(), String> {
    if rules.is_empty() || rules.len() > MAX_RULES {
        return Err(format!("there must be 1 to {MAX_RULES} rules"));
    }
    let mut ids = HashSet::new();
    for rule in rules {
        if !ids.insert(&rule.id) {
            return Err(format!("the rule id {:?} is used twice", rule.id));
        }
        rule.check()
            .map_err(|reason| format!("rule {:?}: {reason}", rule.id))?;
    }
    Ok(())
}

impl Rule {
    fn check(&self) -> Result<(), String> {
        if self.id.is_empty() || self.id.chars().count() > MAX_ID {
            return Err(format!("an id has 1 to {MAX_ID} characters"));
        }
        if self.filter.is_some() && self.prefix.is_some() {
            return Err("it has both a filter and a prefix".into());
        }
        if self.expiration.is_none()
            && self.noncurrent_version_expiration.is_none()
            && self.abort_incomplete_multipart_upload.is_none()
        {
            return Err("it has no action".into());
        }
        if let Some(filter) = &self.filter {
            filter.check()?;
        }
        if let Some(expiration) = &self.expiration {
            let (days, date) = (expiration.days, expiration.date.as_deref());
            let marker = expiration.expired_object_delete_marker == Some(true);
            match (days, date, marker) {
                (Some(days), None, false) if days > 0 => {}
                (None, Some(date), false) => {
                    let date = OffsetDateTime::parse(date, &Rfc3339)
                        .map_err(|error| format!("expiration.date {date:?}: {error}"))?;
                    if date.unix_timestamp() % (DAY / 1_000) != 0 {
                        return Err("expiration.date must be at midnight, UTC".into());
                    }
                }
                (None, None, true) => {}
                _ => {
                    return Err("expiration must have one of days (at least 1), date and \
                                expiredObjectDeleteMarker"
                        .into());
                }
            }
            if marker && self.tags().next().is_some() {
                return Err("expiredObjectDeleteMarker does not go with a filter by tags".into());
            }
        }
        if let Some(noncurrent) = &self.noncurrent_version_expiration {
            if noncurrent.noncurrent_days == 0 {
                return Err("noncurrentDays must be at least 1".into());
            }
            if let Some(newer) = noncurrent.newer_noncurrent_versions
                && !(1..=MAX_NEWER_VERSIONS).contains(&newer)
            {
                return Err(format!(
                    "newerNoncurrentVersions must be within 1 to {MAX_NEWER_VERSIONS}"
                ));
            }
        }
        if let Some(abort) = &self.abort_incomplete_multipart_upload {
            if abort.days_after_initiation.is_none_or(|days| days == 0) {
                return Err("daysAfterInitiation must be at least 1".into());
            }
            let (greater, less) = self.sizes();
            if self.tags().next().is_some() || greater.is_some() || less.is_some() {
                return Err(
                    "abortIncompleteMultipartUpload goes with a filter by prefix alone".into(),
                );
            }
        }
        Ok(())
    }

    fn prefix(&self) -> &str {
        let filter = self.filter.as_ref();
        let and = filter.and_then(|filter| filter.and.as_ref());
        self.prefix
            .as_deref()
            .or_else(|| filter?.prefix.as_deref())
            .or_else(|| and?.prefix.as_deref())
            .unwrap_or_default()
    }

    fn sizes(&self) -> (Option<u64>, Option<u64>) {
        let Some(filter) = &self.filter else {
            return (None, None);
        };
        match &filter.and {
            Some(and) => (and.object_size_greater_than, and.object_size_less_than),
            None => (
                filter.object_size_greater_than,
                filter.object_size_less_than,
            ),
        }
    }

    fn tags(&self) -> impl Iterator<Item = (&String, &String)> {
        let filter = self.filter.as_ref();
        let one = filter.and_then(|filter| filter.tag.as_ref());
        let all = filter.and_then(|filter| filter.and.as_ref()?.tags.as_ref());
        one.map(|tag| (&tag.key, &tag.value))
            .into_iter()
            .chain(all.into_iter().flatten())
    }

    fn covers(&self, key: &str, version: &Version) -> bool {
        if self.status == Status::Disabled || !key.starts_with(self.prefix()) {
            return false;
        }
        let (greater, less) = self.sizes();
        match &version.content {
            Some(content) => {
                greater.is_none_or(|greater| content.size > greater)
                    && less.is_none_or(|less| content.size < less)
                    && self
                        .tags()
                        .all(|(key, value)| content.tags.get(key) == Some(value))
            }
            None => greater.is_none() && less.is_none() && self.tags().next().is_none(),
        }
    }
}

impl Filter {
    fn check(&self) -> Result<(), String> {
        let criteria = [
            self.prefix.is_some(),
            self.object_size_greater_than.is_some(),
            self.object_size_less_than.is_some(),
            self.tag.is_some(),
            self.and.is_some(),
        ];
        match criteria.into_iter().filter(|&given| given).count() {
            0 | 1 => Ok(()),
            _ => Err("a filter has one criterion; several go into `and`".into()),
        }
    }
}

/// What the rules do with an object's versions, newest first, at `now`.
pub(crate) fn due(
    rules: &[Rule],
    key: &str,
    versions: &[Version],
    versioning: Versioning,
    now: i64,
) -> Vec<Step> {
    let Some(current) = versions.first() else {
        return Vec::new();
    };
    let mut steps = Vec::new();
    let current_is_due = rules.iter().any(|rule| {
        let Some(expiration) = rule
            .expiration
            .as_ref()
            .filter(|_| rule.covers(key, current))
        else {
            return false;
        };
        let old = expiration
            .days
            .is_some_and(|days| after_days(current.modified, days) <= now)
            || expiration
                .date
                .as_deref()
                .is_some_and(|date| is_past(date, now));
        if current.is_delete_marker() {
            // Only one that hides nothing is expired.
            versions.len() == 1 && (old || expiration.expired_object_delete_marker == Some(true))
        } else {
            old
        }
    });
    if current_is_due {
        let keeps = versioning != Versioning::Never && !current.is_delete_marker();
        steps.push(if keeps { Step::Mark } else { Step::Delete(0) });
    }
    for (index, pair) in versions.windows(2).enumerate() {
        let [newer, version] = pair else { continue };
        let is_due = rules.iter().any(|rule| {
            rule.noncurrent_version_expiration
                .as_ref()
                .filter(|_| rule.covers(key, version))
                .is_some_and(|noncurrent| {
                    let kept = noncurrent.newer_noncurrent_versions.unwrap_or(0);
                    after_days(newer.modified, noncurrent.noncurrent_days) <= now
                        && index >= usize::try_from(kept).unwrap_or(usize::MAX)
                })
        });
        if is_due {
            steps.push(Step::Delete(index + 1));
        }
    }
    steps
}

/// Whether the rules give up this upload at `now`.
pub(crate) fn upload_is_due(rules: &[Rule], upload: &Upload, now: i64) -> bool {
    rules.iter().any(|rule| {
        rule.status == Status::Enabled
            && upload.key.starts_with(rule.prefix())
            && rule
                .abort_incomplete_multipart_upload
                .as_ref()
                .and_then(|abort| abort.days_after_initiation)
                .is_some_and(|days| after_days(upload.initiated, days) <= now)
    })
}

/// The midnight at or after `days` days after `start`.
fn after_days(start: i64, days: u32) -> i64 {
    let end = start + i64::from(days) * DAY;
    end + (DAY - end.rem_euclid(DAY)) % DAY
}

fn is_past(date: &str, now: i64) -> bool {
    OffsetDateTime::parse(date, &Rfc3339)
        .is_ok_and(|date| date.unix_timestamp().saturating_mul(1_000) <= now)
}

#[cfg(test)]
mod tests;
