//! Policies of CloudFront whose names change.

use crate::support::{Engine, refusal, urn};
use anyhow::Result;
use mysfits_local::server::{Server, ServerConfig};
use serde_json::{Value, json};

fn cache_policy(name: &str) -> Value {
    json!({
        "name": name,
        "parametersInCacheKeyAndForwardedToOrigin": {
            "cookiesConfig": { "cookieBehavior": "none" },
            "headersConfig": { "headerBehavior": "none" },
            "queryStringsConfig": { "queryStringBehavior": "none" },
        },
    })
}

/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_UpdateCachePolicy.html>,
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_UpdateResponseHeadersPolicy.html>
#[tokio::test]
async fn a_policy_takes_a_new_name_and_none_that_another_has() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(ServerConfig::new(folder.path())).await?;
    let mut engine = Engine::connect(server.endpoints().provider).await?;
    engine.configure(json!({ "region": "eu-west-1" })).await?;

    let headers_policy = |name: &str| json!({ "name": name });
    type Inputs<'a> = &'a dyn Fn(&str) -> Value;
    let kinds: [(&str, &str, Inputs<'_>); 2] = [
        ("cachePolicy", "CachePolicy", &cache_policy),
        (
            "responseHeadersPolicy",
            "ResponseHeadersPolicy",
            &headers_policy,
        ),
    ];
    for (file, kind, inputs) in kinds {
        let token = format!("aws:cloudfront/{file}:{kind}");
        let (one, other) = (urn(&token, "one"), urn(&token, "other"));
        let created = engine.deploy(&one, inputs("one")).await?;
        engine.deploy(&other, inputs("other")).await?;

        let taken = refusal(engine.update(&one, &created, inputs("other")).await)?;
        assert!(taken.contains(&format!("{kind}AlreadyExists")), "{taken}");
        // Its own name is not another's.
        engine.update(&one, &created, inputs("one")).await?;

        let renamed = engine.update(&one, &created, inputs("new")).await?;
        assert_eq!(renamed.outputs["name"], "new", "{kind}");
        let read = engine.read(&one, &renamed).await?;
        assert_eq!(
            read.map(|state| state.outputs["name"].clone()),
            Some(json!("new"))
        );
        // And its old one is free.
        engine.deploy(&urn(&token, "third"), inputs("one")).await?;
    }
    server.stop().await;
    Ok(())
}
