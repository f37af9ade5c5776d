//! Invocations that go well: what a function sees, and how its environments come and go.

use crate::support::{FUNCTION, PERMISSION, World, may_log, package};
use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cloud_iam::{Caller, ServicePrincipal};
use futures::future::try_join_all;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::sync::watch;

#[tokio::test]
async fn an_environment_is_started_once_and_used_again() -> Result<()> {
    let world = World::start().await?;
    world.function("f", json!({})).await?;
    let first = world.call("f", json!({ "n": 1 })).await?;
    let second = world.call("f", json!({ "n": 2 })).await?;
    ensure!(first["echo"] == json!({ "n": 1 }), "{first}");
    ensure!(second["echo"] == json!({ "n": 2 }), "{second}");
    ensure!(
        first["pid"] == second["pid"] && second["count"] == 2,
        "{second}"
    );
    Ok(())
}

#[tokio::test]
async fn a_function_sees_what_is_declared_and_what_lambda_sets_and_no_more() -> Result<()> {
    let world = World::start().await?;
    let declared = json!({ "variables": { "MINE": "yes", "LANG": "C" } });
    world
        .function("f", json!({ "environment": declared, "memorySize": 256 }))
        .await?;
    let seen = world.call("f", json!({ "do": "environment" })).await?;
    let names: BTreeSet<_> = seen
        .as_object()
        .context("variables")?
        .keys()
        .map(String::as_str)
        .collect();
    let expected = BTreeSet::from([
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
        "LANG",
        "LD_LIBRARY_PATH",
        "MINE",
        "PATH",
        "TZ",
        "_HANDLER",
    ]);
    ensure!(names == expected, "{names:?}");
    for (name, value) in [
        ("MINE", "yes"),
        ("LANG", "C"),
        ("_HANDLER", "bootstrap"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_LAMBDA_FUNCTION_NAME", "f"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/f"),
    ] {
        ensure!(seen[name] == value, "{name} is {}", seen[name]);
    }
    Ok(())
}

#[tokio::test]
async fn an_invocation_has_the_headers_of_the_runtime_api() -> Result<()> {
    let world = World::start().await?;
    world.function("f", json!({ "timeout": 60 })).await?;
    let before = now_ms();
    let headers = world
        .call(
            "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST",
            json!({ "do": "headers" }),
        )
        .await?;
    let header = |name: &str| headers[name].as_str().unwrap_or_default().to_owned();
    let deadline: u128 = header("lambda-runtime-deadline-ms").parse()?;
    ensure!(
        (before + 60_000..=now_ms() + 60_000).contains(&deadline),
        "{deadline}"
    );
    ensure!(
        header("lambda-runtime-invoked-function-arn")
            == "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST"
    );
    ensure!(header("lambda-runtime-aws-request-id").len() == 36);
    ensure!(header("lambda-runtime-trace-id").starts_with("Root=1-"));
    Ok(())
}

fn now_ms() -> u128 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis()
}

/// Invocations that go on until it is opened.
struct Gate {
    address: SocketAddr,
    open: watch::Sender<bool>,
}

impl Gate {
    async fn shut() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (open, opened) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mut opened = opened.clone();
                tokio::spawn(async move {
                    // The function hears of it when its connection ends.
                    let _ = opened.wait_for(|open| *open).await;
                    drop(stream);
                });
            }
        });
        Ok(Self { address, open })
    }

    /// What an invocation has to be to wait here.
    fn wait(&self) -> Value {
        json!({ "do": "wait", "until": self.address.to_string() })
    }

    fn open(&self) {
        self.open.send_replace(true);
    }
}

#[tokio::test]
async fn invocations_at_the_same_time_have_environments_of_their_own() -> Result<()> {
    let world = World::start().await?;
    let gate = Gate::shut().await?;
    world.function("f", json!({ "timeout": 60 })).await?;
    let calls = try_join_all((0..4).map(|_| world.call("f", gate.wait())));
    let (answers, ()) = tokio::join!(calls, async {
        // All four are there when the fifth answers, in an environment of its own.
        let _ = world.call("f", json!({})).await;
        gate.open();
    });
    let pids: BTreeSet<_> = answers?
        .iter()
        .map(|answer| answer["pid"].as_u64())
        .collect();
    ensure!(pids.len() == 4, "{pids:?}");
    let again = try_join_all((0..4).map(|_| world.call("f", gate.wait()))).await?;
    let again: BTreeSet<_> = again.iter().map(|answer| answer["pid"].as_u64()).collect();
    ensure!(
        again.intersection(&pids).count() >= 3,
        "used again: {again:?} {pids:?}"
    );
    Ok(())
}

