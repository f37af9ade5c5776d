//! The steps of a request, in their order. Each file has what is compiled when an API is deployed,
//! and what the step does with a request.
//!
//! 1. [`route`]: the resource of the path, and its method
//! 2. [`throttle`]: the account's bucket, and the method's
//! 3. [`payload`]: how large a body may be
//! 4. [`validate`]: required parameters, and the body against its model
//! 5. [`integration_request`]: what the integration is sent
//! 6. [`integration`]: the call
//! 7. [`integration_response`]: what becomes of its answer
//!
//! What a step refuses is answered by [`gateway_response`]; [`access_log`] writes down every
//! request.

pub(crate) mod access_log;
pub(crate) mod gateway_response;
pub(crate) mod integration;
pub(crate) mod integration_request;
pub(crate) mod integration_response;
pub(crate) mod payload;
pub(crate) mod route;
pub(crate) mod throttle;
pub(crate) mod validate;

use super::exchange::Exchange;
use super::live::LiveStage;
use bytes::Bytes;
use cloud_core::events::excerpt;
use gateway_response::Refused;
use http::Response;
use throttle::TokenBucket;

/// Takes a request through its steps.
pub(crate) async fn run(
    exchange: &mut Exchange<'_>,
    live: &LiveStage,
    account: &TokenBucket,
) -> Result<Response<Bytes>, Refused> {
    let endpoint = route::find(exchange, &live.program.routes)?;
    let method = live.buckets.get(&endpoint.settings_path);
    throttle::admit(method.map(|bucket| &**bucket), account)?;
    payload::admit(exchange)?;
    endpoint.validation.check(exchange)?;
    let request = endpoint.request.build(exchange)?;
    let answer = endpoint.integration.call(exchange, request).await?;
    if answer.is_failure() {
        let body = excerpt(&answer.body);
        exchange.reason = Some(format!(
            "the integration answered {}: {body}",
            answer.status
        ));
    }
    endpoint.responses.build(exchange, &answer)
}
