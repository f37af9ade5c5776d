//! What the site must know of its deployment: `config.json`, and what its pages may connect to.

use anyhow::Result;
use http::Uri;
use pulumi_program::{Output, Urn, all};
use serde_json::json;

use crate::scope::Scope;

/// The services that the site's pages use.
pub struct Settings<'a> {
    /// Base URL of the mysfits service.
    pub mysfits_api: &'a Output<String>,
    /// The URL that takes a click.
    pub clicks_endpoint: &'a Output<String>,
    /// The URN of what makes the API that takes clicks live.
    pub api_live: &'a Urn,
}

impl Settings<'_> {
    /// The content of `config.json`.
    pub fn json(&self, scope: &Scope<'_>) -> Output<String> {
        let site = scope.config.site.clone();
        all((self.mysfits_api, self.clicks_endpoint, &scope.region)).map(
            move |(mysfits_api, clicks_endpoint, region)| {
                json!({
                    "mysfitsApiEndpoint": mysfits_api,
                    "streamingApiEndpoint": clicks_endpoint,
                    "cognitoUserPoolId": site.cognito_user_pool_id.as_deref().unwrap_or_default(),
                    "cognitoUserPoolClientId":
                        site.cognito_user_pool_client_id.as_deref().unwrap_or_default(),
                    "awsRegion": region,
                })
                .to_string()
            },
        )
    }
}

/// What a page's content security policy says before the deployment is known.
const OWN_ORIGIN_ALONE: &str = "connect-src 'self'";

/// Whether a page says what it may connect to.
pub fn connects(html: &str) -> bool {
    html.contains(OWN_ORIGIN_ALONE)
}

/// Lets a page connect to `services`, URLs of which the origin counts.
pub fn admit(html: &str, services: &[String]) -> String {
    let mut origins: Vec<String> = services.iter().filter_map(|url| origin(url).ok()).collect();
    origins.sort();
    origins.dedup();
    let admitted = format!("{OWN_ORIGIN_ALONE} {}", origins.join(" "));
    html.replacen(OWN_ORIGIN_ALONE, &admitted, 1)
}

fn origin(url: &str) -> Result<String> {
    let parts = url.parse::<Uri>()?.into_parts();
    let scheme = parts.scheme.map(|scheme| scheme.to_string());
    let authority = parts.authority.map(|authority| authority.to_string());
    Ok(format!(
        "{}://{}",
        scheme.unwrap_or_default(),
        authority.unwrap_or_default()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_may_connect_to_the_services_and_nothing_else() {
        let page = "<meta content=\"default-src 'none'; connect-src 'self'; base-uri 'none'\">";
        let services = [
            "https://id.execute-api.us-east-1.amazonaws.com/prod/clicks".to_owned(),
            "https://d1.cloudfront.net".to_owned(),
        ];
        assert_eq!(
            admit(page, &services),
            "<meta content=\"default-src 'none'; connect-src 'self' https://d1.cloudfront.net \
             https://id.execute-api.us-east-1.amazonaws.com; base-uri 'none'\">"
        );
    }

    #[test]
    fn the_site_s_page_has_the_policy_that_is_filled_in() -> Result<()> {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../web/index.html");
        let html = std::fs::read_to_string(page)?;
        assert_eq!(html.matches(OWN_ORIGIN_ALONE).count(), 1);
        Ok(())
    }
}
