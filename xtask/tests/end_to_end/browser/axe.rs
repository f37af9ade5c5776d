//! axe-core, which finds what makes a page hard to use for people who cannot see it, or who use a
//! keyboard alone. The script comes from npm once, pinned by version and hash, into the user's
//! cache.

use super::driver::Browser;
use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::read::GzDecoder;
use serde_json::Value;
use sha2::{Digest, Sha512};
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Command;

const VERSION: &str = "4.14.1";

/// The tarball's SHA-512, as npm's registry and a package-lock.json have it.
const INTEGRITY: &str =
    "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==";

const SCRIPT: &str = "package/axe.min.js";

/// What visitors may prefer.
pub const PREFERENCES: [(&str, &[(&str, &str)]); 3] = [
    ("light", &[("prefers-color-scheme", "light")]),
    ("dark", &[("prefers-color-scheme", "dark")]),
    ("forced colours", &[("forced-colors", "active")]),
];

/// The script, to be run in pages.
pub struct Axe(String);

impl Axe {
    pub fn get() -> Result<Self> {
        let folder = door::cache().context("no HOME")?.join("npm");
        let tarball = folder.join(format!("axe-core-{VERSION}.tgz"));
        if !tarball.is_file() {
            fetch(&folder, &tarball)?;
        }
        let bytes = fs::read(&tarball)?;
        let hash = BASE64_STANDARD.encode(Sha512::digest(&bytes));
        ensure!(
            hash == INTEGRITY,
            "{} has another hash than axe-core {VERSION}: remove it, and try again",
            tarball.display()
        );
        let mut archive = tar::Archive::new(GzDecoder::new(bytes.as_slice()));
        for entry in archive.entries()? {
            let mut entry = entry?;
            if entry.path()? == Path::new(SCRIPT) {
                let mut script = String::new();
                entry.read_to_string(&mut script)?;
                return Ok(Self(script));
            }
        }
        anyhow::bail!("axe-core {VERSION} has no {SCRIPT}")
    }

    /// [`Self::check`] of the page as each kind of visitor has it, without loading it again.
    pub async fn check_for_all(&self, browser: &Browser, what: &str) -> Result<()> {
        for (preference, features) in PREFERENCES {
            browser.emulate(features).await?;
            self.check(browser, &format!("{what}, {preference}"))
                .await?;
        }
        browser.emulate(&[]).await
    }

    /// Fails with all that is found on the page as it is.
    pub async fn check(&self, browser: &Browser, what: &str) -> Result<()> {
        browser.execute(&self.0).await?;
        let found = browser
            .execute(
                "const { violations, passes } = await axe.run(document, { resultTypes: ['violations'] });
                 return {
                   looked: passes.length,
                   found: violations.map(({ id, help, nodes }) => ({ id, help, at: nodes.map(
                     ({ target, failureSummary }) => [target.join(' '), failureSummary]) })),
                 };",
            )
            .await?;
        ensure!(
            found["looked"].as_u64().unwrap_or_default() >= 10,
            "axe looked at nothing of {what}"
        );
        let violations = found["found"].as_array().context("no answer of axe's")?;
        ensure!(
            violations.is_empty(),
            "{what}: {}",
            serde_json::to_string_pretty(&Value::Array(violations.clone()))?
        );
        Ok(())
    }
}

fn fetch(folder: &Path, tarball: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    // The first one has it there as a whole.
    let new = tempfile::tempdir_in(folder)?;
    let output = Command::new("npm")
        .args(["pack", "--silent", "--pack-destination"])
        .arg(new.path())
        .arg(format!("axe-core@{VERSION}"))
        .current_dir(new.path())
        .output()
        .context("npm is missing: install Node.js (https://nodejs.org), which has it")?;
    ensure!(
        output.status.success(),
        "npm pack axe-core@{VERSION}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let name = tarball.file_name().context("no name")?;
    fs::rename(new.path().join(name), tarball).context("npm pack left no tarball")
}
