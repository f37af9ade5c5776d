//! What each operation refuses by its reference page: numbers out of range, tokens that were
//! never given out, bodies without a length, buckets in the wrong place.

use crate::client::Cloud;
use anyhow::{Context, Result, ensure};
use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn constraint(region: &str) -> String {
    format!(
        "<CreateBucketConfiguration><LocationConstraint>{region}</LocationConstraint>\
         </CreateBucketConfiguration>"
    )
}

#[tokio::test]
async fn a_bucket_is_made_where_the_request_goes() -> Result<()> {
    let cloud = Cloud::start().await?;
    let illegal = "IllegalLocationConstraintException";
    let invalid = "InvalidLocationConstraint";
    // The region of the signature, the constraint, and the refusal or the location.
    for (index, (region, located, expected)) in [
        ("us-east-1", None, Ok("us-east-1")),
        ("us-east-1", Some("eu-west-1"), Ok("eu-west-1")),
        ("us-east-1", Some("EU"), Ok("eu-west-1")),
        ("us-east-1", Some("us-east-1"), Err(invalid)),
        ("us-east-1", Some("nowhere"), Err(invalid)),
        ("us-east-1", Some("eu-west-"), Err(invalid)),
        ("eu-west-1", Some("eu-west-1"), Ok("eu-west-1")),
        ("eu-west-1", None, Err(illegal)),
        ("eu-west-1", Some("us-east-1"), Err(illegal)),
        ("eu-west-1", Some("us-west-2"), Err(illegal)),
    ]
    .into_iter()
    .enumerate()
    {
        let path = format!("/bucket-{index}");
        let body = located.map(constraint).unwrap_or_default();
        let created = cloud.put(&path).region(region).body(body).send().await?;
        let case = format!("{region} {located:?}: {}", created.text());
        match expected {
            Ok(place) => {
                created.expect(200).context(case.clone())?;
                let head = cloud.head(&path).send().await?.expect(200)?;
                ensure!(head.header("x-amz-bucket-region") == place, "{case}");
            }
            Err(code) => {
                created.refused(400, code).context(case)?;
                cloud.head(&path).send().await?.expect(404)?;
            }
        }
    }
    Ok(())
}

/// Sends a raw request with these headers, and reads the status and the error's code.
async fn raw(cloud: &Cloud, url: &str, headers: &str, body: &str) -> Result<(u16, String)> {
    let address = cloud.address();
    let path = url.strip_prefix(&format!("http://{address}"));
    let path = path.context("a URL of this cloud")?;
    let mut stream = TcpStream::connect(&address).await?;
    let request = format!(
        "PUT {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let status = answer.split(' ').nth(1).context("a status")?.parse()?;
    let code = answer.split("<Code>").nth(1);
    let code = code.and_then(|rest| rest.split("</Code>").next());
    Ok((status, code.unwrap_or_default().to_owned()))
}

#[tokio::test]
async fn a_body_without_a_length_is_refused() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let begun = cloud.post("/bucket/o").query("uploads", "").send().await?;
    let id = begun.element("UploadId")?;
    let object = cloud.call(Method::PUT, "/bucket/o").presigned(600)?;
    let part = cloud
        .call(Method::PUT, "/bucket/o")
        .query("partNumber", 1)
        .query("uploadId", &id)
        .presigned(600)?;
    let chunked = "Transfer-Encoding: chunked\r\n";
    for url in [&object, &part] {
        let bare = raw(&cloud, url, "", "").await?;
        ensure!(bare == (411, "MissingContentLength".into()), "{bare:?}");
        let chunks = raw(&cloud, url, chunked, "3\r\nabc\r\n0\r\n\r\n").await?;
        ensure!(chunks == (501, "NotImplemented".into()), "{chunks:?}");
        let told = raw(&cloud, url, "Content-Length: 3\r\n", "abc").await?;
        ensure!(told.0 == 200, "{told:?}");
    }
    let empty = raw(&cloud, &object, "Content-Length: 0\r\n", "").await?;
    ensure!(empty.0 == 200, "{empty:?}");
    Ok(())
}

