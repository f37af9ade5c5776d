//! CloudWatch's alarms and dashboards. Declared only: no metric is kept here, so
//! there is nothing that they could watch.

use async_trait::async_trait;
use cloud_core::error::AwsResult;
use cloud_core::identity::arn;
use cloud_resource::deployments::Deployments;
use cloud_resource::resource::{AutoName, Deployed, New, Refusal, ResourceType};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

// Limits: CloudWatch's service model, as in botocore.
const MAX_ALARM_NAME: usize = 255;
const MAX_ALARM_DESCRIPTION: usize = 1_024;
const MAX_ALARM_ACTIONS: usize = 5;
const MAX_DIMENSIONS: usize = 30;
const MAX_DASHBOARD_NAME: usize = 255;
const COMPARISONS: [&str; 7] = [
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "GreaterThanUpperThreshold",
    "LessThanLowerOrGreaterThanUpperThreshold",
    "LessThanLowerThreshold",
    "LessThanOrEqualToThreshold",
    "LessThanThreshold",
];
const STATISTICS: [&str; 5] = ["Average", "Maximum", "Minimum", "SampleCount", "Sum"];
const MISSING_DATA: [&str; 4] = ["breaching", "ignore", "missing", "notBreaching"];

/// `aws:cloudwatch/metricAlarm:MetricAlarm`.
pub(crate) struct MetricAlarm;

/// An alarm with a fixed threshold, on a metric of its own or on queries.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct MetricAlarmInputs {
    name: String,
    alarm_description: Option<String>,
    namespace: Option<String>,
    metric_name: Option<String>,
    dimensions: Option<BTreeMap<String, String>>,
    statistic: Option<String>,
    metric_queries: Option<Vec<MetricQuery>>,
    comparison_operator: String,
    threshold: f64,
    period: Option<u32>,
    evaluation_periods: u32,
    datapoints_to_alarm: Option<u32>,
    treat_missing_data: Option<String>,
    unit: Option<String>,
    actions_enabled: Option<bool>,
    alarm_actions: Option<Vec<String>>,
    ok_actions: Option<Vec<String>>,
    insufficient_data_actions: Option<Vec<String>>,
    tags: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct MetricQuery {
    id: String,
    label: Option<String>,
    expression: Option<String>,
    metric: Option<QueriedMetric>,
    return_data: Option<bool>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct QueriedMetric {
    namespace: Option<String>,
    metric_name: String,
    dimensions: Option<BTreeMap<String, String>>,
    period: u32,
    stat: String,
}

/// What CloudWatch refuses of the metrics that an alarm compares: `PutMetricAlarm`.
fn check_metrics(inputs: &MetricAlarmInputs) -> Option<Refusal> {
    let refuse = |property: &str, reason: &str| Some(Refusal::new(property, reason));
    let own = [
        inputs.namespace.is_some(),
        inputs.metric_name.is_some(),
        inputs.statistic.is_some(),
        inputs.period.is_some(),
    ];
    let Some(queries) = &inputs.metric_queries else {
        let complete = own.iter().all(|given| *given);
        let reason = "an alarm needs namespace, metricName, statistic and period, or metricQueries";
        return (!complete).then(|| Refusal::new("metricName", reason));
    };
    if own.contains(&true) || inputs.dimensions.is_some() {
        return refuse("metricQueries", "are in place of a metric of its own");
    }
    let named = |query: &MetricQuery| {
        let mut letters = query.id.chars();
        letters
            .next()
            .is_some_and(|first| first.is_ascii_lowercase())
            && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    };
    if !queries.iter().all(named) {
        return refuse("metricQueries", "an id begins with a small letter");
    }
    if queries
        .iter()
        .any(|query| query.expression.is_some() == query.metric.is_some())
    {
        return refuse("metricQueries", "each has either an expression or a metric");
    }
    let returned = queries
        .iter()
        .filter(|query| query.return_data == Some(true));
    if returned.count() != 1 {
        return refuse("metricQueries", "exactly one has returnData");
    }
    None
}

#[async_trait]
impl ResourceType for MetricAlarm {
    type Inputs = MetricAlarmInputs;
    type Service = Deployments;

    const TOKEN: &'static str = "aws:cloudwatch/metricAlarm:MetricAlarm";
    const REPLACES_ON: &'static [&'static str] = &["name"];
    const AUTO_NAME: Option<AutoName> = Some(AutoName {
        property: "name",
        max_length: MAX_ALARM_NAME,
    });
    const DECLARED_ONLY: bool = true;
    /// PutMetricAlarm.
    const OVERWRITES: bool = true;

    fn validate(&self, inputs: &MetricAlarmInputs) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        let mut refuse = |holds: bool, property: &str, reason: String| {
            if !holds {
                refusals.push(Refusal::new(property, reason));
            }
        };
        let one_of = |value: &str, allowed: &[&str]| {
            (
                allowed.contains(&value),
                format!("{value:?} is none of {}", allowed.join(", ")),
            )
        };
        let (holds, reason) = one_of(&inputs.comparison_operator, &COMPARISONS);
        refuse(holds, "comparisonOperator", reason);
        if let Some(statistic) = &inputs.statistic {
            let (holds, reason) = one_of(statistic, &STATISTICS);
            refuse(holds, "statistic", reason);
        }
        if let Some(missing) = &inputs.treat_missing_data {
            let (holds, reason) = one_of(missing, &MISSING_DATA);
            refuse(holds, "treatMissingData", reason);
        }
        let queried = inputs.metric_queries.iter().flatten();
        let queried = queried.filter_map(|query| Some(query.metric.as_ref()?.period));
        for period in inputs.period.into_iter().chain(queried) {
            refuse(
                matches!(period, 10 | 20 | 30) || (period > 0 && period.is_multiple_of(60)),
                "period",
                format!("{period} s is neither 10, 20 or 30 nor a multiple of 60"),
            );
        }
        let periods = inputs.evaluation_periods;
        refuse(
            periods > 0,
            "evaluationPeriods",
            "must be at least 1".into(),
        );
        let needed = inputs.datapoints_to_alarm.unwrap_or(periods);
        refuse(
            (1..=periods).contains(&needed),
            "datapointsToAlarm",
            format!("{needed} is not within 1 and evaluationPeriods"),
        );
        let description = inputs.alarm_description.as_deref().unwrap_or_default();
        refuse(
            description.chars().count() <= MAX_ALARM_DESCRIPTION,
            "alarmDescription",
            format!("must have at most {MAX_ALARM_DESCRIPTION} characters"),
        );
        let dimensions = inputs.dimensions.as_ref().map_or(0, BTreeMap::len);
        refuse(
            dimensions <= MAX_DIMENSIONS,
            "dimensions",
            format!("must be at most {MAX_DIMENSIONS}"),
        );
        let actions = [
            ("alarmActions", &inputs.alarm_actions),
            ("okActions", &inputs.ok_actions),
            ("insufficientDataActions", &inputs.insufficient_data_actions),
        ];
        for (property, actions) in actions {
            let actions = actions.as_deref().unwrap_or_default();
            let arns = actions.iter().all(|action| action.starts_with("arn:"));
            refuse(
                arns && actions.len() <= MAX_ALARM_ACTIONS,
                property,
                format!("must be at most {MAX_ALARM_ACTIONS} ARNs"),
            );
        }
        refusals.extend(check_metrics(inputs));
        refusals
    }

    async fn create(
        &self,
        _deployments: &Arc<Deployments>,
        new: &New,
        inputs: &MetricAlarmInputs,
    ) -> AwsResult<Deployed> {
        let name = &inputs.name;
        let arn = arn("cloudwatch", &new.region, &format!("alarm:{name}"));
        Ok(Deployed::new(name, json!({ "arn": arn })))
    }
}

