//! DuckDB, as its makers build it: the program on PATH, or the one in the wheel `duckdb-cli` of
//! PyPI, which pip fetches once into the user's cache. It is run, and not linked: compiling an
//! engine would cost each newcomer more than the rest of the workspace.

use anyhow::{Context, Result, bail, ensure};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// The version that the tests run. Another one on PATH is taken from this major version on.
pub const VERSION: &str = "1.5.6";

/// The wheels of that version: SHA-256 of those for Linux (x86_64 and aarch64) and macOS.
const HASHES: [&str; 3] = [
    "9797555bd39095d730eb0d0b3bf29e95e148c96a4cdce1e363f01c7bf7003a44",
    "9b03301a14310a4ef7f86386e87b36954fe099ed762c8a81f94f7bd0ba073542",
    "239b7a1af956931b6f91fe62b23912c4afdcb3538d0c00853126425067a4afe4",
];

/// The program's place in the wheel.
const IN_WHEEL: &str = "duckdb_cli/duckdb";

/// What DuckDB may take of memory before it writes to the disk. What it reads files with comes on
/// top: the whole stays below 1 GB.
const MEMORY: &str = "700MB";

/// DuckDB's program.
#[derive(Debug, Clone)]
pub struct DuckDb {
    program: PathBuf,
}

impl DuckDb {
    /// A program that is there.
    pub fn at(program: PathBuf) -> Self {
        Self { program }
    }

    /// Where it is.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The one on PATH, if it is new enough, or the one in the cache.
    pub async fn there(cache: &Path) -> Option<Self> {
        if let Some(program) = on_path("duckdb") {
            let found = Self { program };
            if found.is_new_enough().await {
                return Some(found);
            }
        }
        let program = place(cache);
        program.is_file().then_some(Self { program })
    }

    /// Fetches the wheel with pip, and unpacks the program into the cache.
    ///
    /// # Errors
    /// When there is no Python with pip, no network, or the wheel is not the known one.
    pub async fn fetch(cache: &Path) -> Result<Self> {
        let python = on_path("python3").with_context(|| {
            format!(
                "the engine that answers is DuckDB, which is neither on PATH nor in {}, and there \
                 is no python3 to fetch it with: install Python 3 with pip, or DuckDB's command \
                 line program from https://duckdb.org/install",
                cache.display()
            )
        })?;
        fs::create_dir_all(cache)
            .with_context(|| format!("{} cannot be created", cache.display()))?;
        let folder = tempfile::tempdir_in(cache)?;
        let requirements = folder.path().join("requirements.txt");
        let hashes = HASHES.map(|hash| format!(" --hash=sha256:{hash}"));
        fs::write(
            &requirements,
            format!("duckdb-cli=={VERSION}{}\n", hashes.concat()),
        )?;
        let output = Command::new(python)
            .args(["-m", "pip", "download", "--quiet", "--no-deps"])
            .args(["--disable-pip-version-check", "--only-binary", ":all:"])
            .args(["--require-hashes", "--dest"])
            .arg(folder.path())
            .arg("--requirement")
            .arg(&requirements)
            .stdin(Stdio::null())
            .output()
            .await
            .context("python3 cannot be started")?;
        ensure!(
            output.status.success(),
            "DuckDB is neither on PATH nor in {}, and pip cannot fetch it: {}",
            cache.display(),
            String::from_utf8_lossy(&output.stderr).trim()
        );
        let program = place(cache);
        unpack(folder.path(), &program)?;
        Ok(Self { program })
    }

    /// The one that is there, or a fetched one.
    ///
    /// # Errors
    /// Like [`DuckDb::fetch`].
    pub async fn find_or_fetch(cache: &Path) -> Result<Self> {
        match Self::there(cache).await {
            Some(found) => Ok(found),
            None => Self::fetch(cache).await,
        }
    }

    async fn is_new_enough(&self) -> bool {
        let output = Command::new(&self.program).arg("--version").output().await;
        output.is_ok_and(|output| {
            // `v1.5.6 (Variegata) 1234567890`
            let text = String::from_utf8_lossy(&output.stdout);
            let mut numbers = text.trim_start_matches('v').split(['.', ' ']);
            let mut number = || numbers.next()?.parse::<u32>().ok();
            matches!((number(), number()), (Some(1), Some(minor)) if minor >= 4)
        })
    }

    /// Runs SQL in a folder; `work` is a folder in it for what does not fit the memory. Nothing of
    /// the user's own settings is read.
    ///
    /// # Errors
    /// With what DuckDB says.
    pub async fn run(&self, folder: &Path, work: &Path, sql: &str) -> Result<()> {
        let mut child = Command::new(&self.program)
            .args(["-no-init", "-batch", "-bail"])
            // Tables are in memory, and in the folder for what does not fit: a database of its
            // own would need a path without a question mark.
            .arg(":memory:")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} cannot be started", self.program.display()))?;
        let mut script = format!("SET memory_limit = '{MEMORY}';\n");
        script += &format!("SET temp_directory = {};\n", text(&work.join("spill"))?);
        script += sql;
        if let Some(mut stdin) = child.stdin.take() {
            // Where it has ended early, its own words say more than the broken pipe.
            stdin.write_all(script.as_bytes()).await.ok();
        }
        let output = child.wait_with_output().await?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("DuckDB failed: {}", said.trim());
        }
        Ok(())
    }
}

/// A path as a text of SQL.
///
/// # Errors
/// When it is not UTF-8.
pub fn text(path: &Path) -> Result<String> {
    let path = path
        .to_str()
        .with_context(|| format!("{} is not UTF-8", path.display()))?;
    Ok(format!("'{}'", path.replace('\'', "''")))
}

fn place(cache: &Path) -> PathBuf {
    cache.join(format!("duckdb-{VERSION}")).join("duckdb")
}

/// Unpacks the program out of the only wheel in a folder.
fn unpack(folder: &Path, program: &Path) -> Result<()> {
    let wheels = fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path()));
    let wheel = wheels
        .into_iter()
        .find(|path| path.extension().is_some_and(|ending| ending == "whl"))
        .context("pip has left no wheel behind")?;
    let mut archive = zip::ZipArchive::new(File::open(&wheel)?)?;
    let mut packed = archive
        .by_name(IN_WHEEL)
        .with_context(|| format!("{} has no {IN_WHEEL}", wheel.display()))?;
    let unpacked = folder.join("duckdb");
    std::io::copy(&mut packed, &mut File::create(&unpacked)?)?;
    fs::set_permissions(&unpacked, fs::Permissions::from_mode(0o755))?;
    let parent = program.parent().context("the cache has no folder")?;
    fs::create_dir_all(parent)?;
    // In one step, so that nobody meets half a file.
    fs::rename(&unpacked, program)
        .with_context(|| format!("{} cannot be written", program.display()))
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|program| {
            fs::metadata(program)
                .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
        })
}
