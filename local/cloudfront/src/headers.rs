//! Response headers policies: what is removed from an origin's answer, and what is added.
//!
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-response-headers-policies.html>

use http::{HeaderMap, HeaderName, HeaderValue};

/// What a policy does with the headers of an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct HeadersPolicy {
    /// Of the origin's.
    pub removed: Vec<HeaderName>,
    pub added: Vec<Added>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Added {
    pub name: HeaderName,
    pub value: HeaderValue,
    /// Whether it takes the place of the origin's.
    pub overrides: bool,
}

impl HeadersPolicy {
    /// Changes the headers of an answer.
    pub(crate) fn apply(&self, headers: &mut HeaderMap) {
        for name in &self.removed {
            headers.remove(name);
        }
        for Added {
            name,
            value,
            overrides,
        } in &self.added
        {
            if *overrides || !headers.contains_key(name) {
                headers.insert(name, value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origins_headers_stay_unless_overridden() -> Result<(), http::Error> {
        let added = |name: &'static str, value: &'static str, overrides| Added {
            name: HeaderName::from_static(name),
            value: HeaderValue::from_static(value),
            overrides,
        };
        let policy = HeadersPolicy {
            removed: vec![HeaderName::from_static("server")],
            added: vec![
                added("x-new", "policy", false),
                added("x-kept", "policy", false),
                added("x-replaced", "policy", true),
            ],
        };
        let mut headers = HeaderMap::new();
        for name in ["server", "x-kept", "x-replaced"] {
            headers.insert(name, HeaderValue::from_static("origin"));
        }
        policy.apply(&mut headers);
        assert_eq!(headers.get("server"), None);
        for (name, value) in [
            ("x-new", "policy"),
            ("x-kept", "origin"),
            ("x-replaced", "policy"),
        ] {
            assert_eq!(headers[name], value, "{name}");
        }
        Ok(())
    }
}
