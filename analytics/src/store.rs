//! Objects of a bucket, kept on this machine under their key and ETag, so that none is fetched
//! twice; each examined once.
//!
//! A file's name says what came of the examination: `HASH.N.json`, or `.json.gz`, has N lines that
//! are no records, and `HASH.left-out` is an object of which nothing can be read, with the reason.
//! The folders are the hours in the objects' keys.

use crate::duckdb::{self, DuckDb};
use crate::span::hour_of;
use anyhow::{Context, Result};
use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// In bytes. Firehose takes records of 1,000 KiB, and a failed one is written in base64.
const LONGEST_LINE: u64 = 4 * 1024 * 1024;

const UNEXAMINED: &str = "new";

/// What a table is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordKind {
    Clicks,
    Failed,
}

/// An object as S3 lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    pub key: String,
    pub etag: String,
}

/// The objects of one bucket.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
}

/// A file that the engine reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Readable {
    /// From the store's folder on.
    pub path: PathBuf,
    /// Whether there are lines in it that are no records.
    pub has_broken_lines: bool,
}

/// What there is to read, and what is left out.
#[derive(Debug, Default)]
pub struct Contents {
    pub files: Vec<Readable>,
    pub left_out: LeftOut,
}

/// What is not counted, and why: never in silence.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Lines that are no records, by the keys of their objects.
    pub lines: BTreeMap<String, u64>,
    /// Reasons, by the keys of objects of which nothing is read.
    pub objects: BTreeMap<String, String>,
}

impl RecordKind {
    /// The table's name.
    pub fn table(self) -> &'static str {
        match self {
            Self::Clicks => "clicks",
            Self::Failed => "failed_clicks",
        }
    }

    /// The fields of a line, with their types in DuckDB. The tables on AWS have the same columns.
    pub fn columns(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Clicks => &[
                ("userId", "VARCHAR"),
                ("mysfitId", "VARCHAR"),
                ("goodevil", "VARCHAR"),
                ("lawchaos", "VARCHAR"),
                ("species", "VARCHAR"),
                ("clickedAt", "VARCHAR"),
                ("clickId", "VARCHAR"),
            ],
            Self::Failed => &[
                ("attemptsMade", "BIGINT"),
                ("arrivalTimestamp", "BIGINT"),
                ("errorCode", "VARCHAR"),
                ("errorMessage", "VARCHAR"),
                ("attemptEndingTimestamp", "BIGINT"),
                ("rawData", "VARCHAR"),
                ("lambdaArn", "VARCHAR"),
            ],
        }
    }

    /// Whether a line is a record, as a condition of SQL.
    pub fn is_record(self) -> &'static str {
        match self {
            Self::Clicks => {
                "(userId IS NOT NULL AND mysfitId IS NOT NULL AND coalesce(regexp_full_match(\
                 clickedAt, '[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z'), \
                 false) AND try_cast(clickedAt AS TIMESTAMP) IS NOT NULL)"
            }
            Self::Failed => "(rawData IS NOT NULL)",
        }
    }

    /// A call of DuckDB's reader for these files.
    ///
    /// # Errors
    /// When a path is not UTF-8.
    pub fn reader<'a>(self, files: impl Iterator<Item = &'a Path>) -> Result<String> {
        let files = files.map(duckdb::text).collect::<Result<Vec<_>>>()?;
        let columns = self.columns().iter();
        let columns: Vec<_> = columns
            .map(|(name, kind)| format!("{name}: '{kind}'"))
            .collect();
        Ok(format!(
            "read_json([{}], format = 'newline_delimited', columns = {{{}}}, ignore_errors = true, \
             filename = 'file')",
            files.join(", "),
            columns.join(", ")
        ))
    }
}

