//! The page with plots: what it is made of, and where it goes.

use crate::checkout::Checkout;
use analytics::answer::Answer;
use analytics::generate::{Generator, Mysfit};
use analytics::report::{self, Portrait};
use analytics::store::{Object, RecordKind, Store};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use time::{Duration, OffsetDateTime};

/// The mysfits of this repository. Those of another catalogue have no picture here, and are named
/// by their ids.
pub struct Catalogue {
    entries: Vec<Entry>,
    pictures: PathBuf,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    mysfit_id: String,
    name: String,
    species: String,
    goodevil: String,
    lawchaos: String,
}

impl Catalogue {
    pub fn read(root: &Path) -> Result<Self> {
        let path = root.join("infra/catalogue/mysfits.json");
        let read = || -> Result<Vec<Entry>> { Ok(serde_json::from_slice(&fs::read(&path)?)?) };
        Ok(Self {
            entries: read().with_context(|| format!("{} cannot be read", path.display()))?,
            pictures: root.join("web/images"),
        })
    }

    pub fn names(&self) -> BTreeMap<String, String> {
        let names = self.entries.iter();
        names
            .map(|entry| (entry.mysfit_id.clone(), entry.name.clone()))
            .collect()
    }

    fn portraits(&self) -> Result<BTreeMap<String, Portrait>> {
        let mut portraits = BTreeMap::new();
        for entry in &self.entries {
            let picture = self.pictures.join(format!("{}.svg", entry.mysfit_id));
            let picture = fs::read(&picture)
                .with_context(|| format!("{} cannot be read", picture.display()))?;
            let portrait = Portrait {
                name: entry.name.clone(),
                picture,
            };
            portraits.insert(entry.mysfit_id.clone(), portrait);
        }
        Ok(portraits)
    }
}

/// The page of these answers.
pub fn write(answers: &[Answer], catalogue: &Catalogue, title: &str) -> Result<String> {
    let now = OffsetDateTime::now_utc();
    Ok(report::page(answers, &catalogue.portraits()?, title, now))
}

/// Puts the page where it is wanted.
pub fn deliver(page: &str, checkout: &Checkout, path: Option<&Path>, open: bool) -> Result<()> {
    let path = match path {
        Some(path) => path.to_owned(),
        None if !open && !std::io::stdout().is_terminal() => return super::print(page),
        None => checkout.home.join("insights.html"),
    };
    let path = std::path::absolute(path)?;
    fs::write(&path, page).with_context(|| format!("{} cannot be written", path.display()))?;
    println!("{}", path.display());
    if open {
        show(&path)?;
    }
    Ok(())
}

fn show(path: &Path) -> Result<()> {
    let program = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    let opened = Command::new(program)
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match opened {
        Ok(status) if status.success() => Ok(()),
        _ => bail!(
            "{program} cannot show the page: open {} in a browser",
            path.display()
        ),
    }
}

/// Fills a store with clicks of the last four weeks that nobody made.
pub async fn demonstration(kind: RecordKind, store: &Store) -> Result<Vec<Object>> {
    let catalogue = Catalogue::read(&Checkout::find()?.root)?;
    let mysfits = catalogue.entries.into_iter().map(|entry| Mysfit {
        id: entry.mysfit_id,
        goodevil: entry.goodevil,
        lawchaos: entry.lawchaos,
        species: entry.species,
    });
    let length = Duration::weeks(4);
    let hours = u32::try_from(length.whole_hours())?;
    let now = OffsetDateTime::now_utc();
    let generator = Generator {
        mysfits: mysfits.collect(),
        start: now.truncate_to_hour() - length,
        length,
        objects: hours,
        clicks: 40,
        users: 900,
        rhythm: true,
    };
    let mut objects = Vec::new();
    for number in 0..generator.objects {
        let clicks = generator.clicks(number);
        let (key, lines) = match kind {
            RecordKind::Clicks => (
                Generator::key("firehose/", &clicks, number),
                generator.lines(&clicks),
            ),
            RecordKind::Failed => (
                Generator::key("processing-failed/", &clicks, number),
                generator.failed_lines(&clicks),
            ),
        };
        let object = Object {
            key,
            etag: number.to_string(),
        };
        store.put(kind, &object, lines.as_bytes())?;
        objects.push(object);
    }
    Ok(objects)
}
