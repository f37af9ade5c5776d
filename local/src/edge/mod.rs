//! The listeners: AWS's protocols, deployed APIs, and sites. Loopback only.

pub mod api;
pub mod aws;
mod body;
pub mod console;
pub mod health;
pub mod leftovers;
pub mod operator;
pub mod site;
pub mod status;
mod watch;
