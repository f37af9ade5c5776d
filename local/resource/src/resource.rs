//! What a resource type must say of itself to be deployable here.
//!
//! A resource type is written against typed inputs; [`AnyResourceType`] is the same with JSON,
//! which is what the provider's protocol side works with. The life of a resource:
//!
//! 1. `validate`, whenever all inputs are known: what AWS would refuse without looking around.
//! 2. `create`: looks at what is deployed, refuses what AWS would refuse, gives id and outputs.
//!    Its only lasting effects are ones that can be repeated.
//! 3. The record is made durable by the provider.
//! 4. `activate`: hands the resource to the service that runs it. Called after every creation
//!    and update, and for every record, in the order of creation, when the cloud starts.
//! 5. `update` and `read`, any number of times; `delete` at the end.
//!
//! What is there without a record of it is found by `import`.

pub use crate::import_id::ImportId;
use async_trait::async_trait;
use cloud_core::error::{AwsError, AwsResult};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Properties of a resource, as JSON under their schema names. Secrets are unwrapped, unknowns
/// absent, and an archive or asset is its signature map.
pub type Properties = Map<String, Value>;

/// A resource that is about to be created.
#[derive(Debug, Clone)]
pub struct New {
    /// The engine's name for the resource.
    pub urn: String,
    /// The stack, from the URN.
    pub stack: String,
    /// The logical name, the last part of the URN.
    pub name: String,
    /// 1 for the first resource under this URN, 2 for its first replacement, and so on; starts
    /// again when the stack has been destroyed.
    pub generation: u64,
    /// The region of the stack's provider.
    pub region: String,
}

impl New {
    /// `length` characters (at most 32) that are the same for the same stack, URN and
    /// generation, and differ otherwise: the random-looking part of physical ids. Lower-case
    /// letters and digits, a letter first.
    pub fn suffix(&self, length: usize) -> String {
        const LETTERS: &[u8; 26] = b"abcdefghijklmnopqrstuvwxyz";
        const DIGITS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
        let digest = Sha256::digest(format!("{}\0{}\0{}", self.stack, self.urn, self.generation));
        let character = |(index, byte): (usize, &u8)| {
            let byte = usize::from(*byte);
            char::from(match index {
                0 => LETTERS[byte % LETTERS.len()],
                _ => DIGITS[byte % DIGITS.len()],
            })
        };
        digest
            .iter()
            .enumerate()
            .map(character)
            .take(length)
            .collect()
    }
}

/// What `create` gives back.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployed {
    /// The physical id.
    pub id: String,
    /// What the service computed; inputs need not be repeated, the provider adds them.
    pub outputs: Properties,
}

impl Deployed {
    /// A resource of this id with these computed properties, which must be a JSON object.
    pub fn new(id: impl Into<String>, outputs: Value) -> Self {
        let outputs = match outputs {
            Value::Object(outputs) => outputs,
            _ => Map::new(),
        };
        Self {
            id: id.into(),
            outputs,
        }
    }
}

/// A deployed resource, as its record says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Resource<I> {
    /// The URN it was created under.
    pub urn: String,
    /// The stack it was created in.
    pub stack: String,
    /// The region of its provider.
    pub region: String,
    /// The physical id.
    pub id: String,
    /// The inputs as last created or updated.
    pub inputs: I,
    /// What the service computed.
    pub outputs: Properties,
}

impl<I> Resource<I> {
    /// A resource that no program has declared.
    pub fn undeclared(region: &str, deployed: Deployed, inputs: I) -> Self {
        Self {
            urn: String::new(),
            stack: String::new(),
            region: region.to_owned(),
            id: deployed.id,
            inputs,
            outputs: deployed.outputs,
        }
    }

    /// Where it belongs.
    pub fn scope(&self) -> Scope<'_> {
        Scope {
            urn: &self.urn,
            stack: &self.stack,
            region: &self.region,
        }
    }

    /// A computed property that is a string; empty when there is none.
    pub fn output(&self, name: &str) -> &str {
        self.outputs
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

/// Where a call belongs: who asks, and for which region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope<'a> {
    /// The URN of the resource that asks.
    pub urn: &'a str,
    /// The stack it is in.
    pub stack: &'a str,
    /// The region of its provider.
    pub region: &'a str,
}

