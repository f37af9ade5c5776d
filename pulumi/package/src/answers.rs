//! What Cargo and the compiler say of a workspace, asked again only when it may be something else.
//!
//! Each of these questions takes up to a tenth of a second, most of it in rustup, and the engine
//! asks several in every command. An answer is kept as a binary is (see `look.rs`): with the
//! state of all files that decide it.

use crate::cargo::own_environment;
use crate::inputs;
use crate::look::{Environment, Look};
use crate::toolchain::answer;
use crate::whole;
use anyhow::Result;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// `rustc -vV`
    Compiler,
    /// `cargo --version`
    Cargo,
    /// `cargo metadata` of the workspace's own packages, as JSON
    Manifests,
}

impl Question {
    /// A name for files, the program, and its arguments.
    fn parts(self) -> (&'static str, &'static str, &'static [&'static str]) {
        match self {
            Self::Compiler => ("compiler", "rustc", &["-vV"]),
            Self::Cargo => ("cargo", "cargo", &["--version"]),
            Self::Manifests => (
                "manifests",
                "cargo",
                &["metadata", "--no-deps", "--format-version", "1"],
            ),
        }
    }

    async fn inputs(self, root: &Path, environment: &Environment) -> Option<BTreeSet<PathBuf>> {
        let mut inputs = inputs::toolchain(root, environment).await?;
        if self == Self::Manifests {
            inputs.extend(inputs::manifests(root, environment).await?);
        }
        Some(inputs)
    }

    /// The answer, without the line's end.
    ///
    /// # Errors
    /// When the program cannot be started, or fails.
    pub async fn ask(self, root: &Path) -> Result<String> {
        let (name, program, arguments) = self.parts();
        // Where nothing was ever built, this is not the one to make the folder.
        if !root.join("target").is_dir() {
            return answer(root, program, arguments).await;
        }
        let mut environment = own_environment();
        environment.sort();
        let look = Look::begin(root, name, arguments, &environment);
        if let Some(kept) = look.proven()
            && let Ok(text) = fs::read_to_string(kept)
        {
            return Ok(text);
        }
        let text = answer(root, program, arguments).await?;
        let kept = look.place_of(&text);
        if keep(&kept, &text).is_ok()
            && let Some(inputs) = self.inputs(root, &environment).await
        {
            look.end(kept, inputs);
        }
        Ok(text)
    }
}

/// Leaves a file alone that says the same already: the time of its change is part of the proof.
fn keep(path: &Path, text: &str) -> std::io::Result<()> {
    if fs::read_to_string(path).is_ok_and(|kept| kept == text) {
        return Ok(());
    }
    whole::write(path, text.as_bytes(), 0o644)
}
