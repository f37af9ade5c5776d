//! What the API says, and the templates by which it says it.

/// An answer of a method, and when it is given.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    pub status: &'static str,
    /// The statuses of the integration that get this answer; `None` is for all others.
    pub selection_pattern: Option<&'static str>,
    pub body: &'static str,
    /// Headers beside those of CORS.
    pub headers: &'static [(&'static str, &'static str)],
}

/// What a mock integration takes as its own answer.
pub const MOCK_TEMPLATE: &str = r#"{"statusCode": 204}"#;

/// The gateway's own message, in the quotes that it has already.
pub const GATEWAY_TEMPLATE: &str = r#"{"message":$context.error.messageString}"#;

/// The answers to a click. Only what Firehose has accepted is OK: an answer without a pattern
/// takes whatever no pattern matches, so failures have patterns of their own.
pub fn of_clicks() -> [Answer; 3] {
    [
        Answer {
            status: "200",
            selection_pattern: None,
            body: r#"{"status":"OK"}"#,
            headers: &[],
        },
        // Firehose is throttling (its ServiceUnavailableException is a 503), or failing.
        Answer {
            status: "503",
            selection_pattern: Some(r"5\d{2}"),
            body: r#"{"message":"The click was not stored: try again later"}"#,
            headers: &[
                ("Retry-After", "1"),
                ("Access-Control-Expose-Headers", "Retry-After"),
            ],
        },
        // Firehose refuses what this API sends: no client can fix that.
        Answer {
            status: "502",
            selection_pattern: Some(r"4\d{2}"),
            body: r#"{"message":"The click was not stored"}"#,
            headers: &[],
        },
    ]
}

/// The answer to a browser that asks whether a page may send clicks; it need not ask again for an
/// hour.
pub fn of_preflight() -> Answer {
    Answer {
        status: "204",
        selection_pattern: None,
        body: "",
        headers: &[
            ("Access-Control-Allow-Methods", "OPTIONS,PUT"),
            ("Access-Control-Allow-Headers", "Content-Type"),
            ("Access-Control-Max-Age", "3600"),
        ],
    }
}

/// The click as it came is one record.
pub fn put_record_template(stream: &str) -> String {
    format!(
        r#"{{"DeliveryStreamName": "{stream}", "Record": {{"Data": "$util.base64Encode($input.json('$'))"}}}}"#
    )
}
