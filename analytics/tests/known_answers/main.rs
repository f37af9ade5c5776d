//! Every question, asked of DuckDB about generated clicks, against answers that are counted here.

mod expected;
mod world;

use analytics::generate::Click;
use analytics::span::Span;
use analytics::store::{Object, RecordKind};
use anyhow::{Context, Result};
use expected::{expected, failures};
use serde_json::json;
use time::macros::datetime;
use world::{World, generator, gzip};

#[tokio::test]
async fn every_question_has_its_known_answer_however_often_clicks_were_delivered() -> Result<()> {
    let generator = generator();
    let clicks: Vec<Click> = (0..generator.objects)
        .flat_map(|n| generator.clicks(n))
        .collect();
    let world = World::new(&generator).await?;
    let mut answers = world.ask(&[], &Span::all()).await?;

    // Objects 0, 5, … twice, and halves of 0, 7, ….
    let repeats: usize = (0..generator.objects)
        .map(|number| {
            let clicks = generator.clicks(number).len();
            let whole = if number % 5 == 0 { clicks } else { 0 };
            let half = if number % 7 == 0 {
                clicks - clicks / 2
            } else {
                0
            };
            whole + half
        })
        .sum();
    let mut expected = expected(&generator, &clicks);
    if let Some(totals) = expected.get_mut("totals") {
        totals[0].push(json!(repeats));
    }
    expected.insert("failed", failures(&generator)?);

    for (name, rows) in &expected {
        let answer = answers
            .remove(*name)
            .with_context(|| format!("no answer to {name}"))?;
        assert_eq!(&answer.rows, rows, "{name}");
        assert!(!rows.is_empty(), "{name} tests nothing");
    }
    assert!(
        answers.is_empty(),
        "no known answer to {:?}",
        answers.keys()
    );
    Ok(())
}

#[tokio::test]
async fn a_span_counts_by_the_time_of_the_click() -> Result<()> {
    let generator = generator();
    let since = datetime!(2026-02-28 12:34:56.789 UTC);
    let clicks: Vec<Click> = (0..generator.objects)
        .flat_map(|number| generator.clicks(number))
        .filter(|click| click.at >= since)
        .collect();
    let world = World::new(&generator).await?;
    // One question alone reads the files directly.
    for names in [&["top-mysfits"][..], &[]] {
        let answers = world.ask(names, &Span::since_moment(since)).await?;
        let expected = expected(&generator, &clicks);
        assert_eq!(answers["top-mysfits"].rows, expected["top-mysfits"]);
    }
    Ok(())
}

#[tokio::test]
async fn without_clicks_there_are_no_rows() -> Result<()> {
    let mut generator = generator();
    generator.objects = 0;
    let world = World::new(&generator).await?;
    for (name, answer) in world.ask(&[], &Span::all()).await? {
        match name.as_str() {
            "totals" => assert_eq!(answer.rows, [[json!(0), json!(0), json!(0)]]),
            _ => assert!(answer.rows.is_empty(), "{name}: {:?}", answer.rows),
        }
    }
    Ok(())
}

/// Records of a version without ids: two lines are the same click when all of it is the same.
#[tokio::test]
async fn a_click_without_an_id_is_counted_by_what_it_says() -> Result<()> {
    let mut generator = generator();
    generator.objects = 0;
    let mut world = World::new(&generator).await?;
    let line = |user: &str, second: u32| {
        format!(
            "{{\"userId\":\"{user}\",\"mysfitId\":\"m\",\"goodevil\":\"Good\",\"lawchaos\":\
             \"Lawful\",\"species\":\"Yeti\",\"clickedAt\":\"2026-03-01T00:00:0{second}.000Z\"}}\n"
        )
    };
    let lines = [line("a", 1), line("a", 1), line("a", 2), line("b", 1)].concat();
    world.put(
        RecordKind::Clicks,
        "firehose/2026/03/01/00/a",
        lines.as_bytes(),
    )?;
    let answers = world.ask(&["top-mysfits"], &Span::all()).await?;
    assert_eq!(
        answers["top-mysfits"].rows,
        [[json!("m"), json!(3), json!(2)]]
    );
    Ok(())
}

