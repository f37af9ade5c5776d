//! The configuration of a stack: every `mysfits:` key, read once, typed after that.
//!
//! A value is set with `pulumi config set KEY VALUE`, or written in `Pulumi.STACK.yaml`. Without a
//! value a key has its default. All wrong values are reported together, and unknown keys are
//! refused.

mod check;

use std::collections::BTreeMap;

use pulumi_program::{ConfigValue, Mistakes, Reader};

/// The project's name, and the namespace of its keys.
const PROJECT: &str = "mysfits";
/// Other names of choices: some are nearer to another one by their letters.
const OTHER_NAMES: [(&str, &str); 6] = [
    ("aarch64", "arm64"),
    ("amd64", "x86_64"),
    ("x64", "x86_64"),
    ("debug", "quick"),
    ("none", "UNCOMPRESSED"),
    ("gz", "GZIP"),
];

/// What an environment may differ in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    pub storage: Storage,
    pub processor: Processor,
    pub delivery: Delivery,
    pub api: Api,
    pub site: Site,
    /// `analytics`: whether the stack has tables, queries and a workgroup of Athena over the
    /// clicks. They cost nothing until a query is run. They read objects that are UNCOMPRESSED or
    /// GZIP, under a prefix without Firehose's expressions. Default true.
    pub analytics: bool,
    /// `repository`: whether the stack has the CodeCommit repository of the processor's source.
    /// Default true.
    pub repository: bool,
    /// `logRetention`: days that CloudWatch keeps log events, one of the numbers it allows, or 0
    /// forever. Default 30.
    pub log_retention: u32,
    /// `alarmEmail`: the address that alarms are sent to, once its owner confirms. Default: alarms
    /// are seen in CloudWatch alone. Set as a secret, it is one in the state too.
    pub alarm_email: Option<ConfigValue>,
    /// `tags`: a map of tags forevery resource that takes them, beside those in
    /// `aws:defaultTags`. Default none.
    pub tags: BTreeMap<String, String>,
    /// The keys that are set as secrets, though their values are in the state in plain text.
    pub exposed: Vec<String>,
}

/// The bucket with the clicks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    /// `clicksBucketName`: the bucket's name, to take over one that exists (docs/adopting.md).
    /// Default: made up when the bucket is created.
    pub bucket_name: Option<String>,
    /// `clicksRetention`: days after which a click's object is deleted, 1 to 36500; it stays 30
    /// days more as an old version. Default: kept forever.
    pub clicks_retention: Option<u32>,
    /// `forceDestroy`: whether `pulumi destroy` deletes buckets that still hold objects. Default
    /// false.
    pub force_destroy: bool,
    /// `protect`: whether `pulumi destroy` refuses to delete the clicks bucket and the delivery
    /// stream. Default false.
    pub protect: bool,
}

/// The Lambda function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Processor {
    /// `mysfitsApiUrl`: base URL of an existing mysfits service, with or without a trailing slash.
    /// Default: the catalogue of this repository is published beside the site.
    pub mysfits_api_url: Option<String>,
    /// `architecture`: `x86_64` or `arm64`, the instruction set that the processor is compiled
    /// for, or `host`, that of the machine that deploys. Default `x86_64`, on every machine.
    ///
    /// `packageProfile`: `release` or `quick`, how the processor is built. Default `release`. The
    /// language host reads both; the program asks it which package it made.
    pub architecture: &'static str,
}

/// The delivery stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// `deliveryStreamName`: the stream's name, to take over one that exists
    /// (docs/adopting.md). Default: made up when the stream is created.
    pub stream_name: Option<String>,
    /// `bufferInterval`: seconds that Firehose gathers records before it writes an object, 0 to
    /// 900. Default 60.
    pub buffer_interval: u32,
    /// `bufferSize`: MiB that it gathers before it writes an object earlier, 1 to 128. Default 50.
    pub buffer_size: u32,
    /// `processorBufferInterval`: seconds that it gathers records before it calls the processor, 0
    /// to 900 but not 60. Default 30.
    ///
    /// AWS does not store 60, its own default, and so would show a difference at every preview.
    pub processor_buffer_interval: u32,
    /// `compression`: of the objects: `UNCOMPRESSED`, `GZIP`, `ZIP`, `Snappy` or `HADOOP_SNAPPY`.
    /// Default `UNCOMPRESSED`.
    pub compression: &'static str,
    /// `prefix`: of the objects' keys, 1 to 512 characters, before the date that Firehose adds.
    /// Default `firehose/`.
    pub prefix: String,
}

/// The REST API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api {
    /// `throttleRate`: requests a second that the API admits, 1 to 10000. Default 1000: what
    /// Firehose takes from one stream in most regions.
    pub throttle_rate: u32,
    /// `throttleBurst`: requests that it admits at once, 1 to 5000. Default 500.
    pub throttle_burst: u32,
    /// `allowedOrigins`: a list of origins, beside the site's own, whose pages may send clicks.
    /// Default none.
    pub allowed_origins: Vec<String>,
    /// `manageApiGatewayAccount`: whether the stack owns the role with which API Gateway writes
    /// logs. There is one in an account and region, so only one stack owns it. The other stacks
    /// read it, and say what to run when there is none. Default true.
    pub manage_account: bool,
}

