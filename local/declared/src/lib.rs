//! Resource types that are declared only: validated, stored and listed, with nothing that runs.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `athena`, `glue` | work groups, queries, and the catalogue of tables |
//! | `log_delivery` | the delivery of other services' logs |
//! | `monitoring`, `notifications` | alarms, dashboards, topics |
//!
//! They know each other only through the list of what is deployed.

#![warn(unreachable_pub)]

mod athena;
mod glue;
mod log_delivery;
mod monitoring;
mod notifications;

use cloud_resource::deployments::Deployments;
use cloud_resource::resource::{AnyResourceType, bind};
use std::sync::Arc;

/// The resource types.
pub fn resource_types(deployments: &Arc<Deployments>) -> Vec<Box<dyn AnyResourceType>> {
    vec![
        bind(athena::NamedQuery, deployments),
        bind(athena::Workgroup, deployments),
        bind(glue::CatalogDatabase, deployments),
        bind(glue::CatalogTable, deployments),
        bind(log_delivery::LogDelivery, deployments),
        bind(log_delivery::LogDeliveryDestination, deployments),
        bind(log_delivery::LogDeliverySource, deployments),
        bind(monitoring::Dashboard, deployments),
        bind(monitoring::MetricAlarm, deployments),
        bind(notifications::Topic, deployments),
        bind(notifications::TopicPolicy, deployments),
        bind(notifications::TopicSubscription, deployments),
    ]
}