#[tokio::test]
async fn what_is_broken_is_left_out_and_named() -> Result<()> {
    let mut generator = generator();
    generator.objects = 1;
    let mut world = World::new(&generator).await?;
    let clicks = generator.clicks(0);
    let good = generator
        .lines(&clicks[..3])
        .replace("\"clickId\":\"", "\"clickId\":\"f");
    let hour = "firehose/2026/02/26/21/";
    let half = &good[..good.len() - 30];
    let foreign = "{\"userId\":7}\nnonsense\n[]\n";
    world.put(RecordKind::Clicks, &format!("{hour}half"), half.as_bytes())?;
    world.put(
        RecordKind::Clicks,
        &format!("{hour}foreign"),
        format!("{foreign}{good}").as_bytes(),
    )?;
    let packed = gzip(&good.repeat(9))?;
    world.put(
        RecordKind::Clicks,
        &format!("{hour}cut"),
        &packed[..packed.len() - 12],
    )?;
    world.put(
        RecordKind::Clicks,
        &format!("{hour}binary"),
        &[0x50, 0x4b, 0xff, 0xfe, 0x0a, 0],
    )?;
    world.put(
        RecordKind::Clicks,
        &format!("{hour}long"),
        &vec![b'x'; 5 * 1024 * 1024],
    )?;
    world.put(RecordKind::Clicks, &format!("{hour}empty"), b"")?;
    world.clicks.push(Object {
        key: "firehose/README.md".to_owned(),
        etag: "\"1\"".to_owned(),
    });

    let (contents, _) = world.contents().await?;
    let lines = |name: &str| {
        contents
            .left_out
            .lines
            .get(&format!("{hour}{name}"))
            .copied()
    };
    assert_eq!((lines("half"), lines("foreign")), (Some(1), Some(3)));
    let named: Vec<&str> = contents
        .left_out
        .objects
        .keys()
        .map(String::as_str)
        .collect();
    let expected = ["binary", "cut", "long"].map(|name| format!("{hour}{name}"));
    assert_eq!(named[..3], expected);
    assert_eq!(named[3..], ["firehose/README.md"]);
    let said = contents.left_out.to_text();
    assert!(
        said.contains("left out: 4 lines") && said.contains("4 objects"),
        "{said}"
    );

    let answers = world.ask(&["totals"], &Span::all()).await?;
    // Three of `foreign`, the first two of which are the two of `half`.
    assert_eq!(answers["totals"].rows[0][0], json!(clicks.len() + 3));
    // What was examined once is not examined again, and still named.
    let (again, _) = world.contents().await?;
    assert_eq!(again.left_out, contents.left_out);
    Ok(())
}

#[tokio::test]
async fn an_object_is_missing_until_it_is_kept_and_forgotten_with_the_bucket_s() -> Result<()> {
    let mut generator = generator();
    generator.objects = 3;
    let world = World::new(&generator).await?;
    let missing = |objects: &[Object]| -> Result<usize> {
        Ok(world.store.missing(RecordKind::Clicks, objects)?.len())
    };
    // Kept but not examined: a run that was cut short fetches it again.
    assert_eq!(missing(&world.clicks)?, 3);
    let (contents, _) = world.contents().await?;
    assert_eq!(contents.files.len(), 3);
    assert_eq!(missing(&world.clicks)?, 0);
    let mut changed = world.clicks.clone();
    changed[0].etag = "\"another\"".to_owned();
    assert_eq!(missing(&changed)?, 1);

    world
        .store
        .forget_all_but(RecordKind::Clicks, &world.clicks[1..], "2026/02/26/21")?;
    assert_eq!(missing(&world.clicks)?, 1);
    // Hours before the first one listed are kept: nothing was said about them.
    world
        .store
        .forget_all_but(RecordKind::Clicks, &[], "2026/12/31/00")?;
    assert_eq!(missing(&world.clicks)?, 1);
    Ok(())
}