/// A property that AWS would refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The path of the property, such as `extendedS3Configuration.bufferingSize`.
    pub property: String,
    /// What is wrong with it and what is allowed.
    pub reason: String,
}

impl Refusal {
    /// A refusal of `property` for `reason`.
    pub fn new(property: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            property: property.into(),
            reason: reason.into(),
        }
    }
}

/// How a resource gets a physical name when the program gives none: logical name, `-`, seven
/// characters, as the aws provider does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AutoName {
    /// The input property that holds the name.
    pub property: &'static str,
    /// AWS's limit of the name's length, in characters.
    pub max_length: usize,
}

/// A resource type of the aws package that the embedded cloud deploys.
#[async_trait]
pub trait ResourceType: Send + Sync + 'static {
    /// The inputs, under the schema's names.
    type Inputs: Serialize + DeserializeOwned + Send + Sync;

    /// The service that runs resources of this type: all that the type knows of the cloud.
    type Service: Send + Sync + 'static;

    /// The type's token, such as `aws:s3/bucket:Bucket`.
    const TOKEN: &'static str;

    /// The input properties whose change needs a new resource.
    const REPLACES_ON: &'static [&'static str] = &[];

    /// How it is named when the program gives no name.
    const AUTO_NAME: Option<AutoName> = None;

    /// Whether automatic names are in lower case, as bucket names must be.
    const LOWER_CASE_NAME: bool = false;

    /// Whether a replacement would have its predecessor's id, so that the old one must be
    /// deleted before the new one is created. For a name that the program fixed, see
    /// [`Self::AUTO_NAME`]: there the provider finds out by itself.
    const DELETE_BEFORE_REPLACE: bool = false;

    /// Whether nothing runs for it: it is validated and stored, and the rest of the cloud
    /// takes no notice of it.
    const DECLARED_ONLY: bool = false;

    /// The computed properties that an update may change. Previews show them as unknown.
    const CHANGES_ON_UPDATE: &'static [&'static str] = &[];

    /// Whether the AWS API that creates it overwrites what is there under the same id, as a
    /// PUT does, and does not refuse it. docs/compatibility/resources.md has the API of each type.
    const OVERWRITES: bool = false;

    /// The types of what goes with it when it is deleted.
    const HOLDS: &'static [&'static str] = &[];

    /// What `pulumi import` takes, where that is not the id.
    const IMPORT_ID: Option<ImportId> = None;

    /// Refuses inputs that AWS would refuse by themselves.
    fn validate(&self, _inputs: &Self::Inputs) -> Vec<Refusal> {
        Vec::new()
    }

    /// Refuses what AWS would refuse in the present state of the cloud, and gives id and
    /// computed properties.
    async fn create(
        &self,
        service: &Arc<Self::Service>,
        new: &New,
        inputs: &Self::Inputs,
    ) -> AwsResult<Deployed>;

    /// Tells the service, when the cloud starts, that the resource is about to be made live.
    /// Called for all records before the first of them is activated, also for those whose inputs
    /// this version of the type cannot read.
    fn announce(&self, _service: &Arc<Self::Service>, _record: &Resource<Properties>) {}

    /// Makes the resource live, in place of an earlier version of itself. There is nothing to do
    /// where the record is all there is: for what is declared only, and for services that read the
    /// records.
    async fn activate(
        &self,
        _service: &Arc<Self::Service>,
        _resource: &Resource<Self::Inputs>,
    ) -> AwsResult<()> {
        Ok(())
    }

    /// Checks new inputs against the cloud and gives the computed properties they lead to.
    /// `old` is the resource as it is; the provider stores the change and activates it.
    async fn update(
        &self,
        _service: &Arc<Self::Service>,
        old: &Resource<Self::Inputs>,
        _inputs: &Self::Inputs,
    ) -> AwsResult<Properties> {
        Ok(old.outputs.clone())
    }

    /// The resource as it really is, or nothing when it is gone. `known` is the record.
    async fn read(
        &self,
        _service: &Arc<Self::Service>,
        _scope: &Scope<'_>,
        _id: &str,
        known: Option<Resource<Self::Inputs>>,
    ) -> AwsResult<Option<Resource<Self::Inputs>>> {
        Ok(known)
    }

    /// What the service holds under this id in the scope's region, though there is no record of it: it
    /// was made through the service's own API. Nothing when there is nothing.
    async fn import(
        &self,
        service: &Arc<Self::Service>,
        scope: &Scope<'_>,
        id: &str,
    ) -> AwsResult<Option<Resource<Self::Inputs>>> {
        self.read(service, scope, id, None).await
    }

    /// Takes the resource out of service, or refuses as AWS would. Nothing to do where there was
    /// nothing to activate.
    async fn delete(
        &self,
        _service: &Arc<Self::Service>,
        _resource: &Resource<Self::Inputs>,
    ) -> AwsResult<()> {
        Ok(())
    }
}

