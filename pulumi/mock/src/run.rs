//! The record of one run of a program.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use pulumi_gestalt_proto::pulumi::pulumirpc::RegisterPackageRequest;
use serde_json::Value;

use crate::resource::{Invoke, Resource};

/// What a program did.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// In the order in which the program asked; without the stack itself.
    pub resources: Vec<Resource>,
    pub invokes: Vec<Invoke>,
    /// The packages with parameters, in the order of the references `package-0`, `package-1`, ….
    pub packages: Vec<RegisterPackageRequest>,
    /// The outputs of the stack, if it registered any: an object.
    pub outputs: Option<Value>,
    /// For the URN of each component that registered them, its outputs.
    pub component_outputs: BTreeMap<String, Value>,
    /// What the engine shows: the program's messages, and its own errors.
    pub logs: Vec<Log>,
    pub events: Vec<Event>,
    pub stdout: String,
    pub stderr: String,
    /// `None` when a signal ended the program.
    pub exit_code: Option<i32>,
    /// Whether the program told the engine that it was complete.
    pub signalled_end: bool,
    pub stack_urn: String,
}

/// By URN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Asked(String),
    Answered(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    pub severity: Severity,
    pub message: String,
    /// The resource that it is about.
    pub urn: Option<String>,
}

/// The exit code of a program that has shown why it failed, so that a language host adds nothing.
pub const FAILED_AND_REPORTED: i32 = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    Debug,
    Info,
    Warning,
    Error,
}

impl Run {
    /// The resource of this name.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub fn resource(&self, name: &str) -> Result<&Resource> {
        let mut found = self
            .resources
            .iter()
            .filter(|resource| resource.name == name);
        let resource = found
            .next()
            .with_context(|| format!("the program registered no resource {name}: {self}"))?;
        match found.next() {
            None => Ok(resource),
            Some(_) => {
                anyhow::bail!("the program registered more than one resource {name}: {self}")
            }
        }
    }

    /// The messages of the errors that were shown, by the engine or on standard error. A program
    /// that ends with exit code 0 before it is complete is one.
    pub fn errors(&self) -> Vec<&str> {
        self.logs
            .iter()
            .filter(|log| log.severity == Severity::Error)
            .map(|log| log.message.as_str())
            .chain(self.stderr.lines())
            .collect()
    }

    /// When something happened, as its place among the events.
    pub fn position(&self, event: &Event) -> Option<usize> {
        self.events.iter().position(|other| other == event)
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(formatter, "exit code {:?}", self.exit_code)?;
        for resource in &self.resources {
            writeln!(formatter, "  {} [{}]", resource.name, resource.r#type)?;
        }
        for log in &self.logs {
            writeln!(formatter, "  {:?}: {}", log.severity, log.message)?;
        }
        write!(formatter, "{}{}", self.stdout, self.stderr)
    }
}
