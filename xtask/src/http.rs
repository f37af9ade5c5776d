//! The client of every command that speaks HTTP.

use anyhow::Result;
use reqwest::{Client, ClientBuilder};
use std::time::Duration;

/// A deployed API may take up to its integration's 29 seconds.
const ANSWER: Duration = Duration::from_secs(30);

/// A client that asks no proxy: nearly all it talks to is on this machine.
pub fn client() -> Result<Client> {
    build(Client::builder().no_proxy())
}

/// A client for what is elsewhere, with the proxy that the environment names.
pub fn client_of_environment() -> Result<Client> {
    build(Client::builder())
}

fn build(client: ClientBuilder) -> Result<Client> {
    // The workspace builds reqwest without a cryptography of its own. A second call finds the
    // first one's.
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    Ok(client.timeout(ANSWER).build()?)
}
