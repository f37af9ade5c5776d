//! GitHub's identity provider (OIDC), and which jobs its tokens are for.
//!
//! The subject of a job's token begins with the repository: `repo:OWNER@ID/NAME@ID` where the
//! repository was created, renamed or moved since July 2026 or has opted in, with the numeric ids of
//! owner and repository, and `repo:OWNER/NAME` elsewhere:
//! <https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens/>.
//! After it comes what the job is for:
//! <https://docs.github.com/en/actions/reference/security/oidc>.

use anyhow::{Result, bail};
use aws::iam::open_id_connect_provider as provider;
use pulumi_gestalt_providers_aws as aws;
use pulumi_program::{Output, Program};

use crate::{AccountSettings, Place};

/// Who issues the tokens.
pub const ISSUER: &str = "token.actions.githubusercontent.com";

/// Whom the tokens are for, as AWS's action asks for them.
pub const AUDIENCE: &str = "sts.amazonaws.com";

/// # Errors
/// When a text is not the beginning of a subject of one repository: a `*` in it would let others in.
pub fn check(subject: &str) -> Result<()> {
    let parts = subject
        .strip_prefix("repo:")
        .map(|rest| rest.split('/').collect::<Vec<_>>());
    let is_name = |part: &&str| {
        let (name, id) = part.split_once('@').unwrap_or((part, "0"));
        let letter = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        let digits = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        !name.is_empty() && name.chars().all(letter) && digits
    };
    match parts {
        Some(parts) if parts.len() == 2 && parts.iter().all(is_name) => Ok(()),
        _ => bail!(
            "`{subject}` is not the beginning of a subject of GitHub's tokens: it has the form \
             repo:OWNER@OWNER-ID/NAME@REPOSITORY-ID, or repo:OWNER/NAME for a repository that is \
             older than July 2026"
        ),
    }
}

/// The ARN of the provider, which is created where the account has none.
pub(crate) fn provider(
    program: &Program,
    place: &Place,
    settings: &AccountSettings,
) -> Output<String> {
    if !settings.github_provider {
        return place.account.map(|account| arn(&account));
    }
    let provider = provider::create(
        program,
        "github",
        provider::OpenIdConnectProviderArgs::builder()
            .url(format!("https://{ISSUER}"))
            .client_id_lists(vec![AUDIENCE.to_owned()])
            .build_struct(),
    );
    provider.arn
}

/// The ARN of GitHub's provider in an account.
pub fn arn(account: &str) -> String {
    format!("arn:aws:iam::{account}:oidc-provider/{ISSUER}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_of_one_repository() {
        for good in [
            "repo:octo-org@1/click.stream@23",
            "repo:octo-org/click_stream",
        ] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in [
            "octo-org/click-stream",
            "repo:octo-org",
            "repo:*/click-stream",
            "repo:octo-org/click-stream:*",
            "repo:octo-org@/click-stream@2",
            "repo:octo-org@x/click-stream@2",
            "repo:octo-org/a/b",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
