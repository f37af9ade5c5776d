//! S3's protocol over HTTP: from a request to its answer, also when its body breaks off.

use super::refused::Refused;
use super::{Current, Protocol, request};
use cloud_core::error::AwsError;
use cloud_core::request_body::{BodyError, RequestBody};
use http::{Request, Response, StatusCode, header};
use s3s::S3Error;
use s3s::service::S3Service;
use std::sync::Arc;

/// Answers requests for the S3 that there is at the moment.
pub struct Endpoint(S3Service);

impl Endpoint {
    /// An endpoint in front of this S3, and of those that take its place.
    pub fn new(current: Arc<dyn Current>) -> Self {
        Self(request::service(Protocol { current }))
    }

    /// The answer to a request: the one of its operation, or a refusal.
    pub async fn answer(&self, request: Request<RequestBody>) -> Response<s3s::Body> {
        let (mut parts, body) = request.into_parts();
        if let Err(error) = request::admit(&mut parts) {
            return refusal(error);
        }
        let fate = body.fate();
        let request = Request::from_parts(parts, s3s::Body::http_body(body));
        match self.0.call(request).await {
            // The operation knows that its body failed, and not why.
            Ok(answer)
                if answer.status().is_client_error() || answer.status().is_server_error() =>
            {
                let failure = fate.failure();
                failure.map_or(answer, |failure| refusal(not_arrived(failure)))
            }
            Ok(mut answer) => {
                // The s3s crate says 200 to a HEAD request for a range.
                if answer.headers().contains_key(header::CONTENT_RANGE) {
                    *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
                }
                answer
            }
            Err(error) => {
                tracing::error!(?error, "S3's protocol failed");
                empty(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }
}

/// The answer to a request that is refused with this error.
pub fn refusal(error: AwsError) -> Response<s3s::Body> {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let error = S3Error::from(Refused::from(error));
    let answer = error.to_http_response();
    answer.unwrap_or_else(|_| empty(status))
}

/// What S3 says of a body that did not arrive:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.
fn not_arrived(error: BodyError) -> AwsError {
    match error {
        BodyError::TooSlow => AwsError::new(
            400,
            "RequestTimeout",
            "Your socket connection to the server was not read from or written to within the \
             timeout period.",
        ),
        BodyError::BrokenOff | BodyError::TooLarge => AwsError::new(
            400,
            "IncompleteBody",
            "You did not provide the number of bytes specified by the Content-Length HTTP header.",
        ),
    }
}

fn empty(status: StatusCode) -> Response<s3s::Body> {
    let mut answer = Response::new(s3s::Body::empty());
    *answer.status_mut() = status;
    answer
}