#[tokio::test]
async fn reserved_concurrency_is_the_most_there_is() -> Result<()> {
    let world = World::start().await?;
    let gate = Gate::shut().await?;
    let inputs = json!({ "timeout": 60, "reservedConcurrentExecutions": 1 });
    let function = world.function("f", inputs).await?;
    let busy = world.call("f", gate.wait());
    let (answer, throttled) = tokio::join!(busy, async {
        let throttled = loop {
            match world.invoke("f", json!({})).await {
                // Until the first is there, this one has the place.
                Ok(_) => tokio::task::yield_now().await,
                Err(error) => break error,
            }
        };
        gate.open();
        throttled
    });
    answer?;
    ensure!(throttled.status == 429 && throttled.code == "TooManyRequestsException");

    world
        .update(&function, json!({ "reservedConcurrentExecutions": 0 }))
        .await?;
    let off = world.invoke("f", json!({})).await.err().context("off")?;
    ensure!(off.code == "TooManyRequestsException");
    Ok(())
}

#[tokio::test]
async fn after_an_update_new_environments_are_new_and_old_ones_finish() -> Result<()> {
    let world = World::start().await?;
    let version = |version: &str| json!({ "environment": { "variables": { "VERSION": version } } });
    let mut inputs = version("one");
    inputs["timeout"] = 60.into();
    let function = world.function("f", inputs).await?;
    world.call("f", json!({})).await?;

    let gate = Gate::shut().await?;
    let under_way = world.call("f", gate.wait());
    let (old, new) = tokio::join!(under_way, async {
        // The update comes while the first invocation holds the only environment.
        while world.log("/aws/lambda/f")?.len() < 4 {
            tokio::task::yield_now().await;
        }
        world.update(&function, version("two")).await?;
        let new = world.call("f", json!({ "do": "environment" })).await;
        gate.open();
        new
    });
    ensure!(old?["version"] == "one");
    ensure!(new?["VERSION"] == "two");
    let later = world.call("f", json!({ "do": "environment" })).await?;
    ensure!(later["VERSION"] == "two", "the old one is not used again");
    Ok(())
}

#[tokio::test]
async fn an_environment_starts_only_in_a_role_that_lambda_may_assume() -> Result<()> {
    let world = World::start().await?;
    let role = world.role("r", "lambda.amazonaws.com", may_log()).await?;
    let role_arn = role.resource.output("arn");
    let function = world.function("f", json!({ "role": role_arn })).await?;
    world.call("f", json!({})).await?;

    let trusted = role.resource.inputs["assumeRolePolicy"].clone();
    let foreign = trusted.to_string().replace("lambda.", "firehose.");
    let foreign: Value = serde_json::from_str(&foreign)?;
    let trusted = json!({ "assumeRolePolicy": trusted });
    let foreign = json!({ "assumeRolePolicy": foreign });

    let role = world.update(&role, foreign.clone()).await?;
    world.call("f", json!({})).await.context("it is running")?;

    let role = world.update(&role, trusted.clone()).await?;
    world.update(&function, json!({ "timeout": 5 })).await?;
    let role = world.update(&role, foreign).await?;
    let refused = world.invoke("f", json!({})).await;
    let refused = refused.err().context("in no role")?;
    ensure!(
        refused.status == 403 && refused.code == "AccessDeniedException",
        "{refused:?}"
    );
    world.update(&role, trusted).await?;
    world.call("f", json!({})).await?;
    Ok(())
}

#[tokio::test]
async fn functions_survive_a_restart() -> Result<()> {
    let world = World::start().await?;
    world.function("f", json!({})).await?;
    world.call("f", json!({})).await?;
    // The package that was uploaded is all that is needed.
    std::fs::remove_file(world.path("runtime.zip"))?;
    let world = world.restart().await?;
    let notes = std::fs::read_dir(world.path("lambda/processes"))?.count();
    ensure!(notes == 0, "no process is left");
    ensure!(world.call("f", json!({})).await?["count"] == 1);
    Ok(())
}

