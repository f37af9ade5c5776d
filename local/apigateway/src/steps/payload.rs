//! How large a body may be.

use super::gateway_response::{Refused, ResponseType};
use crate::exchange::{Exchange, Payload};

/// API Gateway's quota for a payload, in bytes.
pub(crate) const MAX_PAYLOAD: usize = 10 * 1024 * 1024;

/// Refuses a body that is too large, in the words of AWS.
pub(crate) fn admit(exchange: &Exchange<'_>) -> Result<(), Refused> {
    match exchange.payload {
        Payload::Whole(_) => Ok(()),
        Payload::TooLarge => Err(Refused::new(
            ResponseType::RequestTooLarge,
            format!("HTTP content length exceeded {MAX_PAYLOAD} bytes."),
        )),
    }
}
