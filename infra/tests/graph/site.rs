//! What the site offers by configuration, and by which names its pages may be opened.

use anyhow::{Context, Result};
use pulumi_mock::FAILED_AND_REPORTED;
use serde_json::{Value, json};

use super::{all, mock, names, one, run};

const POOL: [(&str, &str); 2] = [
    ("mysfits:cognitoUserPoolId", "eu-west-1_abcdefghi"),
    ("mysfits:cognitoUserPoolClientId", "1example23456789"),
];
const SERVICE: (&str, &str) = ("mysfits:mysfitsApiUrl", "https://mysfits.example.com");

fn content(run: &pulumi_mock::Run, key: &str) -> Result<String> {
    let object = one(run, "s3/bucketObjectv2", &format!("mysfits-site/{key}"))?;
    let content = object.inputs["content"].as_str();
    Ok(content.context("no content")?.to_owned())
}

/// A configuration that must be refused, and why.
fn refusal(settings: &[(&str, &str)]) -> Result<String> {
    let mut mock = mock();
    for (key, value) in settings {
        mock = mock.config(key, value);
    }
    let run = mock.run(env!("CARGO_BIN_EXE_infra"))?;
    assert_eq!(run.exit_code, Some(FAILED_AND_REPORTED), "{run}");
    assert_eq!(run.resources, []);
    Ok(run.errors().join("\n"))
}

#[test]
fn every_name_of_the_site_may_send_clicks() -> Result<()> {
    let template = |mock| -> Result<String> {
        let run = run(mock)?;
        let answer = one(
            &run,
            "apigateway/integrationResponse",
            "mysfits-api-put-200",
        )?;
        let template = answer.inputs["responseTemplates"]["application/json"].as_str();
        Ok(template.context("no template")?.to_owned())
    };
    // One name needs no choice.
    assert!(!template(mock())?.contains("#if"));

    let certificate = "arn:aws:acm:us-east-1:123456789012:certificate/1";
    let domain = mock()
        .config("mysfits:siteDomain", "mysfits.example.com")
        .config("mysfits:siteCertificateArn", certificate);
    let expected = "#if($origin == 'https://d111111abcdef8.cloudfront.net')";
    assert!(template(domain)?.contains(expected));

    let hosts = mock()
        .config("mysfits:siteHosts", r#"["localhost"]"#)
        .answer(|resource| {
            let answer = super::cloud::answer(resource);
            match super::cloud::kind(resource) {
                "cloudfront/distribution" => answer.output("domainName", "192.0.2.1:8080"),
                _ => answer,
            }
        });
    // The port is the site's own.
    assert!(template(hosts)?.contains("#if($origin == 'https://localhost:8080')"));

    let mistake = refusal(&[("mysfits:siteHosts", r#"["http://localhost:8080"]"#)])?;
    assert!(mistake.contains("without scheme and port"), "{mistake}");
    Ok(())
}

#[test]
fn the_page_has_the_published_catalogue_and_every_profile_its_own() -> Result<()> {
    let published = run(mock())?;
    let page = content(&published, "index.html")?;
    assert_eq!(
        page.matches("<li class=\"card\" data-heart=\"Good\"")
            .count(),
        4
    );
    assert!(page.contains("href=\"/profile/Twilight-Glitter.html\""));
    let profile = content(&published, "profile/Snowflake.html")?;
    assert!(
        profile
            .contains("content=\"https://d111111abcdef8.cloudfront.net/profile/Snowflake.html\"")
    );
    assert!(profile.contains("connect-src 'self' https://a1b2c3d4e5.execute-api."));
    assert!(!profile.contains("site.invalid") && !profile.contains("{{"));

    // What another service has is not known here.
    let (key, value) = SERVICE;
    let existing = run(mock().config(key, value))?;
    let page = content(&existing, "index.html")?;
    assert!(!page.contains("/profile/"));
    assert!(
        !names(&existing)
            .iter()
            .any(|name| name.contains("/profile/"))
    );
    Ok(())
}

#[test]
fn adoption_needs_a_service_and_a_sign_in_its_pool() -> Result<()> {
    let mistake = refusal(&[("mysfits:adoption", "true")])?;
    assert!(mistake.contains("mysfits:adoption is 'true', allowed: false, for the published"));
    let mistake = refusal(&[("mysfits:cognitoDomain", "https://mysfits.auth.example")])?;
    for missing in ["cognitoUserPoolId", "cognitoUserPoolClientId"] {
        let expected = format!("mysfits:{missing} is missing, mysfits:cognitoDomain needs it");
        assert!(mistake.contains(&expected), "{mistake}");
    }
    let [pool, client] = POOL;
    let plain = ("mysfits:cognitoDomain", "http://mysfits.auth.example");
    let mistake = refusal(&[pool, client, plain])?;
    assert!(mistake.contains("tokens come from there"), "{mistake}");

    let mut mock = mock()
        .config("mysfits:adoption", "true")
        .config("mysfits:cognitoDomain", "https://mysfits.auth.example")
        .config("mysfits:respectPrivacySignals", "false");
    for (key, value) in [SERVICE, pool, client] {
        mock = mock.config(key, value);
    }
    let run = run(mock)?;
    let settings: Value = serde_json::from_str(&content(&run, "config.json")?)?;
    for (key, value) in [
        ("adoption", json!(true)),
        ("cognitoDomain", json!("https://mysfits.auth.example")),
        ("cognitoUserPoolClientId", json!("1example23456789")),
        ("respectPrivacySignals", json!(false)),
        ("insightsOnSite", Value::Null),
    ] {
        assert_eq!(settings[key], value, "{key}");
    }
    let page = content(&run, "index.html")?;
    assert!(page.contains(" https://mysfits.auth.example https://mysfits.example.com;"));
    Ok(())
}

#[test]
fn insights_are_an_object_whose_content_is_somebody_else_s() -> Result<()> {
    let without = run(mock())?;
    assert!(one(&without, "s3/bucketObjectv2", "mysfits-site/insights.json").is_err());
    let with = run(mock().config("mysfits:insightsOnSite", "true"))?;
    let object = one(&with, "s3/bucketObjectv2", "mysfits-site/insights.json")?;
    assert_eq!(object.options.ignore_changes, ["content"]);
    assert_eq!(object.inputs["content"], r#"{"mysfits":[]}"#);
    Ok(())
}

/// Pages and scripts are of one age; data may be a little older.
#[test]
fn what_is_asked_for_again_at_every_visit() -> Result<()> {
    let run = run(mock())?;
    for object in all(&run, "s3/bucketObjectv2") {
        let key = object.inputs["key"].as_str().context("no key")?;
        let expected = match key.rsplit_once('.').map_or("", |(_, ending)| ending) {
            "html" | "css" | "js" => "no-cache",
            "svg" | "png" => "public, max-age=86400",
            _ => "public, max-age=60, stale-while-revalidate=600",
        };
        assert_eq!(object.inputs["cacheControl"], expected, "{key}");
    }
    Ok(())
}
