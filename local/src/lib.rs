//! The embedded cloud: enough of AWS, with AWS's own rules, to run a deployed click stream.
//!
//! | module | what lives there |
//! | --- | --- |
//! | [`server`] | a whole cloud, started and stopped: what the binary and the tests run |
//! | [`current`] | the cloud that answers at the moment, and its reset |
//! | [`cloud`] | the account: all services and what they share |
//! | [`provider`] | the side that Pulumi's engine talks to: what may be declared |
//! | [`services`] | the side that clicks run through: one module a service of AWS |
//! | [`edge`] | the listeners: AWS's protocols, deployed APIs, sites |
//! | [`folder`], [`store`] | what is on disk: the locked data folder, durable records |
//! | [`faults`] | services that fail on request |
//! | [`troubles`], [`log`] | damage on disk, what does not work; the cloud's own log |
//! | [`events`] | what happens, for the person who watches |
//! | [`clock`], [`identity`], [`error`] | time, ARNs, AWS's errors |

pub mod clock;
pub mod cloud;
pub mod current;
pub mod edge;
pub mod error;
pub mod events;
pub mod faults;
pub mod folder;
pub mod identity;
pub mod log;
pub mod provider;
pub mod server;
pub mod services;
pub mod store;
pub mod troubles;
