//! Thousands of requests with a few bytes changed, lost or added, at every edge: whatever is sent,
//! nothing panics, nothing fails but the request, and no connection hangs.

use crate::client::Cloud;
use crate::cloudfront::Site;
use crate::edge::raw;
use anyhow::{Context, Result, ensure};
use futures::future::join_all;
use serde_json::json;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// At each edge.
const REQUESTS: usize = 2_000;

/// How long a request may take on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn mangled_requests_do_not_disturb_the_aws_edge() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let address = cloud.address();
    mangle_all(&address, &aws_requests(&address)).await?;
    cloud.get("/bucket").send().await?.expect(200)?;
    Ok(())
}

#[tokio::test]
async fn mangled_requests_do_not_disturb_an_api() -> Result<()> {
    let cloud = Cloud::start().await?;
    let api = deploy_api(&cloud).await?;
    let address = format!("127.0.0.1:{}", cloud.server.endpoints().api);
    let requests = api_requests(&address, &api);
    mangle_all(&address, &requests).await?;
    let answer = raw(&address, requests[0].as_bytes()).await?;
    ensure!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    Ok(())
}

#[tokio::test]
async fn mangled_requests_do_not_disturb_a_site() -> Result<()> {
    let site = Site::start().await?;
    site.open(true).await?;
    let address = site.domain().to_owned();
    mangle_all(&address, &site_requests(&address)).await?;
    site.get("/").await?.expect(200)?;
    Ok(())
}

/// Sends mangled versions of the requests; every answer must be of the request's own fault, or
/// of none.
async fn mangle_all(address: &str, requests: &[String]) -> Result<()> {
    let panics = panics();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mangled: Vec<Vec<u8>> = (0..REQUESTS)
        .map(|index| random.mangle(requests[index % requests.len()].as_bytes()))
        .collect();
    let mut refused = 0;
    for some in mangled.chunks(32) {
        let answers = some.iter().map(|request| async move {
            let answer = tokio::time::timeout(PATIENCE, raw(address, request)).await;
            (request, answer)
        });
        for (request, answer) in join_all(answers).await {
            let shown = String::from_utf8_lossy(request);
            let answer = answer.with_context(|| format!("stuck: {shown:?}"))?;
            // A connection that is refused may be reset before all of the answer is read.
            let answer = answer.unwrap_or_default();
            let failed = answer.starts_with("HTTP/1.1 5") && !answer.starts_with("HTTP/1.1 501");
            ensure!(!failed, "{shown:?}: {answer}");
            refused += usize::from(answer.starts_with("HTTP/1.1 4"));
        }
    }
    ensure!(panics.load(Ordering::SeqCst) == 0, "something panicked");
    ensure!(refused > REQUESTS / 4, "only {refused} were refused");
    Ok(())
}

/// Counts what panics in this process from now on.
fn panics() -> &'static AtomicUsize {
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            PANICS.fetch_add(1, Ordering::SeqCst);
            before(info);
        }));
    });
    &PANICS
}

fn aws_requests(address: &str) -> Vec<String> {
    let host = format!("Host: {}\r\nConnection: close\r\n", address);
    let scope = "test/20261123/us-east-1/firehose/aws4_request";
    vec![
        format!("GET /bucket?list-type=2&prefix=a%2Fb&max-keys=3 HTTP/1.1\r\n{host}\r\n"),
        format!("PUT /bucket/key%20 HTTP/1.1\r\n{host}Content-Length: 5\r\n\r\nhello"),
        format!(
            "PUT /bucket/o HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
        ),
        format!("GET /bucket/o HTTP/1.1\r\n{host}Range: bytes=0-1\r\nIf-Match: \"x\"\r\n\r\n"),
        format!(
            "POST /bucket?delete HTTP/1.1\r\n{host}Content-Length: 58\r\n\r\n<Delete><Object><Key>a</Key></Object><Quiet>1</Quiet></Delete>"
        ),
        format!(
            "POST / HTTP/1.1\r\n{host}X-Amz-Target: Firehose_20150804.PutRecord\r\nX-Amz-Date: 20261123T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00\r\nContent-Length: 2\r\n\r\n{{}}"
        ),
        format!(
            "POST / HTTP/1.1\r\n{host}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 24\r\n\r\nAction=GetCallerIdentity"
        ),
        format!(
            "POST /2015-03-31/functions/f/invocations HTTP/1.1\r\n{host}Content-Length: 2\r\n\r\n{{}}"
        ),
        format!(
            "GET /bucket/o?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=test%2F20261123%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20261123T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=00 HTTP/1.1\r\n{host}\r\n"
        ),
    ]
}

fn api_requests(address: &str, api: &str) -> Vec<String> {
    let host = format!("Host: {address}\r\nConnection: close\r\n");
    let body = r#"{"userId":"ada","list":[1,2.5e3,null,"\u00e9"]}"#;
    let json = format!(
        "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    vec![
        format!("PUT /{api}/prod/click?a=1&b=%20 HTTP/1.1\r\n{host}{json}"),
        format!("POST /{api}/prod/click/a%2Fb HTTP/1.1\r\n{host}X-Any: x\r\n{json}"),
        format!("GET /{api}/prod/ HTTP/1.1\r\n{host}\r\n"),
        format!(
            "PUT /{api}/prod/click HTTP/1.1\r\n{host}Content-Type: application/json\r\n\
             Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"
        ),
        format!("OPTIONS /{api}/prod/click HTTP/1.1\r\n{host}Origin: http://localhost\r\n\r\n"),
    ]
}

