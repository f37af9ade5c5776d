//! A distribution in front of a private bucket.

use crate::client::{Answer, Cloud, http};
use crate::inputs;
use anyhow::Result;
use cloud_resource::deployments::Record;
use reqwest::Method;
use serde_json::{Value, json};
use std::io::Read;

/// A bucket with a site in it, and a distribution that may read it.
pub struct Site {
    pub cloud: Cloud,
    pub distribution: Record,
}

impl Site {
    pub async fn start() -> Result<Self> {
        let cloud = Cloud::with_bucket().await?;
        let (token, access) = inputs::access_control();
        let access = cloud.deploy(token, "access", access).await?;
        let (token, headers) = inputs::headers_policy();
        let headers = cloud.deploy(token, "headers", headers).await?;
        let inputs = inputs::distribution(&access.resource.id, &headers.resource.id);
        let distribution = cloud.deploy(inputs::DISTRIBUTION, "site", inputs).await?;
        let site = Self {
            cloud,
            distribution,
        };
        for (key, kind, body) in [
            ("index.html", "text/html", "home"),
            ("a b/é.txt", "text/plain", "0123456789"),
            ("404.html", "text/html", "lost"),
        ] {
            let put = site.cloud.put(&format!("/bucket/{key}"));
            let put = put
                .header("content-type", kind)
                .header("cache-control", "no-cache");
            put.header("x-amz-meta-by", "test")
                .body(body)
                .send()
                .await?
                .expect(200)?;
        }
        Ok(site)
    }

    /// Lets the distribution read the bucket, and list it where that is wanted.
    pub async fn open(&self, lists: bool) -> Result<()> {
        let statement = |action: &str, resource: &str| {
            json!({
                "Effect": "Allow",
                "Principal": { "Service": "cloudfront.amazonaws.com" },
                "Action": action,
                "Resource": resource,
                "Condition": {
                    "StringEquals": { "AWS:SourceArn": self.distribution.resource.output("arn") },
                },
            })
        };
        let mut statements = vec![statement("s3:GetObject", "arn:aws:s3:::bucket/*")];
        if lists {
            statements.push(statement("s3:ListBucket", "arn:aws:s3:::bucket"));
        }
        let policy = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
        let call = self.cloud.put("/bucket").query("policy", "").body(policy);
        call.send().await?.expect(204)?;
        Ok(())
    }

