//! Facts from the whole schema, as `pulumi package get-schema` prints it.

use anyhow::{Context, Result};

use crate::spec::{Function, Package, Resource, TypeDef};
use crate::trim::Source;

pub struct FullSchema(Package);

impl FullSchema {
    pub fn parse(json: &[u8]) -> Result<Self> {
        let package = serde_json::from_slice(json).context("not a Pulumi package schema")?;
        Ok(Self(package))
    }
}

impl Source for FullSchema {
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
