//! Digests of bodies: which must come, which are compared, in each of their algorithms.

use crate::client::{Answer, Cloud};
use anyhow::Result;

/// Of [`DELETE`], in order: right, and of the right length but wrong.
const DIGESTS: [(&str, &str, &str); 8] = [
    (
        "content-md5",
        "ptAZGqW3CaIE9rdtgrC/XQ==",
        "XUFAKrxLKna5cZ2REBfFkg==",
    ),
    ("x-amz-checksum-crc32", "+HbTvg==", "AAAAAA=="),
    ("x-amz-checksum-crc32c", "W7xyYg==", "AAAAAA=="),
    ("x-amz-checksum-crc64nvme", "1+dmf4RFfW4=", "AAAAAAAAAAA="),
    (
        "x-amz-checksum-sha1",
        "OxUqISuHuVpzb2thFbF78BGuHaI=",
        "qvTGHdzF6KLavt4PO0gs2a6pQ00=",
    ),
    (
        "x-amz-checksum-sha256",
        "gtRYmJ/WhwWRsLYGP+CjnwaclWpHUsDULdlt+avTlBA=",
        "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
    ),
    (
        "x-amz-checksum-md5",
        "ptAZGqW3CaIE9rdtgrC/XQ==",
        "XUFAKrxLKna5cZ2REBfFkg==",
    ),
    (
        "x-amz-checksum-sha512",
        "2aVbUfbhegxXA0n4boJ53zQlfCWDNGn6it3ZwTnlaSOZjvSj+mPYORTi4kssbCWZ+6b9yKBsVvP6CTMQ6rn5EA==",
        "m3HSJL1i83hdltRq0+o9czGb+8KJDKra4t/3JRlnPKcjI8PZm6XBHXx6zG4UuMXaDEZjR1wuXDre9G9zvN7AQw==",
    ),
];

const DELETE: &str = "<Delete><Object><Key>o</Key></Object></Delete>";

async fn delete(cloud: &Cloud, digest: &[(&str, &str)]) -> Result<Answer> {
    let call = cloud.post("/bucket").query("delete", "").body(DELETE);
    let call = digest
        .iter()
        .fold(call.without_digest(), |call, (name, value)| {
            call.header(name, value)
        });
    call.send().await
}

#[tokio::test]
async fn objects_are_deleted_only_with_the_right_digest() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    cloud.put("/bucket/o").body("x").send().await?.expect(200)?;
    let without = delete(&cloud, &[]).await?;
    without.refused(400, "InvalidRequest")?;
    for (name, _, wrong) in DIGESTS {
        delete(&cloud, &[(name, wrong)])
            .await?
            .refused(400, "BadDigest")?;
        let code = match name {
            "content-md5" => "InvalidDigest",
            _ => "InvalidRequest",
        };
        delete(&cloud, &[(name, "AAAA")])
            .await?
            .refused(400, code)?;
    }
    for name in ["xxhash3", "xxhash64", "xxhash128"] {
        let name = format!("x-amz-checksum-{name}");
        let refused = delete(&cloud, &[(&name, "AAAA")]).await?;
        assert!(refused.text().contains("XXHASH"), "{}", refused.text());
        refused.refused(501, "NotImplemented")?;
    }
    let unknown = delete(&cloud, &[("x-amz-checksum-crc7", "AA==")]).await?;
    unknown.refused(400, "InvalidRequest")?;
    cloud.head("/bucket/o").send().await?.expect(200)?;
    for (name, right, _) in DIGESTS {
        cloud.put("/bucket/o").body("x").send().await?.expect(200)?;
        delete(&cloud, &[(name, right)]).await?.expect(200)?;
        cloud.head("/bucket/o").send().await?.expect(404)?;
    }
    Ok(())
}

