//! What an engine that was killed has left in the cloud: deleted for the caller who knows that the
//! stack's state is empty.

use super::operator::{answer_of, refusal};
use crate::cloud::Cloud;
use bytes::Bytes;
use cloud_core::context::finish;
use cloud_core::error::AwsResult;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use serde_json::json;
use std::sync::Arc;

/// No bucket can have this name: an underscore is not allowed in one.
const PREFIX: &str = "/_mysfits/leftovers/";

/// Answers `DELETE /_mysfits/leftovers/STACK` with the URNs of what was deleted; nothing for any
/// other request.
pub(crate) async fn answer<B>(
    request: &Request<B>,
    cloud: &Arc<Cloud>,
) -> Option<Response<Full<Bytes>>> {
    let stack = request.uri().path().strip_prefix(PREFIX)?;
    if request.method() != Method::DELETE || stack.is_empty() {
        return None;
    }
    let (work, stack) = (Arc::clone(&cloud.account), stack.to_owned());
    let deletion = async move {
        work.deployments
            .delete_unconfirmed(&work.package, &stack)
            .await
    };
    let deleted: AwsResult<Vec<String>> = finish(&cloud.context.tasks, deletion).await;
    Some(match deleted {
        Ok(urns) => answer_of(StatusCode::OK, &json!({ "deleted": urns })),
        Err(error) => refusal(error.http_status(), &error.to_string()),
    })
}
