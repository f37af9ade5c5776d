//! The dashboard: the path of a click from left to right, one row a service.

use pulumi_program::{Output, all};
use serde_json::{Value, json};

use super::{RECORDS_FAILED, Watched, own_namespace};
use crate::scope::Scope;

const WIDTH: usize = 8;
const HEIGHT: usize = 6;

/// One graph: its title, its statistic, and its metrics as CloudWatch writes them.
struct Graph {
    title: &'static str,
    statistic: &'static str,
    metrics: Vec<Value>,
}

/// The names by which CloudWatch knows what is watched.
struct Names {
    stream: String,
    function: String,
    api: String,
    stage: String,
    own: String,
}

pub fn body(scope: &Scope<'_>, watched: &Watched<'_>) -> Output<String> {
    let own = own_namespace(scope);
    all((
        &watched.delivery.stream_name,
        &watched.processor.name,
        &watched.api.name,
        &watched.api.stage,
        &scope.region,
    ))
    .map(move |(stream, function, api, stage, region)| {
        let names = Names {
            stream,
            function,
            api,
            stage,
            own: own.clone(),
        };
        widgets(&names, &region).to_string()
    })
}

fn widgets(names: &Names, region: &str) -> Value {
    let widgets: Vec<Value> = rows(names)
        .into_iter()
        .enumerate()
        .flat_map(|(row, graphs)| {
            let place = move |(column, graph)| widget(&graph, column, row, region);
            graphs.into_iter().enumerate().map(place)
        })
        .collect();
    json!({ "widgets": widgets })
}

fn rows(names: &Names) -> [[Graph; 3]; 3] {
    let api = |metric: &str| {
        json!([
            "AWS/ApiGateway",
            metric,
            "ApiName",
            names.api,
            "Stage",
            names.stage
        ])
    };
    let stream = |metric: &str| json!(["AWS/Firehose", metric, "DeliveryStreamName", names.stream]);
    let function = |metric: &str| json!(["AWS/Lambda", metric, "FunctionName", names.function]);
    [
        [
            graph("Clicks", "Sum", vec![api("Count")]),
            graph(
                "Answers that are none",
                "Sum",
                vec![api("4XXError"), api("5XXError")],
            ),
            graph(
                "Time of an answer",
                "p99",
                vec![api("Latency"), api("IntegrationLatency")],
            ),
        ],
        [
            graph(
                "Records taken, and failed of them",
                "Sum",
                vec![
                    stream("IncomingRecords"),
                    json!([names.own, RECORDS_FAILED]),
                ],
            ),
            graph("Records refused", "Sum", vec![stream("ThrottledRecords")]),
            graph(
                "Oldest record waiting",
                "Maximum",
                vec![stream("DeliveryToS3.DataFreshness")],
            ),
        ],
        [
            graph("Batches", "Sum", vec![function("Invocations")]),
            graph(
                "Invocations that failed",
                "Sum",
                vec![function("Errors"), function("Throttles")],
            ),
            graph("Time of a batch", "Maximum", vec![function("Duration")]),
        ],
    ]
}

fn graph(title: &'static str, statistic: &'static str, metrics: Vec<Value>) -> Graph {
    Graph {
        title,
        statistic,
        metrics,
    }
}

fn widget(graph: &Graph, column: usize, row: usize, region: &str) -> Value {
    json!({
        "type": "metric",
        "x": column * WIDTH,
        "y": row * HEIGHT,
        "width": WIDTH,
        "height": HEIGHT,
        "properties": {
            "title": graph.title,
            "metrics": graph.metrics,
            "stat": graph.statistic,
            "period": 300,
            "region": region,
            "view": "timeSeries",
        },
    })
}
