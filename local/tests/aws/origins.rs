//! What a distribution shows of its bucket.

use crate::client::http;
use crate::cloudfront::Site;
use anyhow::Result;
use http::Method;

#[tokio::test]
async fn a_distribution_compares_as_its_bucket_does() -> Result<()> {
    let site = Site::start().await?;
    site.open(true).await?;
    let path = "/a%20b/%C3%A9.txt";
    let whole = site.get(path).await?.expect(200)?;
    let (etag, date) = (whole.header("etag"), whole.header("last-modified"));
    let weak = format!("\"x\", W/{etag}");
    for (headers, status) in [
        (vec![("if-none-match", weak.as_str())], 304),
        (vec![("if-match", weak.as_str())], 412),
        (
            vec![("if-unmodified-since", "Sun Nov  6 08:49:37 1994")],
            412,
        ),
        (
            vec![("if-modified-since", "Sunday, 06-Nov-94 08:49:37 GMT")],
            200,
        ),
        (vec![("range", "bytes=2-4"), ("if-range", etag)], 206),
        (vec![("range", "bytes=2-4"), ("if-range", date)], 206),
        (vec![("range", "bytes=2-4"), ("if-range", "\"x\"")], 200),
        (vec![("range", "bytes=0-1,3-4")], 200),
    ] {
        let got = site.send(Method::GET, path, &headers).await?;
        assert_eq!(got.status, status, "{headers:?}");
        if status == 200 {
            assert_eq!(got.body, whole.body, "{headers:?}");
        }
    }
    // A plus is a space, as in the bucket; a broken escape is refused.
    site.get("/a+b/%C3%A9.txt").await?.expect(200)?;
    let address = site.domain().to_owned();
    let wrong = http().get(format!("http://{address}/%+4x")).send().await?;
    assert_eq!(wrong.status(), 400);
    Ok(())
}

#[tokio::test]
async fn metadata_beyond_ascii_is_encoded_in_every_answer() -> Result<()> {
    let site = Site::start().await?;
    site.open(true).await?;
    let encoded = "=?UTF-8?B?w6nwn5iA?=";
    let put = site
        .cloud
        .put("/bucket/o")
        .header("x-amz-meta-name", encoded);
    put.body("x").send().await?.expect(200)?;
    let url = site.cloud.put("/bucket/p").query("x-amz-meta-name", "é😀");
    let put = http().put(url.presigned(60)?).body("x").send().await?;
    assert_eq!(put.status(), 200);
    for key in ["o", "p"] {
        let got = site.cloud.get(&format!("/bucket/{key}")).send().await?;
        assert_eq!(got.header("x-amz-meta-name"), encoded, "{key}");
        let got = site.get(&format!("/{key}")).await?;
        assert_eq!(got.header("x-amz-meta-name"), encoded, "{key}");
    }
    Ok(())
}
