//! Facts from the whole schema, as `pulumi package get-schema` prints it.

use anyhow::{Context, Result};

use crate::spec::{Function, PackageSpec, Resource, TypeDef};
use crate::trim::Source;

pub struct FullSchema(PackageSpec);

impl FullSchema {
    pub fn parse(json: &[u8]) -> Result<Self> {
        let package = serde_json::from_slice(json).context("not a Pulumi package schema")?;
        Ok(Self(package))
    }

    pub fn into_package(self) -> PackageSpec {
        self.0
    }
}

impl Source for FullSchema {
    fn package(&mut self) -> Result<PackageSpec> {
        Ok(PackageSpec {
            name: self.0.name.clone(),
            version: self.0.version.clone(),
            plugin_download_url: self.0.plugin_download_url.clone(),
            parameterization: self.0.parameterization.clone(),
            ..PackageSpec::default()
        })
    }

    fn provider(&mut self) -> Result<Resource> {
        let provider = self.0.provider.clone();
        provider.context("the schema says nothing of the provider")
    }

    fn resource(&mut self, token: &str) -> Result<Resource> {
        let resource = self.0.resources.get(token);
        resource
            .cloned()
            .with_context(|| format!("the schema has no resource {token}"))
    }

    fn function(&mut self, token: &str) -> Result<Function> {
        let function = self.0.functions.get(token);
        function
            .cloned()
            .with_context(|| format!("the schema has no function {token}"))
    }

    fn type_def(&mut self, token: &str) -> Result<TypeDef> {
        let type_def = self.0.types.get(token);
        type_def
            .cloned()
            .with_context(|| format!("the schema has no type {token}"))
    }
}
