//! REST APIs: declared as the provider does it, and asked over HTTP.

mod gateway_responses;
mod integration_responses;
mod life;
mod listener;
mod refusals;
mod requests;
mod routes;
mod schema;
mod support;
mod throttling;
