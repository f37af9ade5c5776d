//! URNs: `urn:pulumi:STACK::PROJECT::PARENT-TYPES$TYPE::NAME`.

use crate::{PROVIDER_TYPES, STACK_TYPE};

const PREFIX: &str = "urn:pulumi:";

/// A URN, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts<'a> {
    pub stack: &'a str,
    pub project: &'a str,
    /// The types of its ancestors, outermost first, and its own, with `$` between them.
    pub qualified_type: &'a str,
    /// May have `::` in it.
    pub name: &'a str,
}

impl<'a> Parts<'a> {
    /// Its own type, without those of its ancestors.
    pub fn own_type(&self) -> &'a str {
        let types = self.qualified_type;
        types.rsplit('$').next().unwrap_or(types)
    }

    /// The type of its outermost ancestor below the stack; `None` when the stack is its parent.
    pub fn outermost_type(&self) -> Option<&'a str> {
        let (outermost, _) = self.qualified_type.split_once('$')?;
        Some(outermost)
    }
}

/// Takes a URN apart; `None` when `text` is none.
pub fn parse(text: &str) -> Option<Parts<'_>> {
    let mut parts = text.strip_prefix(PREFIX)?.splitn(4, "::");
    Some(Parts {
        stack: parts.next()?,
        project: parts.next()?,
        qualified_type: parts.next()?,
        name: parts.next()?,
    })
}

/// What all URNs of a stack of a project begin with, and no others.
pub fn prefix_of(stack: &str, project: &str) -> String {
    format!("{PREFIX}{stack}::{project}::")
}

/// The URN of a resource whose parent is the stack.
pub fn of(stack: &str, project: &str, r#type: &str, name: &str) -> String {
    format!("{PREFIX}{stack}::{project}::{}::{name}", r#type)
}

/// The URN that the engine gives to a child of `parent`; `None` when `parent` is no URN.
pub fn child(parent: &str, r#type: &str, name: &str) -> Option<String> {
    let parts = parse(parent)?;
    let qualified = match parts.qualified_type {
        STACK_TYPE => r#type,
        parent => &format!("{parent}${}", r#type),
    };
    Some(of(parts.stack, parts.project, qualified, name))
}

/// The package that a provider is of, by its reference: `URN::ID`.
pub fn package_of_provider(reference: &str) -> Option<&str> {
    parse(reference)?.own_type().strip_prefix(PROVIDER_TYPES)
}

/// The package that a type or a function is of, by its token: `PACKAGE:MODULE:NAME`. A provider is
/// of the package that it provides.
pub fn package_of_token(token: &str) -> &str {
    let token = token.strip_prefix(PROVIDER_TYPES).unwrap_or(token);
    token.split(':').next().unwrap_or(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_says_its_package() {
        let root = "urn:pulumi:dev::shop::pulumi:providers:aws::p::id";
        assert_eq!(package_of_provider(root), Some("aws"));
        let nested = "urn:pulumi:dev::shop::shop:index:Part$pulumi:providers:aws::p::id";
        assert_eq!(package_of_provider(nested), Some("aws"));
        assert_eq!(
            package_of_provider("urn:pulumi:dev::shop::aws:s3/bucket:Bucket::b"),
            None
        );
        assert_eq!(package_of_token("aws:s3/bucket:Bucket"), "aws");
        assert_eq!(package_of_token("pulumi:providers:aws"), "aws");
    }

    #[test]
    fn a_urn_comes_apart() -> Result<(), &'static str> {
        let bucket =
            "urn:pulumi:dev::shop::shop:index:Part$shop:index:Store$aws:s3/bucket:Bucket::a::b";
        let parts = parse(bucket).ok_or("no URN")?;
        assert_eq!(
            (parts.stack, parts.project, parts.name),
            ("dev", "shop", "a::b")
        );
        assert_eq!(parts.own_type(), "aws:s3/bucket:Bucket");
        assert_eq!(parts.outermost_type(), Some("shop:index:Part"));
        assert!(bucket.starts_with(&prefix_of("dev", "shop")));

        let topic = of("dev", "shop", "aws:sns/topic:Topic", "alarms");
        assert_eq!(topic, "urn:pulumi:dev::shop::aws:sns/topic:Topic::alarms");
        let parts = parse(&topic).ok_or("no URN")?;
        assert_eq!(
            (parts.own_type(), parts.outermost_type()),
            ("aws:sns/topic:Topic", None)
        );

        for malformed in [
            "",
            "urn:pulumi:dev",
            "urn:pulumi:a::b::c",
            "arn:aws:s3:::orders",
        ] {
            assert_eq!(parse(malformed), None, "{malformed}");
        }
        Ok(())
    }

    #[test]
    fn a_child_of_the_stack_has_its_type_alone_and_a_components_child_the_whole_line() {
        let stack = "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev";
        let component = child(stack, "shop:index:Part", "part");
        assert_eq!(
            component.as_deref(),
            Some("urn:pulumi:dev::shop::shop:index:Part::part")
        );
        assert_eq!(
            component.and_then(|urn| child(&urn, "aws:s3/bucket:Bucket", "b")),
            Some("urn:pulumi:dev::shop::shop:index:Part$aws:s3/bucket:Bucket::b".to_owned())
        );
        assert_eq!(child("no urn", "t", "n"), None);
    }
}
