//! Roles as resources.

use crate::client::Cloud;
use anyhow::Result;
use cloud_testing::stack::refusal;
use serde_json::json;

const ROLE: &str = "aws:iam/role:Role";
const ROLE_POLICY: &str = "aws:iam/rolePolicy:RolePolicy";

#[tokio::test]
async fn a_role_goes_when_nothing_depends_on_it() -> Result<()> {
    let cloud = Cloud::start().await?;
    let trust = r#"{"Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}"#;
    let inputs = json!({ "name": "r", "path": "/app/", "assumeRolePolicy": trust });
    let role = cloud.deploy(ROLE, "r", inputs.clone()).await?;
    assert_eq!(
        role.resource.output("arn"),
        "arn:aws:iam::000000000000:role/app/r"
    );
    assert_eq!(role.resource.output("uniqueId").len(), 21);
    let taken = json!({ "name": "R", "assumeRolePolicy": trust });
    let taken = refusal(cloud.deploy(ROLE, "other", taken).await);
    assert!(taken.contains("EntityAlreadyExists"), "{taken}");

    let allow = r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
    let policy = json!({ "name": "p", "role": "r", "policy": allow });
    let policy = cloud.deploy(ROLE_POLICY, "p", policy).await?;
    assert_eq!(policy.resource.id, "r:p");
    let refused = refusal(cloud.undeploy(&role).await);
    assert!(refused.contains("DeleteConflict"), "{refused}");

    // Roles and policies are live again after a restart.
    let cloud = cloud.restart().await?;
    let session = cloud.server.cloud().iam.assume_role(
        role.resource.output("arn"),
        "lambda.amazonaws.com",
        &[],
    );
    assert!(session.is_ok());
    assert!(cloud.refresh(&policy).await?.is_some());
    cloud.undeploy(&policy).await?;
    cloud.undeploy(&role).await?;
    assert!(cloud.refresh(&role).await?.is_none());
    Ok(())
}
