//! Clicks, from an API as the stack's program declares it to the bucket.

mod access_log;
mod answers;
mod running;
mod stack;
#[path = "../../../apigateway/tests/apigateway/support.rs"]
#[expect(dead_code, reason = "the tests of API Gateway alone use all of it")]
mod support;