#[tokio::test]
async fn documents_that_need_a_digest_are_refused_without() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>";
    let rules = "<LifecycleConfiguration><Rule><ID>a</ID><Status>Enabled</Status><Filter><Prefix>\
                 </Prefix></Filter><Expiration><Days>1</Days></Expiration></Rule>\
                 </LifecycleConfiguration>";
    for (name, document) in [("tagging", tags), ("lifecycle", rules)] {
        let put = || cloud.put("/bucket").query(name, "").body(document);
        let without = put().without_digest().send().await?;
        without.refused(400, "InvalidRequest")?;
        let sent = put().send().await?;
        assert!(sent.status.is_success(), "{name}: {}", sent.text());
    }
    // Any other document is compared with the digest that comes with it.
    let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
    let versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    for (name, document) in [("versioning", versioning), ("policy", policy)] {
        let put = cloud.put("/bucket").query(name, "").body(document);
        let put = put.header("content-md5", "XUFAKrxLKna5cZ2REBfFkg==");
        put.send().await?.refused(400, "BadDigest")?;
    }
    cloud.set_versioning("Enabled").await
}

#[tokio::test]
async fn a_checksum_that_cannot_be_stored_is_refused_by_name() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    cloud
        .put("/bucket/source")
        .body("x")
        .send()
        .await?
        .expect(200)?;
    for name in ["SHA512", "MD5", "XXHASH3", "XXHASH64", "XXHASH128"] {
        let header = format!("x-amz-checksum-{}", name.to_lowercase());
        let put = cloud.put("/bucket/o").header(&header, "AAAA").body("x");
        let refused = put.send().await?;
        assert!(refused.text().contains(name), "{}", refused.text());
        refused.refused(501, "NotImplemented")?;
        for call in [
            cloud.post("/bucket/o").query("uploads", ""),
            cloud
                .put("/bucket/p")
                .header("x-amz-copy-source", "/bucket/source"),
        ] {
            let refused = call.header("x-amz-checksum-algorithm", name).send().await?;
            refused.refused(501, "NotImplemented")?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_checksum_is_what_it_is_announced_to_be() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let put = || cloud.put("/bucket/o").body("hello");
    for headers in [
        vec![("x-amz-sdk-checksum-algorithm", "CRC32")],
        vec![
            ("x-amz-sdk-checksum-algorithm", "CRC32C"),
            ("x-amz-checksum-crc32", "NhCmhg=="),
        ],
        vec![
            ("x-amz-checksum-crc32", "NhCmhg=="),
            ("x-amz-checksum-crc32c", "mnG7TA=="),
        ],
        vec![("x-amz-checksum-crc32", "nothing")],
        vec![("x-amz-checksum-crc32", "NhCmhg")],
        vec![("x-amz-checksum-crc32", "")],
    ] {
        let call = headers
            .iter()
            .fold(put(), |call, (name, value)| call.header(name, value));
        call.send().await?.refused(400, "InvalidRequest")?;
    }
    let announced = put().header("x-amz-sdk-checksum-algorithm", "CRC32");
    let announced = announced.header("x-amz-checksum-crc32", "NhCmhg==");
    announced.send().await?.expect(200)?;
    Ok(())
}

/// A body in one chunk of AWS's own, with a trailer after it.
fn chunked(body: &str, trailer: &str) -> String {
    format!("{:x}\r\n{body}\r\n0\r\n{trailer}\r\n\r\n", body.len())
}

#[tokio::test]
async fn trailers_are_compared_for_objects_and_documents() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let put = |trailer: &str| {
        cloud
            .put("/bucket/o")
            .header("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
            .header("x-amz-trailer", "x-amz-checksum-crc32")
            .header("x-amz-decoded-content-length", 5)
            .header("content-encoding", "gzip, aws-chunked")
            .body(chunked("hello", trailer))
    };
    put("x-amz-checksum-crc32:NhCmhg==")
        .send()
        .await?
        .expect(200)?;
    let got = cloud.get("/bucket/o").send().await?;
    assert_eq!(
        (got.text().as_str(), got.header("content-encoding")),
        ("hello", "gzip")
    );
    let wrong = put("x-amz-checksum-crc32:NhCmhQ==").send().await?;
    wrong.refused(400, "BadDigest")?;
    assert_eq!(put("x-other:1").send().await?.status, 400);

    let delete = |trailer: &str| {
        cloud
            .post("/bucket")
            .query("delete", "")
            .without_digest()
            .header("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
            .header("x-amz-trailer", "x-amz-checksum-crc32")
            .header("x-amz-decoded-content-length", DELETE.len())
            .body(chunked(DELETE, trailer))
    };
    let wrong = delete("x-amz-checksum-crc32:AAAAAA==").send().await?;
    wrong.refused(400, "BadDigest")?;
    delete("x-amz-checksum-crc32:+HbTvg==")
        .send()
        .await?
        .expect(200)?;
    cloud.head("/bucket/o").send().await?.expect(404)?;
    Ok(())
}

#[tokio::test]
async fn a_completed_upload_is_what_the_client_says() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    for (begun, sent, status) in [
        (
            None,
            vec![("x-amz-checksum-crc64nvme", "AAAAAAAAAAA=")],
            400,
        ),
        (None, vec![("x-amz-checksum-crc32", "NhCmhg==")], 400),
        (None, vec![("x-amz-checksum-type", "COMPOSITE")], 400),
        (None, vec![("x-amz-mp-object-size", "6")], 400),
        (
            Some("CRC32"),
            vec![("x-amz-checksum-crc32c", "mnG7TA==")],
            400,
        ),
        (
            Some("CRC32"),
            vec![("x-amz-checksum-type", "FULL_OBJECT")],
            400,
        ),
        (
            Some("CRC32"),
            vec![("x-amz-checksum-type", "COMPOSITE")],
            200,
        ),
        (
            None,
            vec![("x-amz-checksum-crc64nvme", "M3eFcAZSQlc=")],
            200,
        ),
        (None, vec![("x-amz-checksum-type", "FULL_OBJECT")], 200),
        (None, vec![("x-amz-mp-object-size", "5")], 200),
        (None, vec![], 200),
    ] {
        let begin = cloud.post("/bucket/o").query("uploads", "");
        let begin = match begun {
            Some(algorithm) => begin.header("x-amz-checksum-algorithm", algorithm),
            None => begin,
        };
        let id = begin.send().await?.expect(200)?.element("UploadId")?;
        let part = cloud.put("/bucket/o").query("partNumber", 1);
        let part = part.query("uploadId", &id).body("hello").send().await?;
        let xml = format!(
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part>\
             </CompleteMultipartUpload>",
            part.expect(200)?.header("etag")
        );
        let complete = cloud.post("/bucket/o").query("uploadId", &id).body(xml);
        let complete = sent
            .iter()
            .fold(complete, |call, (name, value)| call.header(name, value));
        let answer = complete.send().await?;
        assert_eq!(
            answer.status,
            status,
            "{begun:?} {sent:?}: {}",
            answer.text()
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_part_is_copied_from_a_range_with_both_ends() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    cloud
        .put("/bucket/source")
        .body("0123456789")
        .send()
        .await?
        .expect(200)?;
    let begun = cloud.post("/bucket/o").query("uploads", "").send().await?;
    let id = begun.element("UploadId")?;
    for (range, status) in [
        ("bytes=2-5", 200),
        ("bytes=2-", 400),
        ("bytes=-2", 400),
        ("2-5", 400),
    ] {
        let copy = cloud
            .put("/bucket/o")
            .query("partNumber", 1)
            .query("uploadId", &id);
        let copy = copy.header("x-amz-copy-source", "/bucket/source");
        let answer = copy.header("x-amz-copy-source-range", range).send().await?;
        assert_eq!(answer.status, status, "{range}: {}", answer.text());
    }
    Ok(())
}
