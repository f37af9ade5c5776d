//! API Gateway's role for logs. An account has one in each region. When this program owns it, no
//! stack has to, and destroying a stack does not end the logs of the others.

use aws::apigateway::account;
use aws::iam::{role, role_policy};
use pulumi_gestalt_providers_aws as aws;
use pulumi_program::{Options, Program};

use crate::{names, policies};

pub fn own(program: &Program) {
    let role = role::create(
        program,
        names::API_LOGS,
        role::RoleArgs::builder()
            .name(names::API_LOGS)
            .description("What API Gateway may do in this account and region: write logs")
            .assume_role_policy(policies::api_gateway_trust().to_string())
            .build_struct(),
    );
    let may_log = role_policy::create(
        program,
        names::API_LOGS,
        role_policy::RolePolicyArgs::builder()
            .name("logs")
            .role(role.name)
            .policy(policies::any_log().to_string())
            .build_struct(),
    );
    account::create_with_options(
        program,
        names::API_LOGS,
        account::AccountArgs::builder()
            .cloudwatch_role_arn(role.arn)
            .build_struct(),
        // API Gateway tries the role when it is set.
        Options::new().depends_on(&[&may_log.urn]),
    );
}