/// `aws:cloudwatch/dashboard:Dashboard`.
pub(crate) struct Dashboard;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct DashboardInputs {
    dashboard_name: String,
    dashboard_body: String,
}

#[async_trait]
impl ResourceType for Dashboard {
    type Inputs = DashboardInputs;
    type Service = Deployments;

    const TOKEN: &'static str = "aws:cloudwatch/dashboard:Dashboard";
    const REPLACES_ON: &'static [&'static str] = &["dashboardName"];
    const DECLARED_ONLY: bool = true;
    /// PutDashboard.
    const OVERWRITES: bool = true;

    fn validate(&self, inputs: &DashboardInputs) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        let name = &inputs.dashboard_name;
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
        if name.is_empty() || name.len() > MAX_DASHBOARD_NAME || !name.chars().all(allowed) {
            refusals.push(Refusal::new(
                "dashboardName",
                format!("{name:?} must be 1 to {MAX_DASHBOARD_NAME} letters, digits, - and _"),
            ));
        }
        match serde_json::from_str::<Value>(&inputs.dashboard_body) {
            Ok(body) if body["widgets"].is_array() => {}
            Ok(_) => refusals.push(Refusal::new("dashboardBody", "has no list of widgets")),
            Err(error) => {
                refusals.push(Refusal::new(
                    "dashboardBody",
                    format!("is no JSON: {error}"),
                ));
            }
        }
        refusals
    }

    async fn create(
        &self,
        _deployments: &Arc<Deployments>,
        _new: &New,
        inputs: &DashboardInputs,
    ) -> AwsResult<Deployed> {
        let name = &inputs.dashboard_name;
        let arn = arn("cloudwatch", "", &format!("dashboard/{name}"));
        Ok(Deployed::new(name, json!({ "dashboardArn": arn })))
    }
}
