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
                // Whether this machine may use it is not for a shell to find out.
                Secrets::Provider(_) => {
                    eprintln!("stack {stack} has a secrets provider of its own, and is left alone");
                }
                // This machine's passphrase would take the place of another backend's provider.
                Secrets::Unsaid => eprintln!(
                    "Pulumi.{stack}.yaml does not say how secrets are kept: the stack is left alone"
                ),
            }
        }
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(session.variables.to_shell()?.as_bytes())?;
        stdout.flush()?;
        Ok(())
    }
}
