//! How a stack keeps its secrets, as its file says.

use anyhow::{Context, Result};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// What encrypts the secrets of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Secrets {
    /// A passphrase: there is its salt.
    Passphrase,
    /// Something else: the URL of `pulumi stack init --secrets-provider`.
    Provider(String),
    /// There is no file, or it does not say.
    Unsaid,
}

/// How `stack` keeps its secrets.
///
/// # Errors
/// When its file is there and cannot be read.
pub fn of(root: &Path, stack: &str) -> Result<Secrets> {
    let path = root.join(format!("Pulumi.{stack}.yaml"));
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => {
            return Err(error).with_context(|| format!("{} cannot be read", path.display()));
        }
    };
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key));
    Ok(match value("secretsprovider:").map(unquoted) {
        Some(url) if !["", "default", "passphrase"].contains(&url) => Secrets::Provider(url.into()),
        _ if value("encryptionsalt:").is_some() => Secrets::Passphrase,
        _ => Secrets::Unsaid,
    })
}

fn unquoted(value: &str) -> &str {
    value.trim().trim_matches(['"', '\''])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stack_file_says_how_secrets_are_kept() -> Result<()> {
        let root = tempfile::tempdir()?;
        let file = root.path().join("Pulumi.dev.yaml");
        assert_eq!(of(root.path(), "dev")?, Secrets::Unsaid);
        let provider = || Secrets::Provider("awskms://alias/k".to_owned());
        for (text, expected) in [
            ("encryptionsalt: v1:a\nconfig:\n", Secrets::Passphrase),
            (
                "secretsprovider: awskms://alias/k\nencryptedkey: a\nconfig:\n",
                provider(),
            ),
            ("secretsprovider: \"awskms://alias/k\"\n", provider()),
            (
                "secretsprovider: passphrase\nencryptionsalt: v1:a\n",
                Secrets::Passphrase,
            ),
            ("config:\n  a:encryptionsalt: b\n", Secrets::Unsaid),
        ] {
            fs::write(&file, text)?;
            assert_eq!(of(root.path(), "dev")?, expected, "{text}");
        }
        Ok(())
    }
}
