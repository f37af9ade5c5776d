//! `aws:apigateway/account:Account`: the account's settings, one a region.

use crate::cloud::Cloud;
use crate::error::{AwsError, AwsResult};
use crate::identity::ACCOUNT_ID;
use crate::provider::resource::{Deployed, New, Properties, Resource, ResourceType};
use crate::services::apigateway::definition::Account as Inputs;
use crate::services::apigateway::rules::{bad_request, conflict};
use crate::services::apigateway::steps::integration::PRINCIPAL;
use crate::services::apigateway::steps::throttle::Limit;
use crate::services::iam::{Call, Caller};
use async_trait::async_trait;
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

/// How long the role's policies may be on their way, which no input of the account says to come
/// first: the aws provider tries again for two minutes.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);

/// The account's settings.
pub struct Account;

#[async_trait]
impl ResourceType for Account {
    type Inputs = Inputs;

    const TOKEN: &'static str = "aws:apigateway/account:Account";

    /// A second one would overwrite the first on AWS, and the deletion of either would reset both.
    /// The two would lie about each other from then on, so this one place is stricter than AWS.
    async fn create(&self, cloud: &Arc<Cloud>, new: &New, inputs: &Inputs) -> AwsResult<Deployed> {
        if let Some(first) = cloud
            .deployments
            .find(Self::TOKEN, ACCOUNT_ID, Some(&new.region))
        {
            return Err(conflict(format!(
                "API Gateway's account settings in {} are managed by {} already: AWS would let \
                 this one overwrite them, and the deletion of one take them from the other. \
                 Declare them in one stack of an account and region alone",
                new.region, first.resource.urn
            )));
        }
        check_role(cloud, inputs).await?;
        let outputs = json!({
            "apiKeyVersion": "4",
            "features": ["UsagePlans"],
            "throttleSettings": [{
                "burstLimit": Limit::ACCOUNT.burst,
                "rateLimit": Limit::ACCOUNT.rate,
            }],
        });
        Ok(Deployed::new(ACCOUNT_ID, outputs))
    }

    async fn activate(&self, cloud: &Arc<Cloud>, resource: &Resource<Inputs>) -> AwsResult<()> {
        let role = role(&resource.inputs).map(str::to_owned);
        cloud.apigateway.change(|state| {
            state.accounts.insert(resource.region.clone(), role);
            Ok(())
        })
    }

    async fn update(
        &self,
        cloud: &Arc<Cloud>,
        old: &Resource<Inputs>,
        inputs: &Inputs,
    ) -> AwsResult<Properties> {
        check_role(cloud, inputs).await?;
        Ok(old.outputs.clone())
    }

    async fn delete(&self, cloud: &Arc<Cloud>, resource: &Resource<Inputs>) -> AwsResult<()> {
        cloud.apigateway.change(|state| {
            state.accounts.remove(&resource.region);
            Ok(())
        })
    }
}

fn role(inputs: &Inputs) -> Option<&str> {
    let role = inputs.cloudwatch_role_arn.as_deref();
    role.filter(|role| !role.is_empty())
}

async fn check_role(cloud: &Arc<Cloud>, inputs: &Inputs) -> AwsResult<()> {
    let Some(role) = role(inputs) else {
        return Ok(());
    };
    let caller = match cloud.iam.assume_role(role, PRINCIPAL, &[]) {
        Ok(session) => Caller::Role(session),
        Err(cause) => return Err(lacking(&cause)),
    };
    let attempts = PATIENCE.as_millis() / PAUSE.as_millis();
    for _ in 0..attempts {
        if may_write_logs(cloud, &caller).is_ok() {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    may_write_logs(cloud, &caller).map_err(|cause| lacking(&cause))
}

fn lacking(cause: &AwsError) -> AwsError {
    bad_request(format!(
        "The role ARN does not have required permissions configured. Please grant trust \
         permission for API Gateway and add the required role policy. ({cause}; needed on all \
         resources: {})",
        LOG_ACTIONS.join(", ")
    ))
}

fn may_write_logs(cloud: &Arc<Cloud>, caller: &Caller) -> AwsResult<()> {
    LOG_ACTIONS.iter().try_for_each(|action| {
        cloud.iam.authorize(&Call {
            caller,
            action,
            resource: "*",
            context: &[],
            resource_policy: None,
        })
    })
}
