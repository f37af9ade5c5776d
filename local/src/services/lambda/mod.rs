//! Lambda: functions, their execution environments, and the Runtime API they are driven by.

use crate::error::{AwsError, AwsResult};
use crate::services::iam::Caller;
use anyhow::Result;
use bytes::Bytes;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The functions of the account.
#[derive(Debug)]
pub struct Lambda {
    _folder: PathBuf,
}

/// The answer to a synchronous invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// What the function answered, or the error object.
    pub payload: Bytes,
    /// `Unhandled` when the function failed, timed out or crashed; the header
    /// `X-Amz-Function-Error`.
    pub function_error: Option<String>,
}

impl Lambda {
    /// Opens the folder that holds each function's unpacked code.
    pub fn open(folder: &Path) -> Result<Self> {
        Ok(Self {
            _folder: folder.to_owned(),
        })
    }
}

impl crate::cloud::Cloud {
    /// Invokes a function and waits for its answer (`RequestResponse`).
    pub async fn lambda_invoke(
        self: &Arc<Self>,
        _caller: &Caller,
        _function_arn: &str,
        _payload: Bytes,
    ) -> AwsResult<Invocation> {
        Err(AwsError::internal("not built yet"))
    }
}
