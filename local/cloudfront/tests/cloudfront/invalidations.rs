//! Invalidations of a distribution.

use crate::site::Site;
use anyhow::{Result, ensure};
use cloud_testing::client::Answer;

fn batch(reference: &str, quantity: usize, paths: &[&str]) -> String {
    let paths: String = paths
        .iter()
        .map(|path| format!("<Path>{path}</Path>"))
        .collect();
    format!(
        "<InvalidationBatch xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\">\
         <Paths><Quantity>{quantity}</Quantity><Items>{paths}</Items></Paths>\
         <CallerReference>{reference}</CallerReference></InvalidationBatch>"
    )
}

impl Site {
    fn invalidations(&self) -> String {
        let id = &self.distribution.resource.id;
        format!("/2020-05-31/distribution/{id}/invalidation")
    }

    async fn invalidate(&self, body: String) -> Result<Answer> {
        let call = self.cloud.post(&self.invalidations());
        call.service("cloudfront").body(body).send().await
    }
}

#[tokio::test]
async fn an_invalidation_is_complete_at_once_and_found_again() -> Result<()> {
    let site = Site::start().await?;
    let body = batch("one", 2, &["/*", "/<![CDATA[a&b]]>"]);
    let made = site.invalidate(body.clone()).await?.expect(201)?;
    ensure!(made.element("Status")? == "Completed");
    ensure!(
        made.elements("Path") == ["/*", "/a&amp;b"],
        "{}",
        made.text()
    );
    let id = made.element("Id")?;
    ensure!(made.header("location").ends_with(&id));

    let again = site.invalidate(body).await?.expect(201)?;
    ensure!(
        again.element("Id")? == id,
        "the same request made the same one"
    );
    let other = site.invalidate(batch("one", 1, &["/b"])).await?;
    other.refused(400, "InvalidationBatchAlreadyExists")?;

    let second = site
        .invalidate(batch("two", 1, &["/b"]))
        .await?
        .expect(201)?;
    let path = site.invalidations();
    let get = |path: String| site.cloud.get(&path).service("cloudfront").send();
    let found = get(format!("{path}/{id}")).await?.expect(200)?;
    ensure!(found.element("CallerReference")? == "one");
    get(format!("{path}/I0"))
        .await?
        .refused(404, "NoSuchInvalidation")?;

    let page = site
        .cloud
        .get(&path)
        .service("cloudfront")
        .query("MaxItems", 1);
    let page = page.send().await?.expect(200)?;
    ensure!(
        page.elements("Id") == [second.element("Id")?],
        "{}",
        page.text()
    );
    let next = site.cloud.get(&path).service("cloudfront");
    let next = next.query("Marker", page.element("NextMarker")?);
    ensure!(next.send().await?.expect(200)?.elements("Id") == [id]);
    Ok(())
}

#[tokio::test]
async fn what_cloudfront_refuses_is_refused() -> Result<()> {
    let site = Site::start().await?;
    let wildcards: Vec<_> = (0..16).map(|number| format!("/{number}/*")).collect();
    let wildcards: Vec<_> = wildcards.iter().map(String::as_str).collect();
    for (body, status, code) in [
        (String::new(), 400, "MissingBody"),
        ("<Invalid".to_owned(), 400, "InvalidArgument"),
        (batch("r", 2, &["/a"]), 400, "InconsistentQuantities"),
        (batch("r", 0, &[]), 400, "InvalidArgument"),
        (batch("r", 1, &["index.html"]), 400, "InvalidArgument"),
        (batch("r", 1, &["/a*b"]), 400, "InvalidArgument"),
        (batch("", 1, &["/a"]), 400, "InvalidArgument"),
        (batch("r", 16, &wildcards), 413, "BatchTooLarge"),
    ] {
        site.invalidate(body).await?.refused(status, code)?;
    }
    let none = site.cloud.get("/2020-05-31/distribution/E0/invalidation");
    let none = none.service("cloudfront").send().await?;
    none.refused(404, "NoSuchDistribution")
}
