//! Invalidations: what a distribution is told to forget. Nothing is cached here, so that each is
//! complete when it is made, and only what was asked for is kept.
//!
//! Rules: <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html>,
//! <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_InvalidationBatch.html> and
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html>.

use cloud_core::error::{AwsError, AwsResult};
use serde::Deserialize;
use time::OffsetDateTime;
use uuid::Uuid;

/// How many of a distribution are kept; older ones are forgotten.
const KEPT: usize = 1_000;

/// Of one batch: files, and paths that end with a wildcard. AWS counts the paths that are in
/// progress at a time; here these are the paths of one batch
/// (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/InvalidationLimits.html>).
const MAX_FILES: usize = 3_000;
const MAX_WILDCARDS: usize = 15;

/// What is to be forgotten, as a client sends it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Batch {
    pub paths: Paths,
    /// Tells a request that is repeated from a new one.
    pub caller_reference: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Paths {
    pub quantity: usize,
    #[serde(default)]
    pub items: Items,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Items {
    #[serde(default)]
    pub path: Vec<String>,
}

/// An invalidation that is complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invalidation {
    pub id: String,
    pub created: OffsetDateTime,
    pub batch: Batch,
}

/// Those of one distribution, the latest last.
#[derive(Debug, Default)]
pub(crate) struct Invalidations(Vec<Invalidation>);

impl Invalidations {
    /// Makes one, or finds the one that the same request made before.
    pub(crate) fn create(&mut self, batch: Batch, now: OffsetDateTime) -> AwsResult<Invalidation> {
        check(&batch)?;
        let reference = &batch.caller_reference;
        let mut before = self.0.iter();
        match before.find(|one| one.batch.caller_reference == *reference) {
            Some(before) if before.batch == batch => return Ok(before.clone()),
            Some(before) => {
                return Err(AwsError::new(
                    400,
                    "InvalidationBatchAlreadyExists",
                    format!(
                        "invalidation {} has the caller reference {reference:?} and other paths",
                        before.id
                    ),
                ));
            }
            None => {}
        }
        let random = Uuid::new_v4().simple().to_string().to_ascii_uppercase();
        let invalidation = Invalidation {
            id: format!("I{}", &random[..20]),
            created: now,
            batch,
        };
        if self.0.len() == KEPT {
            self.0.remove(0);
        }
        self.0.push(invalidation.clone());
        Ok(invalidation)
    }

    pub(crate) fn get(&self, id: &str) -> AwsResult<Invalidation> {
        let found = self.0.iter().find(|one| one.id == id);
        found.cloned().ok_or_else(|| {
            AwsError::new(
                404,
                "NoSuchInvalidation",
                "The specified invalidation does not exist.",
            )
        })
    }

    /// At most `most`, the latest first, after the one with the id `marker`; and whether there
    /// are more.
    pub(crate) fn list(
        &self,
        marker: Option<&str>,
        most: usize,
    ) -> AwsResult<(Vec<Invalidation>, bool)> {
        let end = match marker {
            None => self.0.len(),
            Some(marker) => {
                let position = self.0.iter().position(|one| one.id == marker);
                position
                    .ok_or_else(|| invalid(format!("Marker {marker:?} is no invalidation's")))?
            }
        };
        let start = end.saturating_sub(most);
        let page = self.0.get(start..end).unwrap_or_default();
        Ok((page.iter().rev().cloned().collect(), start > 0))
    }
}

fn check(batch: &Batch) -> AwsResult<()> {
    let paths = &batch.paths.items.path;
    if batch.paths.quantity != paths.len() {
        return Err(AwsError::new(
            400,
            "InconsistentQuantities",
            format!(
                "The value of Quantity and the size of Items don't match: {} and {}.",
                batch.paths.quantity,
                paths.len()
            ),
        ));
    }
    if paths.is_empty() {
        return Err(invalid("an invalidation needs a path".into()));
    }
    if batch.caller_reference.is_empty() {
        return Err(invalid("CallerReference must not be empty".into()));
    }
    let (wildcards, files): (Vec<_>, Vec<_>) = paths.iter().partition(|path| path.ends_with('*'));
    if files.len() > MAX_FILES || wildcards.len() > MAX_WILDCARDS {
        return Err(AwsError::new(
            413,
            "BatchTooLarge",
            format!(
                "Invalidation batch specified is too large: {} files and {} wildcards, of which \
                 {MAX_FILES} and {MAX_WILDCARDS} can be in progress",
                files.len(),
                wildcards.len()
            ),
        ));
    }
    match paths.iter().find(|path| !is_path(path)) {
        None => Ok(()),
        Some(path) => Err(invalid(format!(
            "Your request contains one or more invalid invalidation paths: {path:?} must begin \
             with '/', have '*' at its end alone, and escape what is no visible ASCII"
        ))),
    }
}

fn is_path(path: &str) -> bool {
    let body = path.strip_suffix('*').unwrap_or(path);
    let is_visible = |byte: u8| byte.is_ascii_graphic();
    body.starts_with('/') && !body.contains('*') && body.bytes().all(is_visible)
}

fn invalid(message: String) -> AwsError {
    AwsError::new(400, "InvalidArgument", message)
}