/// The site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// `siteScheme`: `https` or `http`, of the site's address. Default `https`. Plain HTTP is for
    /// a stack that admits [`NO_ACCOUNT`] alone.
    pub scheme: &'static str,
    /// `siteDomain` with `siteCertificateArn`: a domain of one's own, which leads to the
    /// distribution by a record that is not of this stack, and its certificate in us-east-1.
    /// Default: CloudFront's domain.
    pub domain: Option<Domain>,
    /// `siteAccessLogs`: whether the requests for the site's files are logged. Default false.
    pub access_logs: bool,
    /// `siteHosts`: a list of hosts, beside that of the site's address, by which its pages are
    /// opened too, at the same port, and may send clicks. Default none.
    pub hosts: Vec<String>,
    /// `cognitoUserPoolId`: the user pool that visitors sign in to. Default none.
    pub cognito_user_pool_id: Option<String>,
    /// `cognitoUserPoolClientId`: the site's client of that pool, without a secret. Default none.
    pub cognito_user_pool_client_id: Option<String>,
    /// `cognitoDomain`: the origin of that pool's sign-in pages, without which nobody can sign in.
    /// It needs the two keys before. Default none.
    pub cognito_domain: Option<String>,
    /// `adoption`: whether visitors may like and adopt, which a service at `mysfitsApiUrl` takes
    /// as `POST /mysfits/{id}/like` and `…/adopt`. Default false.
    pub adoption: bool,
    /// `insightsOnSite`: whether the site shows what was opened most, as `cargo xtask insights
    /// --publish` says it. Default false.
    pub insights: bool,
    /// `respectPrivacySignals`: whether a browser that sends Global Privacy Control or Do Not
    /// Track sends no clicks until its user wants it to. Default true.
    pub respect_privacy_signals: bool,
}

/// A domain of one's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    pub name: String,
    pub certificate_arn: String,
}

impl Config {
    /// Reads the configuration of a stack: the keys of this project, without its name, and the
    /// value of `aws:allowedAccountIds`.
    ///
    /// # Errors
    /// With every mistake in it.
    pub fn read<'a>(
        stack: &'a str,
        values: impl Iterator<Item = (&'a str, &'a ConfigValue)>,
        allowed_accounts: Option<&ConfigValue>,
    ) -> Result<Self, Mistakes> {
        let mut reader = Reader::new(PROJECT, stack, values).other_names(&OTHER_NAMES);
        let config = Self {
            storage: Storage {
                bucket_name: reader.optional("clicksBucketName", check::bucket),
                clicks_retention: reader.optional_number("clicksRetention", "days", 1..=36_500),
                force_destroy: reader.flag("forceDestroy", false),
                protect: reader.flag("protect", false),
            },
            processor: Processor {
                mysfits_api_url: reader.optional("mysfitsApiUrl", check::base_url),
                architecture: {
                    reader.choice("packageProfile", &["release", "quick"], "release");
                    reader.choice("architecture", &["x86_64", "arm64", HOST], "x86_64")
                },
            },
            delivery: Delivery {
                stream_name: reader.optional("deliveryStreamName", check::stream),
                buffer_interval: reader.number("bufferInterval", "seconds", 0..=900, 60),
                buffer_size: reader.number("bufferSize", "MiB", 1..=128, 50),
                processor_buffer_interval: reader.number_among(
                    "processorBufferInterval",
                    "seconds from 0 to 900, but not 60",
                    30,
                    (0..=900).filter(|seconds| *seconds != 60),
                ),
                compression: reader.choice(
                    "compression",
                    &["UNCOMPRESSED", "GZIP", "ZIP", "Snappy", "HADOOP_SNAPPY"],
                    "UNCOMPRESSED",
                ),
                prefix: reader
                    .optional("prefix", check::prefix)
                    .unwrap_or_else(|| "firehose/".to_owned()),
            },
            api: Api {
                throttle_rate: reader.number("throttleRate", "requests/s", 1..=10_000, 1_000),
                throttle_burst: reader.number("throttleBurst", "requests", 1..=5_000, 500),
                allowed_origins: reader.list("allowedOrigins", check::origin),
                manage_account: reader.flag("manageApiGatewayAccount", true),
            },
            site: Site {
                scheme: scheme(&mut reader, allowed_accounts),
                domain: domain(&mut reader),
                access_logs: reader.flag("siteAccessLogs", false),
                hosts: reader.list("siteHosts", check::other_host),
                cognito_user_pool_id: reader.optional("cognitoUserPoolId", check::user_pool),
                cognito_user_pool_client_id: reader
                    .optional("cognitoUserPoolClientId", check::user_pool_client),
                cognito_domain: sign_in(&mut reader),
                adoption: adoption(&mut reader),
                insights: reader.flag("insightsOnSite", false),
                respect_privacy_signals: reader.flag("respectPrivacySignals", true),
            },
            analytics: analytics(&mut reader),
            repository: repository(&mut reader, stack),
            log_retention: reader.number_among(
                "logRetention",
                "0 (forever), 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, \
                 1827, 2192, 2557, 2922, 3288 or 3653 days",
                30,
                LOG_RETENTIONS.into_iter(),
            ),
            alarm_email: reader.confidential("alarmEmail", check::email),
            tags: reader.map("tags", check::tag),
            exposed: reader.exposed(),
        };
        reader.finish(config)
    }
}

