//! A client that signs what it sends, as AWS's own clients do.

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::macros::format_description;

/// Sends requests to one address.
pub struct Client {
    port: u16,
    http: reqwest::Client,
}

/// A request in the making.
pub struct Call<'a> {
    client: &'a Client,
    method: Method,
    path: String,
    /// The path as it is sent, where that is not what the signature is made over.
    written: Option<String>,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    unsigned: Vec<(String, String)>,
    has_digest: bool,
    body: Vec<u8>,
    service: &'static str,
    region: &'static str,
    signed: bool,
    unsigned_headers: Vec<&'static str>,
}

/// An answer, read whole.
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub body: Vec<u8>,
}

impl Client {
    /// A client of what listens at this port of 127.0.0.1.
    pub fn new(port: u16) -> Self {
        Self { port, http: http() }
    }

    /// Host and port.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A request to S3, signed by the account, unless more is said.
    pub fn call(&self, method: Method, path: &str) -> Call<'_> {
        Call {
            client: self,
            method,
            path: path.to_owned(),
            written: None,
            query: Vec::new(),
            headers: Vec::new(),
            unsigned: Vec::new(),
            has_digest: true,
            body: Vec::new(),
            service: "s3",
            region: "us-east-1",
            signed: true,
            unsigned_headers: Vec::new(),
        }
    }

    /// A GET of this path, which is given unencoded.
    pub fn get(&self, path: &str) -> Call<'_> {
        self.call(Method::GET, path)
    }

    /// A HEAD of this path, which is given unencoded.
    pub fn head(&self, path: &str) -> Call<'_> {
        self.call(Method::HEAD, path)
    }

    /// A PUT to this path, which is given unencoded.
    pub fn put(&self, path: &str) -> Call<'_> {
        self.call(Method::PUT, path)
    }

    /// A POST to this path, which is given unencoded.
    pub fn post(&self, path: &str) -> Call<'_> {
        self.call(Method::POST, path)
    }

    /// A DELETE of this path, which is given unencoded.
    pub fn delete(&self, path: &str) -> Call<'_> {
        self.call(Method::DELETE, path)
    }
}

/// A client that asks no proxy.
pub fn http() -> reqwest::Client {
    // The workspace's reqwest wants a cryptography even where none is used. Another test may
    // have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build();
    // The default one panics where this one fails.
    client.unwrap_or_default()
}

impl Call<'_> {
    /// A parameter of the query, which is given unencoded.
    pub fn query(mut self, name: &str, value: impl ToString) -> Self {
        self.query.push((name.to_owned(), value.to_string()));
        self
    }

    /// A header; one whose name begins with `x-amz-` is signed.
    pub fn header(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// A header that the signature does not cover.
    pub fn unsigned_header(mut self, name: &str, value: impl ToString) -> Self {
        self.unsigned.push((name.to_owned(), value.to_string()));
        self
    }

    /// Writes the path in another way than it is signed.
    pub fn written(mut self, path: &str) -> Self {
        self.written = Some(path.to_owned());
        self
    }

    /// Sends a document without the digest that SDKs add.
    pub fn without_digest(mut self) -> Self {
        self.has_digest = false;
        self
    }

    /// The body, whole.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Signs for this service.
    pub fn service(mut self, service: &'static str) -> Self {
        self.service = service;
        self
    }

    /// Signs for this region.
    pub fn region(mut self, region: &'static str) -> Self {
        self.region = region;
        self
    }

    /// Leaves a header out of the signature.
    pub fn without_signing(mut self, header: &'static str) -> Self {
        self.unsigned_headers.push(header);
        self
    }

    /// Does not sign.
    pub fn anonymous(mut self) -> Self {
        self.signed = false;
        self
    }

    /// Sends it, and reads the answer whole.
    ///
    /// # Errors
    /// When there is no answer, whatever it says.
    pub async fn send(mut self) -> Result<Answer> {
        let host = self.client.address();
        let path = encode(&self.path, b"/");
        let query = encoded_query(&self.query);
        let written = self.written.as_ref().unwrap_or(&path);
        let url = match query.is_empty() {
            true => format!("http://{host}{written}"),
            false => format!("http://{host}{written}?{query}"),
        };
        let digest = Sha256::digest(&self.body);
        if self.has_digest && self.takes_digest() {
            self = self.header("x-amz-checksum-sha256", STANDARD.encode(digest));
        }
        let http = &self.client.http;
        let mut request = http
            .request(self.method.clone(), url)
            .body(self.body.clone());
        if self.method == Method::PUT && self.body.is_empty() {
            // S3 wants a length; reqwest says none where there is no body.
            request = request.header("content-length", "0");
        }
        for (name, value) in self.headers.iter().chain(&self.unsigned) {
            request = request.header(name, value);
        }
        if self.signed {
            let format = format_description!("[year][month][day]T[hour][minute][second]Z");
            let date = OffsetDateTime::now_utc().format(&format)?;
            let mut given = self.headers.iter();
            let given = given.find(|(name, _)| name == "x-amz-content-sha256");
            let payload = given.map_or_else(|| hex::encode(digest), |(_, value)| value.clone());
            let mut signed = vec![("host", host.clone()), ("x-amz-date", date.clone())];
            let covered = self.headers.iter();
            let covered = covered.filter(|(name, _)| name.starts_with("x-amz-"));
            signed.extend(covered.map(|(name, value)| (name.as_str(), words(value))));
            if given.is_none() {
                signed.push(("x-amz-content-sha256", payload.clone()));
                request = request.header("x-amz-content-sha256", &payload);
            }
            signed.retain(|(name, _)| !self.unsigned_headers.contains(name));
            signed.sort_unstable();
            let canonical_headers: String = signed
                .iter()
                .map(|(name, value)| format!("{name}:{value}\n"))
                .collect();
            let names: Vec<&str> = signed.iter().map(|(name, _)| *name).collect();
            let names = names.join(";");
            let canonical = format!(
                "{}\n{path}\n{query}\n{canonical_headers}\n{names}\n{payload}",
                self.method
            );
            let (region, service) = (self.region, self.service);
            let scope = format!("{}/{region}/{service}/aws4_request", &date[..8]);
            let signature = signature(&scope, &date, &canonical)?;
            request = request.header("x-amz-date", &date).header(
                "authorization",
                format!(
                    "AWS4-HMAC-SHA256 Credential=test/{scope}, SignedHeaders={names}, \
                         Signature={signature}"
                ),
            );
        }
        Answer::read(request.send().await?).await
    }

    /// Whether it is one of the documents that S3 takes with a digest alone.
    fn takes_digest(&self) -> bool {
        let needs = |name: &str| ["delete", "lifecycle", "tagging"].contains(&name);
        let given = |(name, _): &(String, String)| {
            name == "content-md5" || name.starts_with("x-amz-checksum-")
        };
        let is_document = self.query.iter().any(|(name, _)| needs(name));
        is_document && !self.body.is_empty() && !self.headers.iter().any(given)
    }

    /// The URL that anybody may use for `seconds` from now on.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn presigned(self, seconds: u32) -> Result<String> {
        let host = self.client.address();
        let format = format_description!("[year][month][day]T[hour][minute][second]Z");
        let date = OffsetDateTime::now_utc().format(&format)?;
        let scope = format!("{}/us-east-1/s3/aws4_request", &date[..8]);
        let mut query = self.query;
        for (name, value) in [
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256".to_owned()),
            ("X-Amz-Credential", format!("test/{scope}")),
            ("X-Amz-Date", date.clone()),
            ("X-Amz-Expires", seconds.to_string()),
            ("X-Amz-SignedHeaders", "host".to_owned()),
        ] {
            query.push((name.to_owned(), value));
        }
        let path = encode(&self.path, b"/");
        let query = encoded_query(&query);
        let canonical = format!(
            "{}\n{path}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD",
            self.method
        );
        let signature = signature(&scope, &date, &canonical)?;
        Ok(format!(
            "http://{host}{path}?{query}&X-Amz-Signature={signature}"
        ))
    }
}

