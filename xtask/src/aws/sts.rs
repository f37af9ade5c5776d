//! Whose credentials these are: STS, in AWS's query protocol.

use super::Aws;
use anyhow::{Context, Result, bail};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use std::time::SystemTime;

const FORM: &str = "Action=GetCallerIdentity&Version=2011-06-15";

impl Aws {
    /// The id of the account that the credentials are of.
    pub async fn account(&self) -> Result<String> {
        let url = self
            .endpoint("STS")
            .unwrap_or_else(|| format!("https://sts.{}.{}", self.region, self.domain()));
        let url = format!("{}/", url.trim_end_matches('/'));
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let identity = self.credentials.identity().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("sts")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let body = SignableBody::Bytes(FORM.as_bytes());
        let signable = SignableRequest::new("POST", &url, headers.into_iter(), body)?;
        let (signature, _) = sign(signable, &parameters)?.into_parts();
        let mut request = self.client.post(&url).body(FORM);
        for (name, value) in headers.into_iter().chain(signature.headers()) {
            request = request.header(name, value);
        }
        let answer = request
            .send()
            .await
            .with_context(|| format!("{url} cannot be reached"))?;
        let status = answer.status();
        let text = answer.text().await.unwrap_or_default();
        if !status.is_success() {
            bail!(
                "AWS does not say whose credentials these are: {status} {}",
                text.trim()
            );
        }
        let account = text
            .split_once("<Account>")
            .and_then(|(_, rest)| rest.split_once('<'));
        match account {
            Some((account, _)) => Ok(account.trim().to_owned()),
            None => bail!("AWS's answer has no account: {}", text.trim()),
        }
    }
}
