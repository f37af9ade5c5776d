//! MiniStack and moto: from PyPI into a folder of the cache, and as processes.

use crate::cache;
use crate::tools;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// An emulator of AWS in Python.
#[derive(Debug, Clone, Copy)]
pub struct Rival {
    pub name: &'static str,
    /// As pip has it, with the version that is compared with.
    package: &'static str,
    program: &'static str,
}

pub const MINISTACK: Rival = Rival {
    name: "MiniStack 1.5.33",
    package: "ministack==1.5.33",
    program: "ministack",
};

pub const MOTO: Rival = Rival {
    name: "moto 5.2.5",
    package: "moto[server]==5.2.5",
    program: "moto_server",
};

/// Installs both, unless they are there.
pub async fn install() -> Result<PathBuf> {
    let packages = [MINISTACK.package, MOTO.package];
    let name = packages.join("+").replace(['[', ']', '='], "_");
    let folder = cache::folder()?.join("bench").join(name);
    let bin = folder.join("bin");
    // Written last, so that an installation that was cut short is made once more.
    let complete = folder.join("complete");
    if !complete.is_file() {
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv", "--clear"]).arg(&folder);
        tools::run(&mut venv, "python3 -m venv").await?;
        let mut pip = Command::new(bin.join("pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check"])
            .args(packages);
        tools::run(&mut pip, "pip install").await?;
        std::fs::write(&complete, "")
            .with_context(|| format!("{} cannot be written", complete.display()))?;
    }
    Ok(bin)
}

impl Rival {
    /// How it is started on a port, with a folder for what it writes.
    pub fn command(&self, bin: &Path, port: u16, folder: &Path) -> Command {
        let mut command = Command::new(bin.join(self.program));
        command
            .current_dir(folder)
            .env("TMPDIR", folder)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env_remove("AWS_ENDPOINT_URL")
            .env_remove("AWS_PROFILE");
        match self.program {
            "moto_server" => command.args(["-H", "127.0.0.1", "-p", &port.to_string()]),
            _ => command
                .env("GATEWAY_PORT", port.to_string())
                .env("BIND_HOST", "127.0.0.1"),
        };
        command
    }
}
