//! The client of all benchmarks: a number of connections, each of which sends its next request when
//! it has the answer to the last one.

use anyhow::{Context, Result, bail};
use futures::future::try_join_all;
use reqwest::{Client, Request};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How many connections there are.
pub const CONNECTIONS: usize = 16;

/// No measurement takes longer.
const TIME: Duration = Duration::from_secs(90);

/// What was sent, and in which time it was answered.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    pub requests: usize,
    pub time: Duration,
}

impl Load {
    pub fn per_second(&self) -> f64 {
        self.requests as f64 / self.time.as_secs_f64()
    }
}

/// Sends requests that were made, and signed, before the clock runs: all of them, or those for
/// which there is time. Each must succeed.
pub async fn send(client: &Client, requests: Vec<Request>) -> Result<Load> {
    let next = AtomicUsize::new(0);
    let done = AtomicUsize::new(0);
    let started = Instant::now();
    let connection = || async {
        while started.elapsed() < TIME {
            let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) else {
                break;
            };
            let request = request.try_clone().context("a request has no bytes")?;
            let url = request.url().clone();
            let response = client.execute(request).await?;
            let status = response.status();
            let body = response.bytes().await?;
            if !status.is_success() {
                bail!("{url}: {status} {}", String::from_utf8_lossy(&body));
            }
            done.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    };
    try_join_all((0..CONNECTIONS).map(|_| connection())).await?;
    Ok(Load {
        requests: done.into_inner(),
        time: started.elapsed(),
    })
}
