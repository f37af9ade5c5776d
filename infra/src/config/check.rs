//! Which texts are allowed as values of the configuration.

use http::Uri;

use pulumi_program::Allowed;

/// A name by which a page is opened, which may be one without a dot, such as `localhost`.
pub fn other_host(text: &str) -> Result<(), Allowed> {
    let fits = host(text).is_ok() || host(&format!("{text}.example")).is_ok();
    allow(
        fits,
        "the name of a host in lower case, without scheme and port",
        "www.example.com",
    )
}

/// Where a user pool's sign-in pages are:
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-assign-domain.html>
pub fn sign_in_domain(text: &str) -> Result<(), Allowed> {
    origin(text).map_err(|allowed| Allowed {
        example: "https://mysfits.auth.us-east-1.amazoncognito.com",
        ..allowed
    })
}

/// The base URL of a service: to it a path is added.
pub fn base_url(text: &str) -> Result<(), Allowed> {
    let fits = parse_web_address(text).is_some_and(|uri| uri.query().is_none());
    allow(
        fits && !text.contains('#'),
        "an http or https URL without a query",
        "https://mysfits.example.com",
    )
}

/// What a browser sends as `Origin`: scheme, host and port, nothing after them.
pub fn origin(text: &str) -> Result<(), Allowed> {
    let fits = parse_web_address(text).is_some_and(|uri| {
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let scheme = uri.scheme_str().unwrap_or_default();
        !authority.contains(['*', '@']) && text == format!("{scheme}://{authority}")
    });
    allow(
        fits && text == text.to_lowercase(),
        "an origin (scheme, host and port in lower case, no path, no *)",
        "https://www.example.com",
    )
}

/// A prefix of S3 keys, Firehose's expressions among it.
pub fn prefix(text: &str) -> Result<(), Allowed> {
    let fits = !text.starts_with('/') && !text.chars().any(char::is_control);
    allow(
        fits && (1..=512).contains(&text.chars().count()),
        "1 to 512 characters that do not start with /",
        "firehose/",
    )
}

pub fn user_pool(text: &str) -> Result<(), Allowed> {
    let fits = text.split_once('_').is_some_and(|(region, id)| {
        !region.is_empty() && !id.is_empty() && is_word(id) && is_word(&region.replace('-', ""))
    });
    allow(
        fits && text.len() <= 55,
        "the id of a user pool",
        "us-east-1_abcdefghi",
    )
}

pub fn user_pool_client(text: &str) -> Result<(), Allowed> {
    let fits = is_word(text) && (1..=128).contains(&text.len());
    allow(fits, "the id of a user pool's client", "1example23456789")
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
pub fn bucket(text: &str) -> Result<(), Allowed> {
    let letters = text.chars().all(|letter| {
        letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, '-' | '.')
    });
    let ends = |letter: char| letter.is_ascii_alphanumeric();
    let fits = letters && text.starts_with(ends) && text.ends_with(ends) && !text.contains("..");
    allow(
        fits && (3..=63).contains(&text.len()),
        "the name of a bucket",
        "my-clicks",
    )
}

/// Firehose's service model: `DeliveryStreamName`.
pub fn stream(text: &str) -> Result<(), Allowed> {
    let letters = text
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '-'));
    allow(
        letters && (1..=64).contains(&text.len()),
        "the name of a stream",
        "my-clicks",
    )
}

/// The name of a host, with a dot.
pub fn host(text: &str) -> Result<(), Allowed> {
    let label = |label: &str| {
        let letters = label
            .chars()
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-');
        letters
            && (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let fits = text.contains('.') && text.len() <= 253 && text.split('.').all(label);
    allow(fits, "the name of a host in lower case", "www.example.com")
}

/// CloudFront takes certificates from us-east-1 alone.
pub fn certificate(text: &str) -> Result<(), Allowed> {
    let parts: Vec<&str> = text.split(':').collect();
    let fits = matches!(
        parts[..],
        ["arn", _, "acm", "us-east-1", _, resource] if resource.starts_with("certificate/")
    );
    allow(
        fits,
        "the ARN of a certificate in us-east-1",
        "arn:aws:acm:us-east-1:123456789012:certificate/ID",
    )
}

pub fn email(text: &str) -> Result<(), Allowed> {
    let fits = text
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.contains('@'));
    let printable = text.chars().all(|letter| letter.is_ascii_graphic());
    allow(
        fits && printable,
        "an e-mail address",
        "operators@example.com",
    )
}

/// `key=value`. AWS keeps the prefix `aws:` for itself.
pub fn tag(entry: &str) -> Result<(), Allowed> {
    let (key, value) = entry.split_once('=').unwrap_or((entry, ""));
    let fits = (1..=128).contains(&key.chars().count())
        && value.chars().count() <= 256
        && !key.to_lowercase().starts_with("aws:");
    allow(
        fits,
        "a key of 1 to 128 characters, not starting with aws:, and a value of up to 256",
        "VALUE",
    )
}

fn parse_web_address(text: &str) -> Option<Uri> {
    let uri: Uri = text.parse().ok()?;
    let web = matches!(uri.scheme_str(), Some("http" | "https"));
    (web && uri.host().is_some_and(|host| !host.is_empty())).then_some(uri)
}

fn is_word(text: &str) -> bool {
    text.chars().all(|letter| letter.is_ascii_alphanumeric())
}

fn allow(fits: bool, what: &'static str, example: &'static str) -> Result<(), Allowed> {
    if fits {
        Ok(())
    } else {
        Err(Allowed { what, example })
    }
}
