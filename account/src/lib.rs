//! What an AWS account needs once, before stacks are deployed to it from GitHub: a place for their
//! states, a key for their secrets, and roles for GitHub's jobs.
//!
//! `cargo xtask bootstrap aws` runs it. It is a stack of its own, since it has to be there before
//! any other, and outlives them. [`template`] makes a CloudFormation template of the same
//! resources, for people who may not create roles themselves.

pub mod github;
mod logs;
pub mod names;
pub mod policies;
mod roles;
mod state;
pub mod template;

use anyhow::Result;
use aws::functions::{get_caller_identity, get_region};
use pulumi_gestalt_providers_aws as aws;
use pulumi_program::{Options, Output, Program, all};

/// What a person says of the account.
pub struct AccountSettings {
    /// What the subject of GitHub's tokens begins with: see [`github`].
    pub subject: String,
    /// Whether GitHub's provider of identities is created: there is one in an account.
    pub github_provider: bool,
    /// Whether the account owns API Gateway's role for logs, and no stack has to.
    pub api_gateway_logs: bool,
}

impl AccountSettings {
    fn of(program: &Program) -> Result<Self> {
        let config = program.config();
        let subject = config.require("subject")?.text.clone();
        github::check(&subject)?;
        let is = |key: &str, text: &str| config.get(key).is_some_and(|value| value.text == text);
        Ok(Self {
            subject,
            github_provider: !is("githubProvider", "false"),
            api_gateway_logs: is("apiGatewayLogs", "true"),
        })
    }
}

/// Where the account is, as the provider knows it.
struct Place {
    account: Output<String>,
    region: Output<String>,
}

/// Describes everything that the account needs.
///
/// # Errors
/// When the configuration has mistakes.
pub fn stack(program: &Program) -> Result<()> {
    let settings = AccountSettings::of(program)?;
    let place = Place {
        account: get_caller_identity::invoke(program).account_id,
        region: get_region::invoke(program).region,
    };
    let options = Options::new();
    let state = state::StateStorage::new(program, &place, &options);
    let provider = github::provider(program, &place, &settings);
    let roles = roles::Roles::new(program, &settings, &state, &provider);

    if settings.api_gateway_logs {
        logs::own(program);
    }

    let backend = all((&state.bucket, &place.region));
    program.export(
        "backend",
        &backend.map(|(bucket, region)| format!("s3://{bucket}?region={region}")),
    );
    program.export(
        "secretsProvider",
        &place
            .region
            .map(|region| format!("awskms://{}?region={region}", names::ALIAS)),
    );
    program.export("previewRole", &roles.preview);
    program.export("deployDevRole", &roles.deploy_dev);
    program.export("deployProdRole", &roles.deploy_prod);
    program.export("region", &place.region);
    Ok(())
}
