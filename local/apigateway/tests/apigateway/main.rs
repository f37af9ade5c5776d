//! REST APIs: declared as the provider does it, and asked over HTTP.

mod features;
mod gateway_responses;
mod integration_responses;
mod life;
mod listener;
mod refusals;
mod requests;
mod routes;
mod running;
mod schema;
mod support;
mod throttling;
