//! `cargo xtask env`: lines for a POSIX shell on standard output, everything else on standard
//! error.

use crate::session::{LOCAL, Session};
use anyhow::{Context, Result};
use clap::Args;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

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
            if has_passphrase(&session.checkout.root, stack)? {
                session.ensure_stack(stack).await?;
            } else {
                eprintln!("stack {stack} has a secrets provider of its own, and is left alone");
            }
        }
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(session.variables.to_shell()?.as_bytes())?;
        stdout.flush()?;
        Ok(())
    }
}

/// Whether the stack's secrets are kept with a passphrase. `pulumi stack init` on this machine's
/// backend would give the file of any other stack a passphrase in place of its own provider.
fn has_passphrase(root: &Path, stack: &str) -> Result<bool> {
    let path = root.join(format!("Pulumi.{stack}.yaml"));
    match fs::read_to_string(&path) {
        Ok(text) => Ok(text.lines().any(|line| line.starts_with("encryptionsalt:"))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_with_a_secrets_provider_of_its_own_is_not_for_this_machine() -> Result<()> {
        let root = tempfile::tempdir()?;
        let file = root.path().join("Pulumi.dev.yaml");
        assert!(!has_passphrase(root.path(), "dev")?);
        for (text, expected) in [
            ("encryptionsalt: v1:a\nconfig:\n", true),
            (
                "secretsprovider: awskms://alias/k\nencryptedkey: a\nconfig:\n",
                false,
            ),
            ("config:\n  a:encryptionsalt: b\n", false),
        ] {
            fs::write(&file, text)?;
            assert_eq!(has_passphrase(root.path(), "dev")?, expected, "{text}");
        }
        Ok(())
    }
}
