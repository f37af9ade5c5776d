//! API Gateway's setting for logs: the role with which it writes the access logs of all APIs.
//!
//! It is one for an account and region, so one stack alone owns it. The deletion of the resource
//! resets the setting, and with it ends the access logs of every API there, of other stacks too
//! (terraform-provider-aws, `internal/service/apigateway/account.go`). A destruction runs no
//! program that could warn of that: the resource's name says it, in every preview.

use aws::apigateway::account;
use aws::iam::{role, role_policy};
use pulumi_gestalt_providers_aws as aws;
use pulumi_program::{Alias, Component, Options, Output, RegisterResourceRequest, Urn, all};

use crate::policy;
use crate::scope::Scope;

/// What goes when the resource goes.
const NAME: &str = "logs-of-every-api-in-this-account-and-region";

/// The setting, by a stack that owns it.
pub fn own(scope: &Scope<'_>, component: &Component) -> Urn {
    let options = Options::new().parent(component);
    let role = role::create_with_options(
        scope.program,
        "mysfits-api-logs",
        role::RoleArgs::builder()
            .description("What API Gateway may do in this account and region: write logs")
            .assume_role_policy(policy::trust("apigateway.amazonaws.com"))
            .build_struct(),
        options.clone(),
    );
    let may_log = role_policy::create_with_options(
        scope.program,
        "mysfits-api-logs",
        role_policy::RolePolicyArgs::builder()
            .role(role.name)
            .policy(may_write_any_log())
            .build_struct(),
        options.clone(),
    );
    let account = account::create_with_options(
        scope.program,
        NAME,
        account::AccountArgs::builder()
            .cloudwatch_role_arn(role.arn)
            .build_struct(),
        // API Gateway tries the role when it is set.
        options
            .depends_on(&[&may_log.urn])
            .alias(Alias::name("mysfits-api")),
    );
    account.urn
}

/// The setting, in a stack that leaves it to another: the ARN of the role, once there is one.
pub fn of_another_stack(scope: &Scope<'_>, component: &Component) -> Output<Option<String>> {
    let program = scope.program;
    // The binding's own function assumes that there always is a role.
    let account = program.register_resource(RegisterResourceRequest {
        type_: "aws:apigateway/account:Account".to_owned(),
        name: NAME.to_owned(),
        version: aws::PACKAGE.version.to_owned(),
        package: Some(&aws::PACKAGE),
        options: Some(
            Options::new()
                .parent(component)
                .existing(scope.account.clone()),
        ),
        ..RegisterResourceRequest::default()
    });
    let role = account.get_field::<Option<String>>("cloudwatchRoleArn");
    let role = all((&role, &scope.account, &scope.region));
    let stack = program.stack().to_owned();
    let check = move |(role, account, region): &(Option<String>, String, String)| match role {
        Some(role) if !role.is_empty() => Ok(()),
        _ => Err(missing(&stack, account, region)),
    };
    let role = if program.in_preview() {
        let complaint = role.and_then(move |found| match check(&found) {
            Ok(()) => Output::new_nothing(),
            Err(complaint) => Output::new(complaint),
        });
        program.log().warning(&complaint);
        role
    } else {
        program.require(&role, check)
    };
    role.map(|(role, ..)| role)
}

fn missing(stack: &str, account: &str, region: &str) -> String {
    format!(
        "API Gateway has no role for logs in account {account}, region {region}, so that no API \
         there can have an access log, and this stack leaves that role to another one. Deploy the \
         stack that owns it first, or let this one own it: \
         pulumi config set --stack {stack} mysfits:manageApiGatewayAccount true"
    )
}

/// As the managed policy AmazonAPIGatewayPushToCloudWatchLogs, which API Gateway asks for: the role
/// serves APIs that this stack does not know, so their log groups cannot be named.
fn may_write_any_log() -> String {
    policy::document(&[policy::allow(
        "Log",
        &[
            "logs:CreateLogGroup",
            "logs:CreateLogStream",
            "logs:DescribeLogGroups",
            "logs:DescribeLogStreams",
            "logs:FilterLogEvents",
            "logs:GetLogEvents",
            "logs:PutLogEvents",
        ],
        &["*".to_owned()],
    )])
}