impl Store {
    /// The store in a folder, which need not be there yet.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Its folder, in which the engine runs: paths from there on have no letter that the engine
    /// would take for a pattern.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A folder for the files of one run of the engine.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn workplace(&self) -> Result<TempDir> {
        let create = || {
            fs::create_dir_all(&self.folder)?;
            tempfile::Builder::new()
                .prefix("work")
                .tempdir_in(&self.folder)
        };
        create().with_context(|| format!("{} cannot be written to", self.folder.display()))
    }

    /// The objects that are not here yet.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn missing<'a>(&self, kind: RecordKind, objects: &'a [Object]) -> Result<Vec<&'a Object>> {
        let here = self.here(kind, objects)?;
        let missing = objects
            .iter()
            .filter(|object| hour_of(&object.key).is_some() && !here.contains_key(&stem(object)));
        Ok(missing.collect())
    }

    /// Keeps an object, once it has been found to be text in lines.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put(&self, kind: RecordKind, object: &Object, bytes: &[u8]) -> Result<()> {
        let hour = hour_of(&object.key).context("the key has no hour")?;
        let folder = self.folder.join(kind.table()).join(hour);
        let stem = stem(object);
        let ending = match bytes.starts_with(&GZIP) {
            true => "json.gz",
            false => "json",
        };
        let examined = examine(bytes);
        let (name, bytes) = match &examined {
            Ok(()) => (format!("{stem}.{UNEXAMINED}.{ending}"), bytes),
            Err(reason) => (format!("{stem}.left-out"), reason.as_bytes()),
        };
        let write = || -> Result<()> {
            fs::create_dir_all(&folder)?;
            let mut file = tempfile::NamedTempFile::new_in(&folder)?;
            std::io::Write::write_all(&mut file, bytes)?;
            file.persist(folder.join(&name))?;
            Ok(())
        };
        write().with_context(|| format!("{} cannot be written", folder.join(&name).display()))
    }

    /// Has the engine look for lines that are no records in what is new.
    ///
    /// # Errors
    /// When the engine fails, or a file cannot be renamed.
    pub async fn examine_new(
        &self,
        kind: RecordKind,
        objects: &[Object],
        duckdb: &DuckDb,
    ) -> Result<()> {
        let mut new = Vec::new();
        for object in objects {
            let Some(hour) = hour_of(&object.key) else {
                continue;
            };
            let folder = Path::new(kind.table()).join(hour);
            let stem = stem(object);
            for ending in ["json", "json.gz"] {
                let path = folder.join(format!("{stem}.{UNEXAMINED}.{ending}"));
                if self.folder.join(&path).is_file() {
                    new.push((path, folder.join(&stem), ending));
                }
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        let work = self.workplace()?;
        let found = work.path().join("broken.json");
        let sql = format!(
            "COPY (SELECT file, count(*) AS lines FROM {} WHERE NOT {} GROUP BY file) TO {} \
             (FORMAT json, ARRAY true);\n",
            kind.reader(new.iter().map(|(path, ..)| path.as_path()))?,
            kind.is_record(),
            duckdb::text(self.relative(&found))?
        );
        duckdb
            .run(&self.folder, self.relative(work.path()), &sql)
            .await?;
        let rows = crate::answer::parse_rows(&fs::read(&found)?)?;
        let broken: BTreeMap<&str, u64> = rows
            .iter()
            .filter_map(|row| Some((row["file"].as_str()?, row["lines"].as_u64()?)))
            .collect();
        for (path, stem, ending) in &new {
            let lines = path
                .to_str()
                .and_then(|path| broken.get(path))
                .unwrap_or(&0);
            let examined = self
                .folder
                .join(format!("{}.{lines}.{ending}", stem.display()));
            fs::rename(self.folder.join(path), &examined)
                .with_context(|| format!("{} cannot be written", examined.display()))?;
        }
        Ok(())
    }

    /// A path as the engine is told it.
    pub fn relative<'a>(&self, path: &'a Path) -> &'a Path {
        path.strip_prefix(&self.folder).unwrap_or(path)
    }

    /// What there is to read of these objects.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn contents(&self, kind: RecordKind, objects: &[Object]) -> Result<Contents> {
        let here = self.here(kind, objects)?;
        let mut contents = Contents::default();
        for object in objects {
            if hour_of(&object.key).is_none() {
                let reason = "its key has no hour, yyyy/MM/dd/HH/";
                let objects = &mut contents.left_out.objects;
                objects.insert(object.key.clone(), reason.to_owned());
                continue;
            }
            // What has been deleted since it was listed is not here.
            let Some(path) = here.get(&stem(object)) else {
                continue;
            };
            match broken_lines(path) {
                Some(lines) => {
                    if lines > 0 {
                        contents.left_out.lines.insert(object.key.clone(), lines);
                    }
                    contents.files.push(Readable {
                        path: self.relative(path).to_owned(),
                        has_broken_lines: lines > 0,
                    });
                }
                None => {
                    let reason = fs::read_to_string(path)?;
                    contents.left_out.objects.insert(object.key.clone(), reason);
                }
            }
        }
        Ok(contents)
    }

    /// Deletes what the bucket has no more, in the hours of a list.
    ///
    /// # Errors
    /// When a file cannot be deleted.
    pub fn forget_all_but(&self, kind: RecordKind, objects: &[Object], from: &str) -> Result<()> {
        let keep: BTreeSet<String> = objects.iter().map(stem).collect();
        let folder = self.folder.join(kind.table());
        for hour in hours(&folder)?.iter().filter(|hour| hour.as_str() >= from) {
            for path in entries(&folder.join(hour))? {
                if !keep.contains(&stem_of(&path)) {
                    fs::remove_file(&path)
                        .with_context(|| format!("{} cannot be deleted", path.display()))?;
                }
            }
        }
        Ok(())
    }

    /// The examined files of these objects' hours, by the stems of their names.
    fn here(&self, kind: RecordKind, objects: &[Object]) -> Result<BTreeMap<String, PathBuf>> {
        let hours: BTreeSet<&str> = objects
            .iter()
            .filter_map(|object| hour_of(&object.key))
            .collect();
        let mut here = BTreeMap::new();
        for hour in hours {
            let folder = self.folder.join(kind.table()).join(hour);
            for path in entries(&folder)? {
                let examined = broken_lines(&path).is_some()
                    || path.extension().is_some_and(|ending| ending == "left-out");
                if examined {
                    here.insert(stem_of(&path), path);
                }
            }
        }
        Ok(here)
    }
}