impl Answer {
    /// Reads an answer whole.
    ///
    /// # Errors
    /// When it breaks off.
    pub async fn read(response: Response) -> Result<Self> {
        Ok(Self {
            status: response.status(),
            headers: response.headers().clone(),
            body: response.bytes().await?.to_vec(),
        })
    }

    /// The answer itself.
    ///
    /// # Errors
    /// When its status is another.
    pub fn expect(self, status: u16) -> Result<Self> {
        ensure!(self.status == status, "{}: {}", self.status, self.text());
        Ok(self)
    }

    /// Checks that it is an error in XML, with this status and code.
    ///
    /// # Errors
    /// When it is not.
    pub fn refused(self, status: u16, code: &str) -> Result<()> {
        let answer = self.expect(status)?;
        ensure!(answer.element("Code")? == code, "{}", answer.text());
        Ok(())
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// When the status is another, or the body is none.
    pub fn json(self, status: u16) -> Result<Value> {
        Ok(serde_json::from_slice(&self.expect(status)?.body)?)
    }

    /// Checks that it is an error in JSON, with status 400 and this code.
    ///
    /// # Errors
    /// When it is not.
    pub fn fails_with(self, code: &str) -> Result<()> {
        let body = self.json(400)?;
        ensure!(body["__type"] == code, "{body}");
        Ok(())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header as text; empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// The text of the first element of this name in XML.
    ///
    /// # Errors
    /// When there is none.
    pub fn element(&self, name: &str) -> Result<String> {
        let first = self.elements(name).into_iter().next();
        first.with_context(|| format!("no {name} in {}", self.text()))
    }

    /// The texts of all elements of this name.
    pub fn elements(&self, name: &str) -> Vec<String> {
        let text = self.text();
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        text.split(&open)
            .skip(1)
            .filter_map(|rest| rest.split(&close).next())
            .map(str::to_owned)
            .collect()
    }
}

/// The value of a header as it is signed.
fn words(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A signature of version 4 with the account's keys, over a canonical request.
pub fn signature(scope: &str, date: &str, canonical: &str) -> Result<String> {
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{date}\n{scope}\n{}",
        hex::encode(Sha256::digest(canonical.as_bytes()))
    );
    let mut key = b"AWS4test".to_vec();
    for part in scope.split('/').chain([to_sign.as_str()]) {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key)?;
        mac.update(part.as_bytes());
        key = mac.finalize().into_bytes().to_vec();
    }
    Ok(hex::encode(key))
}

fn encoded_query(query: &[(String, String)]) -> String {
    let mut pairs: Vec<String> = query
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name, b""), encode(value, b"")))
        .collect();
    pairs.sort();
    pairs.join("&")
}

fn encode(text: &str, spared: &[u8]) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || spared.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
