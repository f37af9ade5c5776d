//! `aws:apigateway/account:Account`: the account's settings, one a region.

use crate::ApiGateway;
use crate::definition::Account as Inputs;
use crate::rules::bad_request;
use crate::steps::integration::PRINCIPAL;
use crate::steps::throttle::Limit;
use async_trait::async_trait;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::identity::ACCOUNT_ID;
use cloud_iam::{Call, Caller};
use cloud_resource::resource::{Deployed, New, Properties, Resource, ResourceType, Scope};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// What the role for logs has to be allowed, on all resources: the policy that AWS documents,
/// AmazonAPIGatewayPushToCloudWatchLogs. A capture shows that the same actions on named log
/// groups alone are refused.
const LOG_ACTIONS: [&str; 7] = [
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:DescribeLogGroups",
    "logs:DescribeLogStreams",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "logs:PutLogEvents",
];

/// How long to wait for the role's policies. No input of the account refers to them, so they may be
/// deployed after it. The aws provider tries again for two minutes.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);

/// The account's settings.
pub(super) struct Account;

#[async_trait]
impl ResourceType for Account {
    type Inputs = Inputs;
    type Service = ApiGateway;

    const TOKEN: &'static str = "aws:apigateway/account:Account";

    /// UpdateAccount: a second owner overwrites what the first has set.
    const OVERWRITES: bool = true;

    async fn create(
        &self,
        apigateway: &Arc<ApiGateway>,
        _new: &New,
        inputs: &Inputs,
    ) -> AwsResult<Deployed> {
        check_role(apigateway, inputs).await?;
        Ok(deployed())
    }

    async fn activate(
        &self,
        apigateway: &Arc<ApiGateway>,
        resource: &Resource<Inputs>,
    ) -> AwsResult<()> {
        let role = role(&resource.inputs).map(str::to_owned);
        apigateway.change(|declared| {
            declared.accounts.insert(resource.region.clone(), role);
            Ok(())
        })
    }

    async fn update(
        &self,
        apigateway: &Arc<ApiGateway>,
        old: &Resource<Inputs>,
        inputs: &Inputs,
    ) -> AwsResult<Properties> {
        check_role(apigateway, inputs).await?;
        Ok(old.outputs.clone())
    }

    /// An account always has settings. Another stack may have set another role, or reset it.
    async fn read(
        &self,
        apigateway: &Arc<ApiGateway>,
        _scope: &Scope<'_>,
        _id: &str,
        known: Option<Resource<Inputs>>,
    ) -> AwsResult<Option<Resource<Inputs>>> {
        let Some(mut known) = known else {
            return Ok(None);
        };
        let actual = role_in(apigateway, &known.region)?;
        if role(&known.inputs) != actual.as_deref() {
            known.inputs.cloudwatch_role_arn = actual;
        }
        Ok(Some(known))
    }

    async fn import(
        &self,
        apigateway: &Arc<ApiGateway>,
        scope: &Scope<'_>,
        _id: &str,
    ) -> AwsResult<Option<Resource<Inputs>>> {
        let inputs = Inputs {
            cloudwatch_role_arn: role_in(apigateway, scope.region)?,
        };
        Ok(Some(Resource::undeclared(scope.region, deployed(), inputs)))
    }

    /// Resets the role, no matter who has set it, as the aws provider does since version 6: its
    /// `internal/service/apigateway/account.go`. There is no deletion of an account's settings.
    async fn delete(
        &self,
        apigateway: &Arc<ApiGateway>,
        resource: &Resource<Inputs>,
    ) -> AwsResult<()> {
        apigateway.change(|declared| {
            declared.accounts.remove(&resource.region);
            Ok(())
        })
    }
}

fn deployed() -> Deployed {
    let outputs = json!({
        "apiKeyVersion": "4",
        "features": ["UsagePlans"],
        "throttleSettings": [{
            "burstLimit": Limit::ACCOUNT.burst,
            "rateLimit": Limit::ACCOUNT.rate,
        }],
    });
    Deployed::new(ACCOUNT_ID, outputs)
}

fn role_in(apigateway: &Arc<ApiGateway>, region: &str) -> AwsResult<Option<String>> {
    apigateway.look(|declared| Ok(declared.accounts.get(region).cloned().flatten()))
}

fn role(inputs: &Inputs) -> Option<&str> {
    let role = inputs.cloudwatch_role_arn.as_deref();
    role.filter(|role| !role.is_empty())
}

async fn check_role(apigateway: &Arc<ApiGateway>, inputs: &Inputs) -> AwsResult<()> {
    let Some(role) = role(inputs) else {
        return Ok(());
    };
    let caller = match apigateway.iam.assume_role(role, PRINCIPAL, &[]) {
        Ok(session) => Caller::Role(session),
        Err(cause) => return Err(lacking(&cause)),
    };
    let attempts = PATIENCE.as_millis() / PAUSE.as_millis();
    for _ in 0..attempts {
        if may_write_logs(apigateway, &caller).is_ok() {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    may_write_logs(apigateway, &caller).map_err(|cause| lacking(&cause))
}

fn lacking(cause: &AwsError) -> AwsError {
    bad_request(format!(
        "The role ARN does not have required permissions configured. Please grant trust \
         permission for API Gateway and add the required role policy. ({cause}; needed on all \
         resources: {})",
        LOG_ACTIONS.join(", ")
    ))
}

fn may_write_logs(apigateway: &Arc<ApiGateway>, caller: &Caller) -> AwsResult<()> {
    LOG_ACTIONS.iter().try_for_each(|action| {
        apigateway.iam.authorize(&Call {
            caller,
            action,
            resource: "*",
            context: &[],
            resource_policy: None,
        })
    })
}
