//! The versioning of a bucket.

use serde::{Deserialize, Serialize};

/// Whether overwritten and deleted objects are kept. Never goes back to `Never`:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Versioning {
    #[default]
    Never,
    Enabled,
    Suspended,
}
