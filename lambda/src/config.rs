//! The processor's settings: environment variables, read once and refused early.

use std::time::Duration;

use reqwest::Url;

/// The mysfits service: `GET {base}/mysfits/{id}`.
pub const API_URL: &str = "MYSFITS_API_URL";
/// How long a mysfit's attributes are remembered.
pub const CACHE_TTL: &str = "MYSFITS_CACHE_TTL";
/// How long it is remembered that there is no such mysfit, or that it lacks attributes.
pub const NEGATIVE_CACHE_TTL: &str = "MYSFITS_NEGATIVE_CACHE_TTL";

const DEFAULT_CACHE_TTL: Duration = Duration::from_secs(300);
const DEFAULT_NEGATIVE_CACHE_TTL: Duration = Duration::from_secs(30);

#[derive(Debug, PartialEq)]
pub struct Config {
    pub base: BaseUrl,
    pub cache_ttl: Duration,
    pub negative_cache_ttl: Duration,
}

impl Config {
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(|name| std::env::var(name).ok())
    }

    pub fn read(var: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let url = var(API_URL).ok_or(ConfigError::Missing(API_URL))?;
        let ttl = |name, default| match var(name) {
            None => Ok(default),
            Some(text) => duration(&text).ok_or(ConfigError::Duration { name, text }),
        };
        Ok(Self {
            base: BaseUrl::parse(&url)?,
            cache_ttl: ttl(CACHE_TTL, DEFAULT_CACHE_TTL)?,
            negative_cache_ttl: ttl(NEGATIVE_CACHE_TTL, DEFAULT_NEGATIVE_CACHE_TTL)?,
        })
    }
}

#[derive(Debug, PartialEq, thiserror::Error)]
pub enum ConfigError {
    #[error(
        "{0} is not set: give the function the base URL of the mysfits service, for example https://example.org/api"
    )]
    Missing(&'static str),
    #[error(
        "{API_URL} is no base URL of a mysfits service, {text:?}: {problem}; give one like https://example.org/api"
    )]
    Url { text: String, problem: String },
    #[error(
        "{name} is no duration, {text:?}: give a whole number and its unit, one of ms, s, m, h"
    )]
    Duration { name: &'static str, text: String },
}

/// An http or https URL that a path can be appended to; it has no slash at its end.
#[derive(Clone, Debug, PartialEq)]
pub struct BaseUrl(String);

impl BaseUrl {
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let refuse = |problem: &str| ConfigError::Url {
            text: text.to_owned(),
            problem: problem.to_owned(),
        };
        let url = Url::parse(text.trim()).map_err(|error| refuse(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(refuse("its scheme is neither http nor https"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("it has a query or a fragment"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ConfigError::Url {
                text: "(not shown)".to_owned(),
                problem: "it holds a user name or a password".to_owned(),
            });
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let seconds = match unit {
        "ms" => return Some(Duration::from_millis(number)),
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return None,
    };
    number.checked_mul(seconds).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(vars: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::read(|name| {
            let found = vars.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_url_is_enough() -> Result<(), ConfigError> {
        let config = read(&[(API_URL, "http://127.0.0.1:8080")])?;
        assert_eq!(config.base.as_str(), "http://127.0.0.1:8080");
        assert_eq!(config.cache_ttl, Duration::from_secs(300));
        assert_eq!(config.negative_cache_ttl, Duration::from_secs(30));
        Ok(())
    }

    #[test]
    fn the_base_ends_without_a_slash() -> Result<(), ConfigError> {
        for text in [
            "https://a.example/v1",
            "https://a.example/v1/",
            " https://a.example/v1// ",
        ] {
            let config = read(&[(API_URL, text)])?;
            assert_eq!(config.base.as_str(), "https://a.example/v1", "{text}");
        }
        Ok(())
    }

    #[test]
    fn ttls_have_units() -> Result<(), ConfigError> {
        for (text, milliseconds) in [
            ("0s", 0),
            ("250ms", 250),
            ("2s", 2_000),
            ("3m", 180_000),
            ("1h", 3_600_000),
        ] {
            let config = read(&[
                (API_URL, "https://a.example"),
                (CACHE_TTL, text),
                (NEGATIVE_CACHE_TTL, text),
            ])?;
            assert_eq!(config.cache_ttl, Duration::from_millis(milliseconds));
            assert_eq!(
                config.negative_cache_ttl,
                Duration::from_millis(milliseconds)
            );
        }
        Ok(())
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |vars: &[(&str, &str)]| read(vars).err().map(|error| error.to_string());
        assert!(error(&[]).is_some_and(|e| e.contains("MYSFITS_API_URL is not set")));
        for url in [
            "",
            "example.org",
            "/mysfits",
            "ftp://a.example",
            "https://",
            "https://a.example/?x=1",
            "https://a.example/#x",
            "file:///etc/passwd",
        ] {
            let error = error(&[(API_URL, url)]);
            assert!(
                error.is_some_and(|e| e.contains("MYSFITS_API_URL") && e.contains(url)),
                "{url}"
            );
        }
        let secret = error(&[(API_URL, "https://user:secret@a.example")]);
        assert!(secret.is_some_and(|e| !e.contains("secret")));
        for ttl in [
            "",
            "5",
            "s",
            "-1s",
            "1.5s",
            "5 s",
            "5d",
            "99999999999999999999s",
            "18446744073709551615h",
        ] {
            let error = error(&[(API_URL, "https://a.example"), (CACHE_TTL, ttl)]);
            assert!(error.is_some_and(|e| e.contains(CACHE_TTL)), "{ttl}");
        }
    }
}
