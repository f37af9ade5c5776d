//! Lookups that run side by side in one process.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use lambda::catalogue::{Catalogue, Findings};
use lambda::config::Config;
use lambda::mysfit::MysfitId;
use lambda::upstream::Failure;
use tokio::sync::Notify;

use crate::PLENTY;
use crate::events::id;
use crate::service::{Does, Service};

fn catalogue(service: &Service) -> Result<Arc<Catalogue>> {
    let config = Config::read(|name| (name == "MYSFITS_API_URL").then(|| service.url.clone()))?;
    Ok(Catalogue::new(config)?)
}

async fn find(catalogue: &Arc<Catalogue>, n: usize, left: Duration) -> Result<Findings> {
    let id = MysfitId::parse(&id(n)).context("an id")?;
    Ok(catalogue
        .find(HashSet::from([id]), None, Instant::now() + left)
        .await)
}

/// The service answers only when all who want to know are waiting.
#[tokio::test]
async fn many_who_want_to_know_make_one_request() -> Result<()> {
    let asked = Arc::new(Notify::new());
    let answer = Arc::new(Notify::new());
    let (tell, wait) = (Arc::clone(&asked), Arc::clone(&answer));
    let service = Service::start_async(move |_| {
        let (tell, wait) = (Arc::clone(&tell), Arc::clone(&wait));
        async move {
            tell.notify_one();
            wait.notified().await;
            Does::mysfit("Yeti")
        }
    })
    .await?;
    let catalogue = catalogue(&service)?;
    let lookups = futures::future::join_all((0..50).map(|_| find(&catalogue, 1, PLENTY)));
    // join_all has polled them all, once, before it lets anything else run.
    let (found, ()) = tokio::join!(lookups, async {
        asked.notified().await;
        answer.notify_one();
    });
    let mut requests = 0;
    for findings in found {
        let findings = findings?;
        requests += findings.requests;
        assert!(findings.answers.values().all(Result::is_ok));
    }
    assert_eq!(requests, 1);
    assert_eq!(service.requests().len(), 1);
    Ok(())
}

#[tokio::test]
async fn who_waits_longer_gets_the_answer_that_another_gave_up() -> Result<()> {
    let answer = Arc::new(Notify::new());
    let wait = Arc::clone(&answer);
    let service = Service::start_async(move |_| {
        let wait = Arc::clone(&wait);
        async move {
            wait.notified().await;
            Does::mysfit("Yeti")
        }
    })
    .await?;
    let catalogue = catalogue(&service)?;
    let impatient = async {
        let findings = find(&catalogue, 1, Duration::from_millis(100)).await;
        answer.notify_one();
        findings
    };
    let (impatient, patient) = tokio::join!(impatient, find(&catalogue, 1, PLENTY));
    let answers = impatient?.answers;
    assert!(
        answers
            .values()
            .all(|answer| *answer == Err(Failure::Deadline))
    );
    assert!(patient?.answers.values().all(Result::is_ok));
    assert_eq!(service.requests().len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_question_that_all_gave_up_is_asked_again() -> Result<()> {
    let service = Service::start(|request| match request.nth {
        1 => Does::Hang,
        _ => Does::mysfit("Yeti"),
    })
    .await?;
    let catalogue = catalogue(&service)?;
    let first = find(&catalogue, 1, Duration::from_millis(100)).await?;
    assert!(first.answers.values().all(Result::is_err));
    let second = find(&catalogue, 1, PLENTY).await?;
    assert!(second.answers.values().all(Result::is_ok));
    Ok(())
}
