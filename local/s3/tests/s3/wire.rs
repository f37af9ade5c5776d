//! Requests as they are written: signatures, presigned URLs, XML, paths, types and headers.

use crate::client::{Cloud, http};
use anyhow::Result;

#[tokio::test]
async fn headers_that_are_not_signed_are_refused() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let put = cloud
        .put("/bucket/o")
        .unsigned_header("x-amz-meta-b", "1")
        .unsigned_header("x-amz-acl", "private")
        .unsigned_header("x-other", "1")
        .body("x");
    let refused = put.send().await?.expect(403)?;
    assert_eq!(refused.element("Code")?, "AccessDenied");
    assert_eq!(
        refused.element("HeadersNotSigned")?,
        "x-amz-acl, x-amz-meta-b"
    );
    cloud.head("/bucket/o").send().await?.expect(404)?;

    let url = cloud.put("/bucket/o").presigned(60)?;
    let put = http().put(&url).header("x-amz-meta-b", "1").body("x");
    let refused = put.send().await?;
    assert_eq!(refused.status(), 403);
    let text = refused.text().await?;
    assert!(
        text.contains("<HeadersNotSigned>x-amz-meta-b</HeadersNotSigned>"),
        "{text}"
    );
    // The one header that need not be, and those of nobody.
    let put = http()
        .put(&url)
        .header("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    let put = put.header("x-amzn-trace-id", "1").body("x").send().await?;
    assert_eq!(put.status(), 200);
    Ok(())
}

#[tokio::test]
async fn a_presigned_url_says_in_its_query_what_headers_say() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let url = cloud
        .put("/bucket/o")
        .query("x-amz-meta-colour", "light blue")
        .query("X-Amz-Meta-Size", "2")
        .query("x-amz-storage-class", "STANDARD_IA")
        .query("x-amz-tagging", "a=1&b=2")
        // As SDKs sign it, of the empty body that they have.
        .query("x-amz-checksum-crc32", "AAAAAA==")
        .query("x-amz-sdk-checksum-algorithm", "CRC32")
        .query("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
        .query("x-id", "PutObject")
        .presigned(60)?;
    let put = http().put(&url).body("hello").send().await?;
    assert_eq!(put.status(), 200);
    let got = cloud.get("/bucket/o").send().await?.expect(200)?;
    for (name, value) in [
        ("x-amz-meta-colour", "light blue"),
        ("x-amz-meta-size", "2"),
        ("x-amz-storage-class", "STANDARD_IA"),
        ("x-amz-tagging-count", "2"),
    ] {
        assert_eq!(got.header(name), value, "{name}");
    }
    assert_eq!(got.text(), "hello");
    // What a header would be refused for.
    for (name, value, status) in [
        ("x-amz-storage-class", "GLACIER", 501),
        ("x-amz-acl", "public-read", 400),
        ("x-amz-server-side-encryption", "aws:kms", 501),
    ] {
        let url = cloud.put("/bucket/p").query(name, value).presigned(60)?;
        let put = http().put(url).body("x").send().await?;
        assert_eq!(put.status(), status, "{name}");
    }
    let url = cloud
        .put("/bucket/copy")
        .query("x-amz-copy-source", "/bucket/o")
        .presigned(60)?;
    assert_eq!(http().put(url).send().await?.status(), 200);
    assert_eq!(cloud.get("/bucket/copy").send().await?.text(), "hello");
    Ok(())
}

#[tokio::test]
async fn keys_in_xml_are_read_as_xml_is() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    for (key, written) in [
        ("a&b", "<![CDATA[a&b]]>"),
        ("<c>", "&lt;<![CDATA[c>]]>"),
        ("😀", "&#x1F600;"),
        ("d\re", "d&#13;e"),
        ("é", "&#233;"),
    ] {
        cloud
            .put(&format!("/bucket/{key}"))
            .send()
            .await?
            .expect(200)?;
        let body = format!("<Delete><Object><Key>{written}</Key></Object></Delete>");
        let call = cloud.post("/bucket").query("delete", "").body(body);
        let answer = call.send().await?.expect(200)?;
        let shown = key
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        assert_eq!(answer.element("Key")?, shown.replace('\r', "&#xD;"));
        let gone = cloud.head(&format!("/bucket/{key}")).send().await?;
        gone.expect(404)?;
    }
    // XML has no such characters, however they are written.
    cloud.put("/bucket/f\u{1}").send().await?.expect(200)?;
    for written in ["f\u{1}", "f&#1;", "<![CDATA[f\u{1}]]>"] {
        let body = format!("<Delete><Object><Key>{written}</Key></Object></Delete>");
        let call = cloud.post("/bucket").query("delete", "").body(body);
        call.send().await?.refused(400, "MalformedXML")?;
    }
    let list = || cloud.get("/bucket").query("list-type", 2);
    assert_eq!(list().send().await?.element("Key")?, "f&#x1;");
    let encoded = list().query("encoding-type", "url").send().await?;
    assert_eq!(encoded.element("Key")?, "f%01");
    // What is an object's is sent as it was put.
    let page = "<a>\r\n\u{1}</a>";
    let put = cloud
        .put("/bucket/g")
        .header("content-type", "application/xml");
    put.body(page).send().await?.expect(200)?;
    assert_eq!(cloud.get("/bucket/g").send().await?.text(), page);
    Ok(())
}

