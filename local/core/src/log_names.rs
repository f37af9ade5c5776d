//! Names of log groups and streams, which several services are declared to write to.

/// What CloudWatch Logs does not take in a group's name (API reference, `CreateLogGroup`).
pub fn group_name_problem(name: &str) -> Option<&'static str> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/#".contains(&byte);
    let fits = (1..=512).contains(&name.len()) && name.bytes().all(allowed);
    (!fits).then_some("must be 1 to 512 of the characters a-z, A-Z, 0-9, '_', '-', '/', '.', '#'")
}

/// What CloudWatch Logs does not take in a stream's name (API reference, `CreateLogStream`).
pub fn stream_name_problem(name: &str) -> Option<&'static str> {
    let fits = (1..=512).contains(&name.chars().count()) && !name.contains([':', '*']);
    (!fits).then_some("must be 1 to 512 characters without ':' and '*'")
}
