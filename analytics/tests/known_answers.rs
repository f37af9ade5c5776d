//! Every question, asked of DuckDB about generated clicks, against answers that are counted here.

use analytics::answer::Answer;
use analytics::duckdb::DuckDb;
use analytics::embedded;
use analytics::generate::{Click, Generator, Mysfit};
use analytics::question::Question;
use analytics::span::Span;
use analytics::store::{Contents, Object, RecordKind, Store};
use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

/// What is counted of clicks: how many, and by whom.
type Counts<K> = BTreeMap<K, (u64, BTreeSet<String>)>;

fn root() -> Result<&'static Path> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().context("no checkout")
}

async fn engine() -> Result<DuckDb> {
    let cache = match std::env::var_os("XDG_CACHE_HOME") {
        Some(cache) if !cache.is_empty() => cache.into(),
        _ => std::env::home_dir().context("no home")?.join(".cache"),
    };
    DuckDb::find_or_fetch(&cache.join("mysfits")).await
}

fn generator() -> Generator {
    let mysfit = |number: usize| Mysfit {
        id: format!("00000000-0000-4000-8000-{number:012}"),
        goodevil: ["Good", "Neutral", "Evil"][number % 3].to_owned(),
        lawchaos: ["Lawful", "Neutral", "Chaotic"][number / 3 % 3].to_owned(),
        species: format!("Species {}", number % 5),
    };
    Generator {
        mysfits: (0..12).map(mysfit).collect(),
        start: datetime!(2026-02-26 21:17 UTC),
        length: Duration::days(5),
        objects: 40,
        clicks: 60,
        users: 80,
        rhythm: true,
    }
}

struct World {
    _folder: tempfile::TempDir,
    store: Store,
    clicks: Vec<Object>,
    failed: Vec<Object>,
}

impl World {
    /// Keeps objects as they would have been fetched: some packed, some delivered twice.
    async fn new(generator: &Generator) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        // A path with signs that are more than themselves in a pattern.
        let store = Store::new(folder.path().join("a [store], it's? 100%*"));
        let mut world = Self {
            store,
            _folder: folder,
            clicks: Vec::new(),
            failed: Vec::new(),
        };
        for number in 0..generator.objects {
            let clicks = generator.clicks(number);
            let mut lines = generator.lines(&clicks);
            // A batch that Firehose has sent once more, and half of one.
            if number % 5 == 0 {
                lines = lines.repeat(2);
            }
            if number % 7 == 0 {
                lines += &generator.lines(&clicks[clicks.len() / 2..]);
            }
            let bytes = if number % 2 == 0 {
                gzip(&lines)?
            } else {
                lines.into_bytes()
            };
            world.put(
                RecordKind::Clicks,
                &Generator::key("firehose/", &clicks, number),
                &bytes,
            )?;
            let failed = generator.failed_lines(&clicks).repeat(2);
            let key = Generator::key("processing-failed/", &clicks, number);
            world.put(RecordKind::Failed, &key, failed.as_bytes())?;
        }
        Ok(world)
    }

    fn put(&mut self, kind: RecordKind, key: &str, bytes: &[u8]) -> Result<()> {
        let object = Object {
            key: key.to_owned(),
            etag: format!("\"{}\"", bytes.len()),
        };
        self.store.put(kind, &object, bytes)?;
        match kind {
            RecordKind::Clicks => self.clicks.push(object),
            RecordKind::Failed => self.failed.push(object),
        }
        Ok(())
    }

    async fn contents(&self) -> Result<(Contents, Contents)> {
        let engine = engine().await?;
        let (clicks, failed) = (&self.clicks, &self.failed);
        self.store
            .examine_new(RecordKind::Clicks, clicks, &engine)
            .await?;
        self.store
            .examine_new(RecordKind::Failed, failed, &engine)
            .await?;
        Ok((
            self.store.contents(RecordKind::Clicks, clicks)?,
            self.store.contents(RecordKind::Failed, failed)?,
        ))
    }

    async fn ask(&self, names: &[&str], span: &Span) -> Result<BTreeMap<String, Answer>> {
        let questions = Question::all(&root()?.join("analytics/queries"))?;
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let questions = analytics::question::select(questions, &names)?;
        let (clicks, failed) = self.contents().await?;
        let engine = engine().await?;
        let answers =
            embedded::ask(&engine, &self.store, &questions, span, &clicks, &failed).await?;
        let named = answers
            .into_iter()
            .map(|answer| (answer.query.clone(), answer));
        Ok(named.collect())
    }
}

fn gzip(text: &str) -> Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(text.as_bytes())?;
    Ok(packed.finish()?)
}

fn count<K: Ord>(clicks: &[Click], key: impl Fn(&Click) -> K) -> Counts<K> {
    let mut counts = Counts::new();
    for click in clicks {
        let (count, users) = counts.entry(key(click)).or_default();
        *count += 1;
        users.insert(click.user.clone());
    }
    counts
}

/// Rows with most clicks first, then in the order of their keys.
fn ranked<K: Ord>(counts: Counts<K>, row: impl Fn(&K) -> Vec<Value>) -> Vec<Vec<Value>> {
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|(one, (few, _)), (other, (many, _))| many.cmp(few).then(one.cmp(other)));
    with_counts(counts.into_iter(), row)
}