#[tokio::test]
async fn a_plus_in_a_path_is_a_space() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let put = cloud.put("/bucket/a b").written("/bucket/a+b").body("1");
    put.send().await?.expect(200)?;
    assert_eq!(cloud.get("/bucket/a b").send().await?.text(), "1");
    cloud
        .put("/bucket/a+b")
        .body("2")
        .send()
        .await?
        .expect(200)?;
    assert_eq!(cloud.get("/bucket/a+b").send().await?.text(), "2");
    assert_eq!(cloud.get("/bucket/a b").send().await?.text(), "1");
    for path in ["/bucket/%+4x", "/bucket/%", "/bucket/%zz", "/bucket/%4"] {
        let wrong = cloud.put("/bucket/c").written(path).body("x");
        wrong.send().await?.refused(400, "InvalidURI")?;
    }
    Ok(())
}

#[tokio::test]
async fn an_object_may_be_of_the_type_of_a_form() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let kind = "multipart/form-data; boundary=x";
    let put = cloud.put("/bucket/o").header("content-type", kind);
    put.body("hello").send().await?.expect(200)?;
    let got = cloud.get("/bucket/o").send().await?;
    assert_eq!(
        (got.header("content-type"), got.text().as_str()),
        (kind, "hello")
    );

    let begin = cloud.post("/bucket/p").query("uploads", "");
    let begun = begin
        .header("content-type", kind)
        .send()
        .await?
        .expect(200)?;
    let id = begun.element("UploadId")?;
    // A part may be empty, where it is the last.
    let part = cloud
        .put("/bucket/p")
        .query("partNumber", 1)
        .query("uploadId", &id);
    let part = part
        .header("content-type", kind)
        .send()
        .await?
        .expect(200)?;
    let complete = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part>\
         </CompleteMultipartUpload>",
        part.header("etag")
    );
    let call = cloud
        .post("/bucket/p")
        .query("uploadId", &id)
        .body(complete);
    call.header("content-type", kind)
        .send()
        .await?
        .expect(200)?;
    let cloud = cloud.restart().await?;
    let got = cloud.get("/bucket/p").send().await?.expect(200)?;
    assert_eq!(
        (got.header("content-type"), got.text().as_str()),
        (kind, "")
    );

    let form = cloud
        .post("/bucket")
        .header("content-type", kind)
        .body("--x--");
    form.send().await?.refused(501, "NotImplemented")
}

#[tokio::test]
async fn a_body_that_only_claims_to_be_chunked_stays_as_it_is() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let framed = "5\r\nhello\r\n0\r\n\r\n";
    let put = || {
        cloud
            .put("/bucket/o")
            .header("content-encoding", "aws-chunked")
    };
    put().body(framed).send().await?.expect(200)?;
    let got = cloud.get("/bucket/o").send().await?;
    assert_eq!(
        (got.text().as_str(), got.header("content-encoding")),
        (framed, "aws-chunked")
    );
    let unsigned = put().header("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    unsigned
        .body(framed)
        .send()
        .await?
        .refused(400, "InvalidArgument")?;
    let anonymous = cloud
        .put("/bucket/o")
        .header("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
        .anonymous();
    anonymous
        .body(framed)
        .send()
        .await?
        .refused(501, "NotImplemented")
}

#[tokio::test]
async fn headers_chosen_by_a_request_are_latin_1() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    cloud.put("/bucket/o").body("x").send().await?.expect(200)?;
    let names = [
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-type",
    ];
    for name in names {
        let parameter = format!("response-{name}");
        let get = |value: &str| cloud.get("/bucket/o").query(&parameter, value);
        let head = |value: &str| cloud.head("/bucket/o").query(&parameter, value);
        let refused = get("attachment; filename=\"雪.txt\"").send().await?;
        assert_eq!(refused.element("ArgumentName")?, parameter);
        refused.refused(400, "InvalidArgument")?;
        head("雪").send().await?.expect(400)?;
        get("a\r\nb: c")
            .send()
            .await?
            .refused(400, "InvalidArgument")?;
        for answer in [get("é b").send().await?, head("é b").send().await?] {
            let answer = answer.expect(200)?;
            assert_eq!(answer.headers[name].as_bytes(), b"\xe9 b", "{name}");
        }
        let anonymous = get("x").anonymous().send().await?;
        anonymous.refused(400, "InvalidRequest")?;
    }
    // Elsewhere the parameter is nothing.
    let list = cloud.get("/bucket").query("response-content-type", "雪");
    list.send().await?.expect(200)?;
    Ok(())
}
