//! How the mysfits service is asked.

use std::sync::Arc;

use anyhow::Result;
use tokio::sync::Barrier;

use crate::events::{click, event, id, lines};
use crate::function::TRACE_ID;
use crate::service::{Does, Service};
use crate::{PLENTY, function};

/// None of the twelve is answered before all are asked for.
#[tokio::test]
async fn a_batch_asks_once_for_each_mysfit_all_at_once_and_then_never_again() -> Result<()> {
    let all_asked = Arc::new(Barrier::new(12));
    let service = Service::start_async(move |request| {
        let all_asked = Arc::clone(&all_asked);
        async move {
            all_asked.wait().await;
            Does::mysfit(&request.path[request.path.len() - 2..])
        }
    })
    .await?;
    let mut function = function(&service, &[]).await?;
    let batch = event((0..500).map(|n| click(&format!("u{n}"), &id(n % 12))));
    for _ in 0..3 {
        let reply = function.invoke(batch.clone(), PLENTY).await?.response()?;
        for (n, line) in lines(&reply, 500)?.into_iter().enumerate() {
            let line: serde_json::Value = serde_json::from_str(&line.unwrap_or_default())?;
            assert_eq!(line["userId"], format!("u{n}"));
            assert_eq!(line["species"], format!("{:02x}", n % 12));
        }
        assert_eq!(service.requests().len(), 12);
    }
    assert_eq!(service.connections(), 12);
    Ok(())
}

#[tokio::test]
async fn the_number_of_questions_and_connections_is_bounded() -> Result<()> {
    // Longer than what is read of a connection by chance.
    let page = "x".repeat(60_000);
    let no = |status| Does::Answer(status, page.clone());
    for does in [Does::mysfit("Yeti"), no(404), no(400)] {
        let always = does.clone();
        let service = Service::start(move |_| always.clone()).await?;
        let mut function = function(&service, &[]).await?;
        for batch in 0..2 {
            let event = event((0..200).map(|n| click("u", &id(batch * 200 + n))));
            function.invoke(event, PLENTY).await?;
        }
        assert_eq!(service.requests().len(), 400);
        assert!(service.most_open() <= 16, "{}", service.most_open());
        assert!(
            service.connections() <= 16,
            "{does:?}: {}",
            service.connections()
        );
    }
    Ok(())
}

#[tokio::test]
async fn what_passes_is_asked_again() -> Result<()> {
    for does in [
        Does::status(500),
        Does::status(429),
        Does::Drop,
        Does::BreakOff("{".into()),
    ] {
        let passing = does.clone();
        let service = Service::start(move |request| match request.nth {
            1 | 2 => passing.clone(),
            _ => Does::mysfit("Yeti"),
        })
        .await?;
        let mut function = function(&service, &[]).await?;
        let reply = function
            .invoke(event([click("u", &id(1))]), PLENTY)
            .await?
            .response()?;
        assert!(lines(&reply, 1)?[0].is_some(), "{does:?}");
        assert_eq!(service.requests().len(), 3, "{does:?}");
    }
    Ok(())
}

#[tokio::test]
async fn without_a_time_to_live_nothing_is_remembered() -> Result<()> {
    let service = Service::start(|request| match request.path.ends_with('0') {
        true => Does::status(404),
        false => Does::mysfit("Yeti"),
    })
    .await?;
    let batch = event([click("u", &id(0)), click("u", &id(1))]);
    let cases = [
        (&[("MYSFITS_CACHE_TTL", "0s")][..], 3),
        (&[("MYSFITS_NEGATIVE_CACHE_TTL", "0s")][..], 3),
        (
            &[
                ("MYSFITS_CACHE_TTL", "0s"),
                ("MYSFITS_NEGATIVE_CACHE_TTL", "0ms"),
            ][..],
            4,
        ),
    ];
    for (vars, requests) in cases {
        let before = service.requests().len();
        let mut function = function(&service, vars).await?;
        for _ in 0..2 {
            function.invoke(batch.clone(), PLENTY).await?.response()?;
        }
        assert_eq!(service.requests().len() - before, requests, "{vars:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_failure_is_not_remembered() -> Result<()> {
    let service = Service::start(|request| match (request.path.ends_with('0'), request.nth) {
        (true, 1) => Does::status(400),
        _ => Does::mysfit("Yeti"),
    })
    .await?;
    let mut function = function(&service, &[]).await?;
    let batch = event([click("u", &id(0)), click("u", &id(1))]);
    let mut ok = Vec::new();
    for _ in 0..2 {
        let reply = function.invoke(batch.clone(), PLENTY).await?.response()?;
        ok.extend(lines(&reply, 2)?.iter().map(Option::is_some));
    }
    assert_eq!(ok, [false, true, true, true]);
    Ok(())
}

#[tokio::test]
async fn the_request_is_the_contracts() -> Result<()> {
    let service = Service::start(|_| Does::mysfit("Yeti")).await?;
    for path in ["", "/", "/v1", "/v1/"] {
        let url = format!("{}{path}", service.url);
        let mut function = function(&service, &[("MYSFITS_API_URL", &url)]).await?;
        let event = event([click("u", &id(1).to_uppercase())]);
        function.invoke(event, PLENTY).await?.response()?;
    }
    let requests = service.requests();
    let paths: Vec<_> = requests
        .iter()
        .map(|request| request.path.as_str())
        .collect();
    let plain = format!("/mysfits/{}", id(1));
    let below = format!("/v1/mysfits/{}", id(1));
    assert_eq!(paths, [&plain, &plain, &below, &below]);
    let trace = format!("x-amzn-trace-id: {TRACE_ID}");
    for request in &requests {
        assert!(request.headers.contains(&trace), "{:?}", request.headers);
        assert!(
            request
                .headers
                .contains(&"accept: application/json".to_owned())
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_redirect_is_not_followed() -> Result<()> {
    let elsewhere = Service::start(|_| Does::mysfit("Yeti")).await?;
    let target = format!("{}/mysfits/{}", elsewhere.url, id(1));
    let service = Service::start(move |_| Does::Redirect(target.clone())).await?;
    let mut function = function(&service, &[]).await?;
    let error = function
        .invoke(event([click("u", &id(1))]), PLENTY)
        .await?
        .error()?;
    let message = error["errorMessage"].as_str().unwrap_or_default();
    assert!(
        message.contains(&elsewhere.url) && message.contains("MYSFITS_API_URL"),
        "{message}"
    );
    assert_eq!(elsewhere.requests().len(), 0);
    Ok(())
}

#[tokio::test]
async fn a_service_that_is_not_there_is_named() -> Result<()> {
    let gone = Service::start(|_| Does::Drop).await?.url.clone();
    let service = Service::start(|_| Does::Drop).await?;
    let mut function = function(&service, &[("MYSFITS_API_URL", &gone)]).await?;
    let error = function
        .invoke(event([click("u", &id(1))]), PLENTY)
        .await?
        .error()?;
    let message = error["errorMessage"].as_str().unwrap_or_default();
    assert!(message.contains("refused"), "{message}");
    Ok(())
}
