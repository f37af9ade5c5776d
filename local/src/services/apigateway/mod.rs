//! API Gateway: REST APIs, deployed to stages, run as an ordered chain of steps.

/// The REST APIs of the account.
#[derive(Debug, Default)]
pub struct ApiGateway {}
