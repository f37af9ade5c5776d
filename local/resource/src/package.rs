//! What may be declared here: a schema, and its resource types.

use crate::resource::AnyResourceType;
use crate::schema::{ResourceSchema, Schema};
use anyhow::{Result, bail};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The trimmed schema of the aws package, the one that the program's binding is made from.
const AWS_SCHEMA: &str = include_str!("../../../pulumi/aws/schema.json");

/// A package: its schema, and the types that can be deployed, by token. Clones share it.
#[derive(Clone)]
pub struct ProviderPackage {
    inner: Arc<Inner>,
}

struct Inner {
    json: String,
    schema: Schema,
    types: BTreeMap<&'static str, Box<dyn AnyResourceType>>,
}

/// A resource type with what the schema says of it.
#[derive(Clone, Copy)]
pub struct Declared<'a> {
    pub of: &'a dyn AnyResourceType,
    pub schema: &'a ResourceSchema,
}

impl ProviderPackage {
    /// The aws package, as far as the embedded cloud has it: with these types.
    pub fn aws(types: Vec<Box<dyn AnyResourceType>>) -> Result<Self> {
        Self::new(AWS_SCHEMA, types)
    }

    /// A package of this schema and these types, each of which must be in the schema.
    pub fn new(schema: &str, types: Vec<Box<dyn AnyResourceType>>) -> Result<Self> {
        let parsed = Schema::parse(schema)?;
        let mut by_token = BTreeMap::new();
        for of in types {
            let token = of.token();
            if parsed.resource(token).is_none() {
                bail!("resource type {token} is not in the package schema");
            }
            if by_token.insert(token, of).is_some() {
                bail!("resource type {token} is registered twice");
            }
        }
        Ok(Self {
            inner: Arc::new(Inner {
                json: schema.to_owned(),
                schema: parsed,
                types: by_token,
            }),
        })
    }

    /// The schema as it was written.
    pub fn schema_json(&self) -> &str {
        &self.inner.json
    }

    /// The schema.
    pub fn schema(&self) -> &Schema {
        &self.inner.schema
    }

    /// The type of this token.
    pub fn resource_type(&self, token: &str) -> Option<Declared<'_>> {
        Some(Declared {
            of: self.inner.types.get(token)?.as_ref(),
            schema: self.inner.schema.resource(token)?,
        })
    }

    /// All tokens, sorted.
    pub fn tokens(&self) -> impl Iterator<Item = &'static str> {
        self.inner.types.keys().copied()
    }
}
