//! Lambda kills a function that is late, and `invoke` reports it. The processor is never late.

use std::time::Duration;

use anyhow::Result;

use crate::events::{click, event, id, lines};
use crate::function;
use crate::service::{Does, Service};

const SHORT: Duration = Duration::from_secs(3);

#[tokio::test]
async fn a_service_that_hangs_fails_the_invocation_in_time() -> Result<()> {
    let service = Service::start(|_| Does::Hang).await?;
    let mut function = function(&service, &[]).await?;
    // More mysfits than are asked for at a time.
    let batch = event((0..100).map(|n| click("u", &id(n))));
    let error = function.invoke(batch, SHORT).await?.error()?;
    let message = error["errorMessage"].as_str().unwrap_or_default();
    assert!(message.contains("none of the 100 mysfits"), "{message}");
    assert!(message.contains("deadline"), "{message}");
    assert_eq!(service.requests().len(), 16);
    Ok(())
}

#[tokio::test]
async fn an_id_that_hangs_fails_its_records_alone_and_in_time() -> Result<()> {
    let service = Service::start(|request| match request.path.ends_with('1') {
        true => Does::Hang,
        false => Does::mysfit("Yeti"),
    })
    .await?;
    let mut function = function(&service, &[]).await?;
    let batch = event([click("u", &id(1)), click("u", &id(2))]);
    for _ in 0..2 {
        let reply = function.invoke(batch.clone(), SHORT).await?.response()?;
        let ok: Vec<_> = lines(&reply, 2)?.iter().map(Option::is_some).collect();
        assert_eq!(ok, [false, true]);
    }
    Ok(())
}

#[tokio::test]
async fn a_service_that_keeps_failing_is_given_up_in_time() -> Result<()> {
    let service = Service::start(|_| Does::status(503)).await?;
    let mut function = function(&service, &[]).await?;
    let batch = event((0..2_000).map(|n| click("u", &id(n))));
    function.invoke(batch, SHORT).await?.error()?;
    Ok(())
}

#[tokio::test]
async fn an_answer_that_never_comes_or_only_trickles_is_given_up_in_time() -> Result<()> {
    let slow = Service::slow(Duration::from_secs(3_600)).await?;
    let trickling = Service::start(|_| Does::Trickle).await?;
    for service in [slow, trickling] {
        let mut function = function(&service, &[]).await?;
        let batch = event([click("u", &id(1))]);
        function.invoke(batch, SHORT).await?.error()?;
    }
    Ok(())
}
