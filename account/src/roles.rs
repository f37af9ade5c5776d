//! The roles of GitHub's jobs: one that reads, and one for each stack that deploys.

use aws::iam::{policy, role, role_policy, role_policy_attachment as attachment};
use pulumi_gestalt_providers_aws as aws;
use pulumi_program::{Output, Program, all};
use serde_json::Value;

use crate::policies::Job;
use crate::state::StateStorage;
use crate::{AccountSettings, names, policies};

/// The ARNs of the roles.
pub struct Roles {
    pub preview: Output<String>,
    pub deploy_dev: Output<String>,
    pub deploy_prod: Output<String>,
}

/// What every role is made of.
struct Parts<'a> {
    program: &'a Program,
    settings: &'a AccountSettings,
    state: &'a StateStorage,
    provider: &'a Output<String>,
    reads: Output<String>,
    writes: Output<String>,
}

impl Roles {
    pub fn new(
        program: &Program,
        settings: &AccountSettings,
        state: &StateStorage,
        provider: &Output<String>,
    ) -> Self {
        let managed = |name: &str, document: &str| {
            let policy = policy::create(
                program,
                name,
                policy::PolicyArgs::builder()
                    .name(name)
                    .policy(document)
                    .build_struct(),
            );
            policy.arn
        };
        let parts = Parts {
            program,
            settings,
            state,
            provider,
            reads: managed(names::PREVIEW, policies::PREVIEW),
            writes: managed(names::DEPLOY, policies::DEPLOY),
        };
        let [deploy_dev, deploy_prod] = names::STACKS.map(|stack| parts.deploys(stack));
        Self {
            preview: parts.reads(),
            deploy_dev,
            deploy_prod,
        }
    }
}

impl Parts<'_> {
    fn reads(&self) -> Output<String> {
        let what = "What jobs of pull requests and of main may read";
        let role = self.role(names::PREVIEW, what, Job::Reading);
        self.attach(names::PREVIEW, &role, &self.reads);
        self.on_states(names::PREVIEW, &role, policies::reads_states);
        role.arn
    }

    fn deploys(&self, stack: &'static str) -> Output<String> {
        let name = names::deploy_role(stack);
        let what = format!("What jobs of the environment {stack} may do");
        let role = self.role(&name, &what, Job::Deploying(stack));
        self.attach(&format!("{name}-reads"), &role, &self.reads);
        self.attach(&format!("{name}-writes"), &role, &self.writes);
        self.on_states(&name, &role, move |bucket, key| {
            policies::writes_state(bucket, key, stack)
        });
        role.arn
    }

    fn role(&self, name: &str, description: &str, job: Job<'static>) -> role::RoleResult {
        let subject = self.settings.subject.clone();
        let trust = self
            .provider
            .map(move |provider| policies::trust(&provider, &subject, job).to_string());
        role::create(
            self.program,
            name,
            role::RoleArgs::builder()
                .name(name)
                .description(description)
                .assume_role_policy(trust)
                .build_struct(),
        )
    }

    fn attach(&self, name: &str, role: &role::RoleResult, policy: &Output<String>) {
        attachment::create(
            self.program,
            name,
            attachment::RolePolicyAttachmentArgs::builder()
                .role(role.name.clone())
                .policy_arn(policy.clone())
                .build_struct(),
        );
    }

    fn on_states(
        &self,
        name: &str,
        role: &role::RoleResult,
        document: impl Fn(&str, &str) -> Value + Send + Sync + 'static,
    ) {
        let document = all((&self.state.bucket_arn, &self.state.key_arn))
            .map(move |(bucket, key)| document(&bucket, &key).to_string());
        role_policy::create(
            self.program,
            name,
            role_policy::RolePolicyArgs::builder()
                .name("states")
                .role(role.name.clone())
                .policy(document)
                .build_struct(),
        );
    }
}
