//! Clients that hang up in the middle of an operation: it is done, or it is not, and nothing in
//! between.

use crate::client::Cloud;
use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use http::Method;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// Large enough to be kept in a file of its own.
const SIZE: usize = 200_000;

#[tokio::test]
async fn an_object_whose_client_hangs_up_is_there_whole_or_not_at_all() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let keys: Vec<String> = (0..40).map(|index| format!("/bucket/{index}")).collect();
    for some in keys.chunks(8) {
        try_join_all(some.iter().map(|key| put_and_leave(&cloud, key))).await?;
    }
    // What was under way is finished before the cloud stops.
    let cloud = cloud.restart().await?;
    let mut whole = 0;
    for key in &keys {
        let answer = cloud.get(key).send().await?;
        let is_whole = answer.status == 200 && answer.body.len() == SIZE;
        ensure!(is_whole || answer.status == 404, "{key}: {}", answer.status);
        whole += usize::from(is_whole);
    }
    ensure!(whole > 0, "none has arrived");
    Ok(())
}

/// Sends a whole request, and does not wait for the answer.
async fn put_and_leave(cloud: &Cloud, key: &str) -> Result<()> {
    let url = cloud.call(Method::PUT, key).presigned(600)?;
    let address = cloud.address();
    let path = url.strip_prefix(&format!("http://{address}"));
    let path = path.context("a URL of this cloud")?;
    let mut stream = TcpStream::connect(&address).await?;
    let head = format!("PUT {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {SIZE}\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&vec![b'x'; SIZE]).await?;
    stream.shutdown().await?;
    Ok(())
}
