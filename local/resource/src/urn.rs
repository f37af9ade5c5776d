//! Uniform resource names, the engine's names for resources.

use std::fmt;

/// `urn:pulumi:STACK::PROJECT::PARENT-TYPES$TYPE::NAME`, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Urn {
    text: String,
    pub stack: String,
    pub project: String,
    /// The type's token, without the types of its parents.
    pub token: String,
    /// The logical name.
    pub name: String,
}

impl Urn {
    /// Takes a URN apart.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("urn:pulumi:")?.splitn(4, "::");
        let (stack, project) = (parts.next()?, parts.next()?);
        let (types, name) = (parts.next()?, parts.next()?);
        let token = types.rsplit('$').next()?;
        Some(Self {
            text: text.to_owned(),
            stack: stack.to_owned(),
            project: project.to_owned(),
            token: token.to_owned(),
            name: name.to_owned(),
        })
    }

    /// Whether it belongs to a component.
    pub(crate) fn has_parent(&self) -> bool {
        let before_name = self.text.strip_suffix(self.name.as_str());
        before_name.is_some_and(|types| types.contains('$'))
    }

    /// The whole URN.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Urn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_urn_comes_apart() {
        let urn = "urn:pulumi:local::mysfits::mysfits:index:Storage$aws:s3/bucket:Bucket::a::b";
        let parts = Urn::parse(urn).map(|urn| (urn.stack, urn.project, urn.token, urn.name));
        let expected = ("local", "mysfits", "aws:s3/bucket:Bucket", "a::b");
        assert_eq!(
            parts,
            Some((
                expected.0.into(),
                expected.1.into(),
                expected.2.into(),
                expected.3.into()
            ))
        );
        for malformed in [
            "",
            "urn:pulumi:local",
            "urn:pulumi:a::b::c",
            "arn:aws:s3:::b",
        ] {
            assert_eq!(Urn::parse(malformed), None, "{malformed}");
        }
    }
}