/// The architecture of the machine that deploys, which the language host knows.
pub const HOST: &str = "host";

/// As the aws package's documentation of `cloudwatch.LogGroup` lists them.
const LOG_RETENTIONS: [u32; 23] = [
    0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

/// The tables say how objects are packed and where they are.
fn analytics(reader: &mut Reader<'_>) -> bool {
    const KEY: &str = "analytics";
    let wanted = reader.flag(KEY, true);
    if !wanted {
        return false;
    }
    let none = format!("mysfits:{KEY} false");
    if let Some(compression) = reader.text("compression")
        && ["ZIP", "Snappy", "HADOOP_SNAPPY"].contains(&compression)
    {
        let what =
            "UNCOMPRESSED or GZIP, or any with mysfits:analytics false: its tables read no other";
        reader.mistake("compression", compression, what, &none);
    }
    if let Some(prefix) = reader.text("prefix")
        && prefix.contains("!{")
    {
        let what = "a prefix without expressions, or any with mysfits:analytics false: its tables know the hours that Firehose adds";
        reader.mistake("prefix", prefix, what, &none);
    }
    wanted
}

/// The repository's name has the stack's at its end.
fn repository(reader: &mut Reader<'_>, stack: &str) -> bool {
    const KEY: &str = "repository";
    let wanted = reader.flag(KEY, true);
    let name = crate::repository::name(stack);
    if wanted && name.len() > crate::repository::MAX_NAME {
        let what = "false, for with this stack's name the repository's is too long";
        reader.mistake(KEY, "true", what, &format!("mysfits:{KEY} false"));
    }
    wanted
}

/// The id of no account of AWS's: a stack that admits it alone cannot be deployed to AWS.
pub const NO_ACCOUNT: &str = "000000000000";

/// On AWS visitors get to the site over TLS alone, so that what they send has an `https` origin,
/// and the bucket refuses what does not come over TLS. A site at an `http` address would get no
/// click, or answer 403 to everything.
fn scheme(reader: &mut Reader<'_>, allowed_accounts: Option<&ConfigValue>) -> &'static str {
    const KEY: &str = "siteScheme";
    const TLS: &str = "https";
    let scheme = reader.choice(KEY, &[TLS, "http"], TLS);
    let allowed = allowed_accounts
        .and_then(|value| serde_json::from_str::<Vec<String>>(&value.text).ok())
        .unwrap_or_default();
    let nowhere = !allowed.is_empty() && allowed.iter().all(|account| account == NO_ACCOUNT);
    if scheme != TLS && !nowhere {
        let what = "https, for on AWS the site answers over TLS alone; http only where \
                    aws:allowedAccountIds is [\"000000000000\"], which is no account of AWS's";
        reader.mistake(KEY, scheme, what, &format!("mysfits:{KEY} {TLS}"));
    }
    scheme
}

/// A published catalogue takes neither likes nor adoptions: it is files.
fn adoption(reader: &mut Reader<'_>) -> bool {
    const KEY: &str = "adoption";
    let wanted = reader.flag(KEY, false);
    if wanted && reader.text("mysfitsApiUrl").is_none() {
        let what = "false, for the published catalogue cannot be written to; true with a service \
                    at mysfits:mysfitsApiUrl that takes likes and adoptions";
        reader.mistake(KEY, "true", what, &format!("mysfits:{KEY} false"));
    }
    wanted
}

/// Tokens travel from there, so that it is plain HTTP only where the site is.
fn sign_in(reader: &mut Reader<'_>) -> Option<String> {
    const KEY: &str = "cognitoDomain";
    let domain = reader.optional(KEY, check::sign_in_domain)?;
    let of_http = reader.text("siteScheme") == Some("http");
    if domain.starts_with("http:") && !of_http {
        let fix = domain.replacen("http:", "https:", 1);
        let what = "an https origin, for tokens come from there";
        reader.mistake(KEY, &domain, what, &format!("mysfits:{KEY} '{fix}'"));
    }
    for (needed, example) in [
        ("cognitoUserPoolId", "us-east-1_abcdefghi"),
        ("cognitoUserPoolClientId", "1example23456789"),
    ] {
        if reader.text(needed).is_none() {
            reader.missing(needed, KEY, example);
        }
    }
    Some(domain)
}

fn domain(reader: &mut Reader<'_>) -> Option<Domain> {
    let pair = ["siteDomain", "siteCertificateArn"];
    let [name, certificate_arn] = reader.both(pair, [check::host, check::certificate])?;
    Some(Domain {
        name,
        certificate_arn,
    })
}

#[cfg(test)]
mod tests;
