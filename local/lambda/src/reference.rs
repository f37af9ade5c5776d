//! A function as a caller names it.

use crate::settings::FunctionSettings;

/// What a name, or an ARN with or without version, says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    pub region: Option<String>,
    pub name: String,
    pub qualifier: Option<String>,
}

impl Reference {
    /// Parses `NAME`, `NAME:QUALIFIER`, `ACCOUNT:function:NAME` or an ARN (API reference,
    /// `Invoke`).
    pub(crate) fn parse(text: &str) -> Self {
        let parts: Vec<_> = text.split(':').collect();
        let (region, rest) = match parts.as_slice() {
            ["arn", _, "lambda", region, _account, "function", rest @ ..] => {
                (Some((*region).to_owned()), rest)
            }
            [_account, "function", rest @ ..] => (None, rest),
            rest => (None, rest),
        };
        Self {
            region,
            name: rest.first().copied().unwrap_or_default().to_owned(),
            qualifier: rest.get(1).map(|&qualifier| qualifier.to_owned()),
        }
    }

    /// The ARN that IAM decides about and that the function sees: with a version when the
    /// caller gave one.
    pub(crate) fn arn(&self, settings: &FunctionSettings) -> String {
        match &self.qualifier {
            None => settings.arn.clone(),
            Some(qualifier) => format!("{}:{qualifier}", settings.arn),
        }
    }
}
