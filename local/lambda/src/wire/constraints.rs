//! What the parameters of Lambda's operations may be: the constraints of its API reference,
//! which are those of botocore's model of the service.

use crate::settings::LATEST;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::tokens;
use serde_json::{Value, json};

const MAX_FUNCTION_NAME: usize = 256;
const MAX_QUALIFIER: usize = 128;

/// <https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html>: a page has 50 at
/// most, whatever is asked for.
const MAX_ITEMS: std::ops::RangeInclusive<u64> = 1..=10_000;
const PAGE: usize = 50;

/// What the list of functions is to its markers.
const FUNCTIONS: &str = "functions";

/// Refuses what is neither a function's name nor its ARN, with or without a version.
pub(super) fn check_function_name(name: &str) -> AwsResult<()> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:$".contains(&byte);
    check_text("functionName", name, MAX_FUNCTION_NAME, allowed)
}

/// Refuses what is neither a version nor an alias.
pub(super) fn check_qualifier(qualifier: &str) -> AwsResult<()> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_$.".contains(&byte);
    check_text("qualifier", qualifier, MAX_QUALIFIER, allowed)
}

/// Refuses what is no kind of log in the answer.
pub(super) fn check_log_type(kind: Option<&str>) -> AwsResult<()> {
    match kind {
        None | Some("None" | "Tail") => Ok(()),
        Some(kind) => Err(invalid(
            kind,
            "logType",
            "Member must satisfy enum value set: [None, Tail]",
        )),
    }
}

/// What of the list of functions is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ListQuery<'a> {
    pub max_items: Option<&'a str>,
    pub marker: Option<&'a str>,
    pub function_version: Option<&'a str>,
}

impl ListQuery<'_> {
    /// A page of the functions' configurations, which are in the order of their ARNs.
    pub(super) fn page(&self, functions: Vec<Value>) -> AwsResult<Value> {
        if let Some(version) = self.function_version
            && version != "ALL"
        {
            let constraint = "Member must satisfy enum value set: [ALL]";
            return Err(invalid(version, "functionVersion", constraint));
        }
        let limit = match self.max_items {
            None => PAGE,
            Some(text) => max_items(text)?.min(PAGE),
        };
        let after = self.marker.map(|marker| {
            tokens::place(FUNCTIONS, marker).ok_or_else(|| {
                AwsError::new(
                    400,
                    "InvalidParameterValueException",
                    "Invalid marker: it is of no answer of this cloud",
                )
            })
        });
        let after = after.transpose()?.unwrap_or_default();
        let arn = |function: &Value| function["FunctionArn"].as_str().map(str::to_owned);
        let mut rest: Vec<Value> = functions
            .into_iter()
            .filter(|function| arn(function).is_some_and(|arn| arn > after))
            .collect();
        let is_last = rest.len() <= limit;
        rest.truncate(limit);
        let last = rest.last().and_then(arn).filter(|_| !is_last);
        let mut page = json!({ "Functions": rest });
        if let Some(last) = last {
            page["NextMarker"] = tokens::token(FUNCTIONS, &last).into();
        }
        Ok(page)
    }
}

fn max_items(text: &str) -> AwsResult<usize> {
    let (least, most) = (MAX_ITEMS.start(), MAX_ITEMS.end());
    let constraint = match text.parse::<i128>() {
        Ok(number) if number > i128::from(*most) => {
            format!("Member must have value less than or equal to {most}")
        }
        Ok(number) if number >= i128::from(*least) => {
            return usize::try_from(number).map_err(AwsError::internal);
        }
        Ok(_) => format!("Member must have value greater than or equal to {least}"),
        Err(_) => "Member must be a whole number".to_owned(),
    };
    Err(invalid(text, "maxItems", &constraint))
}

fn check_text(
    parameter: &str,
    text: &str,
    longest: usize,
    allowed: impl Fn(u8) -> bool,
) -> AwsResult<()> {
    if text.is_empty() {
        let constraint = "Member must have length greater than or equal to 1";
        return Err(invalid(text, parameter, constraint));
    }
    if text.chars().count() > longest {
        let constraint = format!("Member must have length less than or equal to {longest}");
        return Err(invalid(text, parameter, &constraint));
    }
    match text.bytes().all(allowed) {
        true => Ok(()),
        false => {
            let constraint = format!(
                "Member must satisfy regular expression pattern: letters, digits and the signs \
                 of names, ARNs and {LATEST}"
            );
            Err(invalid(text, parameter, &constraint))
        }
    }
}

/// As Lambda was seen to say it: <https://github.com/awslabs/aws-gov-cloud-import/issues/33>.
fn invalid(value: &str, parameter: &str, constraint: &str) -> AwsError {
    AwsError::new(
        400,
        "ValidationException",
        format!(
            "1 validation error detected: Value '{value}' at '{parameter}' failed to satisfy \
             constraint: {constraint}"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_listed_page_by_page() -> AwsResult<()> {
        let all = || -> Vec<Value> {
            let arns = (0..120).map(|number| format!("arn:{number:03}"));
            arns.map(|arn| json!({ "FunctionArn": arn })).collect()
        };
        for (asked, sizes) in [
            (None, vec![50, 50, 20]),
            (Some("1000"), vec![50, 50, 20]),
            (Some("60"), vec![50, 50, 20]),
            (Some("40"), vec![40, 40, 40]),
        ] {
            let mut marker: Option<String> = None;
            let mut found = Vec::new();
            let mut lengths = Vec::new();
            loop {
                let query = ListQuery {
                    max_items: asked,
                    marker: marker.as_deref(),
                    ..ListQuery::default()
                };
                let page = query.page(all())?;
                let functions = page["Functions"].as_array().cloned().unwrap_or_default();
                lengths.push(functions.len());
                found.extend(functions);
                match page["NextMarker"].as_str() {
                    Some(next) => marker = Some(next.to_owned()),
                    None => break,
                }
            }
            assert_eq!(lengths, sizes, "{asked:?}");
            assert_eq!(found, all());
        }
        Ok(())
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let refused = |query: ListQuery<'_>| query.page(Vec::new()).err().map(|e| e.code);
        for number in ["0", "-1", "10001", "x", ""] {
            let query = ListQuery {
                max_items: Some(number),
                ..ListQuery::default()
            };
            assert_eq!(refused(query).as_deref(), Some("ValidationException"));
        }
        for marker in ["", "arn:001", "YXJuOjAwMQ=="] {
            let query = ListQuery {
                marker: Some(marker),
                ..ListQuery::default()
            };
            let code = refused(query);
            assert_eq!(code.as_deref(), Some("InvalidParameterValueException"));
        }
        for name in ["", "a b", "é", "a/b", &"a".repeat(257)] {
            assert!(check_function_name(name).is_err(), "{name}");
        }
        let arn = "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST";
        assert!(check_function_name(arn).is_ok());
        assert!(check_qualifier("$LATEST").is_ok() && check_qualifier("").is_err());
        assert!(check_log_type(Some("Head")).is_err() && check_log_type(None).is_ok());
    }
}
