//! What the tests of a service need, whichever service it is. It knows none.
//!
//! A crate of a service has one test program, `tests/NAME/main.rs`. It says in [`Service`] how
//! the service is opened and how it answers, with stand-ins for the services that it calls, and
//! gets a [`Cloud`] for each test. What needs two services or more is tested by the app.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `cloud` | one service in a data folder and on a port of its own; started, stopped, started again |
//! | [`client`] | requests, signed as AWS's clients sign them |
//! | [`json`] | the front door of a service with AWS's JSON protocol |
//! | [`stack`] | resources, deployed as the provider deploys them |
//! | [`documented`] | what pages under docs/compatibility list |
//! | [`pypi`] | the AWS CLI and boto3 |

#![warn(unreachable_pub)]

pub mod client;
mod cloud;
pub mod documented;
pub mod json;
pub mod pypi;
pub mod stack;

pub use cloud::{Cloud, Given, Service};
