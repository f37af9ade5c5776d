//! The client of every command that speaks HTTP.

use anyhow::Result;
use reqwest::Client;
use std::time::Duration;

/// A deployed API may take up to its integration's 29 seconds.
const ANSWER: Duration = Duration::from_secs(30);

/// A client that asks no proxy: nearly all it talks to is on this machine.
pub fn client() -> Result<Client> {
    // The workspace builds reqwest without a cryptography of its own. A second call finds the
    // first one's.
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    Ok(Client::builder().no_proxy().timeout(ANSWER).build()?)
}
