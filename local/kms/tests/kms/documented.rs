//! What docs/compatibility/kms.md lists is what there is.

use crate::client::Cloud;
use anyhow::Result;
use cloud_testing::documented::{listed, words};

#[tokio::test]
async fn the_operations_of_kms() -> Result<()> {
    let cloud = Cloud::start().await?;
    let listed = listed("kms.md", "Operations that are done")?;
    let others = ["CreateKey", "DescribeKey", "GenerateDataKey", "ReEncrypt"];
    let all = words(others.into_iter().chain(["Decrypt", "Encrypt"]));
    for action in all.union(&listed) {
        let call = cloud
            .post("/")
            .header("x-amz-target", format!("TrentService.{action}"))
            .service("kms");
        let answer = call.body("{}").send().await?;
        let is_unknown = answer.text().contains("UnknownOperationException");
        assert_eq!(is_unknown, !listed.contains(action), "{action}");
    }
    Ok(())
}
