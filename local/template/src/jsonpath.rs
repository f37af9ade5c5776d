//! The part of JSONPath that templates and mappings may use: `$`, `.name`, `['name']`, `[i]`.

use crate::json::Json;

/// A path to one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPath {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    Element(usize),
}

impl JsonPath {
    /// Reads a path, or says what of it is not supported.
    pub fn parse(text: &str) -> Result<Self, String> {
        let refuse = |what: &str| {
            Err(format!(
                "the JSONPath {text} has {what}; supported are $, .name, ['name'] and [index]"
            ))
        };
        let Some(mut rest) = text.trim().strip_prefix('$') else {
            return refuse("no $ at its start");
        };
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('.') {
                let end = after.find(['.', '[']).unwrap_or(after.len());
                let (name, after) = after.split_at(end);
                if name.is_empty() {
                    return refuse("a step without a name");
                }
                if name.contains(|c: char| c.is_whitespace() || "*()@?,:'\"]".contains(c)) {
                    return refuse(&format!("the step {name}"));
                }
                steps.push(Step::Member(name.to_owned()));
                rest = after;
            } else if let Some(after) = rest.strip_prefix('[') {
                let (step, after) = match bracket(after) {
                    Some(found) => found,
                    None => return refuse(&format!("the step [{after}")),
                };
                steps.push(step);
                rest = after;
            } else {
                return refuse(&format!("{rest} after a step"));
            }
        }
        Ok(Self { steps })
    }

    /// The value at the path.
    pub fn find<'a>(&self, json: &'a Json) -> Option<&'a Json> {
        self.steps.iter().try_fold(json, |value, step| match step {
            Step::Member(name) => value.member(name),
            Step::Element(index) => value.element(*index),
        })
    }
}

/// The step in brackets whose opening one is gone, and what follows it.
fn bracket(text: &str) -> Option<(Step, &str)> {
    for quote in ['\'', '"'] {
        if let Some(quoted) = text.strip_prefix(quote) {
            let (name, after) = quoted.split_once(quote)?;
            if name.contains('\\') {
                return None;
            }
            return Some((Step::Member(name.to_owned()), after.strip_prefix(']')?));
        }
    }
    let (index, after) = text.split_once(']')?;
    Some((Step::Element(index.trim().parse().ok()?), after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::{Result, anyhow};

    #[test]
    fn paths_find_what_they_name() -> Result<()> {
        let json = Json::parse(r#"{"a":{"b c":[10,{"d":"x"}],"e-f":null}}"#)?;
        for (path, found) in [
            ("$", Some(r#"{"a":{"b c":[10,{"d":"x"}],"e-f":null}}"#)),
            ("$.a['b c'][0]", Some("10")),
            ("$['a'][\"b c\"][1].d", Some("\"x\"")),
            ("$.a.e-f", Some("null")),
            ("$.a.b", None),
            ("$.a[0]", None),
            ("$.a['b c'][2]", None),
        ] {
            let path_found = JsonPath::parse(path).map_err(|error| anyhow!(error))?;
            assert_eq!(
                path_found.find(&json).map(Json::to_string).as_deref(),
                found,
                "{path}"
            );
        }
        Ok(())
    }

    #[test]
    fn what_is_not_supported_is_named() {
        for path in [
            "",
            "a",
            "$..a",
            "$.*",
            "$.a[*]",
            "$.a[?(@.b)]",
            "$.a[0:2]",
            "$.a[-1]",
            "$.a.length()",
            "$a",
            "$.a[",
            "$.a['b",
            "$.",
            "$['a\\'b']",
        ] {
            assert!(JsonPath::parse(path).is_err(), "{path}");
        }
    }
}