/// [`ResourceType`] over JSON.
#[async_trait]
pub trait AnyResourceType: Send + Sync + 'static {
    fn token(&self) -> &'static str;
    fn replaces_on(&self) -> &'static [&'static str];
    fn auto_name(&self) -> Option<AutoName>;
    fn lower_case_name(&self) -> bool;
    fn delete_before_replace(&self) -> bool;
    fn declared_only(&self) -> bool;
    fn changes_on_update(&self) -> &'static [&'static str];
    fn overwrites(&self) -> bool;
    fn holds(&self) -> &'static [&'static str];
    fn import_id(&self) -> Option<ImportId>;
    fn validate(&self, inputs: &Properties) -> Vec<Refusal>;
    async fn create(&self, new: &New, inputs: &Properties) -> AwsResult<Deployed>;
    fn announce(&self, record: &Resource<Properties>);
    async fn activate(&self, resource: &Resource<Properties>) -> AwsResult<()>;
    async fn update(
        &self,
        old: &Resource<Properties>,
        inputs: &Properties,
    ) -> AwsResult<Properties>;
    async fn read(
        &self,
        scope: &Scope<'_>,
        id: &str,
        known: Option<Resource<Properties>>,
    ) -> AwsResult<Option<Resource<Properties>>>;
    async fn import(&self, scope: &Scope<'_>, id: &str) -> AwsResult<Option<Resource<Properties>>>;
    async fn delete(&self, resource: &Resource<Properties>) -> AwsResult<()>;
}

/// A resource type together with its service.
struct Bound<T: ResourceType> {
    of: T,
    service: Arc<T::Service>,
}

/// A resource type as the package has it: resources of it are run by this service.
pub fn bind<T: ResourceType>(of: T, service: &Arc<T::Service>) -> Box<dyn AnyResourceType> {
    Box::new(Bound {
        of,
        service: Arc::clone(service),
    })
}

#[async_trait]
impl<T: ResourceType> AnyResourceType for Bound<T> {
    fn token(&self) -> &'static str {
        T::TOKEN
    }

    fn replaces_on(&self) -> &'static [&'static str] {
        T::REPLACES_ON
    }

    fn auto_name(&self) -> Option<AutoName> {
        T::AUTO_NAME
    }

    fn lower_case_name(&self) -> bool {
        T::LOWER_CASE_NAME
    }

    fn delete_before_replace(&self) -> bool {
        T::DELETE_BEFORE_REPLACE
    }

    fn declared_only(&self) -> bool {
        T::DECLARED_ONLY
    }

    fn changes_on_update(&self) -> &'static [&'static str] {
        T::CHANGES_ON_UPDATE
    }

    fn overwrites(&self) -> bool {
        T::OVERWRITES
    }

    fn holds(&self) -> &'static [&'static str] {
        T::HOLDS
    }

    fn import_id(&self) -> Option<ImportId> {
        T::IMPORT_ID
    }

    fn validate(&self, inputs: &Properties) -> Vec<Refusal> {
        match typed::<T>(inputs) {
            Ok(inputs) => self.of.validate(&inputs),
            Err(error) => vec![Refusal::new("", error.message)],
        }
    }

    async fn create(&self, new: &New, inputs: &Properties) -> AwsResult<Deployed> {
        self.of
            .create(&self.service, new, &typed::<T>(inputs)?)
            .await
    }

    fn announce(&self, record: &Resource<Properties>) {
        self.of.announce(&self.service, record);
    }

    async fn activate(&self, resource: &Resource<Properties>) -> AwsResult<()> {
        self.of
            .activate(&self.service, &typed_resource::<T>(resource)?)
            .await
    }

    async fn update(
        &self,
        old: &Resource<Properties>,
        inputs: &Properties,
    ) -> AwsResult<Properties> {
        let old = typed_resource::<T>(old)?;
        self.of
            .update(&self.service, &old, &typed::<T>(inputs)?)
            .await
    }

    async fn read(
        &self,
        scope: &Scope<'_>,
        id: &str,
        known: Option<Resource<Properties>>,
    ) -> AwsResult<Option<Resource<Properties>>> {
        let typed_known = known.as_ref().map(typed_resource::<T>).transpose()?;
        // What the type makes of the known inputs, to tell below what it found different.
        let recorded = typed_known
            .as_ref()
            .map(|known| properties(&known.inputs))
            .transpose()?;
        let Some(found) = self.of.read(&self.service, scope, id, typed_known).await? else {
            return Ok(None);
        };
        let found_inputs = properties(&found.inputs)?;
        let inputs = match (known, recorded) {
            (Some(known), Some(recorded)) => reconcile(known.inputs, &recorded, &found_inputs),
            _ => found_inputs,
        };
        Ok(Some(with_inputs(found, inputs)))
    }

    async fn import(&self, scope: &Scope<'_>, id: &str) -> AwsResult<Option<Resource<Properties>>> {
        let Some(found) = self.of.import(&self.service, scope, id).await? else {
            return Ok(None);
        };
        let inputs = properties(&found.inputs)?;
        Ok(Some(with_inputs(found, inputs)))
    }

    async fn delete(&self, resource: &Resource<Properties>) -> AwsResult<()> {
        self.of
            .delete(&self.service, &typed_resource::<T>(resource)?)
            .await
    }
}

