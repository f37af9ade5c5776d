//! A function that cannot start says why.

use anyhow::{Context, Result};

use crate::function::Function;
use crate::service::{Does, Service};

const BOOTSTRAP: &str = env!("CARGO_BIN_EXE_bootstrap");

#[tokio::test]
async fn a_wrong_setting_is_told_to_lambda_and_to_the_log() -> Result<()> {
    let url = ("MYSFITS_API_URL", "https://a.example");
    let cases: [(&[(&str, &str)], &str); 4] = [
        (&[], "MYSFITS_API_URL is not set"),
        (&[("MYSFITS_API_URL", "a.example/api")], "a.example/api"),
        (&[url, ("MYSFITS_CACHE_TTL", "60")], "MYSFITS_CACHE_TTL"),
        (
            &[url, ("MYSFITS_NEGATIVE_CACHE_TTL", "soon")],
            "MYSFITS_NEGATIVE_CACHE_TTL",
        ),
    ];
    for (vars, named) in cases {
        let function = Function::start(&[BOOTSTRAP], vars).await?;
        let (status, error, output) = function.ended().await?;
        assert_eq!(status.code(), Some(1));
        let error = error.context("Lambda was not told")?;
        assert_eq!(error["header"], "Runtime.ConfigurationInvalid");
        assert!(
            error["errorMessage"]
                .as_str()
                .is_some_and(|text| text.contains(named)),
            "{error}"
        );
        assert!(output.iter().any(|line| line.contains(named)), "{output:?}");
    }
    Ok(())
}

#[tokio::test]
async fn by_hand_it_says_what_it_is() -> Result<()> {
    let output = tokio::process::Command::new(BOOTSTRAP)
        .env_clear()
        .output()
        .await?;
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout)?;
    assert!(text.contains("AWS_LAMBDA_RUNTIME_API is not set"), "{text}");
    assert_eq!(output.stderr, b"");
    Ok(())
}

/// A hostile environment may not send the clicks through somebody's proxy.
#[tokio::test]
async fn a_proxy_in_the_environment_is_not_used() -> Result<()> {
    let proxy = Service::start(|_| Does::mysfit("Proxy")).await?;
    let service = Service::start(|_| Does::mysfit("Yeti")).await?;
    let vars = [
        ("http_proxy", proxy.url.as_str()),
        ("ALL_PROXY", proxy.url.as_str()),
    ];
    let mut function = crate::function(&service, &vars).await?;
    let click = crate::events::click("u", &crate::events::id(1));
    function
        .invoke(crate::events::event([click]), crate::PLENTY)
        .await?
        .response()?;
    assert_eq!((service.requests().len(), proxy.requests().len()), (1, 0));
    Ok(())
}
