//! Facts from the Python SDK: its generated sources name every property, with its type and
//! whether it is required, and they are on PyPI for every version of the package.

mod facts;
mod lines;
mod types;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::rc::Rc;

use anyhow::{Context, Result, bail};
use pulumi_protocol::PROVIDER_TYPES;
use serde::Deserialize;
use zip::ZipArchive;

use crate::spec::{
    BaseProvider, EnumValue, Function, Object, PackageSpec, Parameterization, Properties, Property,
    Resource, TypeDef,
};
use crate::trim::Source;
use lines::Statement;
use types::{Names, TypeExpression};

/// The wheel of a package's Python SDK.
pub struct Wheel {
    archive: ZipArchive<File>,
    package: String,
    parsed: BTreeMap<String, Rc<Vec<Statement>>>,
}

impl Wheel {
    pub fn open(path: &Path, package: &str) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        let archive =
            ZipArchive::new(file).with_context(|| format!("{} is not a wheel", path.display()))?;
        Ok(Self {
            archive,
            package: package.to_owned(),
            parsed: BTreeMap::new(),
        })
    }

    fn statements(&mut self, path: &str) -> Result<Rc<Vec<Statement>>> {
        if let Some(known) = self.parsed.get(path) {
            return Ok(known.clone());
        }
        let text = self.text(path)?;
        let statements = Rc::new(lines::statements(&text));
        self.parsed.insert(path.to_owned(), statements.clone());
        Ok(statements)
    }

    fn text(&mut self, path: &str) -> Result<String> {
        let mut text = String::new();
        self.archive
            .by_name(path)
            .with_context(|| format!("the wheel has no {path}"))?
            .read_to_string(&mut text)?;
        Ok(text)
    }

    /// The folder of a module: `aws:lambda/…` lives in `pulumi_aws/lambda_`, for `lambda` is a
    /// word of the language.
    fn folder(&self, module: &str) -> Result<String> {
        let root = format!("pulumi_{}", self.package);
        if module == "index" {
            return Ok(root);
        }
        let candidates = [format!("{root}/{module}"), format!("{root}/{module}_")];
        let found = candidates
            .into_iter()
            .find(|folder| self.has(&format!("{folder}/__init__.py")));
        found.with_context(|| format!("the wheel has no module {module}"))
    }

    fn has(&self, path: &str) -> bool {
        self.archive.index_for_name(path).is_some()
    }

    /// A resource that a file has.
    fn resource_in(&mut self, file: &str, token: &Token, names: &Names<'_>) -> Result<Resource> {
        let raw = &token.raw;
        let statements = self.statements(file)?;
        // `InitArgs` where a nested type took the usual name.
        let args = lines::class(&statements, &format!("{}InitArgs", token.name))
            .or_else(|| lines::class(&statements, &format!("{}Args", token.name)))
            .with_context(|| format!("{file} has no class with the inputs of {raw}"))?;
        let inputs = getters(args, names)?;
        let class = lines::class(&statements, &token.name)
            .with_context(|| format!("{file} has no class {}", token.name))?;
        // The answer of a method has a class in it.
        let nested = |statement: &Statement| statement.text.starts_with("class ");
        let own = class.iter().position(nested).unwrap_or(class.len());
        let outputs = getters(&class[..own], names)?;
        let mut resource = Resource {
            properties: outputs.properties,
            required: outputs.required,
            input_properties: inputs.properties,
            required_inputs: inputs.required,
            ..Resource::default()
        };
        facts::add(&mut resource, class, args)
            .with_context(|| format!("what {file} says of {raw}"))?;
        Ok(resource)
    }

    /// The file that defines a token: the one that holds `needle`.
    fn file_with(&mut self, token: &Token, needle: &str) -> Result<String> {
        let folder = self.folder(&token.module)?;
        let prefix = format!("{folder}/");
        let mut files = Vec::new();
        for name in self.archive.file_names() {
            let name = name?;
            let inside = name.strip_prefix(&prefix);
            if inside.is_some_and(|rest| rest.ends_with(".py") && !rest.contains('/')) {
                files.push(name.into_owned());
            }
        }
        files.sort();
        for file in files {
            if self.text(&file)?.contains(needle) {
                return Ok(file);
            }
        }
        bail!("no file of {folder} holds {needle}")
    }
}

