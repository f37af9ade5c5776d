//! Origins: buckets, and who a distribution is towards them.

use crate::identity::ACCOUNT_ID;
use crate::services::iam::{Caller, ServicePrincipal};

/// A bucket behind a distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub bucket: String,
    /// The folder of the bucket that requests are for, such as `/site`; may be empty.
    pub path: String,
    /// The id of its origin access control.
    pub access_control: Option<String>,
}

/// Whether an origin access control signs requests:
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    /// `always`, and `no-override` for viewers that send no authorization of their own.
    Signed,
    /// `never`.
    Unsigned,
}

impl Signing {
    /// Who the bucket sees: CloudFront in the name of the distribution, or nobody.
    pub fn caller(self, distribution_arn: &str) -> Caller {
        match self {
            Self::Unsigned => Caller::Anonymous,
            Self::Signed => Caller::Service(ServicePrincipal {
                service: "cloudfront.amazonaws.com".to_owned(),
                source_arn: Some(distribution_arn.to_owned()),
                source_account: Some(ACCOUNT_ID.to_owned()),
            }),
        }
    }
}

/// The bucket of an S3 domain name, `BUCKET.s3.REGION.amazonaws.com` or `BUCKET.s3.amazonaws.com`:
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistS3AndCustomOrigins.html>.
pub fn bucket_of(domain_name: &str) -> Option<&str> {
    let host = domain_name.strip_suffix(".amazonaws.com")?;
    if let Some(bucket) = host.strip_suffix(".s3") {
        return Some(bucket);
    }
    let (bucket, region) = host.rsplit_once(".s3.")?;
    (!bucket.is_empty() && !region.contains('.')).then_some(bucket)
}

#[cfg(test)]
mod tests {
    use super::bucket_of;

    #[test]
    fn a_bucket_is_told_from_its_domain_name() {
        assert_eq!(bucket_of("b.s3.eu-west-1.amazonaws.com"), Some("b"));
        assert_eq!(bucket_of("a.b.s3.amazonaws.com"), Some("a.b"));
        assert_eq!(bucket_of("b.s3-website-us-east-1.amazonaws.com"), None);
        assert_eq!(bucket_of("example.com"), None);
    }
}
