//! The Pulumi CLI: the one on PATH, or one built once from the sources that tools/go.mod pins.
//!
//! A build takes minutes, and nothing needs the CLI before something is deployed. So it is a
//! process of its own at low priority, which `cargo xtask` starts before it compiles anything,
//! and which every later command waits for only when it needs the CLI. A file lock keeps two
//! builds of one version apart.

use crate::elapsed::elapsed;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// The module that tools/go.mod pins, and the command in it.
const MODULE: &str = "github.com/pulumi/pulumi/pkg/v3";
const COMMAND: &str = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";

/// The variable of the CLI that holds its version; its releases are linked with it set.
const VERSION: &str = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";

/// The oldest CLI that the end-to-end tests have passed with.
const OLDEST: Version = Version(3, 258, 0);

/// Why there is no CLI.
#[derive(Debug)]
pub struct Missing(String);

impl fmt::Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Missing {}

impl From<io::Error> for Missing {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u32, u32, u32);

impl Version {
    /// `v3.259.0`; what follows a hyphen or a plus is not compared.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().strip_prefix('v')?;
        let end = text.find(['-', '+']).unwrap_or(text.len());
        let mut numbers = text[..end].splitn(3, '.').map(|number| number.parse().ok());
        Some(Self(numbers.next()??, numbers.next()??, numbers.next()??))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// The CLI of a checkout: which version, and where it is kept once it is built.
#[derive(Debug)]
pub struct Cli {
    wanted: Version,
    /// The Go module that pins it.
    module: PathBuf,
    /// Outside of the checkout, for all checkouts.
    folder: PathBuf,
}

/// A CLI that is there.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    pub path: PathBuf,
    /// What its user should know: that it is not the version that the tests run with.
    pub note: Option<String>,
}

