//! Requests that depend on what is there, in every form of a condition.

use crate::client::Cloud;
use anyhow::Result;
use reqwest::Method;

/// A bucket with `/bucket/o`, and the object's entity tag and date.
async fn start() -> Result<(Cloud, String, String)> {
    let cloud = Cloud::with_bucket().await?;
    let put = cloud.put("/bucket/o").body("0123456789");
    put.send().await?.expect(200)?;
    let head = cloud.head("/bucket/o").send().await?.expect(200)?;
    let (etag, date) = (head.header("etag"), head.header("last-modified"));
    let (etag, date) = (etag.to_owned(), date.to_owned());
    Ok((cloud, etag, date))
}

#[tokio::test]
async fn reads_compare_with_lists_and_weak_and_bare_tags() -> Result<()> {
    let (cloud, etag, _) = start().await?;
    let bare = etag.trim_matches('"');
    for (name, value, status) in [
        ("if-none-match", format!("\"x\", {etag}"), 304),
        ("if-none-match", format!("\"x\",W/{etag}"), 304),
        ("if-none-match", bare.to_owned(), 304),
        ("if-none-match", "*".to_owned(), 304),
        ("if-none-match", "\"x\", \"y\"".to_owned(), 200),
        ("if-match", format!("\"x\", {etag}"), 200),
        ("if-match", bare.to_owned(), 200),
        ("if-match", "*".to_owned(), 200),
        ("if-match", format!("W/{etag}"), 412),
        ("if-match", "\"x\", \"y\"".to_owned(), 412),
        // What is nothing counts as absent.
        ("if-match", String::new(), 200),
    ] {
        for method in [Method::GET, Method::HEAD] {
            let call = cloud.call(method, "/bucket/o").header(name, &value);
            let answer = call.send().await?;
            assert_eq!(answer.status, status, "{name}: {value}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn dates_are_read_in_their_three_forms() -> Result<()> {
    let (cloud, _, _) = start().await?;
    for (name, value, status) in [
        ("if-unmodified-since", "Sun, 06 Nov 1994 08:49:37 GMT", 412),
        ("if-unmodified-since", "Sunday, 06-Nov-94 08:49:37 GMT", 412),
        ("if-unmodified-since", "Sun Nov  6 08:49:37 1994", 412),
        ("if-modified-since", "Sun Nov  6 08:49:37 1994", 200),
        ("if-modified-since", "Sunday, 06-Nov-94 08:49:37 GMT", 200),
        ("if-modified-since", "Fri, 06 Nov 2093 08:49:37 GMT", 304),
        ("if-modified-since", "yesterday", 200),
        ("if-unmodified-since", "1994-11-06T08:49:37Z", 200),
    ] {
        let call = cloud.get("/bucket/o").header(name, value);
        let answer = call.send().await?;
        assert_eq!(answer.status, status, "{name}: {value}");
        let copy = cloud
            .put("/bucket/copy")
            .header("x-amz-copy-source", "/bucket/o")
            .header(&format!("x-amz-copy-source-{name}"), value);
        let expected = if status == 304 { 412 } else { status };
        let answer = copy.send().await?;
        assert_eq!(answer.status, expected, "copy {name}: {value}");
    }
    Ok(())
}

#[tokio::test]
async fn a_copy_depends_on_its_source_and_its_target() -> Result<()> {
    let (cloud, etag, _) = start().await?;
    let copy = |key: &str| {
        let call = cloud.put(&format!("/bucket/{key}"));
        call.header("x-amz-copy-source", "/bucket/o")
    };
    let first = copy("c").header("if-none-match", "*");
    first.send().await?.expect(200)?;
    let again = copy("c").header("if-none-match", "*");
    again.send().await?.refused(412, "PreconditionFailed")?;
    let wrong = copy("c").header("if-match", "\"x\"");
    wrong.send().await?.refused(412, "PreconditionFailed")?;
    copy("c")
        .header("if-match", &etag)
        .send()
        .await?
        .expect(200)?;
    let missing = copy("d").header("if-match", &etag);
    missing.send().await?.refused(404, "NoSuchKey")?;
    let changed = copy("d").header("x-amz-copy-source-if-none-match", format!("\"x\", {etag}"));
    changed.send().await?.refused(412, "PreconditionFailed")?;

    let begun = cloud.post("/bucket/p").query("uploads", "").send().await?;
    let id = begun.element("UploadId")?;
    let part = || {
        let call = cloud.put("/bucket/p").query("partNumber", 1);
        let call = call.query("uploadId", &id);
        call.header("x-amz-copy-source", "/bucket/o")
    };
    let wrong = part().header("x-amz-copy-source-if-match", "\"x\"");
    wrong.send().await?.refused(412, "PreconditionFailed")?;
    let right = part().header("x-amz-copy-source-if-match", format!("\"x\", {etag}"));
    right.send().await?.expect(200)?;
    Ok(())
}

#[tokio::test]
async fn writes_take_one_tag_or_must_be_new() -> Result<()> {
    let (cloud, etag, _) = start().await?;
    let bare = etag.trim_matches('"');
    let begun = cloud.post("/bucket/o").query("uploads", "").send().await?;
    let id = begun.element("UploadId")?;
    let part = cloud.put("/bucket/o").query("partNumber", 1);
    let part = part.query("uploadId", &id).body("x").send().await?;
    let part = part.expect(200)?.header("etag").to_owned();
    let complete = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{part}</ETag></Part>\
         </CompleteMultipartUpload>"
    );
    for (headers, status, code) in [
        (vec![("if-match", "*")], 501, "NotImplemented"),
        (
            vec![("if-none-match", etag.as_str())],
            501,
            "NotImplemented",
        ),
        (
            vec![("if-match", etag.as_str()), ("if-none-match", "*")],
            501,
            "NotImplemented",
        ),
        // The whole header is one tag to a write.
        (
            vec![("if-match", "\"x\""), ("if-match", etag.as_str())],
            412,
            "PreconditionFailed",
        ),
        (vec![("if-none-match", "*")], 412, "PreconditionFailed"),
    ] {
        let put = cloud.put("/bucket/o").body("1");
        let copy = cloud
            .put("/bucket/o")
            .header("x-amz-copy-source", "/bucket/o");
        let copy = copy.header("x-amz-metadata-directive", "REPLACE");
        let complete = cloud
            .post("/bucket/o")
            .query("uploadId", &id)
            .body(complete.as_str());
        for call in [put, copy, complete] {
            let call = headers
                .iter()
                .fold(call, |call, (name, value)| call.header(name, value));
            call.send().await?.refused(status, code)?;
        }
    }
    let complete = cloud
        .post("/bucket/o")
        .query("uploadId", &id)
        .body(complete);
    complete
        .header("if-match", bare)
        .send()
        .await?
        .expect(200)?;
    Ok(())
}

#[tokio::test]
async fn deletions_depend_on_the_tag() -> Result<()> {
    let (cloud, etag, _) = start().await?;
    let delete = |value: &str| cloud.delete("/bucket/o").header("if-match", value);
    let wrong = delete("\"x\"").send().await?;
    wrong.refused(412, "PreconditionFailed")?;
    let many = |tag: &str| {
        let object = format!("<Object><Key>o</Key><ETag>{tag}</ETag></Object>");
        let call = cloud.post("/bucket").query("delete", "");
        call.body(format!("<Delete>{object}</Delete>"))
    };
    let answer = many("&quot;x&quot;").send().await?.expect(200)?;
    assert_eq!(answer.element("Code")?, "PreconditionFailed");
    let size = "<Delete><Object><Key>o</Key><Size>1</Size></Object></Delete>";
    let call = cloud.post("/bucket").query("delete", "").body(size);
    call.send().await?.refused(501, "NotImplemented")?;
    delete(&etag).send().await?.expect(204)?;
    delete("*").send().await?.refused(404, "NoSuchKey")?;

    cloud.put("/bucket/o").body("2").send().await?.expect(200)?;
    delete("*").send().await?.expect(204)?;
    Ok(())
}

#[tokio::test]
async fn a_range_counts_only_of_what_the_client_has() -> Result<()> {
    let (cloud, etag, date) = start().await?;
    for (value, status) in [
        (etag.as_str(), 206),
        (date.as_str(), 206),
        ("\"x\"", 200),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 200),
        ("Fri, 06 Nov 2093 08:49:37 GMT", 200),
        (&format!("W/{etag}"), 200),
        ("not a date", 200),
    ] {
        let call = cloud.get("/bucket/o").header("range", "bytes=2-4");
        let got = call.header("if-range", value).send().await?;
        let expected = if status == 206 { "234" } else { "0123456789" };
        assert_eq!(
            (got.status.as_u16(), got.text().as_str()),
            (status, expected),
            "{value}"
        );
    }
    // Without a range it says nothing.
    let call = cloud.get("/bucket/o").header("if-range", "\"x\"");
    call.send().await?.expect(200)?;
    // A range beyond the end of another object is no error.
    let call = cloud.get("/bucket/o").header("range", "bytes=50-60");
    call.header("if-range", "\"x\"").send().await?.expect(200)?;
    Ok(())
}

#[tokio::test]
async fn conditions_come_before_a_range() -> Result<()> {
    let (cloud, etag, _) = start().await?;
    let call = cloud.get("/bucket/o").header("range", "bytes=50-60");
    let got = call.header("if-none-match", &etag).send().await?;
    got.expect(304)?;
    let call = cloud.get("/bucket/o").header("range", "bytes=50-60");
    let got = call.header("if-match", "\"x\"").send().await?;
    got.refused(412, "PreconditionFailed")
}

#[tokio::test]
async fn ranges_that_are_not_one_are_as_good_as_none() -> Result<()> {
    let (cloud, _, _) = start().await?;
    for range in [
        "bytes=0-1,4-5",
        "bytes=5-2",
        "bytes=a-b",
        "bytes",
        "lines=1-2",
        "bytes=-",
        "bytes=0-1, -2",
        "bytes=99999999999999999999999-",
    ] {
        let got = cloud.get("/bucket/o").header("range", range).send().await?;
        assert_eq!(
            (got.status.as_u16(), got.text().as_str()),
            (200, "0123456789"),
            "{range}"
        );
        let head = cloud.head("/bucket/o").header("range", range);
        let head = head.send().await?.expect(200)?;
        assert_eq!(head.header("content-length"), "10", "{range}");
    }
    for range in ["bytes=10-", "bytes=-0", "bytes=12-14"] {
        let got = cloud.get("/bucket/o").header("range", range).send().await?;
        got.refused(416, "InvalidRange")?;
    }
    Ok(())
}