#[tokio::test]
async fn tokens_that_were_never_given_out_are_refused() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    cloud.put("/bucket2").send().await?.expect(200)?;
    for bucket in ["bucket", "bucket2"] {
        for key in ["a", "b", "c"] {
            let put = cloud.put(&format!("/{bucket}/{key}"));
            put.body("x").send().await?.expect(200)?;
        }
    }
    let list = |bucket: &str| cloud.get(&format!("/{bucket}")).query("list-type", 2);
    let page = list("bucket").query("max-keys", 1).send().await?;
    let objects = page.expect(200)?.element("NextContinuationToken")?;
    let page = cloud.get("/").query("max-buckets", 1).send().await?;
    let buckets = page.expect(200)?.element("ContinuationToken")?;
    // They survive a restart, as they do on AWS.
    let cloud = cloud.restart().await?;
    let list = |bucket: &str, token: &str| {
        let call = cloud.get(&format!("/{bucket}")).query("list-type", 2);
        call.query("continuation-token", token)
    };
    let rest = list("bucket", &objects).send().await?.expect(200)?;
    ensure!(rest.elements("Key") == ["b", "c"]);
    let all = |token: &str| cloud.get("/").query("continuation-token", token);
    let rest = all(&buckets).send().await?.expect(200)?;
    ensure!(rest.elements("Name") == ["bucket2"]);

    let refused = "InvalidArgument";
    for token in ["", "a", "YQ==", "aWrongToken2", "%", &buckets] {
        let answer = list("bucket", token).send().await?;
        answer.refused(400, refused).context(token.to_owned())?;
    }
    list("bucket2", &objects)
        .send()
        .await?
        .refused(400, refused)?;
    for token in ["", "bucket", "YnVja2V0", &objects] {
        let answer = all(token).send().await?;
        answer.refused(400, refused).context(token.to_owned())?;
    }
    Ok(())
}

#[tokio::test]
async fn markers_of_uploads_and_parts_are_refused_when_they_cannot_be() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let begun = cloud.post("/bucket/o").query("uploads", "").send().await?;
        ids.push(begun.expect(200)?.element("UploadId")?);
    }
    let list = || cloud.get("/bucket").query("uploads", "");
    let all = list().send().await?.expect(200)?.elements("UploadId");
    let from = |key: &str, id: &str| {
        let call = list().query("key-marker", key);
        call.query("upload-id-marker", id)
    };
    let page = list().query("max-uploads", 1).send().await?.expect(200)?;
    let (key, id) = (
        page.element("NextKeyMarker")?,
        page.element("NextUploadIdMarker")?,
    );
    ensure!(id == all[0]);
    // Who gives up what it lists goes on after it.
    let abort = cloud.delete("/bucket/o").query("uploadId", &id);
    abort.send().await?.expect(204)?;
    let rest = from(&key, &id).send().await?.expect(200)?;
    ensure!(rest.elements("UploadId") == all[1..]);
    for (key, id) in [("o", "invalid"), ("o", "0000"), ("p", ids[1].as_str())] {
        from(key, id)
            .send()
            .await?
            .refused(400, "InvalidArgument")?;
    }
    // Without a key, the id is ignored.
    let call = list().query("upload-id-marker", "invalid");
    let ignored = call.send().await?.expect(200)?;
    ensure!(ignored.elements("UploadId") == all[1..]);
    ensure!(ignored.element("UploadIdMarker").unwrap_or_default() == "");

    let parts = |name: &str, value: &str| {
        let call = cloud.get("/bucket/o").query("uploadId", &all[1]);
        call.query(name, value)
    };
    for value in ["-1", "x", "2147483648"] {
        for name in ["part-number-marker", "max-parts"] {
            let answer = parts(name, value).send().await?;
            answer
                .refused(400, "InvalidArgument")
                .context(format!("{name}={value}"))?;
        }
    }
    parts("part-number-marker", "0").send().await?.expect(200)?;
    let unknown = cloud.get("/bucket/o").query("uploadId", "none");
    unknown.send().await?.refused(404, "NoSuchUpload")
}