#[tokio::test]
async fn invoke_speaks_the_real_protocol() -> Result<()> {
    let world = World::start().await?;
    world.function("f", json!({})).await?;
    let path = "/2015-03-31/functions/f/invocations";
    let tail = [("x-amz-log-type", "Tail")];
    let print = r#"{"do":"print","text":"hello\n"}"#;
    let answer = world.http(Method::POST, path, &tail, print).await??;
    ensure!(answer.status() == StatusCode::OK && answer.body() == "null");
    ensure!(answer.headers()["x-amz-executed-version"] == "$LATEST");
    ensure!(!answer.headers().contains_key("x-amz-function-error"));
    let log = STANDARD.decode(&answer.headers()["x-amz-log-result"])?;
    let log = String::from_utf8(log)?;
    ensure!(
        log.starts_with("START RequestId: ") && log.contains("\nhello\n"),
        "{log}"
    );

    let failed = world
        .http(Method::POST, path, &[], r#"{"do":"error"}"#)
        .await??;
    ensure!(failed.status() == StatusCode::OK);
    ensure!(failed.headers()["x-amz-function-error"] == "Unhandled");
    let error: Value = serde_json::from_slice(failed.body())?;
    ensure!(error == json!({ "errorType": "Test.Error", "errorMessage": "as asked" }));

    let dry = [("x-amz-invocation-type", "DryRun")];
    let answer = world.http(Method::POST, path, &dry, "{}").await??;
    ensure!(answer.status() == StatusCode::NO_CONTENT);

    let arn = "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af";
    let path = format!("/2015-03-31/functions/{arn}/invocations?Qualifier=%24LATEST");
    let answer = world.http(Method::POST, &path, &[], "").await??;
    let echo: Value = serde_json::from_slice(answer.body())?;
    ensure!(echo["echo"] == json!({}), "no payload is an empty object");

    let configuration = world
        .http(
            Method::GET,
            "/2015-03-31/functions/f/configuration",
            &[],
            "",
        )
        .await??;
    let configuration: Value = serde_json::from_slice(configuration.body())?;
    ensure!(configuration["MemorySize"] == 128 && configuration["Timeout"] == 3);
    Ok(())
}

#[tokio::test]
async fn other_apis_at_the_runtimes_address_are_refused_by_name() -> Result<()> {
    let world = World::start().await?;
    world.function("f", json!({})).await?;
    for (method, path, api) in [
        ("POST", "/2020-01-01/extension/register", "Extensions API"),
        ("GET", "/2020-01-01/extension/event/next", "Extensions API"),
        ("PUT", "/2020-08-15/logs", "Logs API"),
        ("PUT", "/2022-07-01/telemetry", "Telemetry API"),
        ("GET", "/2018-06-01/runtime/other", "Runtime API"),
    ] {
        let request = json!({ "do": "request", "method": method, "path": path });
        let answer = world.call("f", request).await?;
        let status = answer["status"].as_str().unwrap_or_default();
        ensure!(status.starts_with("HTTP/1.1 404"), "{answer}");
        let body = answer["body"].as_str().unwrap_or_default();
        let says = format!("no operation {method} {path} of Lambda's {api}");
        ensure!(
            body.contains(&says) && body.contains("docs/compatibility"),
            "{body}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn invoke_refuses_what_lambda_refuses() -> Result<()> {
    let world = World::start().await?;
    world.function("f", json!({})).await?;
    let large = format!("\"{}\"", "x".repeat(6 * 1024 * 1024));
    let event = [("x-amz-invocation-type", "Event")];
    let cases: [(&str, &[_], &str, u16, &str); 6] = [
        ("f", &[], "{not json", 400, "InvalidRequestContentException"),
        ("f", &[], &large, 413, "RequestTooLargeException"),
        ("g", &[], "{}", 404, "ResourceNotFoundException"),
        (
            "arn:aws:lambda:eu-west-1:000000000000:function:f",
            &[],
            "{}",
            404,
            "ResourceNotFoundException",
        ),
        ("f:7", &[], "{}", 404, "ResourceNotFoundException"),
        ("f", &event, "{}", 400, "InvalidParameterValueException"),
    ];
    for (function, headers, body, status, code) in cases {
        let path = format!("/2015-03-31/functions/{function}/invocations");
        let refused = world.http(Method::POST, &path, headers, body).await?;
        let refused = refused.err().context(code)?;
        ensure!(
            refused.status == status && refused.code == code,
            "{refused}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_permission_lets_a_service_in_from_its_source_alone() -> Result<()> {
    let world = World::start().await?;
    world.function("f", json!({})).await?;
    let service = |source: &str| {
        Caller::Service(ServicePrincipal {
            service: "events.amazonaws.com".into(),
            source_arn: Some(source.into()),
            source_account: Some("000000000000".into()),
        })
    };
    let rule = service("arn:aws:events:us-east-1:000000000000:rule/mine");
    let other = service("arn:aws:events:us-east-1:000000000000:rule/other");
    let invoke = async |caller: &Caller| {
        let invoked = world.lambda().invoke(caller, "f", "{}".into()).await;
        invoked.map(|_| ()).map_err(|error| error.code.into_owned())
    };
    ensure!(invoke(&rule).await == Err("AccessDenied".into()));

    let permission = json!({
        "statementId": "rule",
        "action": "lambda:InvokeFunction",
        "function": "f",
        "principal": "events.amazonaws.com",
        "sourceArn": "arn:aws:events:us-east-1:000000000000:rule/mine",
        "sourceAccount": "000000000000",
    });
    let deployed = world.deploy(PERMISSION, "p", permission.clone()).await?;
    ensure!(invoke(&rule).await == Ok(()));
    ensure!(invoke(&other).await == Err("AccessDenied".into()));
    let path = "/2015-03-31/functions/f/policy";
    let policy = world.http(Method::GET, path, &[], "").await??;
    ensure!(String::from_utf8_lossy(policy.body()).contains("rule/mine"));

    world.delete(&deployed).await?;
    ensure!(invoke(&rule).await == Err("AccessDenied".into()));
    Ok(())
}

#[tokio::test]
async fn a_function_that_lambda_would_refuse_is_refused() -> Result<()> {
    let world = World::start().await?;
    let role = world.role("r", "firehose.amazonaws.com", json!([])).await?;
    let other = world.role("l", "lambda.amazonaws.com", json!([])).await?;
    let zip = package(&world.path("runtime.zip"))?;
    let inputs = |changes: Value| {
        let mut inputs = json!({
            "name": "f",
            "role": other.resource.output("arn"),
            "code": { "path": zip },
            "runtime": "provided.al2023",
            "handler": "bootstrap",
        });
        for (name, value) in changes.as_object().into_iter().flatten() {
            inputs[name] = value.clone();
        }
        inputs
    };
    let foreign = match std::env::consts::ARCH {
        "aarch64" => "x86_64",
        _ => "arm64",
    };
    let reserved = json!({ "variables": { "AWS_REGION": "x" } });
    let large = json!({ "variables": { "LARGE": "x".repeat(4096) } });
    let cases = [
        (
            json!({ "role": role.resource.output("arn") }),
            "cannot be assumed by Lambda",
        ),
        (
            json!({ "role": "arn:aws:iam::000000000000:role/none" }),
            "cannot be assumed by Lambda",
        ),
        (
            json!({ "code": { "path": world.path("none.zip") } }),
            "cannot be read",
        ),
        (json!({ "code": { "assets": {} } }), "must be a FileArchive"),
        (json!({ "runtime": "python3.13" }), "provided.al2023 only"),
        (
            json!({ "architectures": [foreign] }),
            "cannot run on this machine",
        ),
        (
            json!({ "memorySize": 64 }),
            "64 is not within 128 to 10240 MB",
        ),
        (
            json!({ "timeout": 901 }),
            "901 is not within 1 to 900 seconds",
        ),
        (json!({ "environment": reserved }), "AWS_REGION"),
        (
            json!({ "environment": large }),
            "of which Lambda allows 4096",
        ),
        (
            json!({ "layers": ["arn:aws:lambda:us-east-1:1:layer:x:1"] }),
            "no layers",
        ),
        (json!({ "name": "with space" }), "1 to 64 characters"),
        (json!({ "unheardOf": true }), "unheardOf"),
    ];
    for (changes, reason) in cases {
        let refused = world.deploy(FUNCTION, "f", inputs(changes.clone())).await;
        let refused = refused
            .err()
            .with_context(|| format!("{changes} is refused"))?;
        ensure!(refused.message.contains(reason), "{changes}: {refused}");
    }
    world.deploy(FUNCTION, "f", inputs(json!({}))).await?;
    let twice = world.deploy(FUNCTION, "g", inputs(json!({}))).await;
    ensure!(twice.err().context("twice")?.code == "ResourceConflictException");
    Ok(())
}
