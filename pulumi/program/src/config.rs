//! The configuration of a stack, as text, with what is secret marked.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use pulumi_gestalt_rust::Output;

/// The configuration of the stack, of all namespaces.
///
/// A key without a colon is the project's own: in project `shop`, `currency` is `shop:currency`.
#[derive(Debug, Clone)]
pub struct Config {
    project: String,
    values: BTreeMap<String, ConfigValue>,
}

/// One value: text, or JSON where the stack file has a list or a map.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigValue {
    pub text: String,
    pub secret: bool,
}

impl Config {
    pub(crate) fn new(
        project: &str,
        values: BTreeMap<String, String>,
        secrets: &BTreeSet<String>,
    ) -> Self {
        let values = values
            .into_iter()
            .map(|(key, text)| {
                let secret = secrets.contains(&key);
                (key, ConfigValue { text, secret })
            })
            .collect();
        Self {
            project: project.to_owned(),
            values,
        }
    }

    pub fn get(&self, key: &str) -> Option<&ConfigValue> {
        self.values.get(&self.full_key(key))
    }

    /// # Errors
    /// Names the key, and the command that sets it.
    pub fn require(&self, key: &str) -> Result<&ConfigValue> {
        self.get(key).with_context(|| {
            let key = self.full_key(key);
            format!("config {key} is missing: set it with `pulumi config set {key} VALUE`")
        })
    }

    /// The keys of a namespace, without it, and their values.
    pub fn namespace<'a>(
        &'a self,
        namespace: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a ConfigValue)> {
        self.values.iter().filter_map(move |(key, value)| {
            let key = key.strip_prefix(namespace)?.strip_prefix(':')?;
            Some((key, value))
        })
    }

    /// The project's own keys, without its name, and their values.
    pub fn own(&self) -> impl Iterator<Item = (&str, &ConfigValue)> {
        self.namespace(&self.project)
    }

    fn full_key(&self, key: &str) -> String {
        if key.contains(':') {
            key.to_owned()
        } else {
            format!("{}:{key}", self.project)
        }
    }
}

impl ConfigValue {
    /// The value for a resource's input; a secret stays one.
    pub fn output(&self) -> Output<String> {
        if self.secret {
            Output::new_secret(self.text.clone())
        } else {
            Output::new(self.text.clone())
        }
    }
}

impl std::fmt::Debug for ConfigValue {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = if self.secret { "[secret]" } else { &self.text };
        formatter.write_str(text)
    }
}
