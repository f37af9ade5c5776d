//! A deployed stack that is previewed against another file, or another past.

use crate::place::Place;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::path::PathBuf;

/// What a preview printed as JSON, and its exit code.
pub struct Shown {
    pub review: Value,
    pub code: Option<i32>,
}

impl Shown {
    /// What a section says, as `on: says` or as it is.
    pub fn section(&self, name: &str) -> Vec<String> {
        let entries = self.review[name].as_array().into_iter().flatten();
        let told = entries.map(
            |entry| match (entry["on"].as_str(), entry["says"].as_str()) {
                (Some(on), Some(says)) => format!("{on}: {says}"),
                _ => entry.to_string(),
            },
        );
        told.collect()
    }

    pub fn says(&self, section: &str, parts: &[&str]) -> Result<()> {
        let said = self.section(section);
        let found = said
            .iter()
            .any(|line| parts.iter().all(|part| line.contains(part)));
        ensure!(
            found,
            "{section} has no line with {parts:?}: {said:#?}\n{:#}",
            self.review
        );
        Ok(())
    }

    /// The resources of the rest, with their changes.
    pub fn rest(&self) -> Vec<String> {
        let parts = self.review["rest"].as_array().into_iter().flatten();
        let rows = parts.flat_map(|part| part["rows"].as_array().into_iter().flatten());
        rows.map(Value::to_string).collect()
    }
}

pub struct Stack {
    pub place: Place,
    pub state: Value,
}

impl Stack {
    pub fn deployed() -> Result<Self> {
        let place = Place::new()?;
        place.xtask(&["up"])?;
        let state = place.shell("pulumi stack export --stack local")?;
        Ok(Self {
            state: serde_json::from_str(&state)?,
            place,
        })
    }

    pub fn preview(&self, more: &[&str]) -> Result<Shown> {
        let arguments = [&["preview", "-s", "local", "--format", "json"], more].concat();
        let output = self.place.try_xtask(&arguments)?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let review = serde_json::from_slice(&output.stdout)
            .with_context(|| format!("{arguments:?} printed no JSON: {said}"))?;
        Ok(Shown {
            review,
            code: output.status.code(),
        })
    }

    /// The preview with these lines in the stack's file, in place of what is there for a key.
    pub fn configured(&self, lines: &[&str]) -> Result<Shown> {
        let file = self.file(lines)?;
        self.preview(&["--config-file", file.to_str().context("not UTF-8")?])
    }

    pub fn file(&self, lines: &[&str]) -> Result<PathBuf> {
        let text = std::fs::read_to_string(self.place.root.join("Pulumi.local.yaml"))?;
        let key = |line: &str| {
            line.trim()
                .split(": ")
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        let keys: Vec<String> = lines.iter().map(|line| key(line)).collect();
        let kept = text.lines().filter(|line| !keys.contains(&key(line)));
        let mut text: String = kept.map(|line| format!("{line}\n")).collect();
        for line in lines {
            text += &format!("  {line}\n");
        }
        let path = self.place.home.join("Pulumi.other.yaml");
        std::fs::write(&path, text)?;
        Ok(path)
    }

    /// The preview with another past: the inputs of a resource were otherwise.
    pub fn with_past(&self, kind: &str, name: &str, edit: impl Fn(&mut Value)) -> Result<Shown> {
        let mut state = self.state.clone();
        let resources = state["deployment"]["resources"].as_array_mut();
        let mut found = resources
            .context("no resources")?
            .iter_mut()
            .filter(|resource| {
                let urn = resource["urn"].as_str().unwrap_or_default();
                resource["type"] == kind && urn.ends_with(&format!("::{name}"))
            });
        let resource = found.next().with_context(|| format!("no {kind} {name}"))?;
        for values in ["inputs", "outputs"] {
            edit(&mut resource[values]);
        }
        self.import(&state)?;
        let shown = self.preview(&[]);
        self.import(&self.state)?;
        shown
    }

    pub fn import(&self, state: &Value) -> Result<()> {
        let file = self.place.home.join("state.json");
        std::fs::write(&file, state.to_string())?;
        let file = file.display();
        self.place.shell(&format!(
            "pulumi stack import --stack local --file '{file}'"
        ))?;
        Ok(())
    }
}
