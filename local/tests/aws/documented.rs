//! What the pages under docs/compatibility list is what there is.

use crate::client::Cloud;
use anyhow::Result;
use cloud_iam::condition::{KNOWN_KEYS, operators};
use cloud_testing::documented::{listed, words};
use std::collections::BTreeSet;

#[tokio::test]
async fn the_types_of_each_service() -> Result<()> {
    let cloud = Cloud::start().await?;
    let cloud = cloud.server.cloud();
    let package = &cloud.account.package;
    for service in ["s3", "iam", "cloudfront"] {
        let of_service = package.tokens().filter(|token| {
            let rest = token.strip_prefix("aws:");
            rest.is_some_and(|rest| rest.split('/').next() == Some(service))
        });
        let names = of_service.filter_map(|token| token.rsplit(':').next());
        let page = format!("{service}.md");
        assert_eq!(listed(&page, "Types")?, words(names), "{page}");
    }
    Ok(())
}

#[test]
fn the_operations_of_codecommit() -> Result<()> {
    let done = words(cloud_codecommit::wire::OPERATIONS.iter().copied());
    assert_eq!(listed("codecommit.md", "Operations that are done")?, done);
    Ok(())
}

#[test]
fn the_condition_operators_and_keys_of_iam() -> Result<()> {
    let known: BTreeSet<String> = operators().collect();
    let listed_operators = listed("iam.md", "Condition operators")?;
    let all = listed_operators.iter().flat_map(|name| {
        let if_exists = (name != "Null").then(|| format!("{name}IfExists"));
        [name.clone()].into_iter().chain(if_exists)
    });
    assert_eq!(all.collect::<BTreeSet<_>>(), known);
    assert_eq!(
        listed("iam.md", "Condition keys")?,
        words(KNOWN_KEYS.iter().copied())
    );
    Ok(())
}
