//! Keys of an AWS account: from the environment or a profile, as the AWS CLI finds them.

use crate::variables::{ACCESS_KEY, SECRET_KEY};
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;

/// What leads to keys by way of another service, and has the AWS CLI to do it.
const INDIRECT: [&str; 5] = [
    "sso_session",
    "sso_start_url",
    "role_arn",
    "credential_process",
    "login_session",
];

const EXPORT: &str = "run `eval \"$(aws configure export-credentials --format env)\"` first";

#[derive(Clone)]
pub struct Credentials {
    access_key: String,
    secret_key: String,
    token: Option<String>,
}

/// Without the secrets.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Credentials")
            .field("access_key", &self.access_key)
            .finish_non_exhaustive()
    }
}

impl Credentials {
    /// The only ones that the embedded cloud knows.
    pub fn embedded() -> Self {
        Self {
            access_key: ACCESS_KEY.to_owned(),
            secret_key: SECRET_KEY.to_owned(),
            token: None,
        }
    }

    /// Those of the environment, or of the profile that `AWS_PROFILE` names.
    pub fn find() -> Result<Self> {
        if let (Some(access_key), Some(secret_key)) = (
            variable("AWS_ACCESS_KEY_ID"),
            variable("AWS_SECRET_ACCESS_KEY"),
        ) {
            return Ok(Self {
                access_key,
                secret_key,
                token: variable("AWS_SESSION_TOKEN"),
            });
        }
        let profile = variable("AWS_PROFILE").unwrap_or_else(|| "default".to_owned());
        let credentials = read("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials")?;
        let config = read("AWS_CONFIG_FILE", ".aws/config")?;
        Self::of_profile(&profile, &credentials, &config)
    }

    /// The keys that a profile has in the texts of the two files.
    fn of_profile(profile: &str, credentials: &str, config: &str) -> Result<Self> {
        let in_config = match profile {
            "default" => vec!["default".to_owned(), "profile default".to_owned()],
            profile => vec![format!("profile {profile}")],
        };
        let mut settings = BTreeMap::new();
        for name in &in_config {
            settings.extend(section(config, name));
        }
        settings.extend(section(credentials, profile));
        if let (Some(access_key), Some(secret_key)) = (
            settings.get("aws_access_key_id"),
            settings.get("aws_secret_access_key"),
        ) {
            return Ok(Self {
                access_key: (*access_key).to_owned(),
                secret_key: (*secret_key).to_owned(),
                token: settings
                    .get("aws_session_token")
                    .map(|&token| token.to_owned()),
            });
        }
        match INDIRECT.iter().find(|name| settings.contains_key(**name)) {
            Some(name) => bail!("profile {profile} has {name} in place of keys: {EXPORT}"),
            None => bail!(
                "there are no AWS credentials: neither AWS_ACCESS_KEY_ID and \
                 AWS_SECRET_ACCESS_KEY are set, nor has profile {profile} keys; {EXPORT}"
            ),
        }
    }

    /// For signatures of services other than S3.
    pub fn identity(&self) -> aws_credential_types::Credentials {
        aws_credential_types::Credentials::new(
            &self.access_key,
            &self.secret_key,
            self.token.clone(),
            None,
            "mysfits",
        )
    }

    /// For S3's.
    pub fn s3(&self) -> rusty_s3::Credentials {
        match &self.token {
            Some(token) => {
                rusty_s3::Credentials::new_with_token(&self.access_key, &self.secret_key, token)
            }
            None => rusty_s3::Credentials::new(&self.access_key, &self.secret_key),
        }
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn read(name: &str, default: &str) -> Result<String> {
    let path = match std::env::var_os(name).filter(|path| !path.is_empty()) {
        Some(path) => PathBuf::from(path),
        None => match std::env::home_dir() {
            Some(home) => home.join(default),
            None => return Ok(String::new()),
        },
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

/// The settings in a section. Lines that are indented belong to a setting of their own before
/// them, which no key is.
fn section<'a>(text: &'a str, name: &str) -> BTreeMap<&'a str, &'a str> {
    let mut settings = BTreeMap::new();
    let mut inside = false;
    for line in text.lines() {
        if let Some(header) = line.strip_prefix('[') {
            let header = header.split(']').next().unwrap_or_default();
            inside = header.split_whitespace().eq(name.split_whitespace());
        } else if inside
            && !line.starts_with(char::is_whitespace)
            && let Some((key, value)) = line.split_once('=')
            && !line.starts_with(['#', ';'])
        {
            settings.insert(key.trim(), value.trim());
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREDENTIALS: &str = "\
[default]
aws_access_key_id = A1
aws_secret_access_key=S/1+=
; a comment
[other]
aws_access_key_id = A2
aws_secret_access_key = S2
aws_session_token = T2
";
    const CONFIG: &str = "\
[default]
region = eu-central-1
[profile work]
sso_session = corp
s3 =
  max_concurrent_requests = 20
[profile  plain]
aws_access_key_id = A3
#aws_access_key_id = A4
aws_secret_access_key = S3
[sso-session corp]
sso_region = us-east-1
";

    fn keys(profile: &str) -> String {
        match Credentials::of_profile(profile, CREDENTIALS, CONFIG) {
            Ok(found) => format!(
                "{} {} {:?}",
                found.access_key, found.secret_key, found.token
            ),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn keys_come_from_the_profile_in_either_file() {
        assert_eq!(keys("default"), "A1 S/1+= None");
        assert_eq!(keys("other"), "A2 S2 Some(\"T2\")");
        assert_eq!(keys("plain"), "A3 S3 None");
    }

    #[test]
    fn a_profile_without_keys_says_what_to_do() {
        let indirect = keys("work");
        assert!(indirect.contains("sso_session"), "{indirect}");
        assert!(indirect.contains("export-credentials"), "{indirect}");
        let absent = keys("absent");
        assert!(absent.contains("nor has profile absent keys"), "{absent}");
    }
}
