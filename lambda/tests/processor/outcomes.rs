//! What becomes of each record.

use anyhow::Result;
use lambda::click_id::ClickId;
use serde_json::{Value, json};

use crate::events::{ARRIVAL, click, event, id, lines, record_id, records};
use crate::service::{Does, Service};
use crate::{PLENTY, function};

#[tokio::test]
async fn a_click_becomes_its_line() -> Result<()> {
    let service = Service::start(|_| Does::mysfit("Yeti")).await?;
    let mut function = function(&service, &[]).await?;
    let user = "guest \"\\\u{0}\u{1f}\u{7f}\u{2028}😀";
    let reply = function
        .invoke(event([click(user, &id(1))]), PLENTY)
        .await?
        .response()?;
    let expected = concat!(
        r#"{"userId":"guest \"\\\u0000\u001f"#,
        "\u{7f}\u{2028}😀",
        r#"","mysfitId":"b41ff031-141e-4a8d-bb56-000000000001","#,
        r#""goodevil":"Good","lawchaos":"Lawful","species":"Yeti","#,
        r#""clickedAt":"2017-05-18T02:02:29.453Z","clickId":"CLICK"}"#,
        "\n"
    );
    let of_record = ClickId::of_record(&record_id(0));
    let expected = expected.replace("CLICK", &text(of_record));
    assert_eq!(lines(&reply, 1)?, [Some(expected)]);
    Ok(())
}

