//! Objects, written and read.

use crate::client::{Cloud, http};
use anyhow::Result;

/// Larger than what is stored with its record.
fn large() -> Vec<u8> {
    (0..200_000u32).map(|number| (number % 251) as u8).collect()
}

#[tokio::test]
async fn an_object_comes_back_as_it_was_put() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    for (key, body) in [
        ("small", b"hello".to_vec()),
        ("large", large()),
        ("empty", Vec::new()),
    ] {
        let path = format!("/bucket/{key}");
        let put = cloud
            .put(&path)
            .header("content-type", "text/plain")
            .header("cache-control", "no-cache")
            .header("content-disposition", "inline")
            .header("content-encoding", "gzip")
            .header("content-language", "en")
            .header("x-amz-meta-colour", "blue")
            .body(body.clone());
        let put = put.send().await?.expect(200)?;
        let got = cloud.get(&path).send().await?.expect(200)?;
        assert_eq!(got.body, body, "{key}");
        for (name, value) in [
            ("content-type", "text/plain"),
            ("cache-control", "no-cache"),
            ("content-disposition", "inline"),
            ("content-encoding", "gzip"),
            ("content-language", "en"),
            ("x-amz-meta-colour", "blue"),
            ("x-amz-server-side-encryption", "AES256"),
            ("accept-ranges", "bytes"),
            ("x-amz-version-id", ""),
        ] {
            assert_eq!(got.header(name), value, "{name}");
        }
        assert_eq!(got.header("etag"), put.header("etag"));
        assert_eq!(got.header("content-length"), body.len().to_string());
        let head = cloud.head(&path).send().await?.expect(200)?;
        assert_eq!(head.header("content-length"), body.len().to_string());
        assert_eq!(head.header("etag"), put.header("etag"));
    }
    let etag = cloud.head("/bucket/small").send().await?;
    assert_eq!(etag.header("etag"), "\"5d41402abc4b2a76b9719d911017c592\"");
    Ok(())
}

#[tokio::test]
async fn objects_are_there_after_a_restart() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    cloud
        .put("/bucket/small")
        .body("hello")
        .send()
        .await?
        .expect(200)?;
    cloud
        .put("/bucket/large")
        .body(large())
        .send()
        .await?
        .expect(200)?;
    let cloud = cloud.restart().await?;
    assert_eq!(cloud.get("/bucket/small").send().await?.text(), "hello");
    assert_eq!(cloud.get("/bucket/large").send().await?.body, large());
    Ok(())
}

#[tokio::test]
async fn files_that_no_object_names_are_removed_at_the_start() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let bodies = cloud.folder.path().join("s3");
    let files = || -> Result<usize> { Ok(std::fs::read_dir(&bodies)?.count()) };
    cloud
        .put("/bucket/large")
        .body(large())
        .send()
        .await?
        .expect(200)?;
    assert_eq!(files()?, 1);
    // Overwriting and deleting leave none behind.
    cloud
        .put("/bucket/large")
        .body(large())
        .send()
        .await?
        .expect(200)?;
    assert_eq!(files()?, 1);
    std::fs::write(bodies.join("leftover"), b"of a crash")?;
    let cloud = cloud.restart().await?;
    assert_eq!(files()?, 1);
    assert_eq!(cloud.get("/bucket/large").send().await?.body, large());
    cloud.delete("/bucket/large").send().await?.expect(204)?;
    assert_eq!(files()?, 0);
    Ok(())
}

#[tokio::test]
async fn keys_of_any_text_are_kept_apart() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let keys = [
        "a",
        "a b+c",
        "é/ü",
        "雪",
        "a//b",
        "/a",
        "a%20b",
        "~!*'();:@&=$,[]",
        "\u{1}x",
    ];
    for key in keys {
        let path = format!("/bucket/{key}");
        cloud.put(&path).body(key).send().await?.expect(200)?;
    }
    for key in keys {
        let path = format!("/bucket/{key}");
        assert_eq!(cloud.get(&path).send().await?.expect(200)?.text(), key);
    }
    let long = "k".repeat(1024);
    cloud
        .put(&format!("/bucket/{long}"))
        .send()
        .await?
        .expect(200)?;
    let longer = cloud.put(&format!("/bucket/{long}k")).send().await?;
    longer.refused(400, "KeyTooLongError")
}

