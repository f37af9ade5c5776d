//! The embedded cloud as a library: a whole cloud for one test, on ports of its own, in a folder
//! that goes with it.

use anyhow::Result;
use mysfits_local::server::{Server, ServerConfig};
use reqwest::Client;
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use std::time::Duration;

/// For how long a signed address is valid.
const VALID: Duration = Duration::from_secs(60);

#[tokio::test]
async fn an_object_outlives_the_cloud_that_took_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let credentials = Credentials::new("test", "test");
    let client = client()?;

    let cloud = Server::start(ServerConfig::new(folder.path())).await?;
    let bucket = bucket(&cloud)?;
    let create = bucket.create_bucket(&credentials).sign(VALID);
    client.put(create).send().await?.error_for_status()?;
    let put = bucket.put_object(Some(&credentials), "first").sign(VALID);
    client
        .put(put)
        .body("an order")
        .send()
        .await?
        .error_for_status()?;
    cloud.stop().await;

    let cloud = Server::start(ServerConfig::new(folder.path())).await?;
    let bucket = self::bucket(&cloud)?;
    let get = bucket.get_object(Some(&credentials), "first").sign(VALID);
    let answer = client.get(get).send().await?.error_for_status()?;
    assert_eq!(answer.text().await?, "an order");
    cloud.stop().await;
    Ok(())
}

/// AWS's protocols are all at one port of the cloud.
fn bucket(cloud: &Server) -> Result<Bucket> {
    let endpoint = format!("http://127.0.0.1:{}", cloud.endpoints().aws);
    let style = UrlStyle::Path;
    Ok(Bucket::new(
        endpoint.parse()?,
        style,
        "orders",
        "us-east-1",
    )?)
}

fn client() -> Result<Client> {
    // Of the workspace's two providers of cryptography; the cloud is asked without TLS.
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    Ok(Client::builder().no_proxy().build()?)
}
