//! The listeners: AWS's protocols, deployed APIs, and sites. Loopback only.

pub(crate) mod api;
pub(crate) mod aws;
pub(crate) mod console;
pub(crate) mod health;
pub(crate) mod leftovers;
pub(crate) mod operator;
pub(crate) mod site;
pub(crate) mod status;
mod watch;
