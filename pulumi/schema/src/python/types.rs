//! The type annotations of the Python SDK, and the shapes that they mean.

use anyhow::{Context, Result, bail};

use crate::spec::{ARCHIVE, ASSET, Shape, type_reference};

/// `Sequence[pulumi.Input['FunctionArgs']]` as a tree.
#[derive(Debug, PartialEq, Eq)]
pub struct TypeExpression {
    name: String,
    arguments: Vec<TypeExpression>,
}

/// The package and module in which a quoted name is looked up.
pub struct Names<'a> {
    pub package: &'a str,
    pub module: &'a str,
}

impl TypeExpression {
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let Some((name, rest)) = text.split_once('[') else {
            return Ok(Self {
                name: text.to_owned(),
                arguments: Vec::new(),
            });
        };
        let inside = rest.strip_suffix(']').context("a bracket is not closed")?;
        let arguments = split(inside)
            .into_iter()
            .map(Self::parse)
            .collect::<Result<_>>()?;
        Ok(Self {
            name: name.to_owned(),
            arguments,
        })
    }

    pub fn is_optional(&self) -> bool {
        match self.name.as_str() {
            "Optional" => true,
            "pulumi.Input" | "pulumi.Output" => self.arguments.iter().any(Self::is_optional),
            _ => false,
        }
    }

    pub fn shape(&self, names: &Names<'_>) -> Result<Shape> {
        Ok(match self.name.as_str() {
            "pulumi.Input" | "pulumi.Output" | "Optional" => self.only()?.shape(names)?,
            "Sequence" => Shape::array(self.only()?.shape(names)?),
            "Mapping" => match &self.arguments[..] {
                [key, value] if key.name == "str" => Shape::map(value.shape(names)?),
                _ => bail!("a map that does not go from strings"),
            },
            "Union" if self.is_asset() => Shape::reference(ASSET),
            "Union" => Shape {
                kind: None,
                one_of: self
                    .arguments
                    .iter()
                    .map(|argument| argument.shape(names))
                    .collect::<Result<_>>()?,
                ..Shape::default()
            },
            "_builtins.str" => Shape::primitive("string"),
            "_builtins.bool" => Shape::primitive("boolean"),
            "_builtins.int" => Shape::primitive("integer"),
            "_builtins.float" => Shape::primitive("number"),
            "pulumi.Archive" => Shape::reference(ARCHIVE),
            quoted => Shape::reference(named(quoted, names)?),
        })
    }

    fn only(&self) -> Result<&Self> {
        match &self.arguments[..] {
            [only] => Ok(only),
            _ => bail!("{} takes one argument", self.name),
        }
    }

    /// Python's spelling of `pulumi.json#/Asset`.
    fn is_asset(&self) -> bool {
        let names: Vec<&str> = self.arguments.iter().map(|a| a.name.as_str()).collect();
        names == ["pulumi.Asset", "pulumi.Archive"]
    }
}

/// The arguments of a list, split at the commas outside of brackets.
pub fn split(list: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut depth = 0_usize;
    let mut start = 0;
    for (at, letter) in list.char_indices() {
        match letter {
            '[' | '(' => depth += 1,
            ']' | ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&list[start..]);
    parts
}

/// `'FunctionEnvironmentArgs'` and `'outputs.FunctionEnvironment'` are one type of this module,
/// `'_iam.PolicyArgs'` is one of another.
fn named(quoted: &str, names: &Names<'_>) -> Result<String> {
    let name = quoted
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''))
        .with_context(|| format!("cannot express the type {quoted}"))?;
    let name = name.strip_prefix("outputs.").unwrap_or(name);
    let (module, name) = match name.rsplit_once('.') {
        Some((module, name)) => (module.trim_matches('_'), name),
        None => (names.module, name),
    };
    let name = name.strip_suffix("Args").unwrap_or(name);
    let package = names.package;
    Ok(type_reference(&format!("{package}:{module}/{name}:{name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str) -> Result<String> {
        let names = Names {
            package: "aws",
            module: "lambda",
        };
        let shape = TypeExpression::parse(text)?.shape(&names)?;
        Ok(serde_json::to_string(&shape)?)
    }

    #[test]
    fn annotations_become_shapes() -> Result<()> {
        let cases = [
            (
                "pulumi.Input[Optional[Sequence[pulumi.Input['AArgs']]]]",
                r##"{"type":"array","items":{"$ref":"#/types/aws:lambda/A:A"}}"##,
            ),
            (
                "pulumi.Output[Mapping[str, _builtins.float]]",
                r#"{"type":"object","additionalProperties":{"type":"number"}}"#,
            ),
            (
                "pulumi.Input[Optional[Union[pulumi.Asset, pulumi.Archive]]]",
                r#"{"$ref":"pulumi.json#/Asset"}"#,
            ),
            (
                "Optional[Union[_builtins.str, '_iam.B']]",
                r##"{"oneOf":[{"type":"string"},{"$ref":"#/types/aws:iam/B:B"}]}"##,
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(shape(text)?, expected, "{text}");
        }
        Ok(())
    }

    #[test]
    fn only_the_outermost_optional_makes_a_property_optional() -> Result<()> {
        assert!(TypeExpression::parse("pulumi.Input[Optional[_builtins.str]]")?.is_optional());
        let inner = "pulumi.Input[Sequence[Optional[_builtins.str]]]";
        assert!(!TypeExpression::parse(inner)?.is_optional());
        Ok(())
    }

    #[test]
    fn what_is_not_known_is_refused() {
        assert!(shape("Sequence[_builtins.bytes]").is_err());
        assert!(shape("Sequence[_builtins.str").is_err());
    }
}
