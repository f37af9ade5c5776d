//! `cargo xtask env`: lines for a POSIX shell on standard output, everything else on standard
//! error.

use crate::session::{LOCAL, Session};
use anyhow::Result;
use clap::Args;
use std::io::Write;

/// The stacks that a shell can preview offline.
const STACKS: [&str; 3] = [LOCAL, "dev", "prod"];

#[derive(Args)]
pub struct Env {}

impl Env {
    pub async fn run(self) -> Result<()> {
        let session = Session::open().await?;
        session.ensure_cloud().await?;
        for stack in STACKS {
            session.ensure_stack(stack).await?;
        }
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(session.variables.to_shell()?.as_bytes())?;
        stdout.flush()?;
        Ok(())
    }
}
