//! `cargo xtask doctor`: what this machine has, what it lacks, and what installs that.

use crate::cache;
use crate::checkout::Checkout;
use crate::cloud::Cloud;
use crate::ports;
use crate::tools;
use anyhow::{Result, bail};
use clap::Args;
use door::cli::Cli;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

#[derive(Args)]
pub struct Doctor {}

/// A program that something needs, and how each system calls its package.
struct Need {
    /// Any of these will do.
    programs: &'static [&'static str],
    needed_for: &'static str,
    /// Whether `cargo xtask up` needs it.
    always: bool,
    debian: &'static str,
    fedora: &'static str,
    macos: &'static str,
}

const NEEDS: [Need; 7] = [
    Need {
        programs: &["cc", "gcc", "clang"],
        needed_for: "linking what Rust compiles",
        always: true,
        debian: "apt-get install build-essential",
        fedora: "dnf install gcc",
        macos: "xcode-select --install",
    },
    Need {
        programs: &["git"],
        needed_for: "the list of this checkout's files",
        always: true,
        debian: "apt-get install git",
        fedora: "dnf install git",
        macos: "xcode-select --install",
    },
    Need {
        programs: &["python3"],
        needed_for: "the package for AWS, insights, and the tests",
        always: false,
        debian: "apt-get install python3 python3-venv",
        fedora: "dnf install python3",
        macos: "brew install python",
    },
    Need {
        programs: &["go"],
        needed_for: "building the Pulumi CLI where there is none, and the tests",
        always: false,
        debian: "see https://go.dev/dl: Debian's may be too old",
        fedora: "dnf install golang",
        macos: "brew install go",
    },
    Need {
        programs: &["npm"],
        needed_for: "the tests, which compare the binding with the SDK for Node.js",
        always: false,
        debian: "apt-get install npm",
        fedora: "dnf install npm",
        macos: "brew install node",
    },
    Need {
        programs: &["chromium"],
        needed_for: "the tests of the site",
        always: false,
        debian: "apt-get install chromium",
        fedora: "dnf install chromium",
        macos: "brew install --cask chromium",
    },
    Need {
        programs: &["chromedriver"],
        needed_for: "the tests of the site",
        always: false,
        debian: "apt-get install chromium-driver",
        fedora: "dnf install chromedriver",
        macos: "brew install --cask chromedriver",
    },
];

/// What a first build of everything takes, and some room for records, in bytes.
const DISK: u64 = 8_000_000_000;

/// The lines of a report, and whether something that is always needed is missing.
#[derive(Default)]
struct Report {
    missing: bool,
}

impl Report {
    fn good(&self, what: &str, detail: &str) {
        println!("    ok       {what:14} {detail}");
    }

    fn lack(&self, what: &str, detail: &str) {
        println!("    lacking  {what:14} {detail}");
    }

    fn fault(&mut self, what: &str, detail: &str) {
        self.missing = true;
        println!("    MISSING  {what:14} {detail}");
    }
}

impl Doctor {
    pub async fn run(self) -> Result<()> {
        let checkout = Checkout::find()?;
        let mut report = Report::default();
        println!("Programs:");
        report.good(
            "cargo",
            &version("cargo").unwrap_or_else(|| "runs this command".to_owned()),
        );
        for need in &NEEDS {
            need.look(&mut report);
        }
        pulumi(&checkout, &mut report)?;
        println!("This checkout:");
        disk(&checkout, &mut report);
        cloud(&checkout, &mut report).await;
        locks(&checkout, &mut report);
        if !cfg!(target_os = "linux") {
            report.fault(
                "Linux",
                "the embedded cloud runs on Linux alone; previews and deployments to AWS work here",
            );
        }
        if report.missing {
            bail!("something that `cargo xtask up` needs is missing: see above");
        }
        println!("All that `cargo xtask up` needs is here.");
        Ok(())
    }
}

