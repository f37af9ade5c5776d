//! What operators see: alarms with a meaning, and one dashboard of the path of a click.
//!
//! Each alarm has a section in docs/runbook.md: what it means, where to look, what to do.

mod alarms;
mod dashboard;

use std::collections::HashMap;

use aws::cloudwatch::{dashboard as boards, log_metric_filter, metric_alarm};
use aws::sns::{topic, topic_policy, topic_subscription};
use aws::types::cloudwatch::{
    LogMetricFilterMetricTransformation, MetricAlarmMetricQuery as Query,
    MetricAlarmMetricQueryMetric as QueriedMetric,
};
use pulumi_gestalt_providers_aws as aws;
use pulumi_program::{Options, Output, all};

use crate::api::ClicksApi;
use crate::delivery::Delivery;
use crate::policy;
use crate::processor::Processor;
use crate::scope::Scope;
use alarms::{Alarm, Condition, Measure, Subject};

/// What is watched.
pub struct Watched<'a> {
    pub api: &'a ClicksApi,
    pub delivery: &'a Delivery,
    pub processor: &'a Processor,
}

/// Records that the processor could not enrich, as its log counts them.
const RECORDS_FAILED: &str = "RecordsFailed";
/// The number of them in a batch, in the processor's log. It is a field of the processor's own,
/// because Lambda may change `level`.
const RECORDS_FAILED_FIELD: &str = "$.recordsFailed";

pub fn watch(scope: &Scope<'_>, watched: &Watched<'_>) {
    let program = scope.program;
    let component = scope.component("Operations", "operations");
    let options = Options::new().parent(&component);

    log_metric_filter::create_with_options(
        program,
        "mysfits-records-failed",
        log_metric_filter::LogMetricFilterArgs::builder()
            .log_group_name(watched.processor.log_group.clone())
            .pattern(format!("{{ {RECORDS_FAILED_FIELD} > 0 }}"))
            .metric_transformation(
                LogMetricFilterMetricTransformation::builder()
                    .namespace(own_namespace(scope))
                    .name(RECORDS_FAILED)
                    .value(RECORDS_FAILED_FIELD)
                    .default_value("0")
                    .build_struct(),
            )
            .build_struct(),
        options.clone(),
    );
    let actions = notified(scope, &options);
    if scope.config.storage.protect && scope.config.alarm_email.is_none() {
        program.log().about(&component).warning(
            "this stack protects its clicks, but nobody is told of an alarm: \
             `pulumi config set mysfits:alarmEmail ADDRESS`",
        );
    }
    for alarm in alarms::all(scope.config) {
        create(scope, &options, &alarm, watched, &actions);
    }
    boards::create_with_options(
        program,
        "mysfits",
        boards::DashboardArgs::builder()
            // Unique in the account, and not in the region.
            .dashboard_name(format!("mysfits-{}", program.stack().replace('.', "-")))
            .dashboard_body(dashboard::body(scope, watched))
            .build_struct(),
        options,
    );
}

/// Where alarms are sent to: the topic of the configured address, or nowhere.
fn notified(scope: &Scope<'_>, options: &Options) -> Output<Vec<String>> {
    let Some(email) = &scope.config.alarm_email else {
        return Output::new(Vec::new());
    };
    let topic = topic::create_with_options(
        scope.program,
        "mysfits-alarms",
        topic::TopicArgs::builder()
            .display_name("Mythical Mysfits")
            .build_struct(),
        options.clone(),
    );
    topic_policy::create_with_options(
        scope.program,
        "mysfits-alarms",
        topic_policy::TopicPolicyArgs::builder()
            .arn(topic.arn.clone())
            .policy(
                topic
                    .arn
                    .map(|topic| policy::document(&[policy::publishable_by_alarms(&topic)])),
            )
            .build_struct(),
        options.clone(),
    );
    topic_subscription::create_with_options(
        scope.program,
        "mysfits-alarms",
        topic_subscription::TopicSubscriptionArgs::builder()
            .topic(topic.arn.clone())
            .protocol("email")
            .endpoint(email.output())
            .build_struct(),
        options.clone(),
    );
    topic.arn.map(|topic| vec![topic])
}

