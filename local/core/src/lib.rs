//! What all services of the embedded cloud share. It knows no service.
//!
//! | module | what lives there |
//! | --- | --- |
//! | [`context`] | what the services of one cloud share |
//! | [`store`], [`folder`] | what is on disk: durable records, the data folder and its lock |
//! | [`troubles`], [`events`] | damage and what does not work; what happens |
//! | [`faults`] | services that fail on request |
//! | [`error`], [`identity`], [`clock`] | AWS's errors, ARNs, time |
//! | [`listener`], [`request_body`], [`patience`] | HTTP listeners; bodies within a limit, and how long a client may take |
//! | [`body`], [`json_protocol`], [`tokens`] | bodies between services; what AWS's protocols share |
//! | [`percent`], [`log_names`] | how addresses are encoded; what a log may be called |

#![warn(unreachable_pub)]

pub mod body;
pub mod clock;
pub mod context;
pub mod error;
pub mod events;
pub mod faults;
pub mod folder;
pub mod identity;
pub mod json_protocol;
pub mod listener;
pub mod log_names;
pub mod patience;
pub mod percent;
pub mod request_body;
pub mod store;
mod taken;
pub mod tokens;
pub mod troubles;
