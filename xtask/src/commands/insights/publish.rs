//! `--publish`: what is popular, as an object beside the site's own.

use crate::aws::s3::Objects;
use crate::session::LOCAL;
use crate::stack::{Resource, Stack};
use analytics::answer::Answer;
use analytics::popular;
use anyhow::{Context, Result, bail};
use reqwest::Url;
use serde_json::Value;
use time::OffsetDateTime;

const OBJECT: &str = "aws:s3/bucketObjectv2:BucketObjectv2";

/// The object that the site's pages read. It is a resource of the stack when its site shows
/// insights, so that a destroy deletes it.
const KEY: &str = "insights.json";

/// Says whether a stack's site shows insights.
pub fn check(stack: &Stack) -> Result<()> {
    declared(stack).map(drop)
}

/// Writes an answer for the site, and says where.
pub async fn deliver(
    stack: &Stack,
    answer: &Answer,
    since: OffsetDateTime,
    until: OffsetDateTime,
) -> Result<()> {
    let object = declared(stack)?;
    let bucket = stack.output("siteBucket")?;
    let insights = popular::published(answer, since, until);
    let named = insights["mysfits"].as_array().map_or(0, Vec::len);
    // As it was declared, tags too: otherwise the next update would write the empty object again.
    let header = |property: &str| object.outputs[property].as_str().unwrap_or_default();
    let tags = tagging(&object.outputs["tagsAll"])?;
    let mut headers = vec![
        ("content-type", header("contentType")),
        ("cache-control", header("cacheControl")),
    ];
    if !tags.is_empty() {
        headers.push(("x-amz-tagging", &tags));
    }
    Objects::new(&stack.aws, bucket)?
        .put(KEY, insights.to_string().into_bytes(), &headers)
        .await
        .with_context(|| format!("s3://{bucket}/{KEY} cannot be written"))?;
    println!("s3://{bucket}/{KEY}: {named} mysfits");
    if named == 0 {
        println!(
            "The site shows none: no mysfit had {} clicks in the last {} days.",
            popular::FEWEST_CLICKS,
            popular::SPAN.whole_days()
        );
    }
    Ok(())
}

/// Tags as S3 takes them with an object: like the query of a URL.
fn tagging(tags: &Value) -> Result<String> {
    let mut url = Url::parse("http://tags/")?;
    let tags = tags.as_object().into_iter().flatten();
    url.query_pairs_mut()
        .extend_pairs(tags.map(|(name, value)| (name, value.as_str().unwrap_or_default())));
    Ok(url.query().unwrap_or_default().replace('+', "%20"))
}

fn declared(stack: &Stack) -> Result<&Resource> {
    let object = stack
        .of_type(OBJECT)
        .find(|object| object.outputs["key"] == KEY);
    let Some(object) = object else {
        let name = &stack.name;
        let up = match name.as_str() {
            LOCAL => "cargo xtask up".to_owned(),
            _ => format!("pulumi up -s {name}"),
        };
        bail!(
            "the site of stack {name} shows no insights: run `pulumi config set \
             mysfits:insightsOnSite true -s {name}`, then `{up}`"
        );
    };
    Ok(object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tags_are_a_query() -> Result<()> {
        let tags = json!({ "project": "mysfits", "cost centre": "a&b+c" });
        assert_eq!(tagging(&tags)?, "cost%20centre=a%26b%2Bc&project=mysfits");
        assert_eq!(tagging(&Value::Null)?, "");
        Ok(())
    }
}