impl Cli {
    /// The CLI that `root`/tools/go.mod pins.
    ///
    /// # Errors
    /// When that file cannot be read or pins none, or when there is no place to keep a CLI.
    pub fn of(root: &Path, cache: &Path) -> Result<Self, Missing> {
        let module = root.join("tools");
        let path = module.join("go.mod");
        let text = fs::read_to_string(&path)
            .map_err(|error| Missing(format!("{} cannot be read: {error}", path.display())))?;
        let wanted = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix(MODULE))
            .find_map(|line| Version::parse(line.split_whitespace().next()?))
            .ok_or_else(|| Missing(format!("{} does not require {MODULE}", path.display())))?;
        Ok(Self {
            wanted,
            module,
            folder: cache.join(format!("pulumi-{wanted}")),
        })
    }

    /// The CLI on PATH, in folders other than `except`, when it is new enough; else the one that
    /// was built before.
    pub fn find(&self, except: &Path) -> Option<Found> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let on_path = std::env::split_paths(&path)
            .filter(|folder| folder != except)
            .map(|folder| folder.join("pulumi"))
            .find(|program| is_executable(program));
        if let Some(program) = on_path
            && let Some(version) = version(&program)
            && let Some(note) = self.judge(version)
        {
            return Some(Found {
                path: program,
                note,
            });
        }
        let built = self.folder.join("pulumi");
        built.is_file().then_some(Found {
            path: built,
            note: None,
        })
    }

    /// Whether a version will do, and what to say of it.
    fn judge(&self, found: Version) -> Option<Option<String>> {
        let same_major = found.0 == self.wanted.0;
        let note = |age| {
            format!(
                "the Pulumi CLI on PATH is {found}, {age} than {}, which the tests run with",
                self.wanted
            )
        };
        match found.cmp(&self.wanted) {
            std::cmp::Ordering::Equal => Some(None),
            std::cmp::Ordering::Greater if same_major => Some(Some(note("newer"))),
            std::cmp::Ordering::Less if found >= OLDEST => Some(Some(note("a little older"))),
            _ => None,
        }
    }

    /// The CLI, built if there is none. `tell` hears what it waits for.
    ///
    /// # Errors
    /// When there is no Go to build it with, or the build fails.
    pub fn find_or_build(&self, except: &Path, tell: &dyn Fn(&str)) -> Result<Found, Missing> {
        if let Some(found) = self.find(except) {
            return Ok(found);
        }
        self.build(tell)?;
        self.find(except)
            .ok_or_else(|| Missing("the Pulumi CLI was built, and is gone".to_owned()))
    }

    /// Builds the CLI, or waits for another process that does.
    fn build(&self, tell: &dyn Fn(&str)) -> Result<(), Missing> {
        fs::create_dir_all(&self.folder).map_err(|error| {
            Missing(format!(
                "{} cannot be created: {error}",
                self.folder.display()
            ))
        })?;
        let lock = File::create(self.folder.join("lock"))?;
        if lock.try_lock().is_err() {
            self.wait(&lock, tell)?;
        }
        if self.folder.join("pulumi").is_file() {
            return Ok(());
        }
        self.build_locked(tell)
    }

    /// Waits for the process that holds the lock, and tells what it is at.
    fn wait(&self, lock: &File, tell: &dyn Fn(&str)) -> Result<(), Missing> {
        let started = Instant::now();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| lock.lock());
            while !waiting.is_finished() {
                let log = fs::read_to_string(self.log()).unwrap_or_default();
                tell(&format!(
                    "{} packages compiled, {} waited",
                    log.lines().count(),
                    elapsed(started.elapsed())
                ));
                std::thread::park_timeout(std::time::Duration::from_secs(1));
            }
            match waiting.join() {
                Ok(locked) => locked.map_err(Missing::from),
                Err(_) => Err(Missing("the wait for the Pulumi CLI broke off".to_owned())),
            }
        })
    }

    /// What the compiler said of the build, a package a line.
    fn log(&self) -> PathBuf {
        self.folder.join("build.log")
    }

    /// Builds beside the final place, so that a build that was cut short is never taken for a CLI.
    fn build_locked(&self, tell: &dyn Fn(&str)) -> Result<(), Missing> {
        let program = self.folder.join("pulumi.new");
        let version = self.wanted;
        let mut log = File::create(self.log())?;
        // Go asks for all processors; a person waits for what Rust compiles beside it.
        let mut go = Command::new("nice")
            .args(["-n", "15", "go", "build", "-v", "-ldflags"])
            .arg(format!("-s -w -X {VERSION}=v{version}"))
            .arg("-o")
            .arg(&program)
            .arg(COMMAND)
            .current_dir(&self.module)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| Missing(format!("`nice` cannot be started: {error}")))?;
        let mut last = Vec::new();
        if let Some(stderr) = go.stderr.take() {
            for (packages, line) in BufReader::new(stderr).lines().enumerate() {
                let line = line?;
                writeln!(log, "{line}")?;
                tell(&format!("{packages} packages compiled, {line}"));
                last.push(line);
            }
        }
        let status = go.wait()?;
        // `nice` says so of a program that it does not find.
        if status.code() == Some(127) {
            return Err(Missing(format!(
                "there is no Pulumi CLI {OLDEST} or newer on PATH, and no Go to build one: run \
                 `curl -fsSL https://get.pulumi.com | sh -s -- --version {version}`, or install \
                 Go from https://go.dev/dl"
            )));
        }
        if !status.success() {
            let from = last.len().saturating_sub(20);
            return Err(Missing(format!(
                "the Pulumi CLI cannot be built in {}:\n{}",
                self.module.display(),
                last[from..].join("\n")
            )));
        }
        fs::rename(&program, self.folder.join("pulumi"))?;
        Ok(())
    }
}

fn version(program: &Path) -> Option<Version> {
    let output = Command::new(program)
        .arg("version")
        .env("PULUMI_SKIP_UPDATE_CHECK", "true")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    Version::parse(&String::from_utf8_lossy(&output.stdout))
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_their_numbers() {
        assert!(Version::parse("v3.300.0\n") > Version::parse("v3.259.0"));
        assert!(Version::parse("v3.99.9") < Version::parse("v3.259.0"));
        assert_eq!(
            Version::parse("v3.259.1-alpha.2+dirty"),
            Some(Version(3, 259, 1))
        );
        assert_eq!(Version::parse(""), None);
        assert_eq!(Version::parse("v3"), None);
    }

    #[test]
    fn a_newer_or_a_little_older_cli_is_used_with_a_note() {
        let cli = Cli {
            wanted: Version(3, 259, 0),
            module: PathBuf::new(),
            folder: PathBuf::new(),
        };
        let judged = |version| cli.judge(version);
        assert_eq!(judged(Version(3, 259, 0)), Some(None));
        for (version, age) in [
            (Version(3, 258, 0), "a little older"),
            (Version(3, 259, 1), "newer"),
            (Version(3, 400, 0), "newer"),
        ] {
            let note = judged(version).flatten();
            assert!(note.is_some_and(|note| note.contains(age)), "{version}");
        }
        assert_eq!(judged(Version(3, 100, 0)), None);
        assert_eq!(judged(Version(4, 0, 0)), None);
    }
}
