//! Wrong values, one by one and together, and right ones.

use super::*;

fn read(values: &[(&str, &str)]) -> Result<Config, Mistakes> {
    read_for(None, values)
}

fn read_for(accounts: Option<&str>, values: &[(&str, &str)]) -> Result<Config, Mistakes> {
    let values: Vec<(&str, ConfigValue)> = values
        .iter()
        .map(|(key, text)| {
            let text = (*text).to_owned();
            let key = key.trim_start_matches("mysfits:");
            (
                key,
                ConfigValue {
                    text,
                    secret: false,
                },
            )
        })
        .collect();
    let accounts = accounts.map(|text| ConfigValue {
        text: text.to_owned(),
        secret: false,
    });
    let values = values.iter().map(|(key, value)| (*key, value));
    Config::read("dev", values, accounts.as_ref())
}

#[test]
fn an_empty_configuration_is_the_defaults() -> Result<(), Mistakes> {
    let config = read(&[])?;
    assert_eq!(config.delivery.buffer_interval, 60);
    assert_eq!(config.delivery.buffer_size, 50);
    assert_eq!(config.delivery.compression, "UNCOMPRESSED");
    assert_eq!(config.delivery.prefix, "firehose/");
    assert_eq!(config.site.scheme, "https");
    assert_eq!(config.processor.mysfits_api_url, None);
    assert_eq!(config.storage.clicks_retention, None);
    assert!(config.repository && config.api.manage_account);
    assert!(!config.storage.force_destroy && !config.storage.protect);
    Ok(())
}

/// As the engine hands over what is `null` in a stack file.
#[test]
fn what_is_empty_is_not_set() -> Result<(), Mistakes> {
    let keys = [
        "bufferInterval",
        "compression",
        "protect",
        "allowedOrigins",
        "tags",
        "prefix",
    ];
    let config = read(&keys.map(|key| (key, "")))?;
    assert_eq!(config, read(&[])?);
    Ok(())
}