impl LeftOut {
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.objects.is_empty()
    }

    pub fn add(&mut self, other: Self) {
        self.lines.extend(other.lines);
        self.objects.extend(other.objects);
    }

    /// A few lines for people: how many there are, and some by name.
    pub fn to_text(&self) -> String {
        const NAMED: usize = 5;
        let mut text = String::new();
        let lines: u64 = self.lines.values().sum();
        if lines > 0 {
            let objects = self.lines.len();
            text += &format!("left out: {lines} lines that are no records, in {objects} objects\n");
            for (key, lines) in self.lines.iter().take(NAMED) {
                text += &format!("  {}: {lines}\n", key.escape_default());
            }
            if objects > NAMED {
                text += &format!("  and {} objects more\n", objects - NAMED);
            }
        }
        if !self.objects.is_empty() {
            let objects = self.objects.len();
            text += &format!("left out: {objects} objects that cannot be read\n");
            for (key, reason) in self.objects.iter().take(NAMED) {
                text += &format!("  {}: {reason}\n", key.escape_default());
            }
            if objects > NAMED {
                text += &format!("  and {} more\n", objects - NAMED);
            }
        }
        text
    }
}

/// What cannot be handed to the engine, which would give up as a whole, with the reason.
fn examine(bytes: &[u8]) -> Result<(), String> {
    match bytes.starts_with(&GZIP) {
        true => lines(BufReader::new(MultiGzDecoder::new(bytes))).map_err(|reason| match reason {
            Some(reason) => reason,
            None => "its GZIP is broken, or cut short".to_owned(),
        }),
        false => lines(bytes).map_err(|reason| reason.unwrap_or_default()),
    }
}

fn lines(mut text: impl BufRead) -> Result<(), Option<String>> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let limit = LONGEST_LINE + 1;
        let read = text.by_ref().take(limit).read_until(b'\n', &mut line);
        match read.map_err(|_| None)? {
            0 => return Ok(()),
            length if length as u64 == limit => {
                return Err(Some(format!(
                    "it has a line of more than {LONGEST_LINE} bytes"
                )));
            }
            _ => {}
        }
        if std::str::from_utf8(&line).is_err() {
            return Err(Some("it is no text".to_owned()));
        }
    }
}

/// The number in a file's name, when the file was examined.
fn broken_lines(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    let name = name.strip_suffix(".gz").unwrap_or(name);
    let (_, lines) = name.strip_suffix(".json")?.split_once('.')?;
    lines.parse().ok()
}

/// What a file is called: the object's key and entity tag, of which any may be long or odd.
fn stem(object: &Object) -> String {
    let mut hash = Sha256::new();
    hash.update(object.key.as_bytes());
    hash.update([0]);
    hash.update(object.etag.as_bytes());
    let hash = hash.finalize();
    hash.iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn stem_of(path: &Path) -> String {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.unwrap_or_default();
    name.split('.').next().unwrap_or_default().to_owned()
}

/// The folders of hours below a folder: `2026/01/31/12`.
fn hours(folder: &Path) -> Result<Vec<String>> {
    let mut hours = vec![String::new()];
    for _ in 0..4 {
        let mut deeper = Vec::new();
        for parent in hours {
            for path in entries(&folder.join(&parent))? {
                if let Some(name) = path.file_name().and_then(|name| name.to_str())
                    && path.is_dir()
                {
                    deeper.push(format!(
                        "{parent}{}{name}",
                        if parent.is_empty() { "" } else { "/" }
                    ));
                }
            }
        }
        hours = deeper;
    }
    Ok(hours)
}

/// What is in a folder; nothing when it is not there.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            return Err(error).with_context(|| format!("{} cannot be read", folder.display()));
        }
    };
    let paths = entries.map(|entry| Ok(entry?.path()));
    paths.collect()
}
