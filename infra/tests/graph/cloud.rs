//! An engine, and what AWS would answer, as far as the program reads it.

use pulumi_mock::{Answer, Mock, Resource};
use serde_json::json;

pub const ACCOUNT: &str = "123456789012";
pub const REGION: &str = "eu-west-1";

/// An engine for stack `dev`, answered as by AWS, with nothing configured.
pub fn mock() -> Mock {
    let account = json!({ "accountId": ACCOUNT });
    let region = json!({ "region": REGION });
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    Mock::new()
        .project("mysfits")
        .stack("dev")
        .root_directory(root)
        .env("PULUMI_RUST_LAMBDA", &package("bootstrap.zip", "x86_64"))
        .function("aws:index/getCallerIdentity:getCallerIdentity", account)
        .function("aws:index/getRegion:getRegion", region)
        .answer(answer)
}

/// What the language host tells the program about the package.
pub fn package(file: &str, architecture: &str) -> String {
    json!({ "archive": format!("target/lambda/{file}"), "architecture": architecture }).to_string()
}

/// The answer to a registration: ids and ARNs in AWS's forms.
pub fn answer(resource: &Resource) -> Answer {
    let name = format!("{}-1a2b3c4", resource.name);
    let arn = |service: &str, rest: &str| format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}");
    let given = |property: &str| {
        resource.inputs[property]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    match kind(resource) {
        "s3/bucket" => Answer::new()
            .id(&name)
            .output("bucket", name.as_str())
            .output("arn", format!("arn:aws:s3:::{name}"))
            .output(
                "bucketRegionalDomainName",
                format!("{name}.s3.{REGION}.amazonaws.com"),
            ),
        "glue/catalogDatabase" => {
            let name = given("name");
            Answer::new()
                .id(&format!("{ACCOUNT}:{name}"))
                .output("arn", arn("glue", &format!("database/{name}")))
        }
        "athena/workgroup" => Answer::new()
            .id(&name)
            .output("name", name.as_str())
            .output("arn", arn("athena", &format!("workgroup/{name}"))),
        "iam/policy" => Answer::new()
            .output("name", name.as_str())
            .output("arn", format!("arn:aws:iam::{ACCOUNT}:policy/{name}")),
        "iam/role" => Answer::new()
            .id(&name)
            .output("name", name.as_str())
            .output("arn", format!("arn:aws:iam::{ACCOUNT}:role/{name}")),
        "cloudwatch/logGroup" => Answer::new()
            .id(&name)
            .output("name", name.as_str())
            .output("arn", arn("logs", &format!("log-group:{name}"))),
        "cloudwatch/logStream" => {
            let group = given("logGroupName");
            Answer::new().output("name", name.as_str()).output(
                "arn",
                arn("logs", &format!("log-group:{group}:log-stream:{name}")),
            )
        }
        "lambda/function" => Answer::new()
            .id(&name)
            .output("name", name.as_str())
            .output("arn", arn("lambda", &format!("function:{name}"))),
        "kinesis/firehoseDeliveryStream" => Answer::new()
            .output("name", name.as_str())
            .output("arn", arn("firehose", &format!("deliverystream/{name}"))),
        "sns/topic" => Answer::new().output("arn", arn("sns", &name)),
        "cloudwatch/logDeliverySource" => Answer::new().output("name", name.as_str()),
        "cloudwatch/logDeliveryDestination" => {
            Answer::new().output("arn", arn("logs", &format!("delivery-destination:{name}")))
        }
        "apigateway/account" if resource.read.is_some() => Answer::new().output(
            "cloudwatchRoleArn",
            format!("arn:aws:iam::{ACCOUNT}:role/of-another-stack"),
        ),
        "apigateway/restApi" => Answer::new()
            .id("a1b2c3d4e5")
            .output("rootResourceId", "root"),
        "apigateway/resource" => Answer::new()
            .id("res1")
            .output("path", format!("/{}", given("pathPart"))),
        "apigateway/stage" => Answer::new().output(
            "invokeUrl",
            format!(
                "https://a1b2c3d4e5.execute-api.{REGION}.amazonaws.com/{}",
                given("stageName")
            ),
        ),
        "cloudfront/distribution" => Answer::new()
            .id("E1EXAMPLE")
            .output(
                "arn",
                format!("arn:aws:cloudfront::{ACCOUNT}:distribution/E1EXAMPLE"),
            )
            .output("domainName", "d111111abcdef8.cloudfront.net"),
        "codecommit/repository" => {
            let repository = given("repositoryName");
            let host = format!("git-codecommit.{REGION}.amazonaws.com/v1/repos/{repository}");
            Answer::new()
                .output("cloneUrlHttp", format!("https://{host}"))
                .output("cloneUrlSsh", format!("ssh://{host}"))
        }
        _ => Answer::new(),
    }
}

/// `s3/bucket` of `aws:s3/bucket:Bucket`.
pub fn kind(resource: &Resource) -> &str {
    resource.r#type.split(':').nth(1).unwrap_or_default()
}

/// `s3/bucket mysfits-clicks`.
pub fn label(resource: &Resource) -> String {
    format!("{} {}", kind(resource), resource.name)
}

/// The same, of a URN.
pub fn label_of(urn: &str) -> String {
    let mut parts = urn.splitn(4, "::").skip(2);
    let kind = parts.next().unwrap_or_default();
    let kind = kind.rsplit('$').next().unwrap_or_default();
    let kind = kind.split(':').nth(1).unwrap_or_default();
    format!("{kind} {}", parts.next().unwrap_or_default())
}
