//! S3's refusals, worded as S3 words them:
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList>.

use cloud_core::error::AwsError;

pub(crate) fn no_such_bucket() -> AwsError {
    AwsError::new(404, "NoSuchBucket", "The specified bucket does not exist")
}

pub(crate) fn no_such_key() -> AwsError {
    AwsError::new(404, "NoSuchKey", "The specified key does not exist.")
}

pub(crate) fn no_such_version() -> AwsError {
    AwsError::new(
        404,
        "NoSuchVersion",
        "The specified version does not exist.",
    )
}

pub(crate) fn no_such_upload() -> AwsError {
    AwsError::new(
        404,
        "NoSuchUpload",
        "The specified upload does not exist. The upload ID may be invalid, or the upload may \
         have been aborted or completed.",
    )
}

pub(crate) fn invalid_argument(message: impl Into<String>) -> AwsError {
    AwsError::new(400, "InvalidArgument", message)
}

pub(crate) fn invalid_request(message: impl Into<String>) -> AwsError {
    AwsError::new(400, "InvalidRequest", message)
}

pub(crate) fn malformed_xml() -> AwsError {
    AwsError::new(
        400,
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published \
         schema",
    )
}

/// Of a list's token that was never given out (<https://github.com/versity/versitygw/issues/993>),
/// an empty one too (ceph's s3-tests, `test_bucket_listv2_continuationtoken_empty`).
pub(crate) fn unknown_token() -> AwsError {
    invalid_argument("The continuation token provided is incorrect")
}

pub(crate) fn invalid_part_number() -> AwsError {
    invalid_argument("Part number must be an integer between 1 and 10000, inclusive")
}

pub(crate) fn invalid_uri() -> AwsError {
    AwsError::new(400, "InvalidURI", "Couldn't parse the specified URI.")
}

pub(crate) fn invalid_version_id() -> AwsError {
    invalid_argument("Invalid version id specified")
}

pub(crate) fn access_denied() -> AwsError {
    AwsError::new(403, "AccessDenied", "Access Denied")
}

pub(crate) fn bucket_already_owned() -> AwsError {
    AwsError::new(
        409,
        "BucketAlreadyOwnedByYou",
        "Your previous request to create the named bucket succeeded and you already own it.",
    )
}

pub(crate) fn bucket_not_empty(versioned: bool) -> AwsError {
    let message = if versioned {
        "The bucket you tried to delete is not empty. You must delete all versions in the bucket."
    } else {
        "The bucket you tried to delete is not empty"
    };
    AwsError::new(409, "BucketNotEmpty", message)
}

pub(crate) fn precondition_failed() -> AwsError {
    AwsError::new(
        412,
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
    )
}

pub(crate) fn key_too_long() -> AwsError {
    AwsError::new(400, "KeyTooLongError", "Your key is too long")
}

pub(crate) fn entity_too_large() -> AwsError {
    AwsError::new(
        400,
        "EntityTooLarge",
        "Your proposed upload exceeds the maximum allowed size",
    )
}

/// What this cloud's S3 does not do, said by name.
pub(crate) fn not_implemented(what: &str) -> AwsError {
    AwsError::new(
        501,
        "NotImplemented",
        format!("The embedded cloud's S3 has no {what}"),
    )
}

pub(crate) fn slow_down() -> AwsError {
    AwsError::new(503, "SlowDown", "Please reduce your request rate.")
}

pub(crate) fn internal_error() -> AwsError {
    AwsError::new(
        500,
        "InternalError",
        "We encountered an internal error. Please try again.",
    )
}
