//! Cuts a whole package down to the selection, and maps what Gestalt cannot express.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};

use crate::selection::{Member, Selection};
use crate::spec::{
    ARCHIVE, ASSET, Alias, Function, Object, PackageSpec, Properties, Property, Resource, Shape,
    TypeDef,
};

/// Where the facts about a package come from, one token at a time.
pub trait Source {
    /// What is said of the package as a whole, without what is in it.
    fn package(&mut self) -> Result<PackageSpec>;
    /// The provider itself, as a resource.
    fn provider(&mut self) -> Result<Resource>;
    fn resource(&mut self, token: &str) -> Result<Resource>;
    fn function(&mut self, token: &str) -> Result<Function>;
    fn type_def(&mut self, token: &str) -> Result<TypeDef>;
}

/// The package with exactly what `selection` names.
///
/// # Errors
/// When the selection names something that the source does not have.
pub fn trim(selection: &Selection, source: &mut dyn Source) -> Result<PackageSpec> {
    let mut trimmer = Trimmer {
        selection,
        source: &mut *source,
        types: BTreeMap::new(),
    };
    let mut resources = BTreeMap::new();
    for (token, member) in &selection.resources {
        let resource = trimmer
            .resource(token, member)
            .with_context(|| format!("resource {token}"))?;
        resources.insert(token.clone(), resource);
    }
    let mut functions = BTreeMap::new();
    for (token, member) in &selection.functions {
        let function = trimmer
            .function(token, member)
            .with_context(|| format!("function {token}"))?;
        functions.insert(token.clone(), function);
    }
    let provider = match &selection.provider {
        None => None,
        Some(member) => {
            let full = trimmer.source.provider();
            let provider = full.and_then(|full| trimmer.cut(full, member));
            Some(provider.context("the provider")?)
        }
    };
    let types = trimmer.types;
    for token in selection.types.keys() {
        ensure!(
            types.contains_key(token),
            "type {token} is listed, but nothing that is kept refers to it"
        );
    }
    Ok(PackageSpec {
        name: selection.package.clone(),
        version: selection.version.clone(),
        provider,
        types,
        resources,
        functions,
        ..source.package()?
    })
}

struct Trimmer<'a> {
    selection: &'a Selection,
    source: &'a mut dyn Source,
    types: BTreeMap<String, TypeDef>,
}