fn site_requests(address: &str) -> Vec<String> {
    let host = format!("Host: {address}\r\nConnection: close\r\n");
    vec![
        format!("GET / HTTP/1.1\r\n{host}Accept-Encoding: gzip, br;q=0.5\r\n\r\n"),
        format!("GET /a%20b/%C3%A9.txt?x=1 HTTP/1.1\r\n{host}Range: bytes=2-4\r\n\r\n"),
        format!("HEAD /index.html HTTP/1.1\r\n{host}If-None-Match: \"x\"\r\n\r\n"),
        format!(
            "GET /none HTTP/1.1\r\n{host}If-Modified-Since: Mon, 23 Nov 2026 00:00:00 GMT\r\n\r\n"
        ),
        format!("POST / HTTP/1.1\r\n{host}Content-Length: 2\r\n\r\n{{}}"),
    ]
}

/// An API whose PUT reads all that a template can read, and whose POST has a model; gives its id.
async fn deploy_api(cloud: &Cloud) -> Result<String> {
    let token = |kind: &str| {
        let (first, rest) = kind.split_at(1);
        format!("aws:apigateway/{}{rest}:{kind}", first.to_lowercase())
    };
    let deploy = async |kind: &str, name: &str, inputs| {
        let deployed = cloud.deploy(&token(kind), name, inputs).await;
        Ok::<_, anyhow::Error>(deployed.with_context(|| name.to_owned())?.resource)
    };
    let api = deploy("RestApi", "api", json!({ "name": "api" })).await?;
    let (id, root) = (&api.id, api.output("rootResourceId"));
    let inputs = json!({ "restApi": id, "parentId": root, "pathPart": "click" });
    let click = deploy("Resource", "click", inputs).await?.id;
    let inputs = json!({ "restApi": id, "parentId": click, "pathPart": "{name}" });
    let named = deploy("Resource", "named", inputs).await?.id;
    let schema = json!({ "type": "object", "required": ["userId"] }).to_string();
    let inputs = json!({
        "restApi": id, "name": "Click", "contentType": "application/json", "schema": schema,
    });
    deploy("Model", "model", inputs).await?;
    let inputs = json!({ "restApi": id, "name": "body", "validateRequestBody": true });
    let validator = deploy("RequestValidator", "validator", inputs).await?.id;

    let template = "#set($all = $input.json('$'))#set($one = $input.path('$.list[0]'))\
                    #set($raw = $util.base64Encode($input.body))\
                    #set($text = $util.escapeJavaScript($input.params('a')))\
                    {\"statusCode\": 200}";
    for (resource, verb, method) in [
        (&click, "PUT", json!({})),
        (
            &named,
            "POST",
            json!({
                "requestModels": { "application/json": "Click" },
                "requestValidatorId": validator,
                "requestParameters": { "method.request.path.name": true },
            }),
        ),
    ] {
        let own = |more: serde_json::Value| {
            let mut inputs = json!({ "restApi": id, "resourceId": resource, "httpMethod": verb });
            for (name, value) in more.as_object().into_iter().flatten() {
                inputs[name] = value.clone();
            }
            inputs
        };
        let mut method = method;
        method["authorization"] = json!("NONE");
        deploy("Method", verb, own(method)).await?;
        let templates = json!({ "application/json": template });
        let inputs = json!({
            "type": "MOCK", "requestTemplates": templates, "passthroughBehavior": "NEVER",
        });
        deploy("Integration", verb, own(inputs)).await?;
        let status = json!({ "statusCode": "200" });
        deploy("MethodResponse", verb, own(status.clone())).await?;
        deploy("IntegrationResponse", verb, own(status)).await?;
    }
    let deployment = deploy("Deployment", "d", json!({ "restApi": id }))
        .await?
        .id;
    let inputs = json!({ "restApi": id, "stageName": "prod", "deployment": deployment });
    deploy("Stage", "prod", inputs).await?;
    Ok(id.clone())
}

/// The same requests in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        // xorshift64
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (limit as u64)).unwrap_or(0)
    }

    fn mangle(&mut self, request: &[u8]) -> Vec<u8> {
        const TELLING: &[u8] = b"\0\r\n %/?&=;:,\"<>{}\xff\xc3-019AZ";
        let mut request = request.to_vec();
        for _ in 0..=self.below(4) {
            let place = self.below(request.len().max(1));
            let byte = match self.below(2) {
                0 => TELLING[self.below(TELLING.len())],
                _ => self.below(256) as u8,
            };
            match self.below(4) {
                0 if !request.is_empty() => request[place] = byte,
                1 if !request.is_empty() => {
                    request.remove(place);
                }
                2 => request.truncate(place),
                _ => request.insert(place, byte),
            }
        }
        request
    }
}
