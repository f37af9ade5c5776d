//! What URNs say: `urn:pulumi:STACK::PROJECT::PARENT-TYPE$TYPE::NAME`.

/// The URN that the engine gives to a child of `parent`; `None` when `parent` is no URN.
pub(crate) fn child(parent: &str, r#type: &str, name: &str) -> Option<String> {
    let mut parts = parent.strip_prefix("urn:pulumi:")?.splitn(4, "::");
    let (stack, project, parent_type) = (parts.next()?, parts.next()?, parts.next()?);
    let qualified = match parent_type {
        "pulumi:pulumi:Stack" => r#type.to_owned(),
        parent => format!("{parent}${}", r#type),
    };
    Some(format!(
        "urn:pulumi:{stack}::{project}::{qualified}::{name}"
    ))
}

/// The package that a provider is of, by its reference (its URN, and more).
pub(crate) fn package_of_provider(reference: &str) -> Option<&str> {
    let qualified = reference.split("::").nth(2)?;
    let own = qualified.rsplit('$').next()?;
    own.strip_prefix("pulumi:providers:")
}

#[cfg(test)]
mod tests {
    use super::{child, package_of_provider};

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