    pub fn domain(&self) -> &str {
        self.distribution.resource.output("domainName")
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Answer> {
        let domain = self.domain();
        let mut request = http().request(method, format!("http://{domain}{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::read(request.send().await?).await
    }

    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.send(Method::GET, path, &[]).await
    }
}

#[tokio::test]
async fn a_distribution_serves_its_bucket_with_its_headers() -> Result<()> {
    let site = Site::start().await?;
    site.open(false).await?;
    let home = site.get("/").await?.expect(200)?;
    assert_eq!(home.text(), "home");
    for (name, value) in [
        ("content-type", "text/html"),
        ("cache-control", "no-cache"),
        ("content-length", "4"),
        ("x-amz-meta-by", "test"),
        ("x-cache", "Miss from cloudfront"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        (
            "strict-transport-security",
            "max-age=31536000; includeSubDomains",
        ),
        ("content-security-policy", "default-src 'self'"),
    ] {
        assert_eq!(home.header(name), value, "{name}");
    }
    assert_eq!(
        site.get("/a%20b/%C3%A9.txt").await?.expect(200)?.text(),
        "0123456789"
    );
    let head = site.send(Method::HEAD, "/", &[]).await?.expect(200)?;
    assert_eq!(
        (head.header("content-length"), head.text().as_str()),
        ("4", "")
    );

    let etag = home.header("etag").to_owned();
    let unchanged = site
        .send(Method::GET, "/", &[("if-none-match", &etag)])
        .await?
        .expect(304)?;
    assert_eq!(unchanged.header("etag"), etag);
    assert_eq!(unchanged.header("x-frame-options"), "DENY");
    let part = site
        .send(Method::GET, "/a%20b/%C3%A9.txt", &[("range", "bytes=2-4")])
        .await?;
    let part = part.expect(206)?;
    assert_eq!(
        (part.text().as_str(), part.header("content-range")),
        ("234", "bytes 2-4/10")
    );
    Ok(())
}

#[tokio::test]
async fn what_the_cache_policy_says_is_compressed_for_those_who_take_it() -> Result<()> {
    let mut site = Site::start().await?;
    site.open(true).await?;
    let text = "<p>again and again</p>".repeat(200);
    for (key, kind) in [
        ("page.html", "text/html; charset=utf-8"),
        ("p.png", "image/png"),
    ] {
        let put = site.cloud.put(&format!("/bucket/{key}"));
        let put = put.header("content-type", kind).body(text.clone());
        put.send().await?.expect(200)?;
    }
    let takes = ("accept-encoding", "br, gzip");
    let mut uncompressed = site.send(Method::GET, "/page.html", &[takes]).await?;
    assert_eq!(uncompressed.header("content-encoding"), "");

    let token = "aws:cloudfront/cachePolicy:CachePolicy";
    let mut policy = inputs::cache_policy("none");
    policy["parametersInCacheKeyAndForwardedToOrigin"]["enableAcceptEncodingGzip"] = json!(true);
    let own = site.cloud.deploy(token, "c", policy.clone()).await?;
    policy["maxTtl"] = json!(0);
    policy["defaultTtl"] = json!(0);
    policy["name"] = json!("nothing is cached");
    let nothing = site.cloud.deploy(token, "n", policy).await?;
    let disabled = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
    for (cache_policy, compress, encoding) in [
        (own.resource.id.as_str(), false, ""),
        (nothing.resource.id.as_str(), true, ""),
        (disabled, true, ""),
        ("658327ea-f89d-4fab-a63d-7e88639e58f6", true, "gzip"),
        (own.resource.id.as_str(), true, "gzip"),
    ] {
        let mut inputs = Value::Object(site.distribution.resource.inputs.clone());
        inputs["defaultCacheBehavior"]["cachePolicyId"] = json!(cache_policy);
        inputs["defaultCacheBehavior"]["compress"] = json!(compress);
        site.distribution = site.cloud.change(site.distribution, inputs).await?;
        let page = site.send(Method::GET, "/page.html", &[takes]).await?;
        let shown = format!("{cache_policy} {compress}");
        assert_eq!(page.header("content-encoding"), encoding, "{shown}");
        uncompressed = match encoding {
            "" => page,
            _ => uncompressed,
        };
    }

    let page = site.send(Method::GET, "/page.html", &[takes]).await?;
    assert!(page.body.len() < text.len() / 10);
    let mut read = String::new();
    flate2::read::GzDecoder::new(page.body.as_slice()).read_to_string(&mut read)?;
    assert_eq!(read, text);
    assert_eq!(page.header("vary"), "Accept-Encoding");
    assert_eq!(page.header("x-frame-options"), "DENY");
    let weak = format!("W/{}", uncompressed.header("etag"));
    assert_eq!(page.header("etag"), weak);
    let again = [takes, ("if-none-match", weak.as_str())];
    site.send(Method::GET, "/page.html", &again)
        .await?
        .expect(304)?;

    for (method, path, headers, status) in [
        (Method::GET, "/page.html", vec![], 200),
        (Method::HEAD, "/page.html", vec![takes], 200),
        (Method::GET, "/p.png", vec![takes], 200),
        (Method::GET, "/index.html", vec![takes], 200),
        (
            Method::GET,
            "/page.html",
            vec![takes, ("range", "bytes=0-1999")],
            206,
        ),
    ] {
        let plain = site
            .send(method.clone(), path, &headers)
            .await?
            .expect(status)?;
        assert_eq!(plain.header("content-encoding"), "", "{method} {path}");
        assert!(
            !plain.header("content-length").is_empty(),
            "{method} {path}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn ranges_are_read_as_the_bucket_reads_them() -> Result<()> {
    let site = Site::start().await?;
    site.open(true).await?;
    let path = "/a%20b/%C3%A9.txt";
    for (range, status, body, content_range) in [
        ("bytes=0-0", 206, "0", "bytes 0-0/10"),
        ("bytes=7-", 206, "789", "bytes 7-9/10"),
        ("bytes=-2", 206, "89", "bytes 8-9/10"),
        ("bytes=5-100", 206, "56789", "bytes 5-9/10"),
        ("bytes=x", 200, "0123456789", ""),
    ] {
        let part = site.send(Method::GET, path, &[("range", range)]).await?;
        let part = part.expect(status)?;
        assert_eq!(part.text(), body, "{range}");
        assert_eq!(part.header("content-range"), content_range, "{range}");
        assert_eq!(part.header("content-length"), body.len().to_string());
        let head = site.send(Method::HEAD, path, &[("range", range)]).await?;
        let head = head.expect(status)?;
        assert_eq!(head.header("content-length"), body.len().to_string());
        assert_eq!(head.text(), "");
    }
    let beyond = site
        .send(Method::GET, path, &[("range", "bytes=10-")])
        .await?;
    beyond.refused(416, "InvalidRange")
}

#[tokio::test]
async fn only_the_distribution_that_the_policy_names_may_read() -> Result<()> {
    let site = Site::start().await?;
    let closed = site.get("/").await?;
    assert_eq!(closed.header("x-cache"), "Error from cloudfront");
    assert_eq!(closed.header("x-frame-options"), "DENY");
    closed.refused(403, "AccessDenied")?;
    site.open(false).await?;
    site.get("/").await?.expect(200)?;
    // Without s3:ListBucket, what is missing cannot be told from what is not allowed.
    site.get("/none").await?.refused(403, "AccessDenied")?;
    site.open(true).await?;
    let lost = site.get("/none").await?.expect(404)?;
    assert_eq!(
        (lost.text().as_str(), lost.header("content-type")),
        ("lost", "text/html")
    );
    site.cloud
        .delete("/bucket/404.html")
        .send()
        .await?
        .expect(204)?;
    site.get("/none").await?.refused(404, "NoSuchKey")
}

#[tokio::test]
async fn methods_that_are_not_allowed_are_refused() -> Result<()> {
    let site = Site::start().await?;
    site.open(true).await?;
    for method in [
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::OPTIONS,
        Method::PATCH,
    ] {
        let refused = site.send(method, "/index.html", &[]).await?.expect(403)?;
        assert!(
            refused.text().contains("not configured to allow"),
            "{}",
            refused.text()
        );
    }
    let foreign = site
        .send(Method::GET, "/", &[("host", "example.com")])
        .await?;
    foreign.expect(403)?;
    for path in ["/%zz", "/%+4x", "/%-1", "/a%", "/%ff"] {
        site.get(path).await?.expect(400)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_distribution_keeps_its_port_until_it_is_deleted() -> Result<()> {
    let site = Site::start().await?;
    site.open(false).await?;
    let sites = site.cloud.server.endpoints().sites.clone();
    let lowest = sites.iter().min().map(|port| format!("127.0.0.1:{port}"));
    let domain = site.distribution.resource.output("domainName");
    assert_eq!(Some(domain.to_owned()), lowest);

    let Site {
        cloud,
        distribution: record,
    } = site;
    cloud.undeploy(&record).await?;
    assert!(cloud.refresh(&record).await?.is_none());
    let gone = http().get(format!("http://{}/", record.resource.output("domainName")));
    assert_eq!(gone.send().await?.status(), 404);
    Ok(())
}
