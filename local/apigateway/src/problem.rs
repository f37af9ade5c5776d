//! What is wrong with a declaration, or not supported, property by property.

use std::fmt;

/// One thing that keeps a declaration from being deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The property, such as `requestTemplates["application/json"]`.
    pub property: String,
    /// What is wrong with it and what is allowed.
    pub reason: String,
}

impl Problem {
    pub(crate) fn new(property: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            property: property.into(),
            reason: reason.into(),
        }
    }

    /// A feature of API Gateway that the embedded cloud does not have.
    pub(crate) fn unsupported(property: impl Into<String>, what: impl fmt::Display) -> Self {
        Self::new(
            property,
            format!("the embedded cloud does not support {what}"),
        )
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.property, self.reason)
    }
}

/// Problems, as they are found. With any of them there is no result.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    pub(crate) fn add(&mut self, property: impl Into<String>, reason: impl Into<String>) {
        self.0.push(Problem::new(property, reason));
    }

    /// Notes a feature of API Gateway that is not supported, when it is asked for.
    pub(crate) fn unsupported(&mut self, asked: bool, property: &str, what: impl fmt::Display) {
        if asked {
            self.0.push(Problem::unsupported(property, what));
        }
    }

    /// The value, or its problem under a property's name.
    pub(crate) fn check<T>(
        &mut self,
        property: &str,
        result: Result<T, impl fmt::Display>,
    ) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.add(property, error.to_string());
                None
            }
        }
    }

    /// The value when there was no problem.
    pub(crate) fn none<T>(self, value: T) -> Result<T, Vec<Problem>> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(self.0)
        }
    }
}