impl Need {
    fn look(&self, report: &mut Report) {
        let found = self
            .programs
            .iter()
            .find(|name| tools::on_path(name, Path::new("")).is_some());
        let name = self.programs[0];
        match found {
            Some(found) => report.good(found, &version(found).unwrap_or_default()),
            None => {
                let detail = format!("needed for {}: {}", self.needed_for, self.install());
                match self.always {
                    true => report.fault(name, &detail),
                    false => report.lack(name, &detail),
                }
            }
        }
    }

    /// The command for this system; all of them where the system is not known.
    fn install(&self) -> String {
        let family = fs::read_to_string("/etc/os-release").unwrap_or_default();
        let is = |name: &str| {
            family
                .lines()
                .filter(|line| line.starts_with("ID=") || line.starts_with("ID_LIKE="))
                .any(|line| line.contains(name))
        };
        if cfg!(target_os = "macos") {
            self.macos.to_owned()
        } else if is("debian") || is("ubuntu") {
            self.debian.to_owned()
        } else if is("fedora") || is("rhel") {
            self.fedora.to_owned()
        } else {
            format!(
                "Debian `{}`, Fedora `{}`, macOS `{}`",
                self.debian, self.fedora, self.macos
            )
        }
    }
}

fn pulumi(checkout: &Checkout, report: &mut Report) -> Result<()> {
    let cli = Cli::of(&checkout.root, &cache::folder()?)?;
    match cli.find(&checkout.bin()) {
        Some(found) => {
            let detail = found
                .note
                .unwrap_or_else(|| found.path.display().to_string());
            report.good("pulumi", &detail);
        }
        None if tools::on_path("go", Path::new("")).is_some() => report.lack(
            "pulumi",
            "`cargo xtask up` builds it with Go, in minutes; quicker: \
             curl -fsSL https://get.pulumi.com | sh",
        ),
        None => report.fault("pulumi", "curl -fsSL https://get.pulumi.com | sh"),
    }
    Ok(())
}

fn disk(checkout: &Checkout, report: &mut Report) {
    let Ok(volume) = rustix::fs::statvfs(&checkout.root) else {
        return;
    };
    let free = volume.f_bavail.saturating_mul(volume.f_frsize);
    let detail = format!("{:.1} GB free", free as f64 / 1e9);
    let is_built = checkout.root.join("target/debug").is_dir();
    match free < DISK && !is_built {
        true => report.lack("disk", &format!("{detail}, a first build takes 4")),
        false => report.good("disk", &detail),
    }
}

async fn cloud(checkout: &Checkout, report: &mut Report) {
    if !checkout.home.is_dir() {
        report.good("cloud", "never started");
        return;
    }
    let running = match ports::first(checkout) {
        Ok(port) => Cloud::new(checkout, port)
            .running()
            .await
            .map(|running| (port, running)),
        Err(error) => Err(error),
    };
    match running {
        Ok((port, Some(running))) if running.answers => {
            report.good(
                "cloud",
                &format!("process {}, ports from {port}", running.pid),
            );
        }
        Ok((_, Some(running))) => report.lack(
            "cloud",
            &format!("process {} does not answer: cargo xtask stop", running.pid),
        ),
        Ok((port, None)) => {
            report.good("cloud", &format!("stopped; its ports begin at {port}"));
        }
        Err(error) => report.fault("cloud", &format!("{error:#}")),
    }
}

/// The CLI leaves a lock behind when it is killed, and refuses every later update.
fn locks(checkout: &Checkout, report: &mut Report) {
    let folder = checkout.backend().join(".pulumi/locks");
    let mut left = Vec::new();
    files(&folder, &mut left);
    match left.first() {
        None => report.good("locks", "no update is under way"),
        Some(first) => report.lack(
            "locks",
            &format!(
                "an update is under way, or was killed ({first}): if none runs, `pulumi cancel -s \
                 STACK` in the shell of `cargo xtask env`"
            ),
        ),
    }
}

fn files(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => files(&path, found),
            false => found.push(path.display().to_string()),
        }
    }
}

/// The first line of what a program says of itself.
fn version(program: &str) -> Option<String> {
    let argument = match program {
        "go" => "version",
        _ => "--version",
    };
    let output = Command::new(program)
        .arg(argument)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(text.lines().next()?.to_owned())
}