fn create(
    scope: &Scope<'_>,
    options: &Options,
    alarm: &Alarm,
    watched: &Watched<'_>,
    actions: &Output<Vec<String>>,
) {
    let Condition {
        measure,
        threshold,
        periods,
        needed,
    } = alarm.condition;
    let dimensions = dimensions(watched, alarm.subject);
    let namespace = namespace(scope, alarm.subject);
    // An alarm has either a metric of its own or queries.
    let (statistic, queries) = match measure {
        Measure::Statistic(statistic) => (Some(statistic.to_owned()), Output::new(None)),
        Measure::Share { of_at_least } => {
            let (namespace, metric) = (namespace.clone(), alarm.metric);
            let queries = dimensions
                .map(move |dimensions| Some(share(&namespace, metric, of_at_least, &dimensions)));
            (None, queries)
        }
    };
    let of_its_own = statistic.is_some();
    metric_alarm::create_with_options(
        scope.program,
        &format!("mysfits-{}", alarm.name),
        metric_alarm::MetricAlarmArgs::builder()
            .alarm_description(alarm.description())
            .namespace(of_its_own.then_some(namespace))
            .metric_name(of_its_own.then(|| alarm.metric.to_owned()))
            .dimensions(dimensions.map(move |dimensions| of_its_own.then_some(dimensions)))
            .statistic(statistic)
            .period(of_its_own.then_some(alarms::PERIOD_SECONDS))
            .metric_queries(queries)
            .comparison_operator("GreaterThanThreshold")
            .threshold(threshold)
            .evaluation_periods(periods)
            .datapoints_to_alarm(needed)
            // Nobody clicking is no failure.
            .treat_missing_data("notBreaching")
            .alarm_actions(actions.clone())
            .ok_actions(actions.clone())
            .build_struct(),
        options.clone(),
    );
}

/// What `metric` is of all requests.
fn share(
    namespace: &str,
    metric: &str,
    of_at_least: u32,
    dimensions: &HashMap<String, String>,
) -> Vec<Query> {
    let sum = |id: &str, metric: &str| {
        let metric = QueriedMetric::builder()
            .namespace(namespace)
            .metric_name(metric)
            .dimensions(dimensions.clone())
            .period(alarms::PERIOD_SECONDS)
            .stat("Sum")
            .build_struct();
        Query::builder().id(id).metric(metric).build_struct()
    };
    let share = Query::builder()
        .id("share")
        .label("Share of requests")
        .expression(format!(
            "IF(requests >= {of_at_least}, counted / requests, 0)"
        ))
        .return_data(true)
        .build_struct();
    vec![sum("counted", metric), sum("requests", "Count"), share]
}

fn namespace(scope: &Scope<'_>, subject: Subject) -> String {
    match subject {
        Subject::Stream => "AWS/Firehose".to_owned(),
        Subject::Function => "AWS/Lambda".to_owned(),
        Subject::Api => "AWS/ApiGateway".to_owned(),
        Subject::Own => own_namespace(scope),
    }
}

/// Of the metrics that this stack makes itself.
fn own_namespace(scope: &Scope<'_>) -> String {
    format!("mysfits/{}", scope.program.stack())
}

fn dimensions(watched: &Watched<'_>, subject: Subject) -> Output<HashMap<String, String>> {
    let one = |name: &'static str, value: &Output<String>| {
        value.map(move |value| HashMap::from([(name.to_owned(), value)]))
    };
    match subject {
        Subject::Stream => one("DeliveryStreamName", &watched.delivery.stream_name),
        Subject::Function => one("FunctionName", &watched.processor.name),
        Subject::Api => all((&watched.api.name, &watched.api.stage)).map(|(api, stage)| {
            HashMap::from([("ApiName".to_owned(), api), ("Stage".to_owned(), stage)])
        }),
        Subject::Own => Output::new(HashMap::new()),
    }
}
