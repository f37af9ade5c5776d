//! The environment of a shell in which plain `pulumi` and `aws` use the embedded cloud.

use crate::checkout::Checkout;
use anyhow::{Context, Result};
use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use tokio::process::Command;

/// The passphrase of stacks in the local backend. Their files hold no secret: the salt of each
/// is in the repository for this passphrase.
pub const PASSPHRASE: &str = "mysfits";

/// Variables to set and to unset.
#[derive(Debug)]
pub struct Variables {
    set: Vec<(Cow<'static, str>, OsString)>,
    unset: Vec<OsString>,
}

impl Variables {
    /// For the embedded cloud of a checkout, whose first port is `port`.
    pub fn new(checkout: &Checkout, port: u16) -> Result<Self> {
        let mut backend = file_url(&checkout.backend());
        // No file with a checksum beside each file.
        backend.push("?metadata=skip");
        let set = vec![
            ("PATH", path(checkout)?),
            ("PULUMI_HOME", checkout.pulumi_home().into()),
            ("PULUMI_BACKEND_URL", backend),
            ("PULUMI_CONFIG_PASSPHRASE", PASSPHRASE.into()),
            ("PULUMI_DEBUG_PROVIDERS", format!("aws:{port}").into()),
            ("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "true".into()),
            // The state is written twice for each resource: no copy of what it was before that.
            (
                "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS",
                "true".into(),
            ),
            // The language host is an installed plugin too; see `plugins`.
            ("PULUMI_IGNORE_AMBIENT_PLUGINS", "true".into()),
            ("PULUMI_SKIP_UPDATE_CHECK", "true".into()),
            ("AWS_ENDPOINT_URL", endpoint(port).into()),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY.into()),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY.into()),
            ("AWS_REGION", REGION.into()),
            // boto3 and the AWS CLI read only this one.
            ("AWS_DEFAULT_REGION", REGION.into()),
            ("AWS_CONFIG_FILE", "/dev/null".into()),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".into()),
            ("AWS_EC2_METADATA_DISABLED", "true".into()),
        ];
        let set = set
            .into_iter()
            .map(|(name, value)| (Cow::Borrowed(name), value));
        Ok(Self {
            set: set.chain(git_settings(&endpoint(port))).collect(),
            unset: unset(),
        })
    }

    /// Gives the environment to a program.
    pub fn apply(&self, command: &mut Command) {
        for name in &self.unset {
            command.env_remove(name);
        }
        command.envs(self.set.iter().map(|(name, value)| (name.as_ref(), value)));
    }

    /// Lines for a POSIX shell.
    pub fn to_shell(&self) -> Result<String> {
        let mut lines = String::new();
        for name in &self.unset {
            lines += &format!("unset {}\n", name.to_string_lossy());
        }
        for (name, value) in &self.set {
            let value = value
                .to_str()
                .with_context(|| format!("the value of {name} is not UTF-8"))?;
            lines += &format!("export {name}={}\n", quote(value));
        }
        Ok(lines)
    }
}

/// Settings of git for the repositories of the embedded cloud: credentials are the AWS CLI's, as its
/// documentation has it for CodeCommit. They come after those that the environment has already.
fn git_settings(endpoint: &str) -> Vec<(Cow<'static, str>, OsString)> {
    const HELPER: &str = "!f() { test \"$1\" = get && aws codecommit credential-helper get --ignore-host-check; }; f";
    let of = |name: &str| format!("credential.{endpoint}.{name}");
    let settings = [
        // No other helper is asked, and none stores what holds for minutes.
        (of("helper"), ""),
        (of("helper"), HELPER),
        (of("UseHttpPath"), "true"),
    ];
    let variable = |name: String| std::env::var(name).ok();
    let count = variable("GIT_CONFIG_COUNT".to_owned());
    let count: usize = count.and_then(|count| count.parse().ok()).unwrap_or(0);
    // A shell that has them gets them in the same places.
    let first = (0..count)
        .find(|index| variable(format!("GIT_CONFIG_KEY_{index}")).as_ref() == Some(&settings[0].0))
        .unwrap_or(count);
    let end = count.max(first + settings.len());
    let mut set = vec![(Cow::Borrowed("GIT_CONFIG_COUNT"), end.to_string().into())];
    for (index, (key, value)) in settings.into_iter().enumerate() {
        let index = first + index;
        set.push((Cow::Owned(format!("GIT_CONFIG_KEY_{index}")), key.into()));
        set.push((
            Cow::Owned(format!("GIT_CONFIG_VALUE_{index}")),
            value.into(),
        ));
    }
    set
}

pub const ACCESS_KEY: &str = "test";
pub const SECRET_KEY: &str = "test";
pub const REGION: &str = "us-east-1";

/// The address of the page that shows what happens in the embedded cloud whose first port is
/// `port`.
pub fn console(port: u16) -> String {
    format!("{}/_mysfits/console", endpoint(port))
}

/// Where AWS's protocols are spoken.
pub fn endpoint(port: u16) -> String {
    format!("http://127.0.0.1:{}", port + 1)
}

/// The URL of a file, in which three characters of its path would mean something else.
pub fn file_url(path: &Path) -> OsString {
    let mut url = b"file://".to_vec();
    for &byte in path.as_os_str().as_bytes() {
        match byte {
            b'%' => url.extend(b"%25"),
            b'#' => url.extend(b"%23"),
            b'?' => url.extend(b"%3F"),
            _ => url.push(byte),
        }
    }
    OsString::from_vec(url)
}

fn path(checkout: &Checkout) -> Result<OsString> {
    let bin = checkout.bin();
    let rest = std::env::var_os("PATH").unwrap_or_default();
    let rest = std::env::split_paths(&rest).filter(|folder| *folder != bin);
    std::env::join_paths(std::iter::once(bin.clone()).chain(rest))
        .with_context(|| format!("{} cannot be on PATH: it has a colon", bin.display()))
}

/// What would lead a client past the embedded cloud, or to a profile that is not there.
fn unset() -> Vec<OsString> {
    let mut names: Vec<OsString> = [
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_SESSION_TOKEN",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        "PULUMI_CONFIG_PASSPHRASE_FILE",
        "PULUMI_STACK",
    ]
    .map(OsString::from)
    .into();
    let of_a_service = |name: &OsStr| name.to_string_lossy().starts_with("AWS_ENDPOINT_URL_");
    names.extend(
        std::env::vars_os()
            .map(|(name, _)| name)
            .filter(|name| of_a_service(name)),
    );
    names
}

fn quote(value: &str) -> String {
    let plain =
        |character: char| character.is_ascii_alphanumeric() || "/.:-_=@%+,".contains(character);
    if !value.is_empty() && value.chars().all(plain) {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_back_what_was_quoted() -> Result<()> {
        for value in [
            "/plain/path:/b",
            "/with space/bin",
            "it's",
            "$HOME `x` \"y\"",
            "",
        ] {
            let script = format!("V={}; printf %s \"$V\"", quote(value));
            let shell = std::process::Command::new("sh")
                .args(["-c", &script])
                .output()?;
            assert_eq!(String::from_utf8(shell.stdout)?, value);
        }
        Ok(())
    }
}
