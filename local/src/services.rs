//! The data side: one module a service, each with its own state and its own rules, and what
//! several of them speak.
//!
//! A service is told what is deployed by the resource types in `provider::types`, and calls its
//! neighbours through [`crate::cloud::Cloud`], always with the identity it acts under.

pub mod apigateway;
pub mod cloudfront;
pub mod firehose;
pub mod iam;
mod json_protocol;
pub mod kms;
pub mod lambda;
pub mod logs;
pub mod s3;
mod tokens;
