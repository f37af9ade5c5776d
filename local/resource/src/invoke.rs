//! The functions of the package: questions about the account and its surroundings.

use crate::resource::Refusal;
use crate::settings::{ProviderSettings, wrong_region};
use crate::value::{Property, PropertyMap};
use cloud_core::identity::{ACCOUNT_ID, PARTITION};

/// The DNS names of AWS's services end in this, in the partition of this cloud.
const DNS_SUFFIX: &str = "amazonaws.com";

/// The user that the dummy keys belong to.
const USER_ID: &str = "AIDAEMBEDDEDCLOUDXXXX";

/// The answer of a function, or nothing when the embedded cloud does not have it.
pub(crate) fn invoke(
    function: &str,
    settings: &ProviderSettings,
    arguments: &PropertyMap,
) -> Option<Result<PropertyMap, Vec<Refusal>>> {
    let answer = match function {
        "aws:index/getCallerIdentity:getCallerIdentity" => Ok(properties([
            ("accountId", ACCOUNT_ID),
            ("arn", &format!("arn:{PARTITION}:iam::{ACCOUNT_ID}:root")),
            ("id", ACCOUNT_ID),
            ("userId", USER_ID),
        ])),
        "aws:index/getPartition:getPartition" => Ok(properties([
            ("dnsSuffix", DNS_SUFFIX),
            ("id", PARTITION),
            ("partition", PARTITION),
            ("reverseDnsPrefix", "com.amazonaws"),
        ])),
        "aws:index/getRegion:getRegion" => region(settings, arguments),
        _ => return None,
    };
    Some(answer)
}

fn region(
    settings: &ProviderSettings,
    arguments: &PropertyMap,
) -> Result<PropertyMap, Vec<Refusal>> {
    let argument = |name: &str| arguments.get(name).and_then(Property::as_str);
    let region = argument("region").or(argument("name"));
    let region = region.unwrap_or(&settings.region);
    if let Some(reason) = wrong_region(region) {
        return Err(vec![Refusal::new("region", reason)]);
    }
    Ok(properties([
        ("endpoint", &format!("ec2.{region}.{DNS_SUFFIX}")),
        ("id", region),
        ("name", region),
        ("region", region),
    ]))
}

fn properties<const N: usize>(values: [(&str, &str); N]) -> PropertyMap {
    values
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Property::String(value.to_owned())))
        .collect()
}