#[tokio::test]
async fn ranges_are_cut_out() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let large = large();
    cloud
        .put("/bucket/small")
        .body("0123456789")
        .send()
        .await?
        .expect(200)?;
    cloud
        .put("/bucket/large")
        .body(large.clone())
        .send()
        .await?
        .expect(200)?;
    for (range, text, content_range) in [
        ("bytes=0-3", "0123", "bytes 0-3/10"),
        ("bytes=8-", "89", "bytes 8-9/10"),
        ("bytes=-2", "89", "bytes 8-9/10"),
        ("bytes=5-100", "56789", "bytes 5-9/10"),
    ] {
        let call = cloud.get("/bucket/small").header("range", range);
        let got = call.send().await?.expect(206)?;
        assert_eq!(
            (got.text().as_str(), got.header("content-range")),
            (text, content_range)
        );
        let head = cloud
            .head("/bucket/small")
            .header("range", range)
            .send()
            .await?;
        assert_eq!(head.expect(206)?.header("content-range"), content_range);
    }
    let call = cloud
        .get("/bucket/large")
        .header("range", "bytes=70000-139999");
    assert_eq!(call.send().await?.expect(206)?.body, large[70_000..140_000]);
    let call = cloud.get("/bucket/small").header("range", "bytes=10-");
    call.send().await?.refused(416, "InvalidRange")
}

#[tokio::test]
async fn reads_and_writes_can_depend_on_what_is_there() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let missing = cloud.put("/bucket/o").header("if-match", "\"x\"").body("0");
    missing.send().await?.refused(404, "NoSuchKey")?;
    let first = cloud
        .put("/bucket/o")
        .header("if-none-match", "*")
        .body("1");
    let etag = first.send().await?.expect(200)?.header("etag").to_owned();
    let second = cloud
        .put("/bucket/o")
        .header("if-none-match", "*")
        .body("2");
    second.send().await?.refused(412, "PreconditionFailed")?;
    let wrong = cloud.put("/bucket/o").header("if-match", "\"x\"").body("2");
    wrong.send().await?.refused(412, "PreconditionFailed")?;
    let right = cloud.put("/bucket/o").header("if-match", &etag).body("1");
    right.send().await?.expect(200)?;

    let unchanged = cloud
        .get("/bucket/o")
        .header("if-none-match", &etag)
        .send()
        .await?;
    let unchanged = unchanged.expect(304)?;
    assert_eq!(
        (unchanged.header("etag"), unchanged.text().as_str()),
        (etag.as_str(), "")
    );
    let call = cloud.get("/bucket/o").header("if-match", "\"x\"");
    call.send().await?.refused(412, "PreconditionFailed")?;
    let date = cloud
        .head("/bucket/o")
        .send()
        .await?
        .header("last-modified")
        .to_owned();
    let call = cloud.get("/bucket/o").header("if-modified-since", &date);
    call.send().await?.expect(304)?;
    let call = cloud.get("/bucket/o").header("if-unmodified-since", &date);
    call.send().await?.expect(200)?;
    Ok(())
}

#[tokio::test]
async fn a_copy_takes_over_what_it_is_not_told() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let put = cloud
        .put("/bucket/a b")
        .header("content-type", "text/plain")
        .header("x-amz-meta-x", "1")
        .header("x-amz-tagging", "t=1")
        .body(large());
    put.send().await?.expect(200)?;
    let copy = cloud
        .put("/bucket/c")
        .header("x-amz-copy-source", "/bucket/a%20b");
    copy.send().await?.expect(200)?;
    let got = cloud.get("/bucket/c").send().await?;
    assert_eq!(got.body, large());
    assert_eq!(
        (got.header("content-type"), got.header("x-amz-meta-x")),
        ("text/plain", "1")
    );
    assert_eq!(got.header("x-amz-tagging-count"), "1");

    let copy = cloud
        .put("/bucket/d")
        .header("x-amz-copy-source", "bucket/a%20b")
        .header("x-amz-metadata-directive", "REPLACE")
        .header("x-amz-meta-y", "2");
    copy.send().await?.expect(200)?;
    let got = cloud.get("/bucket/d").send().await?;
    assert_eq!(
        (got.header("x-amz-meta-x"), got.header("x-amz-meta-y")),
        ("", "2")
    );

    let itself = cloud
        .put("/bucket/c")
        .header("x-amz-copy-source", "/bucket/c");
    itself.send().await?.refused(400, "InvalidRequest")?;
    let nothing = cloud
        .put("/bucket/e")
        .header("x-amz-copy-source", "/bucket/none");
    nothing.send().await?.refused(404, "NoSuchKey")?;
    let changed = cloud
        .put("/bucket/e")
        .header("x-amz-copy-source", "/bucket/c")
        .header("x-amz-copy-source-if-match", "\"x\"");
    changed.send().await?.refused(412, "PreconditionFailed")
}

