//! What is declared: the REST APIs with all that belongs to them, and each region's account
//! settings.

use super::definition::{Definition, RestApi, Settings, Stage};
use super::program::Program;
use super::steps::access_log::AccessLog;
use std::collections::BTreeMap;
use std::sync::Arc;

/// All that is declared.
#[derive(Debug, Default)]
pub(crate) struct Declarations {
    /// By id.
    pub apis: BTreeMap<String, Api>,
    /// The role that API Gateway writes logs with, by region, where the account has settings.
    pub accounts: BTreeMap<String, Option<String>>,
}

/// A REST API.
#[derive(Debug)]
pub(crate) struct Api {
    pub region: String,
    pub inputs: RestApi,
    /// What the next deployment captures.
    pub definition: Definition,
    /// What earlier deployments have captured, by id.
    pub deployments: BTreeMap<String, Arc<Program>>,
    /// By name.
    pub stages: BTreeMap<String, DeclaredStage>,
    /// By stage and method path (see [`super::program::settings_path`]).
    pub settings: BTreeMap<(String, String), Settings>,
}

/// A stage as it is declared.
#[derive(Debug)]
pub(crate) struct DeclaredStage {
    pub inputs: Stage,
    pub access_log: Option<AccessLog>,
}

impl Api {
    pub(crate) fn new(region: &str, root: &str, inputs: RestApi) -> Self {
        Self {
            region: region.to_owned(),
            inputs,
            definition: Definition::new(root),
            deployments: BTreeMap::new(),
            stages: BTreeMap::new(),
            settings: BTreeMap::new(),
        }
    }
}