#[tokio::test]
async fn numbers_out_of_range_are_refused() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    cloud.put("/bucket/o").body("x").send().await?.expect(200)?;
    for value in ["-1", "x", "1.5", "2147483648", ""] {
        for (list, name) in [
            ("list-type", "max-keys"),
            ("versions", "max-keys"),
            ("uploads", "max-uploads"),
        ] {
            let version = if list == "list-type" { "2" } else { "" };
            let call = cloud.get("/bucket").query(list, version);
            let answer = call.query(name, value).send().await?;
            if value.is_empty() && answer.status == 200 {
                // Not given.
                continue;
            }
            answer
                .refused(400, "InvalidArgument")
                .context(format!("{list} {name}={value}"))?;
        }
        let first = cloud.get("/bucket").query("max-keys", value).send().await?;
        if !(value.is_empty() && first.status == 200) {
            first.refused(400, "InvalidArgument")?;
        }
    }
    for value in ["-1", "0", "10001", "x"] {
        let buckets = cloud.get("/").query("max-buckets", value).send().await?;
        buckets
            .refused(400, "InvalidArgument")
            .context(format!("max-buckets={value}"))?;
    }
    let begun = cloud.post("/bucket/o").query("uploads", "").send().await?;
    let id = begun.element("UploadId")?;
    for value in ["-1", "0", "10001", "x"] {
        let part = cloud.put("/bucket/o").query("uploadId", &id);
        let part = part.query("partNumber", value).body("x").send().await?;
        part.refused(400, "InvalidArgument")
            .context(format!("UploadPart {value}"))?;
        let read = cloud.get("/bucket/o").query("partNumber", value);
        read.send()
            .await?
            .refused(400, "InvalidArgument")
            .context(format!("GetObject {value}"))?;
        let head = cloud.head("/bucket/o").query("partNumber", value);
        head.send().await?.expect(400)?;
    }
    let beyond = cloud.get("/bucket/o").query("partNumber", 2).send().await?;
    beyond.refused(416, "InvalidPartNumber")?;
    let nothing = cloud.post("/bucket/o").query("uploadId", &id);
    let nothing = nothing.body("<CompleteMultipartUpload></CompleteMultipartUpload>");
    nothing.send().await?.refused(400, "MalformedXML")
}

#[tokio::test]
async fn tags_that_cannot_be_are_refused() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    cloud.put("/bucket/o").body("x").send().await?.expect(200)?;
    let long = "k".repeat(129);
    for (key, value) in [
        ("aws:mine", "x"),
        ("a;b", "x"),
        ("a", "x,y"),
        ("", "x"),
        (long.as_str(), "x"),
    ] {
        let xml = format!(
            "<Tagging><TagSet><Tag><Key>{key}</Key><Value>{value}</Value></Tag></TagSet></Tagging>"
        );
        for path in ["/bucket", "/bucket/o"] {
            let call = cloud.put(path).query("tagging", "").body(xml.clone());
            let answer = call.send().await?;
            answer
                .refused(400, "InvalidTag")
                .context(format!("{path} {key}={value}"))?;
        }
    }
    let put = cloud.put("/bucket/o").header("x-amz-tagging", "aws:a=1");
    put.body("x").send().await?.refused(400, "InvalidTag")?;
    let put = cloud
        .put("/bucket/o")
        .header("x-amz-tagging", "a%20b=%C3%A9/1_2.3:4%2B5-6@7%3D8");
    put.body("x").send().await?.expect(200)?;
    Ok(())
}

#[tokio::test]
async fn words_that_s3_does_not_know_are_refused() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    for (header, value, status, code) in [
        ("x-amz-storage-class", "COLD", 400, "InvalidStorageClass"),
        (
            "x-amz-server-side-encryption",
            "ROT13",
            400,
            "InvalidArgument",
        ),
        (
            "x-amz-server-side-encryption",
            "aws:kms",
            501,
            "NotImplemented",
        ),
        (
            "x-amz-expected-bucket-owner",
            "me",
            400,
            "InvalidBucketOwnerAWSAccountID",
        ),
        (
            "x-amz-expected-bucket-owner",
            "111111111111",
            403,
            "AccessDenied",
        ),
    ] {
        let put = cloud.put("/bucket/o").header(header, value).body("x");
        let answer = put.send().await?;
        answer
            .refused(status, code)
            .context(format!("{header}: {value}"))?;
    }
    for (rule, code) in [
        ("<Filter/><Status>On</Status>", "MalformedXML"),
        ("<Status>Enabled</Status>", "MalformedXML"),
    ] {
        let xml = format!(
            "<LifecycleConfiguration><Rule><ID>r</ID>{rule}<Expiration><Days>1</Days></Expiration>\
             </Rule></LifecycleConfiguration>"
        );
        let put = cloud.put("/bucket").query("lifecycle", "").body(xml);
        put.send().await?.refused(400, code)?;
    }
    Ok(())
}
