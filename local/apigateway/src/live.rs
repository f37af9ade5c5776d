//! What answers requests right now: the stages, each with the deployment it points to.
//!
//! The table is built again after every change and replaced as a whole. So a request works with one
//! state from its first step to its last, and without locks.

use super::declarations::{Api, Declarations};
use super::definition::Settings;
use super::exchange::Stage;
use super::program::Program;
use super::steps::access_log::AccessLog;
use super::steps::throttle::{Limit, TokenBucket};
use std::collections::HashMap;
use std::sync::Arc;

/// All stages, by API and name.
#[derive(Debug, Default)]
pub(crate) struct Table {
    stages: HashMap<String, HashMap<String, Arc<LiveStage>>>,
}

/// A stage that answers requests.
#[derive(Debug)]
pub(crate) struct LiveStage {
    pub stage: Stage,
    pub program: Arc<Program>,
    pub access_log: Option<AccessLog>,
    /// The account's role for logs, where it has one.
    pub log_role: Option<String>,
    /// Each throttled method's bucket, under its path in the form of method settings.
    pub buckets: HashMap<String, Arc<TokenBucket>>,
}

impl Table {
    /// The table of what is declared. A token bucket whose limit has not changed keeps its tokens.
    pub(crate) fn of(declared: &Declarations, before: &Table) -> Self {
        let mut table = Self::default();
        for (id, api) in &declared.apis {
            let log_role = declared.accounts.get(&api.region).cloned().flatten();
            let stages = api.stages.keys().filter_map(|name| {
                let stage = live_stage(id, api, name, log_role.clone(), before.stage(id, name))?;
                Some((name.clone(), Arc::new(stage)))
            });
            table.stages.insert(id.clone(), stages.collect());
        }
        table
    }

    /// A stage of an API.
    pub(crate) fn stage(&self, api: &str, name: &str) -> Option<&Arc<LiveStage>> {
        self.stages.get(api)?.get(name)
    }

    /// The stage that a path `/API-ID/STAGE/…` belongs to, and the path below it.
    pub(crate) fn find<'p>(&self, path: &'p str) -> Option<(Arc<LiveStage>, &'p str)> {
        let path = path.strip_prefix('/')?;
        let (api, path) = path.split_once('/')?;
        let end = path.find('/').unwrap_or(path.len());
        let (name, rest) = path.split_at(end);
        let stage = self.stage(api, name)?;
        Some((Arc::clone(stage), if rest.is_empty() { "/" } else { rest }))
    }
}

fn live_stage(
    id: &str,
    api: &Api,
    name: &str,
    log_role: Option<String>,
    before: Option<&Arc<LiveStage>>,
) -> Option<LiveStage> {
    let stage = api.stages.get(name)?;
    let program = api.deployments.get(&stage.inputs.deployment)?;
    let buckets = program
        .routes
        .endpoints()
        .filter_map(|endpoint| {
            let key = &endpoint.settings_path;
            let settings = |path: &str| api.settings.get(&(name.to_owned(), path.to_owned()));
            let limit = settings(key).or_else(|| settings("*/*")).and_then(limit)?;
            let bucket = before
                .and_then(|before| before.buckets.get(key))
                .filter(|bucket| bucket.limit() == limit)
                .cloned()
                .unwrap_or_else(|| Arc::new(TokenBucket::new(limit)));
            Some((key.clone(), bucket))
        })
        .collect();
    Some(LiveStage {
        stage: Stage {
            api_id: id.to_owned(),
            name: name.to_owned(),
            region: api.region.clone(),
            variables: stage.inputs.variables.clone(),
            deployment: program.deployment.clone(),
        },
        program: Arc::clone(program),
        access_log: stage.access_log.clone(),
        log_role,
        buckets,
    })
}

/// The limit that settings ask for. The default of both numbers is -1, which means no limit. When
/// only one is given, the other is the account's.
fn limit(settings: &Settings) -> Option<Limit> {
    let given = |number: &Option<serde_json::Number>| {
        number
            .as_ref()
            .and_then(serde_json::Number::as_f64)
            .filter(|number| *number >= 0.0)
    };
    let rate = given(&settings.throttling_rate_limit);
    let burst = given(&settings.throttling_burst_limit);
    if rate.is_none() && burst.is_none() {
        return None;
    }
    Some(Limit {
        rate: rate.unwrap_or(Limit::ACCOUNT.rate),
        burst: burst.unwrap_or(Limit::ACCOUNT.burst),
    })
}
