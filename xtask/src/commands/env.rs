//! `cargo xtask env`: lines for a POSIX shell on standard output, everything else on standard
//! error.

use crate::secrets::{self, Secrets};
use crate::session::{LOCAL, Session};
use anyhow::Result;
use clap::Args;
use std::io::Write;

/// The stacks of AWS that a shell can preview offline.
const PREVIEWED: [&str; 2] = ["dev", "prod"];

#[derive(Args)]
pub struct Env {}

impl Env {
    pub async fn run(self) -> Result<()> {
        let session = Session::open().await?;
        session.ensure_cloud().await?;
        session.ensure_stack(LOCAL).await?;
        for stack in PREVIEWED {
            match secrets::of(&session.checkout.root, stack)? {
                Secrets::Passphrase => session.ensure_stack(stack).await?,
                // This machine's passphrase would take the place of it.
                Secrets::Provider(_) | Secrets::Unsaid => {
                    eprintln!("stack {stack} has a secrets provider of its own, and is left alone");
                }
            }
        }
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(session.variables.to_shell()?.as_bytes())?;
        stdout.flush()?;
        Ok(())
    }
}
