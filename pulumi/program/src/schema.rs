//! What a package's schema says of its resources beyond the types of their properties: a binding
//! has it, and every registration follows it.

use std::env;

use pulumi_gestalt_model::{PulumiValue, PulumiValueContent as Content};
use pulumi_gestalt_proto::pulumi::pulumirpc;
use pulumi_gestalt_rust_integration::registration::Values;
use pulumi_gestalt_rust_integration::wire;

/// A package, as its binding knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct PackageSchema {
    pub name: &'static str,
    pub version: &'static str,
    /// Where its plugin is, unless where Pulumi keeps its own.
    pub download_url: &'static str,
    /// For a package that another one makes out of a parameter.
    pub parameterization: Option<Parameterization>,
}

/// How a package is made out of another one.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameterization {
    /// The plugin that makes it, and that plugin's version.
    pub base: &'static str,
    pub base_version: &'static str,
    pub parameter: &'static [u8],
}

/// A resource of a package.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceSchema {
    /// Inputs that are secrets, whatever the program says.
    pub secret_inputs: &'static [&'static str],
    /// Outputs that are secrets, whatever the provider says.
    pub secret_outputs: &'static [&'static str],
    /// Inputs with a value of their own where the program gives none.
    pub defaults: &'static [DefaultValue],
    /// Former types.
    pub aliases: &'static [&'static str],
    /// Properties whose changes replace the resource.
    pub replace_on_changes: &'static [&'static str],
    /// Why it is not to be used.
    pub deprecation: Option<&'static str>,
}

/// What an input has when the program gives it no value.
#[derive(Debug, Clone, PartialEq)]
pub struct DefaultValue {
    pub input: &'static str,
    /// Variables of the environment, the first that is set.
    pub environment: &'static [&'static str],
    /// Where none of them is.
    pub value: Option<Constant>,
    /// How the text of a variable is read.
    pub kind: InputKind,
}

/// The type of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    Text,
    Number,
    Flag,
}

/// A value that a schema has.
#[derive(Debug, Clone, PartialEq)]
pub enum Constant {
    Text(&'static str),
    Whole(i64),
    Number(f64),
    Flag(bool),
}

impl PackageSchema {
    /// For the engine, when the package has a parameter.
    pub(crate) fn request(&self) -> Option<pulumirpc::RegisterPackageRequest> {
        let parameters = self.parameterization.as_ref()?;
        Some(pulumirpc::RegisterPackageRequest {
            name: parameters.base.to_owned(),
            version: parameters.base_version.to_owned(),
            download_url: self.download_url.to_owned(),
            parameterization: Some(pulumirpc::Parameterization {
                name: self.name.to_owned(),
                version: self.version.to_owned(),
                value: parameters.parameter.to_owned(),
            }),
            ..pulumirpc::RegisterPackageRequest::default()
        })
    }
}

impl ResourceSchema {
    /// Sets defaults, and marks what is secret.
    pub(crate) fn complete(&self, inputs: &mut Values) {
        for default in self.defaults {
            let is_set = inputs
                .iter()
                .any(|(name, value)| name == default.input && !wire::is_unset(value));
            if !is_set && let Some(value) = default.get() {
                inputs.retain(|(name, _)| name != default.input);
                inputs.push((default.input.to_owned(), value));
            }
        }
        for (name, value) in inputs {
            value.secret |= self.secret_inputs.contains(&name.as_str());
        }
    }
}

impl DefaultValue {
    fn get(&self) -> Option<PulumiValue> {
        let environment = self.environment.iter().find_map(|name| env::var(name).ok());
        let content = match (environment, &self.value) {
            (Some(text), _) => self.kind.parse(text)?,
            (None, Some(Constant::Text(text))) => Content::String((*text).to_owned()),
            (None, Some(Constant::Whole(number))) => Content::whole((*number).into()),
            (None, Some(Constant::Number(number))) => Content::Number(*number),
            (None, Some(Constant::Flag(flag))) => Content::Boolean(*flag),
            (None, None) => return None,
        };
        Some(content.into())
    }
}

impl InputKind {
    /// Reads a variable as the other SDKs do; a text of another type counts as unset.
    fn parse(self, text: String) -> Option<Content> {
        match self {
            Self::Text => Some(Content::String(text)),
            Self::Number => text.parse().ok().map(Content::Number),
            Self::Flag if ["1", "true"].contains(&text.to_lowercase().as_str()) => {
                Some(Content::Boolean(true))
            }
            Self::Flag if ["0", "false"].contains(&text.to_lowercase().as_str()) => {
                Some(Content::Boolean(false))
            }
            Self::Flag => None,
        }
    }
}
