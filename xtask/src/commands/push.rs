//! `cargo xtask push`: the source of the processor, into the stack's repository.

use crate::aws::Aws;
use crate::checkout::Checkout;
use crate::session::LOCAL;
use crate::stack::Stack;
use crate::tools;
use anyhow::{Context, Result, bail};
use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use reqwest::Url;
use sha2::{Digest, Sha256};
use std::process::Stdio;
use std::time::SystemTime;
use time::OffsetDateTime;
use time::macros::format_description;
use tokio::process::Command;

#[derive(Args)]
pub struct Push {
    /// The stack whose repository
    #[arg(short, long, default_value = LOCAL)]
    stack: String,
    /// The branch there
    #[arg(long, default_value = "main")]
    branch: String,
    /// The commit: all of it, since the processor is built with the workspace that it is in
    #[arg(long, default_value = "HEAD")]
    commit: String,
}

impl Push {
    pub async fn run(self) -> Result<()> {
        let checkout = Checkout::find()?;
        let stack = Stack::open(&self.stack).await?;
        let url = stack.output("repositoryCloneUrlHttp").with_context(|| {
            format!(
                "stack {} has no repository (mysfits:repository)",
                self.stack
            )
        })?;
        let url: Url = url
            .parse()
            .with_context(|| format!("{url} is no address"))?;
        let password = Password::of(&stack.aws, &url, SystemTime::now())?;
        let mut push = Command::new("git");
        push.arg("push")
            .arg(url.as_str())
            .arg(format!("{}:refs/heads/{}", self.commit, self.branch))
            .current_dir(&checkout.root)
            .stdin(Stdio::null())
            // Not among the arguments, which everybody on the machine can read.
            .env("GIT_CONFIG_COUNT", "2")
            .env("GIT_CONFIG_KEY_0", format!("http.{url}.extraHeader"))
            .env("GIT_CONFIG_VALUE_0", password.header())
            .env("GIT_CONFIG_KEY_1", "credential.helper")
            .env("GIT_CONFIG_VALUE_1", "")
            .env("GIT_TERMINAL_PROMPT", "0");
        if let Err(error) = tools::run(&mut push, "git push").await {
            bail!(
                "{error}; where the history was not fetched as a whole, `git fetch --unshallow` \
                 first"
            );
        }
        println!("{url} has {} as branch {}.", self.commit, self.branch);
        Ok(())
    }
}

/// The credentials that CodeCommit takes from a git client: the user is the access key, the
/// password a signature of a request `GIT` for the repository, as the AWS CLI's `codecommit
/// credential-helper` makes it.
struct Password {
    user: String,
    password: String,
}

impl Password {
    fn of(aws: &Aws, url: &Url, now: SystemTime) -> Result<Self> {
        let identity = aws.credentials.identity();
        let host = url
            .host_str()
            .context("the repository's address has no host")?;
        let format = format_description!("[year][month][day]T[hour][minute][second]");
        let time = OffsetDateTime::from(now).format(&format)?;
        let date = time.get(..8).unwrap_or_default();
        let canonical = format!("GIT\n{}\n\nhost:{host}\n\nhost\n", url.path());
        let digest = hex::encode(Sha256::digest(canonical));
        let scope = format!("{date}/{}/codecommit/aws4_request", aws.region);
        let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{digest}");
        let key =
            generate_signing_key(identity.secret_access_key(), now, &aws.region, "codecommit");
        let signature = calculate_signature(key, to_sign.as_bytes());
        let token = identity.session_token().map(|token| format!("%{token}"));
        Ok(Self {
            user: format!("{}{}", identity.access_key_id(), token.unwrap_or_default()),
            password: format!("{time}Z{signature}"),
        })
    }

    fn header(&self) -> String {
        let pair = STANDARD.encode(format!("{}:{}", self.user, self.password));
        format!("Authorization: Basic {pair}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::credentials::Credentials;
    use crate::http;
    use std::time::Duration;

    #[test]
    fn a_password_is_that_of_the_credential_helper() -> Result<()> {
        let aws = Aws::at(http::client()?, String::new(), Credentials::embedded());
        let url = "http://127.0.0.1:5201/v1/repos/clicks".parse()?;
        // 2026-11-28T09:40:00Z; the password is by version 1.45.11 of the helper.
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_858_800);
        let password = Password::of(&aws, &url, now)?;
        assert_eq!(password.user, "test");
        assert_eq!(
            password.password,
            "20261128T094000Zb0b613fd322363b6d87ce99f12d836df7aae8029c2668acc3c2cadc26e6d8a46"
        );
        Ok(())
    }
}
