//! `cargo xtask schema`: the trimmed schema that the aws binding is generated from.

use crate::checkout::Checkout;
use anyhow::Result;
use clap::Args;
use pulumi_schema::Origin;
use std::path::PathBuf;

#[derive(Args)]
pub struct Schema {
    /// The output of `pulumi package get-schema`, where it is already here
    #[arg(long, conflicts_with = "wheel")]
    whole: Option<PathBuf>,
    /// A wheel of the Python SDK, where it is already here
    #[arg(long)]
    wheel: Option<PathBuf>,
}

impl Schema {
    pub async fn run(self) -> Result<()> {
        let folder = Checkout::find()?.root.join("pulumi/aws");
        let origin = match (self.whole, self.wheel) {
            (Some(path), _) => Origin::Schema(path),
            (_, Some(path)) => Origin::Wheel(path),
            (None, None) => Origin::Any,
        };
        let schema = folder.join("schema.json");
        let package = tokio::task::block_in_place(|| {
            pulumi_schema::generate(&folder.join("tokens.toml"), &schema, origin)
        })?;
        println!(
            "{}: {} resources, {} functions and {} types of {} {}",
            schema.display(),
            package.resources.len(),
            package.functions.len(),
            package.types.len(),
            package.name,
            package.version
        );
        Ok(())
    }
}