fn with_inputs<I>(resource: Resource<I>, inputs: Properties) -> Resource<Properties> {
    Resource {
        urn: resource.urn,
        stack: resource.stack,
        region: resource.region,
        id: resource.id,
        inputs,
        outputs: resource.outputs,
    }
}

/// The known inputs with what was found different. Where nothing changed they stay as the
/// program wrote them, to the letter: with what the type does not model, and without what it
/// fills in.
fn reconcile(mut known: Properties, recorded: &Properties, found: &Properties) -> Properties {
    for name in recorded.keys().chain(found.keys()) {
        match (recorded.get(name), found.get(name)) {
            (recorded, found) if recorded == found => {}
            (_, Some(found)) => {
                known.insert(name.clone(), found.clone());
            }
            (_, None) => {
                known.remove(name);
            }
        }
    }
    known
}

/// Typed inputs as properties, without what is null.
fn properties(inputs: &impl Serialize) -> AwsResult<Properties> {
    match serde_json::to_value(inputs).map_err(AwsError::internal)? {
        Value::Object(properties) => Ok(without_nulls(properties)),
        _ => Ok(Map::new()),
    }
}

fn without_nulls(properties: Properties) -> Properties {
    properties
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| {
            let value = match value {
                Value::Object(inner) => Value::Object(without_nulls(inner)),
                Value::Array(items) => items
                    .into_iter()
                    .map(|item| match item {
                        Value::Object(inner) => Value::Object(without_nulls(inner)),
                        other => other,
                    })
                    .collect(),
                other => other,
            };
            (name, value)
        })
        .collect()
}

/// Inputs as the type has them. Not for it are the provider's own notes (names with two
/// underscores) and the region, which is [`New::region`] and [`Resource::region`] for all alike.
fn typed<T: ResourceType>(inputs: &Properties) -> AwsResult<T::Inputs> {
    let inputs = inputs
        .iter()
        .filter(|(name, _)| !name.starts_with("__") && *name != "region")
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    serde_json::from_value(Value::Object(inputs)).map_err(|error| {
        AwsError::new(
            400,
            "ValidationException",
            format!("the inputs of a {} are malformed: {error}", T::TOKEN),
        )
    })
}

fn typed_resource<T: ResourceType>(
    resource: &Resource<Properties>,
) -> AwsResult<Resource<T::Inputs>> {
    Ok(Resource {
        urn: resource.urn.clone(),
        stack: resource.stack.clone(),
        region: resource.region.clone(),
        id: resource.id.clone(),
        inputs: typed::<T>(&resource.inputs)?,
        outputs: resource.outputs.clone(),
    })
}
