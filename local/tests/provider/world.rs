//! Resource types for tests: what is live can be looked at, and every step can be made to fail.

use async_trait::async_trait;
use cloud_core::error::{AwsError, AwsResult};
use cloud_resource::package::ProviderPackage;
use cloud_resource::resource::{
    AutoName, Deployed, New, Properties, Refusal, Resource, ResourceType, Scope, bind,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

pub const THING: &str = "aws:test/thing:Thing";
pub const NOTE: &str = "aws:test/note:Note";

/// The service behind the types.
#[derive(Default)]
pub struct World {
    state: Mutex<WorldState>,
    /// Things with `"name": "slow"` say that they are being created, and wait to go on.
    pub started: Notify,
    pub proceed: Notify,
}

#[derive(Default)]
pub struct WorldState {
    /// What is live: inputs by id.
    pub live: BTreeMap<String, Properties>,
    /// Every call that had an effect, in order, as `activate ID`.
    pub calls: Vec<String>,
    /// Which of `create`, `activate`, `update`, `delete` fails.
    pub fails: BTreeSet<&'static str>,
    /// What somebody did to a thing behind Pulumi's back.
    pub drift: BTreeMap<String, Option<Properties>>,
}

impl World {
    pub fn state(&self) -> MutexGuard<'_, WorldState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn package(self: &Arc<Self>) -> anyhow::Result<ProviderPackage> {
        ProviderPackage::new(
            include_str!("package.json"),
            vec![bind(Thing, self), bind(Note, self)],
        )
    }

    pub fn fail(&self, step: &'static str) {
        self.state().fails.insert(step);
    }

    pub fn recover(&self) {
        self.state().fails.clear();
    }

    pub fn live(&self) -> Vec<String> {
        self.state().live.keys().cloned().collect()
    }

    fn step(&self, step: &'static str, id: &str) -> AwsResult<()> {
        let mut state = self.state();
        if state.fails.contains(step) {
            let message = format!("{step} was told to fail");
            return Err(AwsError::new(400, "ToldToFail", message));
        }
        state.calls.push(format!("{step} {id}"));
        Ok(())
    }
}

/// A type with everything: names, secrets, archives, tags.
struct Thing;

#[async_trait]
impl ResourceType for Thing {
    type Inputs = Properties;
    type Service = World;

    const TOKEN: &'static str = THING;
    const REPLACES_ON: &'static [&'static str] = &["name", "rules.target"];
    const CHANGES_ON_UPDATE: &'static [&'static str] = &["version"];
    const AUTO_NAME: Option<AutoName> = Some(AutoName {
        property: "name",
        max_length: 20,
    });

    fn validate(&self, inputs: &Properties) -> Vec<Refusal> {
        match inputs.get("count").and_then(Value::as_i64) {
            Some(count) if count < 0 => {
                vec![Refusal::new("count", "must not be negative")]
            }
            _ => Vec::new(),
        }
    }

    async fn create(
        &self,
        world: &Arc<World>,
        new: &New,
        inputs: &Properties,
    ) -> AwsResult<Deployed> {
        let name = inputs.get("name").and_then(Value::as_str);
        let name = name.unwrap_or_default();
        if name == "slow" {
            world.started.notify_one();
            world.proceed.notified().await;
        }
        tokio::task::yield_now().await;
        world.step("create", name)?;
        let place = inputs.get("place").and_then(Value::as_str);
        Ok(Deployed::new(
            name,
            json!({
                // In another form than the program wrote it.
                "place": place.map(str::to_uppercase),
                "arn": format!("arn:aws:test:{}:000000000000:{name}", new.region),
                "share": 0.5,
                "version": "1",
                "token": "s3cr3t",
                "generation": new.generation,
            }),
        ))
    }

    async fn activate(&self, world: &Arc<World>, resource: &Resource<Properties>) -> AwsResult<()> {
        let inputs = &resource.inputs;
        if let Some(needed) = inputs.get("dependsOnThing").and_then(Value::as_str)
            && !world.state().live.contains_key(needed)
        {
            let message = format!("{needed} is not live");
            return Err(AwsError::new(404, "NotLive", message));
        }
        // The live one stays what it was when the new version cannot be activated.
        if inputs.get("count") == Some(&json!(13)) {
            return Err(AwsError::new(400, "Unlucky", "13 cannot be activated"));
        }
        world.step("activate", &resource.id)?;
        let live = &mut world.state().live;
        live.insert(resource.id.clone(), inputs.clone());
        Ok(())
    }

    async fn update(
        &self,
        world: &Arc<World>,
        old: &Resource<Properties>,
        _inputs: &Properties,
    ) -> AwsResult<Properties> {
        world.step("update", &old.id)?;
        let mut outputs = old.outputs.clone();
        let version = old.output("version").parse().unwrap_or(0) + 1;
        outputs.insert("version".into(), json!(version.to_string()));
        Ok(outputs)
    }

    async fn read(
        &self,
        world: &Arc<World>,
        _scope: &Scope<'_>,
        id: &str,
        known: Option<Resource<Properties>>,
    ) -> AwsResult<Option<Resource<Properties>>> {
        let drift = world.state().drift.get(id).cloned();
        Ok(match (drift, known) {
            (Some(None), _) | (None, None) => None,
            (Some(Some(inputs)), Some(known)) => Some(Resource { inputs, ..known }),
            // Made by hand, and never declared.
            (Some(Some(inputs)), None) => Some(Resource {
                urn: String::new(),
                stack: String::new(),
                region: "us-east-1".into(),
                id: id.into(),
                inputs,
                outputs: Properties::new(),
            }),
            (None, known) => known,
        })
    }

    async fn delete(&self, world: &Arc<World>, resource: &Resource<Properties>) -> AwsResult<()> {
        world.step("delete", &resource.id)?;
        world.state().live.remove(&resource.id);
        Ok(())
    }
}

/// A type with next to nothing.
struct Note;

#[async_trait]
impl ResourceType for Note {
    type Inputs = Properties;
    type Service = World;

    const TOKEN: &'static str = NOTE;
    const DELETE_BEFORE_REPLACE: bool = true;
    const REPLACES_ON: &'static [&'static str] = &["text"];

    async fn create(
        &self,
        world: &Arc<World>,
        new: &New,
        _inputs: &Properties,
    ) -> AwsResult<Deployed> {
        let id = new.suffix(10);
        world.step("create", &id)?;
        Ok(Deployed::new(id, json!({})))
    }

    async fn activate(&self, world: &Arc<World>, resource: &Resource<Properties>) -> AwsResult<()> {
        world.step("activate", &resource.id)?;
        let live = &mut world.state().live;
        live.insert(resource.id.clone(), resource.inputs.clone());
        Ok(())
    }

    async fn delete(&self, world: &Arc<World>, resource: &Resource<Properties>) -> AwsResult<()> {
        world.step("delete", &resource.id)?;
        world.state().live.remove(&resource.id);
        Ok(())
    }
}