impl Source for Wheel {
    /// `pulumi-plugin.json` says what the engine has to be told of the plugin.
    fn package(&mut self) -> Result<PackageSpec> {
        #[derive(Deserialize)]
        struct Plugin {
            name: String,
            #[serde(default)]
            version: String,
            #[serde(default)]
            server: String,
            #[serde(default)]
            parameterization: Option<Parameter>,
        }
        #[derive(Deserialize)]
        struct Parameter {
            name: String,
            version: String,
            value: String,
        }

        let path = format!("pulumi_{}/pulumi-plugin.json", self.package);
        let text = self.text(&path)?;
        let plugin: Plugin =
            serde_json::from_str(&text).with_context(|| format!("{path} is not as expected"))?;
        let mut package = PackageSpec {
            name: plugin.name.clone(),
            version: plugin.version.clone(),
            plugin_download_url: plugin.server,
            ..PackageSpec::default()
        };
        if let Some(parameter) = plugin.parameterization {
            package.name = parameter.name;
            package.version = parameter.version;
            package.parameterization = Some(Parameterization {
                base_provider: BaseProvider {
                    name: plugin.name,
                    version: plugin.version,
                },
                parameter: parameter.value,
            });
        }
        Ok(package)
    }

    fn provider(&mut self) -> Result<Resource> {
        let token = Token {
            raw: format!("{PROVIDER_TYPES}{}", self.package),
            module: "index".to_owned(),
            name: "Provider".to_owned(),
        };
        let file = format!("pulumi_{}/provider.py", self.package);
        let package = self.package.clone();
        let names = Names {
            package: &package,
            module: "index",
        };
        self.resource_in(&file, &token, &names)
    }

    fn resource(&mut self, token: &str) -> Result<Resource> {
        let token = Token::parse(token)?;
        let raw = &token.raw;
        let file = self.file_with(&token, &format!("@pulumi.type_token(\"{raw}\")"))?;
        self.resource_in(&file, &token, &token.names())
    }

    fn function(&mut self, token: &str) -> Result<Function> {
        let token = Token::parse(token)?;
        let file = self.file_with(&token, &format!("pulumi.runtime.invoke('{}'", token.raw))?;
        let statements = self.statements(&file)?;
        let mut letters = token.name.chars();
        let class = letters.next().map(|first| {
            let first = first.to_ascii_uppercase();
            format!("{first}{}Result", letters.as_str())
        });
        let class = class.with_context(|| format!("{} has no name", token.raw))?;
        let result = lines::class(&statements, &class)
            .with_context(|| format!("{file} has no class {class}"))?;
        let outputs = getters(result, &token.names())?;
        let inputs = arguments(&statements, &token)
            .with_context(|| format!("the arguments of {} in {file}", token.raw))?;
        Ok(Function {
            inputs: Some(inputs),
            outputs,
        })
    }

    fn type_def(&mut self, token: &str) -> Result<TypeDef> {
        let token = Token::parse(token)?;
        let folder = self.folder(&token.module)?;
        let inputs = self.statements(&format!("{folder}/_inputs.py"))?;
        if let Some(class) = lines::class(&inputs, &format!("{}Args", token.name)) {
            let object = getters(class, &token.names())?;
            return Ok(TypeDef {
                kind: object.kind,
                properties: object.properties,
                required: object.required,
                values: Vec::new(),
            });
        }
        let file = format!("{folder}/_enums.py");
        if !self.has(&file) {
            bail!("the wheel has no type {}", token.raw);
        }
        let enums = self.statements(&file)?;
        let class = lines::class(&enums, &token.name)
            .with_context(|| format!("{file} has no {}", token.name))?;
        Ok(TypeDef {
            kind: "string".to_owned(),
            properties: Properties::new(),
            required: BTreeSet::new(),
            values: enumeration(class),
        })
    }
}

/// `package:module/file:Name`.
struct Token {
    raw: String,
    module: String,
    name: String,
}

