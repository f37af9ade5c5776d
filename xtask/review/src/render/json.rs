//! A review for programs.

use serde::Serialize;

use crate::Review;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    stack: &'a str,
    changes: bool,
    loses: bool,
    approval: Option<&'a str>,
    #[serde(flatten)]
    review: &'a Review,
}

/// The review of a stack as an object of JSON. Secrets are not in it.
pub fn render(stack: &str, review: &Review, approval: Option<&str>) -> String {
    let document = Document {
        stack,
        changes: !review.is_empty(),
        loses: review.loses(),
        approval,
        review,
    };
    // Texts, numbers and lists of them alone: there is no value that JSON lacks.
    let text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text + "\n"
}
