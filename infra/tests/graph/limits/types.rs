//! The types of the stack, with their enumerations and limits.

/// What a property may be, where it is given.
pub enum Rule {
    /// One of these texts.
    One(&'static [&'static str]),
    /// A text of so many bytes, or a list of so many entries.
    Length(usize, usize),
    Number(f64, f64),
    /// A text of letters, digits and these.
    Letters(&'static str),
    Begins(&'static str),
    Contains(&'static str),
    Absent,
}

use Rule::{Absent, Begins, Contains, Length, Letters, Number, One};

pub type Properties = &'static [(&'static str, Rule)];

/// A type, where its rules were read, and the rules. `*` in a path is every entry of a list.
pub const TYPES: [(&str, &str, Properties); 45] = [
    (
        "s3/bucket",
        "S3: bucketnamingrules",
        &[("bucket", Length(3, 63))],
    ),
    (
        "s3/bucketVersioning",
        "aws_s3_bucket_versioning",
        &[(
            "versioningConfiguration/status",
            One(&["Enabled", "Suspended", "Disabled"]),
        )],
    ),
    (
        "s3/bucketServerSideEncryptionConfiguration",
        "S3: API_ServerSideEncryptionRule, default-s3-c-encryption-setting-faq",
        &[
            (
                "rules/*/applyServerSideEncryptionByDefault/sseAlgorithm",
                One(&["AES256", "aws:kms", "aws:kms:dsse"]),
            ),
            ("rules/*/blockedEncryptionTypes/*", One(&["SSE-C", "NONE"])),
        ],
    ),
    (
        "s3/bucketPublicAccessBlock",
        "aws_s3_bucket_public_access_block",
        &[],
    ),
    (
        "s3/bucketOwnershipControls",
        "S3: API_OwnershipControlsRule",
        &[(
            "rule/objectOwnership",
            One(&[
                "BucketOwnerPreferred",
                "ObjectWriter",
                "BucketOwnerEnforced",
            ]),
        )],
    ),
    (
        "s3/bucketPolicy",
        "S3: bucket-policies, 20 KB",
        &[("policy", Length(1, 20_480))],
    ),
    // A filter with an empty prefix is everything: its difference forever was fixed in 5.87
    // (terraform-provider-aws 41296).
    (
        "s3/bucketLifecycleConfiguration",
        "S3: API_LifecycleRule",
        &[
            ("rules", Length(1, 1_000)),
            ("rules/*/id", Length(1, 255)),
            ("rules/*/status", One(&["Enabled", "Disabled"])),
        ],
    ),
    (
        "s3/bucketObjectv2",
        "S3: object-keys",
        &[("key", Length(1, 1_024))],
    ),
    (
        "iam/role",
        "IAM: API_CreateRole, reference_iam-quotas",
        &[
            ("description", Length(0, 1_000)),
            ("assumeRolePolicy", Length(1, 2_048)),
        ],
    ),
    (
        "iam/policy",
        "IAM: API_CreatePolicy, reference_iam-quotas",
        &[
            ("description", Length(0, 1_000)),
            ("policy", Length(1, 6_144)),
            ("name", Absent),
        ],
    ),
    (
        "glue/catalogDatabase",
        "Glue: API_DatabaseInput; Athena: tables-databases-columns-names",
        &[
            ("name", Length(1, 255)),
            ("name", Letters("_")),
            ("description", Length(0, 2_048)),
        ],
    ),
    (
        "glue/catalogTable",
        "Glue: API_TableInput; Athena: tables-databases-columns-names",
        &[
            ("name", Length(1, 255)),
            ("name", Letters("_")),
            ("description", Length(0, 2_048)),
            ("tableType", One(&["EXTERNAL_TABLE"])),
            ("storageDescriptor/columns/*/name", Letters("_")),
            (
                "storageDescriptor/columns/*/type",
                One(&["string", "bigint"]),
            ),
            ("partitionKeys/*/type", One(&["string"])),
        ],
    ),
    (
        "athena/workgroup",
        "Athena: API_CreateWorkGroup, API_WorkGroupConfiguration; aws_athena_workgroup",
        &[
            ("description", Length(0, 1_024)),
            (
                "configuration/bytesScannedCutoffPerQuery",
                Number(10_485_760.0, 1e15),
            ),
            // Athena refuses a place of one's own beside its own.
            ("configuration/resultConfiguration", Absent),
            ("name", Absent),
        ],
    ),
    (
        "athena/namedQuery",
        "Athena: API_CreateNamedQuery",
        &[
            ("name", Length(1, 128)),
            ("description", Length(1, 1_024)),
            ("query", Length(1, 262_144)),
            ("database", Length(1, 255)),
        ],
    ),
    (
        "iam/rolePolicy",
        "IAM: reference_iam-quotas",
        &[("policy", Length(1, 10_240))],
    ),
    (
        "cloudwatch/logGroup",
        "CloudWatch Logs: API_PutRetentionPolicy; 0 is the provider's forever",
        &[("retentionInDays", Number(0.0, 3_653.0)), ("name", Absent)],
    ),
    (
        "cloudwatch/logStream",
        "aws_cloudwatch_log_stream",
        &[("name", Absent)],
    ),
    (
        "cloudwatch/logMetricFilter",
        "CloudWatch Logs: API_PutMetricFilter, API_MetricTransformation",
        &[
            ("pattern", Length(0, 1_024)),
            ("metricTransformation/name", Length(1, 255)),
            ("metricTransformation/namespace", Length(1, 255)),
            // With a default value there must be none.
            ("metricTransformation/dimensions", Absent),
        ],
    ),
    (
        "cloudwatch/metricAlarm",
        "CloudWatch: API_PutMetricAlarm",
        &[
            ("alarmDescription", Length(0, 1_024)),
            ("alarmActions", Length(0, 5)),
            ("okActions", Length(0, 5)),
            (
                "statistic",
                One(&["SampleCount", "Average", "Sum", "Minimum", "Maximum"]),
            ),
            (
                "comparisonOperator",
                One(&[
                    "GreaterThanOrEqualToThreshold",
                    "GreaterThanThreshold",
                    "LessThanThreshold",
                    "LessThanOrEqualToThreshold",
                ]),
            ),
            (
                "treatMissingData",
                One(&["breaching", "notBreaching", "ignore", "missing"]),
            ),
            // Periods below an hour may be evaluated over a day at most.
            ("period", Number(60.0, 3_599.0)),
            ("evaluationPeriods", Number(1.0, 24.0)),
            ("metricQueries", Length(1, 20)),
            ("metricQueries/*/id", Letters("_")),
            ("metricQueries/*/metric/period", Number(60.0, 3_599.0)),
            ("namespace", Length(1, 255)),
        ],
    ),
    (
        "cloudwatch/dashboard",
        "CloudWatch: API_PutDashboard",
        &[
            ("dashboardName", Length(1, 255)),
            ("dashboardName", Letters("-_")),
        ],
    ),
    (
        "cloudwatch/logDelivery",
        "CloudFront: standard-logging; CloudWatch Logs: API_CreateDelivery",
        &[
            ("region", One(&["us-east-1"])),
            ("recordFields", Length(1, 128)),
            // Not for log groups, and refused when it is sent to one (terraform-provider-aws
            // 46108).
            ("s3DeliveryConfigurations", Absent),
        ],
    ),
    (
        "cloudwatch/logDeliveryDestination",
        "CloudWatch Logs: API_PutDeliveryDestination",
        &[
            ("region", One(&["us-east-1"])),
            (
                "outputFormat",
                One(&["json", "plain", "w3c", "raw", "parquet"]),
            ),
        ],
    ),
    (
        "cloudwatch/logDeliverySource",
        "CloudFront: standard-logging",
        &[
            ("region", One(&["us-east-1"])),
            ("logType", One(&["ACCESS_LOGS"])),
        ],
    ),
    (
        "lambda/function",
        "Lambda: API_CreateFunction",
        &[
            ("description", Length(0, 256)),
            ("memorySize", Number(128.0, 10_240.0)),
            ("timeout", Number(1.0, 900.0)),
            ("runtime", One(&["provided.al2023"])),
            ("architectures/*", One(&["x86_64", "arm64"])),
            ("loggingConfig/logFormat", One(&["JSON"])),
            // Without them the provider has shown a difference (terraform-provider-aws 42181).
            ("loggingConfig/applicationLogLevel", One(&["INFO"])),
            ("loggingConfig/systemLogLevel", One(&["INFO"])),
            ("environment/variables/MYSFITS_API_URL", Length(1, 4_096)),
            ("name", Absent),
        ],
    ),
    (
        "lambda/permission",
        "Lambda: API_AddPermission",
        &[
            ("action", Begins("lambda:")),
            ("sourceAccount", Length(12, 12)),
        ],
    ),
    (
        "kinesis/firehoseDeliveryStream",
        "Firehose: API_ExtendedS3DestinationConfiguration, API_BufferingHints, API_Processor",
        &[
            ("name", Length(1, 64)),
            ("destination", One(&["extended_s3"])),
            (
                "extendedS3Configuration/bufferingInterval",
                Number(0.0, 900.0),
            ),
            ("extendedS3Configuration/bufferingSize", Number(1.0, 128.0)),
            (
                "extendedS3Configuration/compressionFormat",
                One(&["UNCOMPRESSED", "GZIP", "ZIP", "Snappy", "HADOOP_SNAPPY"]),
            ),
            ("extendedS3Configuration/prefix", Length(0, 1_024)),
            (
                "extendedS3Configuration/errorOutputPrefix",
                Length(0, 1_024),
            ),
            ("serverSideEncryption/keyType", One(&["AWS_OWNED_CMK"])),
            // The provider wants it together with a key of one's own alone.
            ("serverSideEncryption/keyArn", Absent),
        ],
    ),
    (
        "apigateway/account",
        "aws_api_gateway_account",
        &[("cloudwatchRoleArn", Begins("arn:aws:iam::"))],
    ),
    (
        "apigateway/restApi",
        "API Gateway: API_CreateRestApi",
        &[
            ("name", Length(1, 1_024)),
            ("endpointConfiguration/types", One(&["REGIONAL"])),
        ],
    ),
    (
        "apigateway/resource",
        "API Gateway: API_CreateResource",
        &[("pathPart", Letters("._-:"))],
    ),
    (
        "apigateway/model",
        "API Gateway: API_CreateModel",
        &[("name", Letters("")), ("schema", Length(1, 400 * 1_024))],
    ),
    (
        "apigateway/requestValidator",
        "API Gateway: API_CreateRequestValidator",
        &[],
    ),
    (
        "apigateway/method",
        "API Gateway: API_PutMethod",
        &[
            ("httpMethod", One(&["PUT", "OPTIONS"])),
            ("authorization", One(&["NONE"])),
        ],
    ),
    (
        "apigateway/methodResponse",
        "API Gateway: API_PutMethodResponse",
        &[("statusCode", Length(3, 3))],
    ),
    (
        "apigateway/integration",
        "API Gateway: API_PutIntegration",
        &[
            ("type", One(&["AWS", "MOCK"])),
            ("passthroughBehavior", One(&["NEVER"])),
            ("integrationHttpMethod", One(&["POST"])),
        ],
    ),
    (
        "apigateway/integrationResponse",
        "API Gateway: API_PutIntegrationResponse",
        &[("statusCode", Length(3, 3))],
    ),
    (
        "apigateway/response",
        "API Gateway: supported-gateway-response-types",
        &[("responseType", One(&["DEFAULT_4XX", "DEFAULT_5XX"]))],
    ),
    // Gone from the provider since its sixth version: the stage is a resource of its own.
    (
        "apigateway/deployment",
        "terraform-provider-aws: version-6-upgrade",
        &[("stageName", Absent), ("canarySettings", Absent)],
    ),
    (
        "apigateway/stage",
        "API Gateway: API_CreateStage, set-up-logging",
        &[
            ("stageName", Letters("-_")),
            ("stageName", Length(1, 128)),
            // A format without it is refused.
            ("accessLogSettings/format", Contains("$context.requestId")),
        ],
    ),
    (
        "apigateway/methodSettings",
        "aws_api_gateway_method_settings: the path without its first slash",
        &[
            ("methodPath", One(&["*/*", "clicks/PUT"])),
            ("settings/throttlingRateLimit", Number(1.0, 10_000.0)),
            ("settings/throttlingBurstLimit", Number(1.0, 5_000.0)),
            ("settings/cacheTtlInSeconds", Absent),
        ],
    ),
    (
        "cloudfront/originAccessControl",
        "CloudFront: API_OriginAccessControlConfig",
        &[
            ("description", Length(0, 256)),
            ("originAccessControlOriginType", One(&["s3"])),
            ("signingBehavior", One(&["always"])),
            ("signingProtocol", One(&["sigv4"])),
        ],
    ),
    // Compression needs caching: with a largest age of 0 it is refused.
    (
        "cloudfront/cachePolicy",
        "CloudFront: API_CachePolicyConfig; pulumi/docs 18475",
        &[
            ("comment", Length(0, 128)),
            ("maxTtl", Number(1.0, 31_536_000.0)),
        ],
    ),
    (
        "cloudfront/responseHeadersPolicy",
        "CloudFront: API_ResponseHeadersPolicyConfig",
        &[
            ("comment", Length(0, 128)),
            (
                "securityHeadersConfig/frameOptions/frameOption",
                One(&["DENY", "SAMEORIGIN"]),
            ),
            (
                "securityHeadersConfig/referrerPolicy/referrerPolicy",
                One(&["no-referrer"]),
            ),
        ],
    ),
    (
        "cloudfront/distribution",
        "CloudFront: API_DistributionConfig, API_CustomErrorResponse",
        &[
            ("comment", Length(0, 128)),
            (
                "httpVersion",
                One(&["http1.1", "http2", "http3", "http2and3"]),
            ),
            (
                "priceClass",
                One(&["PriceClass_100", "PriceClass_200", "PriceClass_All"]),
            ),
            (
                "defaultCacheBehavior/viewerProtocolPolicy",
                One(&["allow-all", "https-only", "redirect-to-https"]),
            ),
            ("customErrorResponses/*/responsePagePath", Begins("/")),
            (
                "restrictions/geoRestriction/restrictionType",
                One(&["none"]),
            ),
        ],
    ),
    (
        "sns/topic",
        "SNS: API_CreateTopic",
        &[("displayName", Length(0, 100))],
    ),
    (
        "codecommit/repository",
        "CodeCommit: API_CreateRepository",
        &[
            ("repositoryName", Length(1, 100)),
            ("repositoryName", Letters("._-")),
            ("description", Length(0, 1_000)),
        ],
    ),
];

/// The same for the two types that only name others.
pub const PLAIN: [&str; 2] = ["sns/topicPolicy", "sns/topicSubscription"];
