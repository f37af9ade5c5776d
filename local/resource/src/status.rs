//! How deployed resources are doing.

use crate::deployments::Deployments;
use crate::package::ProviderPackage;
use serde::Serialize;

/// How a deployed resource is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResourceStatus {
    pub urn: String,
    #[serde(rename = "type")]
    pub token: String,
    pub id: String,
    pub region: String,
    #[serde(flatten)]
    pub condition: Condition,
}

/// Whether a deployed resource does what it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "condition", content = "reason", rename_all = "camelCase")]
pub enum Condition {
    Live,
    /// Validated and stored; nothing runs for a resource of its type.
    DeclaredOnly,
    /// Its service did not take it when the cloud started.
    NotLive(String),
}

impl Deployments {
    /// Everything deployed and how it is, in the order of creation.
    pub fn statuses(&self, package: &ProviderPackage) -> Vec<ResourceStatus> {
        let state = self.read();
        let statuses = state.records.values().map(|record| {
            let declared = package.resource_type(&record.token);
            let declared_only = declared.is_some_and(|declared| declared.of.declared_only());
            ResourceStatus {
                urn: record.resource.urn.clone(),
                token: record.token.clone(),
                id: record.resource.id.clone(),
                region: record.resource.region.clone(),
                condition: match state.dead.get(&record.sequence) {
                    Some(error) => Condition::NotLive(error.to_string()),
                    None if declared_only => Condition::DeclaredOnly,
                    None => Condition::Live,
                },
            }
        });
        statuses.collect()
    }
}
