//! Every property of the committed schema is in the npm SDK of the same version, with the
//! same type, required or not as there: an authority that the generator never reads.

mod declarations;
mod package;
mod types;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use pulumi_schema::{PackageSpec, Properties, Selection, Shape};

use declarations::Members;
use package::Npm;
use types::Type;

struct Comparison {
    npm: Npm,
    dropped: BTreeSet<String>,
    compared: usize,
    differences: Vec<String>,
}

#[test]
fn every_property_is_as_in_the_npm_sdk() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../aws");
    let selection = Selection::read(&folder.join("tokens.toml"))?;
    let text = std::fs::read_to_string(folder.join("schema.json"))?;
    let schema: PackageSpec = serde_json::from_str(&text)?;
    ensure!(
        schema.version == selection.version,
        "schema.json is stale: cargo xtask schema"
    );

    let mut comparison = Comparison {
        npm: Npm::get(&format!("@pulumi/{}", schema.name), &schema.version)?,
        dropped: selection.dropped_alternatives,
        compared: 0,
        differences: Vec::new(),
    };
    comparison.run(&schema)?;
    let Comparison {
        compared,
        differences,
        ..
    } = comparison;
    ensure!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(compared > 400, "only {compared} properties were compared");
    Ok(())
}

impl Comparison {
    fn run(&mut self, schema: &PackageSpec) -> Result<()> {
        for (token, resource) in &schema.resources {
            let (file, name) = place(token)?;
            let source = self.npm.file(&file)?;
            let inputs = declarations::interface(&source, &format!("{name}Args"))
                .with_context(|| format!("{file} has no {name}Args"))?;
            self.compare(
                token,
                &resource.input_properties,
                &resource.required_inputs,
                &inputs,
            );
            self.nothing_required_is_missing(token, &resource.input_properties, &inputs);
            let outputs = declarations::class(&source, name)
                .with_context(|| format!("{file} has no class {name}"))?;
            self.compare(token, &resource.properties, &resource.required, &outputs);
        }
        for (token, function) in &schema.functions {
            let (file, name) = place(token)?;
            let source = self.npm.file(&file)?;
            let (first, rest) = name.split_at(1);
            let result = format!("{}{rest}Result", first.to_uppercase());
            let outputs = declarations::interface(&source, &result)
                .with_context(|| format!("{file} has no {result}"))?;
            let schema = &function.outputs;
            self.compare(token, &schema.properties, &schema.required, &outputs);
        }
        for (token, type_def) in &schema.types {
            let (file, name) = place(token)?;
            let module = file.split('/').next().unwrap_or_default();
            if type_def.values.is_empty() {
                let source = self.npm.file("types/input")?;
                // Those of the module `index` are in no namespace.
                let members = match token.contains(":index/") {
                    true => declarations::interface(&source, name),
                    false => declarations::in_namespace(&source, module, name),
                };
                let members =
                    members.with_context(|| format!("types/input has no {module}.{name}"))?;
                self.compare(token, &type_def.properties, &type_def.required, &members);
                self.nothing_required_is_missing(token, &type_def.properties, &members);
            } else {
                let source = self.npm.file(&format!("types/enums/{module}/index"))?;
                let theirs = declarations::constants(&source, name);
                let ours = type_def
                    .values
                    .iter()
                    .filter_map(|value| value.value.as_str());
                let ours: BTreeSet<String> = ours.map(str::to_owned).collect();
                self.compared += ours.len();
                if ours != theirs {
                    self.differences
                        .push(format!("{token}: {ours:?} is not {theirs:?}"));
                }
            }
        }
        Ok(())
    }

    fn compare(
        &mut self,
        token: &str,
        properties: &Properties,
        required: &BTreeSet<String>,
        members: &Members,
    ) {
        for (name, property) in properties {
            self.compared += 1;
            let Some(theirs) = members.get(name) else {
                self.differences.push(format!("{token} has no {name}"));
                continue;
            };
            let theirs = theirs.without(&self.dropped);
            let ours = of_schema(&property.shape);
            let ours = if required.contains(name) {
                ours
            } else {
                ours.optional()
            };
            if ours != theirs {
                self.differences
                    .push(format!("{token} {name}: {ours:?} is {theirs:?} in npm"));
            }
        }
    }

    fn nothing_required_is_missing(
        &mut self,
        token: &str,
        properties: &Properties,
        members: &Members,
    ) {
        for (name, theirs) in members {
            if !theirs.is_optional() && !properties.contains_key(name) {
                self.differences.push(format!("{token} requires {name}"));
            }
        }
    }
}

/// `aws:s3/bucket:Bucket` is in `s3/bucket.d.ts`, `aws:index/getRegion:getRegion` in
/// `getRegion.d.ts`.
fn place(token: &str) -> Result<(String, &str)> {
    let mut parts = token.splitn(3, ':').skip(1);
    let file = parts.next().context("no module")?;
    let name = parts.next().context("no name")?;
    Ok((file.trim_start_matches("index/").to_owned(), name))
}

/// The schema's type in npm's words: there, every number is a `number`.
fn of_schema(shape: &Shape) -> Type {
    match shape.mapped_from.as_deref() {
        Some("pulumi.json#/Archive") => return Type::Archive,
        Some(_) => return Type::Asset,
        None => {}
    }
    if let Some(token) = shape.type_token() {
        return Type::Named(token);
    }
    if !shape.one_of.is_empty() {
        return Type::union(shape.one_of.iter().map(of_schema));
    }
    match (
        shape.kind.as_deref(),
        &shape.items,
        &shape.additional_properties,
    ) {
        (_, Some(items), _) => Type::Array(Box::new(of_schema(items))),
        (_, _, Some(values)) => Type::Map(Box::new(of_schema(values))),
        (Some("integer" | "number"), ..) => Type::Word("number".to_owned()),
        (Some(word), ..) => Type::Word(word.to_owned()),
        (None, ..) => Type::Word("nothing".to_owned()),
    }
}
