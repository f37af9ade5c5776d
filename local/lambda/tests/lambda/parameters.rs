//! What each operation refuses by its reference page: numbers out of range, tokens that were
//! never given out, names that cannot be.

use crate::support::World;
use anyhow::{Context, Result, ensure};

#[tokio::test]
async fn lambda_refuses_what_its_parameters_cannot_be() -> Result<()> {
    let cloud = World::start().await?;
    let functions = "/2015-03-31/functions/";
    let invalid = "ValidationException";
    for (path, name, value, expected) in [
        ("", "MaxItems", "0", invalid),
        ("", "MaxItems", "10001", invalid),
        ("", "MaxItems", "many", invalid),
        ("", "FunctionVersion", "SOME", invalid),
        ("", "Marker", "never", "InvalidParameterValueException"),
        ("f", "Qualifier", "a b", invalid),
        ("a~b", "Qualifier", "1", invalid),
    ] {
        let call = cloud.get(&format!("{functions}{path}")).service("lambda");
        let answer = call.query(name, value).send().await?;
        let text = answer
            .expect(400)
            .context(format!("{name}={value}"))?
            .text();
        ensure!(text.contains(expected), "{path} {name}={value}: {text}");
    }
    let invoke = cloud.post(&format!("{functions}f/invocations"));
    let invoke = invoke.service("lambda").header("x-amz-log-type", "Head");
    let text = invoke.send().await?.expect(400)?.text();
    ensure!(text.contains(invalid), "{text}");
    Ok(())
}
