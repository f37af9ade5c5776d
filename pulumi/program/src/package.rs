//! The package of a Lambda function, which the language host makes before it starts the program.

use std::env;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::asset::FileArchive;
use crate::program::Program;

/// Has the package as JSON; `pulumi_package`, of which the language host is made, writes it.
const VARIABLE: &str = "PULUMI_RUST_LAMBDA";

/// A Lambda function's package, as it was just made and checked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LambdaPackage {
    /// Where the zip is, from the folder of Pulumi.yaml.
    archive: String,
    /// What its binary runs on, with Lambda's name for it: `x86_64` or `arm64`.
    pub architecture: String,
}

impl LambdaPackage {
    pub fn archive(&self) -> FileArchive {
        FileArchive::new(&self.archive)
    }
}

impl Program {
    /// The package of the workspace's Lambda function. Its path is known to the language host
    /// alone, so that no program uploads another file than the one just made.
    ///
    /// # Errors When the host names no package, because it is too old, or because the workspace
    /// names no function.
    pub fn package(&self) -> Result<LambdaPackage> {
        let text = env::var(VARIABLE).with_context(|| {
            format!(
                "no language host has packaged a Lambda function ({VARIABLE} is not set): \
                 install the one of this repository again (`cargo xtask setup`), and name the \
                 function's crate as `lambda` in [workspace.metadata.pulumi]"
            )
        })?;
        serde_json::from_str(&text).with_context(|| format!("{VARIABLE} cannot be read as JSON"))
    }
}
