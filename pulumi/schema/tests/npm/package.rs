//! The npm package, downloaded once into the user's cache, of which only the files that are
//! asked for are unpacked.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use flate2::read::GzDecoder;
use tar::Archive;

/// A tarball of another size is not the SDK.
const SANE_SIZE: std::ops::RangeInclusive<u64> = 1 << 20..=64 << 20;

/// The declarations of a package: `.d.ts` files by path without that ending, without comments.
pub struct Npm {
    files: BTreeMap<String, String>,
}

impl Npm {
    pub fn get(name: &str, version: &str) -> Result<Self> {
        let tarball = download(name, version)?;
        let size = std::fs::metadata(&tarball)?.len();
        ensure!(
            SANE_SIZE.contains(&size),
            "{} has {size} bytes: remove it, and try again",
            tarball.display()
        );
        let file = BufReader::new(File::open(&tarball)?);
        let mut files = BTreeMap::new();
        for entry in Archive::new(GzDecoder::new(file)).entries()? {
            let mut entry = entry?;
            let path = entry.path()?.to_string_lossy().into_owned();
            let declaration = path
                .strip_prefix("package/")
                .and_then(|path| path.strip_suffix(".d.ts"));
            if let Some(path) = declaration {
                let mut text = String::new();
                entry.read_to_string(&mut text)?;
                files.insert(path.to_owned(), without_comments(&text));
            }
        }
        Ok(Self { files })
    }

    pub fn file(&self, path: &str) -> Result<String> {
        let text = self.files.get(path);
        text.cloned()
            .with_context(|| format!("the npm package has no {path}.d.ts"))
    }
}

fn download(name: &str, version: &str) -> Result<PathBuf> {
    let file = format!(
        "{}-{version}.tgz",
        name.trim_start_matches('@').replace('/', "-")
    );
    let folder = pulumi_schema::cache()?.join("npm");
    let tarball = folder.join(&file);
    if tarball.is_file() {
        return Ok(tarball);
    }
    std::fs::create_dir_all(&folder)?;
    let output = Command::new("npm")
        .args(["pack", "--silent", "--pack-destination"])
        .arg(&folder)
        .arg(format!("{name}@{version}"))
        .current_dir(&folder)
        .output()
        .context("npm is missing: install Node.js (https://nodejs.org), which has it")?;
    ensure!(
        output.status.success(),
        "npm pack {name}@{version}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    ensure!(tarball.is_file(), "npm pack left no {}", tarball.display());
    Ok(tarball)
}

fn without_comments(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("/**") {
        kept.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    kept
}