#[tokio::test]
async fn a_body_that_is_not_what_was_announced_is_refused() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    for (name, right, wrong) in [
        (
            "content-md5",
            "XUFAKrxLKna5cZ2REBfFkg==",
            "XrY7u+Ae7tCTyyK7j1rNww==",
        ),
        ("x-amz-checksum-crc32", "NhCmhg==", "NhCmhQ=="),
        ("x-amz-checksum-crc32c", "mnG7TA==", "mnG7TQ=="),
        (
            "x-amz-checksum-sha1",
            "qvTGHdzF6KLavt4PO0gs2a6pQ00=",
            "qvTGHdzF6KLavt4PO0gs2a6pQ01=",
        ),
        (
            "x-amz-checksum-sha256",
            "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
            "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCU=",
        ),
    ] {
        let call = cloud.put("/bucket/o").header(name, right).body("hello");
        call.send().await?.expect(200)?;
        let call = cloud.put("/bucket/o").header(name, wrong).body("hello");
        call.send().await?.refused(400, "BadDigest")?;
    }
    let got = cloud
        .get("/bucket/o")
        .header("x-amz-checksum-mode", "ENABLED");
    let got = got.send().await?.expect(200)?;
    assert_eq!(
        got.header("x-amz-checksum-sha256"),
        "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="
    );
    Ok(())
}

#[tokio::test]
async fn tags_are_kept() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let put = cloud
        .put("/bucket/o")
        .header("x-amz-tagging", "a=1")
        .body("x");
    put.send().await?.expect(200)?;
    let get = || cloud.get("/bucket/o").query("tagging", "");
    assert_eq!(get().send().await?.element("Value")?, "1");
    let xml = "<Tagging><TagSet><Tag><Key>b</Key><Value>2</Value></Tag></TagSet></Tagging>";
    let put = cloud.put("/bucket/o").query("tagging", "").body(xml);
    put.send().await?.expect(200)?;
    assert_eq!(get().send().await?.element("Key")?, "b");
    assert_eq!(cloud.get("/bucket/o").send().await?.text(), "x");
    cloud
        .delete("/bucket/o")
        .query("tagging", "")
        .send()
        .await?
        .expect(204)?;
    assert!(get().send().await?.elements("Key").is_empty());
    Ok(())
}

#[tokio::test]
async fn a_presigned_url_is_good_for_anybody() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let http = http();
    let url = cloud.put("/bucket/o").presigned(60)?;
    let put = http.put(url).body("hello").send().await?;
    assert_eq!(put.status(), 200);
    let call = cloud
        .get("/bucket/o")
        .query("response-content-type", "text/x");
    let got = http.get(call.presigned(60)?).send().await?;
    assert_eq!(got.headers()["content-type"], "text/x");
    assert_eq!(got.text().await?, "hello");
    let other = cloud
        .get("/bucket/o")
        .presigned(60)?
        .replace("/bucket/o", "/bucket/p");
    assert_eq!(http.get(other).send().await?.status(), 403);
    Ok(())
}

#[tokio::test]
async fn what_is_not_done_is_refused_by_name() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    for (name, value, status, code) in [
        (
            "x-amz-server-side-encryption",
            "aws:kms",
            501,
            "NotImplemented",
        ),
        ("x-amz-storage-class", "GLACIER", 501, "NotImplemented"),
        (
            "x-amz-website-redirect-location",
            "/x",
            501,
            "NotImplemented",
        ),
        (
            "x-amz-acl",
            "public-read",
            400,
            "AccessControlListNotSupported",
        ),
        (
            "x-amz-object-lock-mode",
            "GOVERNANCE",
            400,
            "InvalidRequest",
        ),
        (
            "x-amz-expected-bucket-owner",
            "111122223333",
            403,
            "AccessDenied",
        ),
    ] {
        let call = cloud.put("/bucket/o").header(name, value).body("x");
        call.send().await?.refused(status, code)?;
    }
    let call = cloud.get("/bucket").query("website", "");
    call.send().await?.refused(501, "NotImplemented")
}
