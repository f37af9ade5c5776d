//! Amazon Data Firehose: delivery streams that buffer, transform and deliver records.

use crate::error::{AwsError, AwsResult};
use crate::services::iam::Caller;
use anyhow::Result;
use bytes::Bytes;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The delivery streams of the account.
#[derive(Debug)]
pub struct Firehose {
    _folder: PathBuf,
}

impl Firehose {
    /// Opens the folder that holds each stream's journal.
    pub fn open(folder: &Path) -> Result<Self> {
        Ok(Self {
            _folder: folder.to_owned(),
        })
    }
}

impl crate::cloud::Cloud {
    /// One request of Firehose's JSON protocol: `action` is the part of `X-Amz-Target` behind
    /// the dot. Gives the body of the 200 answer.
    pub async fn firehose_call(
        self: &Arc<Self>,
        _caller: &Caller,
        _action: &str,
        _body: &[u8],
    ) -> AwsResult<Bytes> {
        Err(AwsError::internal("not built yet"))
    }
}
