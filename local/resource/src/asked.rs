//! The resource that a request is about: its record, or a resource that a service has without a
//! record.

use crate::account::Account;
use crate::deployments::Record;
use crate::outputs;
use crate::package::Declared;
use crate::resource::{Properties, Resource, Scope};
use crate::settings::ProviderSettings;
use crate::urn::Urn;
use crate::value::{Property, PropertyMap, from_json, to_json};
use cloud_core::error::AwsResult;

/// A resource as a request names it.
pub(crate) struct Asked<'a> {
    pub declared: Declared<'a>,
    pub urn: &'a Urn,
    pub id: &'a str,
    pub region: String,
    /// What the engine knows of its inputs.
    pub inputs: Properties,
}

impl<'a> Asked<'a> {
    /// `known` is what the engine knows of its inputs and its outputs.
    pub(crate) fn of(
        declared: Declared<'a>,
        urn: &'a Urn,
        id: &'a str,
        settings: &ProviderSettings,
        known: (&PropertyMap, &PropertyMap),
    ) -> Self {
        let (inputs, outputs) = known;
        Self {
            declared,
            urn,
            id,
            region: outputs::deployed_region(declared, settings, inputs, outputs),
            inputs: to_json(inputs),
        }
    }

    /// The record of the resource that the engine means. Types without regions have ids of their
    /// own.
    fn record(&self, account: &Account) -> Option<Record> {
        let Asked { declared, urn, .. } = *self;
        let regional = declared.schema.input_properties.contains_key("region");
        let region = regional.then_some(self.region.as_str());
        let deployments = &account.deployments;
        deployments.find_as(declared.of, urn.as_str(), self.id, region, &self.inputs)
    }

    fn scope(&self) -> Scope<'_> {
        Scope {
            urn: self.urn.as_str(),
            stack: &self.urn.stack,
            region: &self.region,
        }
    }

    /// The same, of a resource that the engine has in a stack's state, which is noted.
    pub(crate) async fn known(&self, account: &Account) -> AwsResult<Option<Record>> {
        let Some(mut record) = self.record(account) else {
            return Ok(None);
        };
        let deployments = &account.deployments;
        deployments.known_as(&record, self.urn).await?;
        record.resource.urn = self.urn.as_str().to_owned();
        record.resource.stack.clone_from(&self.urn.stack);
        Ok(Some(record))
    }

    /// What the service holds without a record of it.
    async fn import(&self) -> AwsResult<Option<Resource<Properties>>> {
        let Asked { declared, urn, .. } = *self;
        let form = declared.of.import_id();
        let id = form.and_then(|form| form.of(&self.inputs, Some(self.id)));
        let id = id.as_deref().unwrap_or(self.id);
        let found = declared.of.import(&self.scope(), id).await?;
        Ok(found.map(|mut resource| {
            resource.urn = urn.as_str().to_owned();
            resource.stack.clone_from(&urn.stack);
            let inputs = from_json(&resource.inputs);
            let mut common = common(declared, &ProviderSettings::default(), &inputs);
            if common.contains_key("region") {
                common.insert("region".to_owned(), resource.region.clone().into());
            }
            resource.outputs.extend(common);
            resource
        }))
    }

    /// The resource as it is. The record of one that is gone goes too.
    pub(crate) async fn look(&self, account: &Account) -> AwsResult<Option<Resource<Properties>>> {
        let of = self.declared.of;
        // Who imports knows nothing yet, and may think better of it.
        let record = match self.inputs.is_empty() {
            true => self.record(account),
            false => self.known(account).await?,
        };
        let Some(record) = record else {
            return self.import().await;
        };
        let known = record.resource.clone();
        let found = of
            .read(&self.scope(), &known.id, Some(known.clone()))
            .await?;
        if found.is_some() {
            return Ok(found);
        }
        let deployments = &account.deployments;
        let forgotten = deployments
            .forget_unless_dead(&account.package, of, &record)
            .await?;
        Ok((!forgotten).then_some(known))
    }

    /// The resource that the engine means: the record of it, or what its type finds in the cloud
    /// though no program has declared it (it was imported).
    pub(crate) async fn deployed(&self, account: &Account) -> AwsResult<Option<Record>> {
        if let Some(record) = self.known(account).await? {
            return Ok(Some(record));
        }
        let found = self.import().await?;
        let token = self.declared.of.token();
        let adopt = |resource| account.deployments.adopt(token, resource);
        Ok(found.map(adopt))
    }
}

/// The computed properties that all types have alike.
pub(crate) fn common(
    declared: Declared<'_>,
    settings: &ProviderSettings,
    inputs: &PropertyMap,
) -> Properties {
    let mut common = PropertyMap::new();
    if let Some(tags) = outputs::all_tags(declared, inputs) {
        common.insert("tagsAll".to_owned(), tags);
    }
    if declared.schema.input_properties.contains_key("region") {
        let region = outputs::region(declared, settings, inputs).to_owned();
        common.insert("region".to_owned(), Property::String(region));
    }
    to_json(&common)
}
