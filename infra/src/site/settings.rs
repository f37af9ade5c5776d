//! What the site must know of its deployment: `config.json`.

use pulumi_program::{Output, Urn, all};
use serde_json::json;

use crate::scope::Scope;

/// The services that the site's pages use.
pub struct SiteSettings<'a> {
    /// Base URL of the mysfits service.
    pub mysfits_api: &'a Output<String>,
    /// The URL that takes a click.
    pub clicks_endpoint: &'a Output<String>,
    /// The URN of what makes the API that takes clicks live.
    pub api_live: &'a Urn,
}

impl SiteSettings<'_> {
    /// The content of `config.json`.
    pub fn json(&self, scope: &Scope<'_>) -> Output<String> {
        let site = scope.config.site.clone();
        all((self.mysfits_api, self.clicks_endpoint, &scope.region)).map(
            move |(mysfits_api, clicks_endpoint, region)| {
                let text = |value: &Option<String>| value.clone().unwrap_or_default();
                let mut settings = json!({
                    "mysfitsApiEndpoint": mysfits_api,
                    "streamingApiEndpoint": clicks_endpoint,
                    "cognitoUserPoolId": text(&site.cognito_user_pool_id),
                    "cognitoUserPoolClientId": text(&site.cognito_user_pool_client_id),
                    "cognitoDomain": text(&site.cognito_domain),
                    "awsRegion": region,
                });
                // What is as it is by default is not mentioned.
                for (key, value, by_default) in [
                    ("adoption", site.adoption, false),
                    ("insightsOnSite", site.insights, false),
                    ("respectPrivacySignals", site.respect_privacy_signals, true),
                ] {
                    if value != by_default {
                        settings[key] = json!(value);
                    }
                }
                settings.to_string()
            },
        )
    }

    /// The URLs of all services that pages connect to.
    pub fn services(&self, scope: &Scope<'_>) -> Output<Vec<String>> {
        let sign_in = scope.config.site.cognito_domain.clone();
        all((self.clicks_endpoint, self.mysfits_api)).map(move |(clicks, mysfits)| {
            [clicks, mysfits]
                .into_iter()
                .chain(sign_in.clone())
                .collect()
        })
    }
}
