//! A nested type of the binding, read from what a provider answers.

use pulumi_gestalt_providers_aws::types::s3::BucketLifecycleConfigurationRuleTransition as Transition;
use pulumi_gestalt_rust::__private::pulumi_gestalt_model::{PulumiValue, PulumiValueContent};
use pulumi_gestalt_rust::FromPulumiValue;

fn transition(fields: &[(&str, &str)]) -> Result<Transition, String> {
    let fields = fields.iter().map(|(name, text)| {
        let text = PulumiValueContent::String((*text).to_owned());
        ((*name).to_owned(), PulumiValue::from(text))
    });
    let value = PulumiValueContent::Object(fields.collect());
    Transition::from_pulumi_value(&value.into()).map_err(|error| error.to_string())
}

#[test]
fn an_absent_field_is_none_if_it_is_optional() {
    let read = transition(&[("storageClass", "GLACIER")]);
    let expected = Transition::builder()
        .storage_class("GLACIER")
        .build_struct();
    assert_eq!(read, Ok(expected));
    assert_eq!(
        transition(&[("date", "2026-01-01")]),
        Err("Missing field 'storageClass'".to_owned())
    );
}

#[test]
fn the_manifest_says_the_version_of_the_schema() {
    let package = &pulumi_gestalt_providers_aws::PACKAGE;
    assert_eq!(package.version, env!("CARGO_PKG_VERSION"));
    let said = format!("name = {:?}\nversion = {:?}", package.name, package.version);
    let metadata = format!("[package.metadata.pulumi]\n{said}");
    assert!(include_str!("../Cargo.toml").contains(&metadata));
}