fn with_counts<K>(
    counts: impl Iterator<Item = (K, (u64, BTreeSet<String>))>,
    row: impl Fn(&K) -> Vec<Value>,
) -> Vec<Vec<Value>> {
    let rows = counts.map(|(key, (clicks, users))| {
        let mut row = row(&key);
        row.extend([json!(clicks), json!(users.len())]);
        row
    });
    rows.collect()
}

fn date(at: OffsetDateTime) -> String {
    format!(
        "{:04}-{:02}-{:02}",
        at.year(),
        u8::from(at.month()),
        at.day()
    )
}

/// What every question is to be answered with, counted in another way than SQL's.
fn expected(generator: &Generator, clicks: &[Click]) -> BTreeMap<&'static str, Vec<Vec<Value>>> {
    let mysfit = |click: &Click| &generator.mysfits[click.mysfit];
    let users: BTreeSet<&str> = clicks.iter().map(|click| click.user.as_str()).collect();
    let mut expected = BTreeMap::new();
    expected.insert(
        "totals",
        vec![vec![json!(clicks.len()), json!(users.len())]],
    );
    expected.insert(
        "top-mysfits",
        ranked(count(clicks, |click| mysfit(click).id.clone()), |id| {
            vec![json!(id)]
        }),
    );
    expected.insert(
        "by-species",
        ranked(
            count(clicks, |click| mysfit(click).species.clone()),
            |kind| vec![json!(kind)],
        ),
    );
    let alignment = |click: &Click| {
        (
            mysfit(click).goodevil.clone(),
            mysfit(click).lawchaos.clone(),
        )
    };
    expected.insert(
        "by-alignment",
        ranked(count(clicks, alignment), |(heart, manners)| {
            vec![json!(heart), json!(manners)]
        }),
    );
    let hours = count(clicks, |click| {
        format!("{}T{:02}:00Z", date(click.at), click.at.hour())
    });
    expected.insert(
        "by-hour",
        with_counts(hours.into_iter(), |hour| vec![json!(hour)]),
    );
    let hours = count(clicks, |click| click.at.hour());
    expected.insert(
        "by-hour-of-day",
        with_counts(hours.into_iter(), |hour| vec![json!(hour)]),
    );
    let days = count(clicks, |click| click.at.weekday().number_from_monday());
    expected.insert(
        "by-weekday",
        with_counts(days.into_iter(), |day| vec![json!(day)]),
    );

    let guests = clicks.iter().filter(|click| click.user == "guest").count();
    let share = |part: usize| json!(part as f64 / clicks.len() as f64);
    let others = clicks.len() - guests;
    expected.insert(
        "guests",
        vec![
            vec![json!("guests"), json!(guests), share(guests)],
            vec![json!("users"), json!(others), share(others)],
        ],
    );

    let known: Vec<Click> = clicks
        .iter()
        .filter(|click| click.user != "guest")
        .cloned()
        .collect();
    let mut first: BTreeMap<&str, String> = BTreeMap::new();
    for click in &known {
        first.entry(&click.user).or_insert_with(|| date(click.at));
    }
    let days = count(&known, |click| date(click.at));
    let days = days.into_iter().map(|(day, (_, users))| {
        let new = users
            .iter()
            .filter(|user| first[user.as_str()] == day)
            .count();
        vec![
            json!(day),
            json!(users.len()),
            json!(new),
            json!(users.len() - new),
        ]
    });
    expected.insert("users", days.collect());

    let again = count(&known, |click| {
        (click.user.clone(), mysfit(click).id.clone())
    });
    let again = again
        .into_iter()
        .filter(|(_, (count, _))| *count >= 2)
        .collect();
    let again = ranked(again, |(user, id)| vec![json!(user), json!(id)]);
    let again = again.into_iter().take(100).map(|mut row| {
        row.pop();
        row
    });
    expected.insert("looked-again", again.collect());

    let mut seen: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for click in &known {
        seen.entry(&click.user)
            .or_default()
            .insert(&mysfit(click).id);
    }
    let mut pairs: Counts<(&str, &str)> = Counts::new();
    for ids in seen.values() {
        for one in ids {
            for other in ids.iter().filter(|other| *other > one) {
                pairs.entry((one, other)).or_default().0 += 1;
            }
        }
    }
    let pairs = ranked(pairs, |(one, other)| vec![json!(one), json!(other)]);
    let pairs = pairs.into_iter().take(100).map(|mut row| {
        row.pop();
        row
    });
    expected.insert("pairs", pairs.collect());
    expected
}

fn failures(generator: &Generator) -> Result<Vec<Vec<Value>>> {
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    for number in 0..generator.objects {
        for line in generator.failed_lines(&generator.clicks(number)).lines() {
            let line: Value = serde_json::from_str(line)?;
            let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
            let reason = format!("{}: {}", text("errorCode"), text("errorMessage"));
            *reasons.entry(reason).or_default() += 1;
        }
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by(|(one, few), (other, many)| many.cmp(few).then(one.cmp(other)));
    let rows = reasons
        .into_iter()
        .map(|(reason, count)| vec![json!(reason), json!(count)]);
    Ok(rows.collect())
}

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