impl Trimmer<'_> {
    fn resource(&mut self, token: &str, member: &Member) -> Result<Resource> {
        let full = self.source.resource(token)?;
        self.cut(full, member)
    }

    fn cut(&mut self, full: Resource, member: &Member) -> Result<Resource> {
        let required = full.required_inputs;
        let input_properties = self.inputs(full.input_properties, &required, member)?;
        let names = chosen_outputs(&full.properties, member);
        let properties = self.outputs(&full.properties, &names, member)?;
        all_kept(&member.numbers, [&input_properties, &properties])?;
        Ok(Resource {
            required_inputs: required,
            input_properties,
            properties,
            required: intersection(&full.required, &names),
            aliases: without_twins(full.aliases),
            deprecation_message: full.deprecation_message,
        })
    }

    fn function(&mut self, token: &str, member: &Member) -> Result<Function> {
        let full = self.source.function(token)?;
        let inputs = full.inputs.unwrap_or_default();
        let properties = self.inputs(inputs.properties, &inputs.required, member)?;
        let outputs = full.outputs;
        let names = chosen_outputs(&outputs.properties, member);
        let answers = self.outputs(&outputs.properties, &names, member)?;
        all_kept(&member.numbers, [&properties, &answers])?;
        Ok(Function {
            inputs: (!properties.is_empty()).then(|| Object {
                kind: "object".to_owned(),
                required: inputs.required,
                properties,
            }),
            outputs: Object {
                kind: "object".to_owned(),
                properties: answers,
                required: intersection(&outputs.required, &names),
            },
        })
    }

    fn inputs(
        &mut self,
        all: Properties,
        required: &BTreeSet<String>,
        member: &Member,
    ) -> Result<Properties> {
        for name in member.inputs.iter().flatten().chain(&member.without) {
            ensure!(all.contains_key(name), "there is no input {name}");
        }
        let mut chosen = Properties::new();
        for (name, mut property) in all {
            let keep = match &member.inputs {
                Some(names) => names.contains(&name),
                None => property.deprecation_message.is_none(),
            };
            if keep && !member.without.contains(&name) {
                widen(&name, &mut property, &member.numbers)?;
                let property = self
                    .property(property)
                    .with_context(|| format!("input {name}"))?;
                chosen.insert(name, property);
            } else {
                ensure!(!required.contains(&name), "input {name} is required");
            }
        }
        Ok(chosen)
    }

    fn outputs(
        &mut self,
        all: &Properties,
        names: &BTreeSet<String>,
        member: &Member,
    ) -> Result<Properties> {
        let mut chosen = Properties::new();
        for name in names {
            let property = all
                .get(name)
                .with_context(|| format!("there is no output {name}"))?;
            ensure!(
                property.deprecation_message.is_none(),
                "output {name} is deprecated"
            );
            let mut property = property.clone();
            widen(name, &mut property, &member.numbers)?;
            let property = self
                .property(property)
                .with_context(|| format!("output {name}"))?;
            chosen.insert(name.clone(), property);
        }
        Ok(chosen)
    }

    fn property(&mut self, property: Property) -> Result<Property> {
        Ok(Property {
            shape: self.shape(property.shape)?,
            deprecation_message: None,
            ..property
        })
    }

    fn shape(&mut self, shape: Shape) -> Result<Shape> {
        if let Some(reference) = shape.reference.as_deref() {
            if reference == ARCHIVE || reference == ASSET {
                return Ok(asset(reference));
            }
            if let Some(primitive) = shape.kind.as_deref() {
                return Ok(Shape::primitive(primitive));
            }
            let token = shape
                .type_token()
                .with_context(|| format!("cannot express a reference to {reference}"))?;
            self.reach(&token)?;
            return Ok(Shape::reference(crate::spec::type_reference(&token)));
        }
        if !shape.one_of.is_empty() {
            return self.union(shape.one_of);
        }
        Ok(Shape {
            kind: shape.kind,
            items: self.boxed(shape.items)?,
            additional_properties: self.boxed(shape.additional_properties)?,
            ..Shape::default()
        })
    }

    fn boxed(&mut self, shape: Option<Box<Shape>>) -> Result<Option<Box<Shape>>> {
        shape
            .map(|shape| self.shape(*shape).map(Box::new))
            .transpose()
    }

    /// A string, or what can be written instead of it: the string stays the type, as in the
    /// whole schema, and enumerations stay as alternatives.
    fn union(&mut self, alternatives: Vec<Shape>) -> Result<Shape> {
        let text = Shape::primitive("string");
        if !alternatives.contains(&text) {
            bail!("cannot express a union without a plain string");
        }
        let mut one_of = vec![text.clone()];
        for shape in alternatives {
            if shape == text || is_resource(&shape) {
                continue;
            }
            let token = shape
                .type_token()
                .context("cannot express a union of a string and something without a name")?;
            if self.selection.dropped_alternatives.contains(&token) {
                continue;
            }
            self.reach(&token)?;
            one_of.push(Shape::reference(crate::spec::type_reference(&token)));
        }
        if one_of.len() == 1 {
            return Ok(text);
        }
        Ok(Shape { one_of, ..text })
    }

    fn reach(&mut self, token: &str) -> Result<()> {
        if self.types.contains_key(token) {
            return Ok(());
        }
        let mut def = self.source.type_def(token)?;
        // Present before its properties are followed, so that a type may hold itself.
        self.types.insert(token.to_owned(), def.clone());
        let nested = self.selection.types.get(token);
        for name in nested.iter().flat_map(|nested| &nested.properties) {
            ensure!(
                def.properties.contains_key(name),
                "type {token} has no property {name}"
            );
        }
        let mut properties = Properties::new();
        for (name, mut property) in std::mem::take(&mut def.properties) {
            let keep = match nested {
                Some(nested) => nested.properties.contains(&name),
                None => property.deprecation_message.is_none(),
            };
            if keep {
                if let Some(nested) = nested {
                    widen(&name, &mut property, &nested.numbers)?;
                }
                let property = self
                    .property(property)
                    .with_context(|| format!("property {name} of type {token}"))?;
                properties.insert(name, property);
            } else {
                ensure!(
                    !def.required.contains(&name),
                    "property {name} of type {token} is required"
                );
            }
        }
        if let Some(nested) = nested {
            all_kept(&nested.numbers, [&properties, &properties])?;
        }
        def.properties = properties;
        self.types.insert(token.to_owned(), def);
        Ok(())
    }
}

/// Gestalt types an asset as a string, and the engine then sees a plain string. A map with the
/// signature of an asset arrives as a real one.
fn asset(reference: &str) -> Shape {
    Shape {
        mapped_from: Some(reference.to_owned()),
        ..Shape::map(Shape::primitive("string"))
    }
}

/// Gestalt's integers have 32 bits.
fn widen(name: &str, property: &mut Property, numbers: &BTreeSet<String>) -> Result<()> {
    if numbers.contains(name) {
        ensure!(
            property.shape == Shape::primitive("integer"),
            "{name} is no integer"
        );
        property.shape = Shape::primitive("number");
    }
    Ok(())
}

fn all_kept(numbers: &BTreeSet<String>, kept: [&Properties; 2]) -> Result<()> {
    for name in numbers {
        ensure!(
            kept.iter().any(|properties| properties.contains_key(name)),
            "numbers has {name}, which is not kept"
        );
    }
    Ok(())
}

fn without_twins(aliases: Vec<Alias>) -> Vec<Alias> {
    let mut kept: Vec<Alias> = Vec::with_capacity(aliases.len());
    for alias in aliases {
        if !kept.contains(&alias) {
            kept.push(alias);
        }
    }
    kept
}

fn chosen_outputs(all: &Properties, member: &Member) -> BTreeSet<String> {
    if !member.all_outputs {
        return member.outputs.clone();
    }
    let current = all
        .iter()
        .filter(|(_, property)| property.deprecation_message.is_none());
    current.map(|(name, _)| name.clone()).collect()
}

fn is_resource(shape: &Shape) -> bool {
    shape
        .reference
        .as_deref()
        .is_some_and(|reference| reference.starts_with("#/resources/"))
}

fn intersection(one: &BTreeSet<String>, other: &BTreeSet<String>) -> BTreeSet<String> {
    one.intersection(other).cloned().collect()
}
