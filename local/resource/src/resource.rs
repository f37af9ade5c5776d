//! What a resource type must say of itself to be deployable here.
//!
//! A resource type is written for typed inputs; [`AnyResourceType`] is the same for JSON, with
//! which the provider's protocol works. The life of a resource:
//!
//! 1. `validate`, whenever all inputs are known: what AWS would refuse without looking around.
//! 2. `create`: looks at what is deployed, refuses what AWS would refuse, gives id and outputs.
//!    Its only lasting effects are ones that can be repeated.
//! 3. The record is made durable by the provider.
//! 4. `activate`: hands the resource to the service that runs it. Called after every creation
//!    and update, and for every record, in the order of creation, when the cloud starts.
//! 5. `update` and `read`, any number of times; `delete` at the end.
//!
//! A resource that exists without a record of it is found by `import`.

pub use crate::bound::{AnyResourceType, bind};
pub use crate::import_id::ImportId;
use async_trait::async_trait;
use cloud_core::error::AwsResult;
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
