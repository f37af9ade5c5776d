//! The embedded cloud: enough of AWS, with AWS's own rules, to run a deployed click stream.
//!
//! Each service is a crate of its own, beside this one, and knows no other. This crate, the app,
//! plugs them together and lets them listen.
//!
//! | module | what lives there |
//! | --- | --- |
//! | [`server`] | a whole cloud, started and stopped: what the binary and the tests run |
//! | [`current`] | the cloud that answers at the moment, and its reset |
//! | [`cloud`] | the account: all services, plugged together |
//! | `plugs` | services as the ports of others take them |
//! | `edge` | the listeners: AWS's protocols, deployed APIs, sites |
//! | [`log`] | the cloud's own log |

#![warn(unreachable_pub)]

pub mod cloud;
pub mod current;
mod edge;
pub mod log;
mod plugs;
pub mod server;
