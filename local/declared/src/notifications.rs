//! SNS: topics and who reads them. Declared only: nothing is published here, and no mail leaves
//! the machine.

use async_trait::async_trait;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::identity::{ACCOUNT_ID, arn};
use cloud_iam::document::{Document, PolicyKind};
use cloud_resource::deployments::Deployments;
use cloud_resource::deployments::Record;
use cloud_resource::resource::{AutoName, Deployed, New, Refusal, Resource, ResourceType, Scope};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

// Limits: https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
const MAX_TOPIC_NAME: usize = 256;
const MAX_DISPLAY_NAME: usize = 100;

/// `aws:sns/topic:Topic`.
pub(crate) struct Topic;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct TopicInputs {
    name: String,
    display_name: Option<String>,
    tags: Option<BTreeMap<String, String>>,
}

#[async_trait]
impl ResourceType for Topic {
    type Inputs = TopicInputs;
    type Service = Deployments;

    const TOKEN: &'static str = "aws:sns/topic:Topic";
    const REPLACES_ON: &'static [&'static str] = &["name"];
    const AUTO_NAME: Option<AutoName> = Some(AutoName {
        property: "name",
        max_length: MAX_TOPIC_NAME,
    });
    const DECLARED_ONLY: bool = true;
    /// CreateTopic answers with the topic that is there already.
    const OVERWRITES: bool = true;
    const HOLDS: &'static [&'static str] = &[TopicPolicy::TOKEN, TopicSubscription::TOKEN];

    fn validate(&self, inputs: &TopicInputs) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        let name = &inputs.name;
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
        if name.is_empty() || name.len() > MAX_TOPIC_NAME || !name.chars().all(allowed) {
            let reason = format!("{name:?} must be 1 to {MAX_TOPIC_NAME} letters, digits, - and _");
            refusals.push(Refusal::new("name", reason));
        }
        let shown = inputs.display_name.as_deref().unwrap_or_default();
        if shown.chars().count() > MAX_DISPLAY_NAME {
            let reason = format!("must have at most {MAX_DISPLAY_NAME} characters");
            refusals.push(Refusal::new("displayName", reason));
        }
        refusals
    }

    async fn create(
        &self,
        deployments: &Arc<Deployments>,
        new: &New,
        inputs: &TopicInputs,
    ) -> AwsResult<Deployed> {
        let arn = arn("sns", &new.region, &inputs.name);
        let known = deployments.find(Self::TOKEN, &arn, Some(&new.region));
        let declared = serde_json::to_value(inputs).map_err(AwsError::internal)?;
        let differs = |record: &Record, name: &str| {
            record.resource.inputs.get(name).unwrap_or(&Value::Null) != &declared[name]
        };
        let differs = known.is_some_and(|known| {
            ["displayName", "tags"]
                .iter()
                .any(|name| differs(&known, name))
        });
        if differs {
            return Err(AwsError::new(
                400,
                "InvalidParameter",
                "Invalid parameter: Attributes Reason: Topic already exists with different \
                 attributes",
            ));
        }
        Ok(Deployed::new(arn.clone(), json!({ "arn": arn })))
    }
}

/// `aws:sns/topicPolicy:TopicPolicy`.
pub(crate) struct TopicPolicy;

/// A topic has one policy, which is the topic's own until one is attached.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct TopicPolicyInputs {
    arn: String,
    policy: String,
}

#[async_trait]
impl ResourceType for TopicPolicy {
    type Inputs = TopicPolicyInputs;
    type Service = Deployments;

    const TOKEN: &'static str = "aws:sns/topicPolicy:TopicPolicy";
    const REPLACES_ON: &'static [&'static str] = &["arn"];
    const DECLARED_ONLY: bool = true;
    /// SetTopicAttributes.
    const OVERWRITES: bool = true;

    fn validate(&self, inputs: &TopicPolicyInputs) -> Vec<Refusal> {
        let policy = Document::parse(&inputs.policy, PolicyKind::Resource);
        let refusal = policy.err().map(|reason| Refusal::new("policy", reason));
        refusal.into_iter().collect()
    }

    async fn create(
        &self,
        deployments: &Arc<Deployments>,
        new: &New,
        inputs: &TopicPolicyInputs,
    ) -> AwsResult<Deployed> {
        find_topic(deployments, &inputs.arn, &new.region)?;
        let outputs = json!({ "owner": ACCOUNT_ID });
        Ok(Deployed::new(inputs.arn.clone(), outputs))
    }

    async fn read(
        &self,
        deployments: &Arc<Deployments>,
        _scope: &Scope<'_>,
        _id: &str,
        known: Option<Resource<TopicPolicyInputs>>,
    ) -> AwsResult<Option<Resource<TopicPolicyInputs>>> {
        Ok(known.filter(|known| find_topic(deployments, &known.inputs.arn, &known.region).is_ok()))
    }
}

fn find_topic(deployments: &Arc<Deployments>, topic: &str, region: &str) -> AwsResult<()> {
    match deployments.find(Topic::TOKEN, topic, Some(region)) {
        Some(_) => Ok(()),
        None => Err(AwsError::new(404, "NotFound", "Topic does not exist")),
    }
}

/// `aws:sns/topicSubscription:TopicSubscription`.
pub(crate) struct TopicSubscription;

/// Of the protocols, mail: its owner confirms it, so the subscription stays pending.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct TopicSubscriptionInputs {
    topic: String,
    protocol: String,
    endpoint: String,
}

#[async_trait]
impl ResourceType for TopicSubscription {
    type Inputs = TopicSubscriptionInputs;
    type Service = Deployments;

    const TOKEN: &'static str = "aws:sns/topicSubscription:TopicSubscription";
    const REPLACES_ON: &'static [&'static str] = &["endpoint", "protocol", "topic"];
    const DECLARED_ONLY: bool = true;

    fn validate(&self, inputs: &TopicSubscriptionInputs) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        if !matches!(inputs.protocol.as_str(), "email" | "email-json") {
            let reason = format!(
                "{:?} is not supported by the embedded cloud: email and email-json are",
                inputs.protocol
            );
            refusals.push(Refusal::new("protocol", reason));
        }
        if !inputs.endpoint.contains('@') {
            refusals.push(Refusal::new("endpoint", "is no address"));
        }
        refusals
    }

    async fn create(
        &self,
        deployments: &Arc<Deployments>,
        new: &New,
        inputs: &TopicSubscriptionInputs,
    ) -> AwsResult<Deployed> {
        find_topic(deployments, &inputs.topic, &new.region)?;
        let arn = format!("{}:{}", inputs.topic, new.suffix(32));
        Ok(Deployed::new(
            arn.clone(),
            json!({ "arn": arn, "pendingConfirmation": true }),
        ))
    }

    async fn read(
        &self,
        deployments: &Arc<Deployments>,
        _scope: &Scope<'_>,
        _id: &str,
        known: Option<Resource<TopicSubscriptionInputs>>,
    ) -> AwsResult<Option<Resource<TopicSubscriptionInputs>>> {
        Ok(known
            .filter(|known| find_topic(deployments, &known.inputs.topic, &known.region).is_ok()))
    }
}