#[test]
fn every_kind_of_value_is_read() -> Result<(), Mistakes> {
    let config = read(&[
        ("mysfits:bufferInterval", "0"),
        ("mysfits:compression", "GZIP"),
        ("mysfits:protect", "true"),
        ("mysfits:clicksRetention", "400"),
        ("mysfits:mysfitsApiUrl", "https://mysfits.example.com/v1/"),
        (
            "mysfits:allowedOrigins",
            r#"["https://a.example","http://localhost:8080"]"#,
        ),
        ("mysfits:tags", r#"{"team":"mysfits"}"#),
    ])?;
    assert_eq!(config.delivery.buffer_interval, 0);
    assert_eq!(config.delivery.compression, "GZIP");
    assert!(config.storage.protect);
    assert_eq!(config.storage.clicks_retention, Some(400));
    assert_eq!(
        config.api.allowed_origins,
        ["https://a.example", "http://localhost:8080"]
    );
    assert_eq!(config.tags["team"], "mysfits");
    Ok(())
}

#[test]
fn all_mistakes_are_reported_at_once_each_with_its_remedy() {
    let mistakes = read(&[
        ("mysfits:bufferInterval", "901"),
        ("mysfits:bufferSize", "half"),
        ("mysfits:processorBufferInterval", "60"),
        ("mysfits:forceDestroy", "yes"),
        ("mysfits:compression", "gzip"),
        ("mysfits:logRetention", "31"),
        ("mysfits:mysfitsApiUrl", "ftp://mysfits.example.com"),
        ("mysfits:allowedOrigins", r#"["https://a.example","*"]"#),
        ("mysfits:tags", r#"{"aws:team":"mysfits"}"#),
        ("mysfits:bufferIntervall", "60"),
    ])
    .err();
    let report = mistakes
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    let expected = "10 mistakes in the configuration of stack dev
  mysfits:forceDestroy is 'yes', allowed: true or false; fix it with: pulumi config set --stack dev mysfits:forceDestroy true
  mysfits:mysfitsApiUrl is 'ftp://mysfits.example.com', allowed: an http or https URL without a query; fix it with: pulumi config set --stack dev mysfits:mysfitsApiUrl 'https://mysfits.example.com'
  mysfits:bufferInterval is '901', allowed: seconds from 0 to 900; fix it with: pulumi config set --stack dev mysfits:bufferInterval 900
  mysfits:bufferSize is 'half', allowed: MiB from 1 to 128; fix it with: pulumi config rm --stack dev mysfits:bufferSize
  mysfits:processorBufferInterval is '60', allowed: seconds from 0 to 900, but not 60; fix it with: pulumi config set --stack dev mysfits:processorBufferInterval 59
  mysfits:compression is 'gzip', allowed: one of UNCOMPRESSED, GZIP, ZIP, Snappy, HADOOP_SNAPPY; fix it with: pulumi config set --stack dev mysfits:compression GZIP
  mysfits:allowedOrigins[1] is '*', allowed: an origin (scheme, host and port in lower case, no path, no *); fix it with: pulumi config set --stack dev --path 'mysfits:allowedOrigins[1]' 'https://www.example.com'
  mysfits:logRetention is '31', allowed: 0 (forever), 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days; fix it with: pulumi config set --stack dev mysfits:logRetention 30
  mysfits:tags is 'aws:team=mysfits', allowed: a key of 1 to 128 characters, not starting with aws:, and a value of up to 256; fix it with: pulumi config set --stack dev --path 'mysfits:tags.NAME' 'VALUE'
  mysfits:bufferIntervall is no key, mysfits:bufferInterval is; fix it with: pulumi config rm --stack dev mysfits:bufferIntervall";
    assert_eq!(report, expected);
}

/// CloudFront speaks to a bucket in the viewer's scheme, and the bucket's policy refuses plain HTTP:
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPandHTTPSRequests.html>.
#[test]
fn a_site_in_plain_http_is_refused_wherever_it_could_be_on_aws() -> Result<(), Mistakes> {
    let http = [("mysfits:siteScheme", "http")];
    let no_account = r#"["000000000000"]"#;
    assert_eq!(read_for(Some(no_account), &http)?.site.scheme, "http");
    let real = [
        None,
        Some("[]"),
        Some(r#"["123456789012"]"#),
        Some(r#"["000000000000","123456789012"]"#),
        Some("000000000000"),
    ];
    for accounts in real {
        let mistakes = read_for(accounts, &http).err();
        assert_eq!(
            mistakes.map(|mistakes| mistakes.to_string()).unwrap_or_default(),
            "1 mistake in the configuration of stack dev
  mysfits:siteScheme is 'http', allowed: https, for on AWS the site answers over TLS alone; http only where aws:allowedAccountIds is [\"000000000000\"], which is no account of AWS's; fix it with: pulumi config set --stack dev mysfits:siteScheme https",
            "{accounts:?}"
        );
        let https = [("mysfits:siteScheme", "https")];
        assert_eq!(read_for(accounts, &https)?.site.scheme, "https");
    }
    Ok(())
}

#[test]
fn what_a_browser_would_not_send_is_no_origin() {
    for text in [
        "https://a.example/",
        "https://a.example/path",
        "https://*.example",
        "a.example",
        "https://A.example",
        "https://u@a.example",
        "null",
    ] {
        let list = serde_json::json!([text]).to_string();
        assert!(
            read(&[("mysfits:allowedOrigins", &list)]).is_err(),
            "{text}"
        );
    }
}

#[test]
fn a_list_that_is_none_is_refused() {
    assert!(read(&[("mysfits:allowedOrigins", "https://a.example")]).is_err());
    assert!(read(&[("mysfits:tags", "[]")]).is_err());
}

/// The command in the report sets what was meant. Where that cannot be told, it takes the key out.
#[test]
fn a_wrong_value_is_fixed_with_the_allowed_one_next_to_it() {
    let cases = [
        ("compression", "gzip", "set GZIP"),
        ("compression", "snappy", "set Snappy"),
        ("compression", "Hadoop-Snappy", "set HADOOP_SNAPPY"),
        ("compression", "none", "set UNCOMPRESSED"),
        ("compression", "brotli", "rm"),
        ("protect", "yes", "set true"),
        ("protect", "True", "set true"),
        ("protect", "off", "set false"),
        ("protect", "flase", "set false"),
        ("protect", "perhaps", "rm"),
        ("architecture", "ARM64", "set arm64"),
        ("architecture", "aarch64", "set arm64"),
        ("architecture", "amd64", "set x86_64"),
        ("architecture", "x86-64", "set x86_64"),
        ("architecture", "riscv", "rm"),
        ("packageProfile", "Quick", "set quick"),
        ("siteScheme", "HTTPS", "set https"),
        ("bufferInterval", "-1", "set 0"),
        ("bufferInterval", "99999999999", "set 900"),
        ("bufferInterval", "60s", "rm"),
        ("bufferSize", "0.4", "set 1"),
        ("bufferSize", "NaN", "rm"),
        ("processorBufferInterval", "60", "set 59"),
        ("throttleRate", "20000", "set 10000"),
        ("logRetention", "10", "set 7"),
        ("logRetention", "100", "set 90"),
        ("clicksRetention", "40000", "set 36500"),
        // It may well mean that clicks are kept forever.
        ("clicksRetention", "0", "rm"),
        ("clicksRetention", "never", "rm"),
    ];
    for (key, value, fix) in cases {
        let report = read(&[(key, value)]).map_err(|mistakes| mistakes.to_string());
        let expected = match fix.split_once(' ') {
            Some((_, right)) => format!("config set --stack dev mysfits:{key} {right}"),
            None => format!("config rm --stack dev mysfits:{key}"),
        };
        assert!(
            report.as_ref().is_err_and(|text| text.ends_with(&expected)),
            "{key} {value}: {report:?}"
        );
        if let Some((_, right)) = fix.split_once(' ') {
            // Its tables read UNCOMPRESSED and GZIP alone.
            let fixed = read(&[(key, right), ("analytics", "false")]);
            assert!(fixed.is_ok(), "{key} {right}: {fixed:?}");
        }
    }
}

/// A nearest value says much of a secret.
#[test]
fn a_secret_is_not_told_by_what_is_next_to_it() {
    let secret = ConfigValue {
        text: "gzip".to_owned(),
        secret: true,
    };
    let values = std::iter::once(("compression", &secret));
    let report = Config::read("dev", values, None).map_err(|mistakes| mistakes.to_string());
    let expected = "mysfits:compression is '[secret]', allowed: one of UNCOMPRESSED, GZIP, ZIP, Snappy, HADOOP_SNAPPY; fix it with: pulumi config rm --stack dev mysfits:compression";
    assert!(
        report.as_ref().is_err_and(|text| text.ends_with(expected)),
        "{report:?}"
    );
}