impl Token {
    fn parse(raw: &str) -> Result<Self> {
        let parts: Vec<&str> = raw.split(':').collect();
        let [_, path, name] = parts[..] else {
            bail!("{raw} is not a token, which has three parts");
        };
        let module = path.split('/').next().unwrap_or(path);
        Ok(Self {
            raw: raw.to_owned(),
            module: module.to_owned(),
            name: name.to_owned(),
        })
    }

    fn names(&self) -> Names<'_> {
        let package = self.raw.split(':').next().unwrap_or_default();
        Names {
            package,
            module: &self.module,
        }
    }
}

/// The properties of a class, from its getters.
fn getters(class: &[Statement], names: &Names<'_>) -> Result<Object> {
    let mut properties = Properties::new();
    let mut required = BTreeSet::new();
    let mut name: Option<Option<String>> = None;
    let mut deprecated = None;
    for statement in class {
        let text = statement.text.as_str();
        if let Some(rest) = text.strip_prefix("@pulumi.getter") {
            name = Some(lines::between(rest, "name=\"", "\"").map(str::to_owned));
        } else if let Some(rest) = text.strip_prefix("@_utilities.deprecated(") {
            deprecated = Some(rest.trim_matches(['"', ')']).to_owned());
        } else if let Some(rest) = text.strip_prefix("def ") {
            let Some(given) = name.take() else { continue };
            let (function, rest) = rest
                .split_once('(')
                .context("a function without brackets")?;
            let annotation = rest
                .rsplit_once("-> ")
                .and_then(|(_, annotation)| annotation.strip_suffix(':'))
                .with_context(|| format!("{function} has no type"))?;
            let property = given.unwrap_or_else(|| function.to_owned());
            let expression = TypeExpression::parse(annotation)
                .with_context(|| format!("type of {property}: {annotation}"))?;
            if !expression.is_optional() {
                required.insert(property.clone());
            }
            let shape = expression
                .shape(names)
                .with_context(|| format!("type of {property}: {annotation}"))?;
            properties.insert(
                property,
                Property {
                    shape,
                    deprecation_message: deprecated.take(),
                    ..Property::default()
                },
            );
        }
    }
    Ok(Object {
        kind: "object".to_owned(),
        properties,
        required,
    })
}

/// A function's arguments: `__args__['camelCase'] = snake_case`, with the types in its head.
fn arguments(statements: &[Statement], token: &Token) -> Result<Object> {
    let invoke = format!("'{}'", token.raw);
    let end = statements
        .iter()
        .position(|statement| statement.text.contains(&invoke))
        .context("the function is not called")?;
    let start = statements[..end]
        .iter()
        .rposition(|statement| statement.indent == 0 && statement.text.starts_with("def "))
        .context("the call is in no function")?;
    let head = lines::between(&statements[start].text, "(", ") ->").context("no arguments")?;
    let mut annotations = BTreeMap::new();
    for argument in types::split(head) {
        if let Some((name, annotation)) = argument.split_once(':') {
            let annotation = annotation.rsplit_once(" = ").map_or(annotation, |(a, _)| a);
            annotations.insert(name.trim().to_owned(), annotation.trim().to_owned());
        }
    }
    let mut object = Object {
        kind: "object".to_owned(),
        ..Object::default()
    };
    for statement in &statements[start..end] {
        let Some(rest) = statement.text.strip_prefix("__args__['") else {
            continue;
        };
        let (camel, snake) = rest.split_once("'] = ").context("an unusual argument")?;
        let annotation = annotations
            .get(snake)
            .with_context(|| format!("{snake} has no type"))?;
        let expression = TypeExpression::parse(annotation)?;
        if !expression.is_optional() {
            object.required.insert(camel.to_owned());
        }
        object.properties.insert(
            camel.to_owned(),
            Property {
                shape: expression.shape(&token.names())?,
                ..Property::default()
            },
        );
    }
    Ok(object)
}

/// `NAME = "value"`, one a line.
fn enumeration(class: &[Statement]) -> Vec<EnumValue> {
    class
        .iter()
        .filter_map(|statement| {
            let (_, value) = statement.text.split_once(" = ")?;
            let value = value.strip_prefix('"')?.strip_suffix('"')?;
            Some(EnumValue {
                name: None,
                value: value.into(),
            })
        })
        .collect()
}
