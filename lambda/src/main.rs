//! The Lambda function's process: reads its settings once, then hands every invocation to the
//! processor.

use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use lambda::catalogue::Catalogue;
use lambda::config::Config;
use lambda::event::Batch;
use lambda::log;
use lambda::processor::{Invocation, Processor};
use lambda::reply::Reply;
use lambda::upstream::http_client;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use rustls::RootCertStore;

/// Set by Lambda; the runtime crate panics without them.
const LAMBDA_SETS: [&str; 4] = [
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
];

/// Of the time that is left, what is kept for writing and sending the reply: a tenth, and no
/// more than this.
const MARGIN: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    log::init();
    // One thread: a small function has a fraction of one CPU.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(run()),
        Err(error) => Err(error.into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the processor stops");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), lambda_runtime::Error> {
    if let Some(missing) = LAMBDA_SETS
        .iter()
        .find(|name| std::env::var_os(name).is_none())
    {
        return Err(format!(
            "{missing} is not set: this program is started by AWS Lambda, as the bootstrap of a provided.al2023 function"
        )
        .into());
    }
    let processor = match start() {
        Ok(processor) => processor,
        Err(error) => {
            init_error(&*error).await;
            return Err(error);
        }
    };
    let processor = &processor;
    lambda_runtime::run(service_fn(move |event| handle(processor, event))).await
}

fn start() -> Result<Processor, lambda_runtime::Error> {
    Ok(Processor::new(Catalogue::new(Config::from_env()?)?))
}

async fn handle(processor: &Processor, event: LambdaEvent<Batch>) -> Result<Reply, Diagnostic> {
    let start = Instant::now();
    let LambdaEvent {
        payload: batch,
        context,
    } = event;
    let left = context
        .deadline()
        .duration_since(SystemTime::now())
        .unwrap_or_default();
    let invocation = Invocation {
        deadline: start + left - MARGIN.min(left / 10),
        trace_id: context.xray_trace_id.as_deref(),
    };
    let outcome = processor.process(batch, invocation).await;
    let elapsed = start.elapsed();
    print(&log::batch(
        &context.request_id,
        &outcome,
        elapsed,
        SystemTime::now(),
    ));
    outcome.reply.map_err(|unanswered| Diagnostic {
        error_type: "MysfitsServiceUnavailable".to_owned(),
        error_message: unanswered.to_string(),
    })
}

/// Where the log goes is no reason to fail a batch.
fn print(lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(std::io::stdout().lock(), "{}", lines.join("\n"));
}

/// Tells Lambda why the function cannot start, so that its error is this text and not
/// "exit status 1".
async fn init_error(error: &dyn std::error::Error) {
    let Ok(api) = std::env::var("AWS_LAMBDA_RUNTIME_API") else {
        return;
    };
    let body = serde_json::json!({
        "errorType": "ConfigurationInvalid",
        "errorMessage": error.to_string(),
        "stackTrace": [],
    });
    let Ok(client) = http_client(RootCertStore::empty(), 0) else {
        return;
    };
    let told = client
        .post(format!("http://{api}/2018-06-01/runtime/init/error"))
        .header(
            "Lambda-Runtime-Function-Error-Type",
            "Runtime.ConfigurationInvalid",
        )
        .body(body.to_string())
        .send()
        .await;
    if let Err(error) = told {
        tracing::error!(%error, "Lambda could not be told of the error");
    }
}