fn text(id: ClickId) -> String {
    let mut out = Vec::new();
    id.push(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// A batch that Firehose sends again, and a click that the page sends again.
#[tokio::test]
async fn a_click_keeps_its_id_however_often_it_comes() -> Result<()> {
    let service = Service::start(|_| Does::mysfit("Yeti")).await?;
    let mut function = function(&service, &[]).await?;
    let own = "0B0E5A3C-6f2d-4c3e-9d57-0a4f5d0f7f11";
    let with_id = json!({ "userId": "u", "mysfitId": id(1), "clickId": own }).to_string();
    let clicks = [
        click("u", &id(1)),
        with_id.clone(),
        with_id,
        click("u", &id(1)),
    ];
    let mut seen = Vec::new();
    for _ in 0..2 {
        let reply = function.invoke(event(&clicks), PLENTY).await?.response()?;
        for line in lines(&reply, clicks.len())?.into_iter().flatten() {
            let line: Value = serde_json::from_str(&line)?;
            seen.push(line["clickId"].as_str().unwrap_or_default().to_owned());
        }
    }
    assert_eq!(seen.len(), 8);
    assert_eq!(seen[..4], seen[4..], "the same recordIds");
    assert_eq!([&seen[1], &seen[2]], [&own.to_lowercase(); 2]);
    assert_ne!(seen[0], seen[3], "two records of clicks without an id");
    Ok(())
}

#[tokio::test]
async fn a_bad_record_fails_alone() -> Result<()> {
    let service = Service::start(|_| Does::mysfit("Yeti")).await?;
    let mut function = function(&service, &[]).await?;
    let bad = [
        "".to_owned(),
        "not json".to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        "{}".to_owned(),
        json!({ "userId": "u" }).to_string(),
        json!({ "mysfitId": id(1) }).to_string(),
        json!({ "userId": 1, "mysfitId": id(1) }).to_string(),
        json!({ "userId": "u", "mysfitId": [id(1)] }).to_string(),
        click("u", "../"),
        click("u", "../../../../../latest/meta-data/1234"),
        click("u", &format!("{}?x=", &id(1)[..33])),
        click("u", &format!("{}%2f", &id(1)[..33])),
        click("u", &format!("{}/..", &id(1)[..33])),
        click("u", &"a".repeat(10_240)),
        json!({ "userId": "u", "mysfitId": id(1), "clickId": "7" }).to_string(),
        json!({ "userId": "u", "mysfitId": id(1), "clickId": null }).to_string(),
        format!("{}{}", click("u", &id(1)), click("u", &id(1))),
    ];
    let good = click("u", &id(1));
    let mixed: Vec<_> = bad.iter().flat_map(|bad| [bad, &good]).collect();
    let reply = function.invoke(event(&mixed), PLENTY).await?.response()?;
    for (n, line) in lines(&reply, mixed.len())?.into_iter().enumerate() {
        assert_eq!(line.is_some(), n % 2 == 1, "{}", mixed[n]);
    }
    assert_eq!(service.requests().len(), 1);
    Ok(())
}

#[tokio::test]
async fn what_is_no_base64_no_utf_8_or_no_text_fails_alone() -> Result<()> {
    let service = Service::start(|_| Does::mysfit("Yeti")).await?;
    let mut function = function(&service, &[]).await?;
    let good: Value = serde_json::from_str(&event([click("u", &id(1))]))?;
    let good = &good["records"][0]["data"];
    let datas = [
        json!("%%%"),
        json!("/w=="),
        json!("eA"),
        json!(7),
        json!(null),
        json!([]),
        good.clone(),
    ];
    let reply = function
        .invoke(records(datas.clone()), PLENTY)
        .await?
        .response()?;
    let ok: Vec<_> = lines(&reply, datas.len())?
        .iter()
        .map(Option::is_some)
        .collect();
    assert_eq!(ok, [false, false, false, false, false, false, true]);
    Ok(())
}

#[tokio::test]
async fn a_record_without_a_time_fails_alone() -> Result<()> {
    let service = Service::start(|_| Does::mysfit("Yeti")).await?;
    let mut function = function(&service, &[]).await?;
    let mut batch: Value = serde_json::from_str(&event(vec![click("u", &id(1)); 4]))?;
    batch["records"][0]["approximateArrivalTimestamp"] = json!("then");
    batch["records"][1]["approximateArrivalTimestamp"] = json!(-1);
    batch["records"][2]["approximateArrivalTimestamp"] = json!(i64::MAX);
    let reply = function
        .invoke(batch.to_string(), PLENTY)
        .await?
        .response()?;
    let ok: Vec<_> = lines(&reply, 4)?.iter().map(Option::is_some).collect();
    assert_eq!(ok, [false, false, false, true]);
    Ok(())
}

#[tokio::test]
async fn a_mysfit_that_is_unknown_or_unusable_fails_its_records_alone() -> Result<()> {
    let service = Service::start(|request| match request.path.chars().last() {
        Some('0') => Does::status(404),
        Some('1') => Does::status(403),
        Some('2') => Does::Answer(200, "{}".into()),
        Some('3') => Does::Answer(200, r#"{"goodevil":"a","lawchaos":"b","species":7}"#.into()),
        Some('4') => Does::mysfit(&"x".repeat(65)),
        _ => Does::mysfit("Yeti"),
    })
    .await?;
    let mut function = function(&service, &[]).await?;
    let batch = event((0..12).map(|n| click("u", &id(n % 6))));
    for _ in 0..2 {
        let reply = function.invoke(batch.clone(), PLENTY).await?.response()?;
        for (n, line) in lines(&reply, 12)?.into_iter().enumerate() {
            assert_eq!(line.is_some(), n % 6 == 5, "{n}");
        }
    }
    assert_eq!(
        service.requests().len(),
        6,
        "what is unknown is remembered as well"
    );
    Ok(())
}

#[tokio::test]
async fn one_id_without_an_answer_fails_its_records_alone() -> Result<()> {
    let hostile = [
        (Does::status(500), 4),
        (Does::status(503), 4),
        (Does::status(429), 4),
        (Does::Drop, 4),
        (Does::BreakOff(r#"{"goodevil":"a"#.into()), 4),
        (Does::status(400), 1),
        (Does::status(204), 1),
        (
            Does::Answer(200, "<html><body>Welcome</body></html>".into()),
            1,
        ),
        (Does::Answer(200, "[]".into()), 1),
        (Does::Answer(200, r#"{"species":"#.into()), 1),
        (Does::Large(10 * 1024 * 1024), 1),
        (Does::Endless, 1),
        (Does::Redirect("http://127.0.0.1:1/".into()), 1),
    ];
    for (does, requests) in hostile {
        let bad = does.clone();
        let service = Service::start(move |request| match request.path.ends_with('1') {
            true => bad.clone(),
            false => Does::mysfit("Yeti"),
        })
        .await?;
        let mut function = function(&service, &[]).await?;
        let batch = event([click("u", &id(1)), click("u", &id(2)), click("v", &id(1))]);
        let reply = function.invoke(batch, PLENTY).await?.response()?;
        let ok: Vec<_> = lines(&reply, 3)?.iter().map(Option::is_some).collect();
        assert_eq!(ok, [false, true, false], "{does:?}");
        assert_eq!(service.requests().len(), requests + 1, "{does:?}");
    }
    Ok(())
}

#[tokio::test]
async fn when_no_id_is_answered_the_invocation_fails_and_the_next_one_works() -> Result<()> {
    let service = Service::start(|request| match request.nth {
        1..=4 => Does::status(500),
        _ => Does::mysfit("Yeti"),
    })
    .await?;
    let mut function = function(&service, &[]).await?;
    let batch = event([click("u", &id(1)), "{}".to_owned(), click("u", &id(2))]);
    let error = function.invoke(batch.clone(), PLENTY).await?.error()?;
    assert_eq!(error["errorType"], "MysfitsServiceUnavailable");
    let message = error["errorMessage"].as_str().unwrap_or_default();
    assert!(
        message.contains("none of the 2 mysfits") && message.contains("HTTP 500"),
        "{message}"
    );

    let reply = function.invoke(batch, PLENTY).await?.response()?;
    let ok: Vec<_> = lines(&reply, 3)?.iter().map(Option::is_some).collect();
    assert_eq!(ok, [true, false, true]);
    Ok(())
}

#[tokio::test]
async fn what_the_cache_knows_is_an_answer() -> Result<()> {
    let service = Service::start(|request| match request.path.ends_with('1') {
        true => Does::mysfit("Yeti"),
        false => Does::status(400),
    })
    .await?;
    let mut function = function(&service, &[]).await?;
    function
        .invoke(event([click("u", &id(1))]), PLENTY)
        .await?
        .response()?;
    let batch = event([click("u", &id(1)), click("u", &id(2))]);
    let reply = function.invoke(batch, PLENTY).await?.response()?;
    let ok: Vec<_> = lines(&reply, 2)?.iter().map(Option::is_some).collect();
    assert_eq!(ok, [true, false]);
    function
        .invoke(event([click("u", &id(2))]), PLENTY)
        .await?
        .error()?;
    Ok(())
}

#[tokio::test]
async fn a_batch_of_bad_records_alone_is_answered() -> Result<()> {
    let service = Service::start(|_| Does::status(500)).await?;
    let mut function = function(&service, &[]).await?;
    let reply = function
        .invoke(event(["a", "b"]), PLENTY)
        .await?
        .response()?;
    assert_eq!(lines(&reply, 2)?, [None, None]);
    let reply = function.invoke(event([""; 0]), PLENTY).await?.response()?;
    assert_eq!(lines(&reply, 0)?, []);
    assert_eq!(service.requests().len(), 0);
    Ok(())
}

#[tokio::test]
async fn an_event_that_is_none_fails_and_the_next_one_works() -> Result<()> {
    let service = Service::start(|_| Does::mysfit("Yeti")).await?;
    let mut function = function(&service, &[]).await?;
    for text in ["{}", "[]", "null", "{\"records\":7}", "\"", "\u{feff}{}"] {
        let error = function.invoke(text, PLENTY).await?.error()?;
        assert!(error["errorMessage"].is_string(), "{error}");
    }
    let reply = function
        .invoke(event([click("u", &id(1))]), PLENTY)
        .await?
        .response()?;
    assert!(lines(&reply, 1)?[0].is_some());
    Ok(())
}

/// A batch far over the chosen buffer: as much is enriched as the reply holds.
#[tokio::test]
async fn a_reply_never_exceeds_its_limit() -> Result<()> {
    let service = Service::start(|_| Does::mysfit(&"x".repeat(64))).await?;
    let mut function = function(&service, &[]).await?;
    let long = click(&"u".repeat(1_000_000), &id(1));
    let short = click("", &id(1));
    let clicks = [long.as_str()]
        .into_iter()
        .chain(std::iter::repeat_n(short.as_str(), 25_000));
    let reply = function.invoke(event(clicks), PLENTY).await?.response()?;
    assert!(reply.len() <= lambda::reply::REPLY_LIMIT, "{}", reply.len());
    assert!(
        reply.len() > lambda::reply::REPLY_LIMIT - 1_000,
        "{}",
        reply.len()
    );
    let lines = lines(&reply, 25_001)?;
    assert!(lines[0].as_ref().is_some_and(|line| line.len() > 1_000_000));
    assert!(lines.iter().flatten().count() > 5_000);
    assert!(lines.iter().any(Option::is_none));
    Ok(())
}

/// Records of every kind, many at a time, in an order that nobody chose.
#[tokio::test]
async fn every_record_of_a_hostile_batch_comes_back_once_and_in_order() -> Result<()> {
    use proptest::prelude::*;
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let service = Service::start(|request| match request.path.chars().last() {
        Some('0') => Does::status(404),
        Some('1') => Does::status(400),
        _ => Does::mysfit("Yeti"),
    })
    .await?;
    let mut function = function(&service, &[]).await?;
    let good = |user: String, n: usize| (click(&user, &id(n)).into_bytes(), n % 16 > 1);
    let data = prop_oneof![
        (any::<String>(), 0usize..64).prop_map(move |(user, n)| good(user, n)),
        prop::collection::vec(any::<u8>(), 0..100).prop_map(|bytes| (bytes, false)),
        "[\\[\\]{}\":,a-z0-9 ]{0,60}".prop_map(|text| (text.into_bytes(), false)),
        any::<String>().prop_map(|id| (click("u", &id).into_bytes(), false)),
    ];
    let batch = prop::collection::vec(data, 300);
    let mut runner = TestRunner::deterministic();
    for _ in 0..20 {
        let batch = batch
            .new_tree(&mut runner)
            .map_err(anyhow::Error::msg)?
            .current();
        let event = event(batch.iter().map(|(data, _)| data));
        let reply = function.invoke(event, PLENTY).await?.response()?;
        let ok = lines(&reply, batch.len())?
            .into_iter()
            .map(|line| line.is_some());
        assert!(ok.eq(batch.iter().map(|(_, good)| *good)));
    }
    assert!(
        service
            .requests()
            .iter()
            .all(|request| request.path.len() == "/mysfits/".len() + 36)
    );
    Ok(())
}

#[tokio::test]
async fn a_record_without_an_id_is_left_out() -> Result<()> {
    let service = Service::start(|_| Does::mysfit("Yeti")).await?;
    let mut function = function(&service, &[]).await?;
    let mut batch: Value = serde_json::from_str(&event([click("u", &id(1))]))?;
    let nameless = json!({ "approximateArrivalTimestamp": ARRIVAL, "data": "" });
    if let Some(records) = batch["records"].as_array_mut() {
        records.push(nameless);
    }
    let reply = function
        .invoke(batch.to_string(), PLENTY)
        .await?
        .response()?;
    assert!(lines(&reply, 1)?[0].is_some(), "{}", record_id(0));
    Ok(())
}
