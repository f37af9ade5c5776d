//! What is open to the public: pages of which origins, how many requests, without which check.

use serde_json::Value;
use std::collections::BTreeSet;

use crate::Finding;
use crate::changes::Change;
use crate::preview::{Op, Preview, Step};
use crate::value;

const INTEGRATION_RESPONSE: &str = "aws:apigateway/integrationResponse:IntegrationResponse";
const GATEWAY_RESPONSE: &str = "aws:apigateway/response:Response";

/// Types and properties of which each change is one of access.
const WATCHED: [(&str, &[&str]); 12] = [
    (
        "aws:apigateway/methodSettings:MethodSettings",
        &[
            "settings.throttlingBurstLimit",
            "settings.throttlingRateLimit",
        ],
    ),
    (
        "aws:apigateway/usagePlan:UsagePlan",
        &["throttleSettings", "quotaSettings"],
    ),
    (
        "aws:apigateway/method:Method",
        &[
            "authorization",
            "authorizerId",
            "apiKeyRequired",
            "requestValidatorId",
        ],
    ),
    (
        "aws:apigateway/requestValidator:RequestValidator",
        &["validateRequestBody", "validateRequestParameters"],
    ),
    (
        "aws:apigateway/restApi:RestApi",
        &[
            "policy",
            "endpointConfiguration",
            "disableExecuteApiEndpoint",
        ],
    ),
    (
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        &[
            "blockPublicAcls",
            "blockPublicPolicy",
            "ignorePublicAcls",
            "restrictPublicBuckets",
        ],
    ),
    (
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        &["rule"],
    ),
    (
        "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration",
        &["corsRules"],
    ),
    (
        "aws:s3/bucket:Bucket",
        &["acl", "grants", "corsRules", "policy"],
    ),
    (
        "aws:cloudfront/distribution:Distribution",
        &[
            "defaultCacheBehavior.viewerProtocolPolicy",
            "defaultCacheBehavior.allowedMethods",
            "viewerCertificate",
            "restrictions",
            "webAclId",
            "aliases",
        ],
    ),
    (
        "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy",
        &["corsConfig", "securityHeadersConfig"],
    ),
    (
        "aws:lambda/functionUrl:FunctionUrl",
        &["authorizationType", "cors"],
    ),
];

pub fn of(preview: &Preview) -> Vec<Finding> {
    let mut findings = origins(preview);
    findings.extend(preview.changed().filter_map(method));
    findings.extend(preview.changed().flat_map(watched));
    findings
}

/// Whether this section shows a change, so that no other section has to.
pub fn tells(kind: &str, path: &str) -> bool {
    let below = |watched: &&str| {
        path.strip_prefix(*watched)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    WATCHED
        .iter()
        .any(|(name, paths)| *name == kind && paths.iter().any(below))
}

fn watched(step: &Step) -> Vec<Finding> {
    let taken_away = step.op == Op::Delete && is_guard(&step.kind);
    if taken_away {
        return vec![Finding::new(
            step.label(),
            "is taken away: what it refused is open",
        )];
    }
    let changes = step.changes();
    let told = changes
        .iter()
        .filter(|change| tells(&step.kind, &change.path));
    told.map(|change| Finding::new(step.label(), change.to_string()))
        .collect()
}

/// Resources that keep something closed.
fn is_guard(kind: &str) -> bool {
    kind.contains("bucketPublicAccessBlock")
        || kind.contains("bucketOwnershipControls")
        || kind.contains("methodSettings")
        || kind.contains("requestValidator")
}

/// A method that is new, or gone.
fn method(step: &Step) -> Option<Finding> {
    if step.kind != "aws:apigateway/method:Method" {
        return None;
    }
    let open =
        |inputs: &Value| inputs["authorization"] == "NONE" && inputs["apiKeyRequired"] != true;
    let verb = |step: &Step| {
        value::show(step.current("httpMethod"))
            .trim_matches('"')
            .to_owned()
    };
    match step.op {
        Op::Create => {
            let who = match open(&step.new.as_ref()?.inputs) {
                true => "from anybody",
                false => "from authorized callers",
            };
            Some(Finding::new(
                step.label(),
                format!("the API takes {} requests {who}", verb(step)),
            ))
        }
        Op::Delete => Some(Finding::new(
            step.label(),
            format!("the API takes these {} requests no longer", verb(step)),
        )),
        _ => None,
    }
}

/// The origins whose pages may read the API's answers, of all answers together.
fn origins(preview: &Preview) -> Vec<Finding> {
    let steps = || {
        preview
            .of_type(INTEGRATION_RESPONSE)
            .chain(preview.of_type(GATEWAY_RESPONSE))
    };
    let before: BTreeSet<String> = steps().flat_map(|step| of_answer(step, false)).collect();
    let after: BTreeSet<String> = steps().flat_map(|step| of_answer(step, true)).collect();
    let told = |origin: &String, verb: &str| {
        let who = match origin.as_str() {
            "*" => "every origin",
            origin => origin,
        };
        Finding::new("API", format!("pages of {who} {verb} its answers"))
    };
    let gained = after
        .difference(&before)
        .map(|origin| told(origin, "may now read"));
    let lost = before
        .difference(&after)
        .map(|origin| told(origin, "may no longer read"));
    gained.chain(lost).collect()
}

/// The origins of one answer: in its header, and in the template that puts another one there.
fn of_answer(step: &Step, new: bool) -> BTreeSet<String> {
    let input = |name: &str| match new {
        true => step.new_input(name),
        false => step.old_input(name),
    };
    let mut origins = BTreeSet::new();
    for (name, value) in input("responseParameters")
        .as_object()
        .into_iter()
        .flatten()
    {
        if name
            .to_lowercase()
            .ends_with(".header.access-control-allow-origin")
        {
            origins.insert(match value::is_unknown(value) {
                true => "the site, whose address is not known yet".to_owned(),
                false => value
                    .as_str()
                    .unwrap_or_default()
                    .trim_matches('\'')
                    .to_owned(),
            });
        }
    }
    for template in input("responseTemplates")
        .as_object()
        .into_iter()
        .flat_map(|all| all.values())
    {
        let template = template.as_str().unwrap_or_default();
        if !template
            .to_lowercase()
            .contains("access-control-allow-origin")
        {
            continue;
        }
        let quoted = template.split('\'').skip(1).step_by(2);
        origins.extend(
            quoted
                .filter(|text| text.contains("://"))
                .map(str::to_owned),
        );
    }
    origins
}

/// The changes of a step that are no finding of this module.
pub fn untold(step: &Step) -> Vec<Change> {
    let mut changes = step.changes();
    changes.retain(|change| !tells(&step.kind, &change.path));
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_below_a_watched_one_is_told() {
        let kind = "aws:cloudfront/distribution:Distribution";
        assert!(tells(kind, "defaultCacheBehavior.viewerProtocolPolicy"));
        assert!(tells(kind, "aliases[0]"));
        assert!(!tells(kind, "defaultCacheBehavior.compress"));
        assert!(!tells(kind, "aliasesOfOthers"));
    }
}
