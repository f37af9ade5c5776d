//! `aws:lambda/permission:Permission`: a statement of a function's resource policy.

use crate::Lambda;
use crate::function_arn;
use async_trait::async_trait;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::identity::ACCOUNT_ID;
use cloud_iam::document::{Document, PolicyKind};
use cloud_resource::resource::{
    AutoName, Deployed, ImportId, New, Refusal, Resource, ResourceType, Scope,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// The longest statement id (API reference, `AddPermission`).
const MAX_STATEMENT_ID: usize = 100;

/// `aws:lambda/permission:Permission`.
pub(crate) struct Permission;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct PermissionInputs {
    statement_id: String,
    statement_id_prefix: Option<String>,
    action: String,
    function: String,
    principal: String,
    source_arn: Option<String>,
    source_account: Option<String>,
    // What AWS has and the embedded cloud has not: refused with a reason.
    event_source_token: Option<Value>,
    function_url_auth_type: Option<Value>,
    invoked_via_function_url: Option<Value>,
    principal_org_id: Option<Value>,
    qualifier: Option<Value>,
}

impl PermissionInputs {
    /// The function's ARN; the function may be given by name or by ARN.
    fn function_arn(&self, region: &str) -> String {
        match self.function.starts_with("arn:") {
            true => self.function.clone(),
            false => function_arn(region, &self.function),
        }
    }

    /// The statement as `GetPolicy` shows it.
    fn statement(&self, region: &str) -> Value {
        let principal = match self.principal.as_str() {
            "*" => json!("*"),
            service if service.contains('.') => json!({ "Service": service }),
            account if account.bytes().all(|byte| byte.is_ascii_digit()) => {
                json!({ "AWS": format!("arn:aws:iam::{account}:root") })
            }
            arn => json!({ "AWS": arn }),
        };
        let mut condition = json!({});
        if let Some(account) = &self.source_account {
            condition["StringEquals"] = json!({ "AWS:SourceAccount": account });
        }
        if let Some(arn) = &self.source_arn {
            condition["ArnLike"] = json!({ "AWS:SourceArn": arn });
        }
        let mut statement = json!({
            "Sid": self.statement_id,
            "Effect": "Allow",
            "Principal": principal,
            "Action": self.action,
            "Resource": self.function_arn(region),
        });
        if condition.as_object().is_some_and(|keys| !keys.is_empty()) {
            statement["Condition"] = condition;
        }
        statement
    }
}

#[async_trait]
impl ResourceType for Permission {
    type Inputs = PermissionInputs;
    type Service = Lambda;

    const TOKEN: &'static str = "aws:lambda/permission:Permission";
    // A statement is added and removed; there is no way to change one.
    const REPLACES_ON: &'static [&'static str] = &[
        "statementId",
        "action",
        "function",
        "principal",
        "sourceArn",
        "sourceAccount",
    ];
    const AUTO_NAME: Option<AutoName> = Some(AutoName {
        property: "statementId",
        max_length: MAX_STATEMENT_ID,
    });
    /// A statement's id is one of its function alone.
    const IMPORT_ID: Option<ImportId> = Some(ImportId {
        parts: &["function", "statementId"],
        separator: "/",
    });

    fn validate(&self, inputs: &PermissionInputs) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        let id_fits = (1..=MAX_STATEMENT_ID).contains(&inputs.statement_id.len())
            && inputs
                .statement_id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if !id_fits {
            refusals.push(Refusal::new(
                "statementId",
                format!(
                    "must have 1 to {MAX_STATEMENT_ID} characters out of a-z, A-Z, 0-9, - and _"
                ),
            ));
        }
        if inputs.action != "*" && !inputs.action.starts_with("lambda:") {
            refusals.push(Refusal::new(
                "action",
                format!("{:?} is no action of Lambda", inputs.action),
            ));
        }
        let account_fits =
            |account: &String| account.len() == 12 && account.bytes().all(|c| c.is_ascii_digit());
        if inputs
            .source_account
            .as_ref()
            .is_some_and(|one| !account_fits(one))
        {
            refusals.push(Refusal::new(
                "sourceAccount",
                "must be an account's 12 digits",
            ));
        }
        if inputs
            .source_arn
            .as_ref()
            .is_some_and(|arn| !arn.starts_with("arn:"))
        {
            refusals.push(Refusal::new("sourceArn", "must be an ARN"));
        }
        let unsupported = [
            ("eventSourceToken", inputs.event_source_token.is_some()),
            (
                "functionUrlAuthType",
                inputs.function_url_auth_type.is_some(),
            ),
            (
                "invokedViaFunctionUrl",
                inputs.invoked_via_function_url.is_some(),
            ),
            ("principalOrgId", inputs.principal_org_id.is_some()),
            ("qualifier", inputs.qualifier.is_some()),
        ];
        for (property, given) in unsupported {
            if given {
                refusals.push(Refusal::new(
                    property,
                    "the embedded cloud has no such permissions",
                ));
            }
        }
        refusals
    }

    async fn create(
        &self,
        lambda: &Arc<Lambda>,
        new: &New,
        inputs: &PermissionInputs,
    ) -> AwsResult<Deployed> {
        let arn = inputs.function_arn(&new.region);
        if !lambda.has_function(&arn) {
            return Err(AwsError::new(
                404,
                "ResourceNotFoundException",
                format!("Function not found: {arn}"),
            ));
        }
        let id = &inputs.statement_id;
        if lambda.has_statement(&arn, id) {
            return Err(AwsError::new(
                409,
                "ResourceConflictException",
                format!(
                    "The statement id ({id}) provided already exists. Please provide a new \
                     statement id, or remove the existing statement."
                ),
            ));
        }
        check_statement(lambda, &inputs.statement(&new.region))?;
        Ok(Deployed::new(
            id.clone(),
            json!({ "statementId": id, "account": ACCOUNT_ID }),
        ))
    }

    async fn activate(
        &self,
        lambda: &Arc<Lambda>,
        resource: &Resource<PermissionInputs>,
    ) -> AwsResult<()> {
        let inputs = &resource.inputs;
        lambda.put_statement(
            &inputs.function_arn(&resource.region),
            &inputs.statement_id,
            inputs.statement(&resource.region),
        );
        Ok(())
    }

    async fn read(
        &self,
        lambda: &Arc<Lambda>,
        _scope: &Scope<'_>,
        _id: &str,
        known: Option<Resource<PermissionInputs>>,
    ) -> AwsResult<Option<Resource<PermissionInputs>>> {
        Ok(known.filter(|permission| {
            let arn = permission.inputs.function_arn(&permission.region);
            lambda.has_statement(&arn, &permission.inputs.statement_id)
        }))
    }

    async fn delete(
        &self,
        lambda: &Arc<Lambda>,
        resource: &Resource<PermissionInputs>,
    ) -> AwsResult<()> {
        let inputs = &resource.inputs;
        let arn = inputs.function_arn(&resource.region);
        lambda.remove_statement(&arn, &inputs.statement_id);
        Ok(())
    }
}

/// A principal that cannot be one shows when the policy is put together.
fn check_statement(lambda: &Lambda, statement: &Value) -> AwsResult<()> {
    let policy = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    let invalid = |reason: String| AwsError::new(400, "InvalidParameterValueException", reason);
    let document = Document::parse(&policy, PolicyKind::Resource).map_err(invalid)?;
    match lambda.iam.missing_principal(&document) {
        Some(arn) => Err(invalid(format!(
            "The provided principal was invalid. Please check the principal and try again. ({arn})"
        ))),
        None => Ok(()),
    }
}
