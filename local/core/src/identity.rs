//! Who this cloud is: the account it answers for, and the ARNs of what lives in it.

/// The account of the embedded cloud. `Pulumi.local.yaml` allows this one alone, so that a
/// program meant for the laptop can never deploy to a real account.
pub const ACCOUNT_ID: &str = "000000000000";

/// The partition of the ARNs.
pub const PARTITION: &str = "aws";

/// The region of requests and stacks that name none.
pub const DEFAULT_REGION: &str = "us-east-1";

/// `arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE`. Global services leave `region` empty.
pub fn arn(service: &str, region: &str, resource: &str) -> String {
    format!("arn:{PARTITION}:{service}:{region}:{ACCOUNT_ID}:{resource}")
}

/// A bucket's ARN, which has neither region nor account.
pub fn bucket_arn(bucket: &str) -> String {
    format!("arn:{PARTITION}:s3:::{bucket}")
}

/// The last segment of an ARN's resource part: `function:NAME` and `deliverystream/NAME` give
/// `NAME`. Something that is no ARN comes back as it is.
pub fn arn_name(arn: &str) -> &str {
    arn.rsplit([':', '/']).next().unwrap_or(arn)
}

/// The dummy keys of the person at the terminal, who acts as the account. They are no secret, since
/// the cloud answers on loopback alone. But a request that is not signed with them is anonymous.
pub const ACCESS_KEY_ID: &str = "test";
pub const SECRET_ACCESS_KEY: &str = "test";
