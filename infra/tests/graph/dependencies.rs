//! The order that the engine is told, against a list written by hand.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::{cloud, mock, run};

/// Each resource and what it depends on, by kind and name; the files of the site apart, of which
/// each depends on the bucket and its settings alone.
const EXPECTED: &str = "
s3/bucket mysfits-clicks:
s3/bucketPublicAccessBlock mysfits-clicks-access: s3/bucket mysfits-clicks
s3/bucketOwnershipControls mysfits-clicks-ownership: s3/bucket mysfits-clicks
s3/bucketServerSideEncryptionConfiguration mysfits-clicks-encryption: s3/bucket mysfits-clicks
s3/bucketPolicy mysfits-clicks-policy: s3/bucket mysfits-clicks
s3/bucketVersioning mysfits-clicks-versioning: s3/bucket mysfits-clicks
s3/bucketLifecycleConfiguration mysfits-clicks-lifecycle: s3/bucketVersioning mysfits-clicks-versioning

cloudwatch/logGroup mysfits-processor:
iam/role mysfits-processor:
iam/rolePolicy mysfits-processor: iam/role mysfits-processor, cloudwatch/logGroup mysfits-processor
lambda/function mysfits-processor: iam/role mysfits-processor, iam/rolePolicy mysfits-processor, cloudwatch/logGroup mysfits-processor, cloudfront/distribution mysfits-site

cloudwatch/logGroup mysfits-delivery:
cloudwatch/logStream mysfits-delivery: cloudwatch/logGroup mysfits-delivery
iam/role mysfits-delivery:
iam/rolePolicy mysfits-delivery: iam/role mysfits-delivery, s3/bucket mysfits-clicks, lambda/function mysfits-processor, cloudwatch/logStream mysfits-delivery
kinesis/firehoseDeliveryStream mysfits-clicks: iam/role mysfits-delivery, iam/rolePolicy mysfits-delivery, s3/bucket mysfits-clicks, lambda/function mysfits-processor, cloudwatch/logGroup mysfits-delivery, cloudwatch/logStream mysfits-delivery
lambda/permission mysfits-delivery: lambda/function mysfits-processor, kinesis/firehoseDeliveryStream mysfits-clicks

apigateway/restApi mysfits-api:
apigateway/resource mysfits-api-clicks: apigateway/restApi mysfits-api
apigateway/model mysfits-api-click: apigateway/restApi mysfits-api
apigateway/requestValidator mysfits-api-body: apigateway/restApi mysfits-api
iam/role mysfits-api:
iam/rolePolicy mysfits-api: iam/role mysfits-api, kinesis/firehoseDeliveryStream mysfits-clicks

apigateway/method mysfits-api-put: apigateway/restApi mysfits-api, apigateway/resource mysfits-api-clicks, apigateway/model mysfits-api-click, apigateway/requestValidator mysfits-api-body
apigateway/integration mysfits-api-put: apigateway/restApi mysfits-api, apigateway/resource mysfits-api-clicks, apigateway/method mysfits-api-put, iam/role mysfits-api, kinesis/firehoseDeliveryStream mysfits-clicks
apigateway/methodResponse mysfits-api-put-200: apigateway/restApi mysfits-api, apigateway/resource mysfits-api-clicks, apigateway/method mysfits-api-put, cloudfront/distribution mysfits-site
apigateway/methodResponse mysfits-api-put-502: apigateway/restApi mysfits-api, apigateway/resource mysfits-api-clicks, apigateway/method mysfits-api-put, cloudfront/distribution mysfits-site
apigateway/methodResponse mysfits-api-put-503: apigateway/restApi mysfits-api, apigateway/resource mysfits-api-clicks, apigateway/method mysfits-api-put, cloudfront/distribution mysfits-site
apigateway/integrationResponse mysfits-api-put-200: apigateway/restApi mysfits-api, apigateway/resource mysfits-api-clicks, apigateway/integration mysfits-api-put, apigateway/methodResponse mysfits-api-put-200, cloudfront/distribution mysfits-site
apigateway/integrationResponse mysfits-api-put-502: apigateway/restApi mysfits-api, apigateway/resource mysfits-api-clicks, apigateway/integration mysfits-api-put, apigateway/methodResponse mysfits-api-put-502, cloudfront/distribution mysfits-site
apigateway/integrationResponse mysfits-api-put-503: apigateway/restApi mysfits-api, apigateway/resource mysfits-api-clicks, apigateway/integration mysfits-api-put, apigateway/methodResponse mysfits-api-put-503, cloudfront/distribution mysfits-site

apigateway/method mysfits-api-options: apigateway/restApi mysfits-api, apigateway/resource mysfits-api-clicks
apigateway/integration mysfits-api-options: apigateway/restApi mysfits-api, apigateway/resource mysfits-api-clicks, apigateway/method mysfits-api-options
apigateway/methodResponse mysfits-api-options-204: apigateway/restApi mysfits-api, apigateway/resource mysfits-api-clicks, apigateway/method mysfits-api-options, cloudfront/distribution mysfits-site
apigateway/integrationResponse mysfits-api-options-204: apigateway/restApi mysfits-api, apigateway/resource mysfits-api-clicks, apigateway/integration mysfits-api-options, apigateway/methodResponse mysfits-api-options-204, cloudfront/distribution mysfits-site
apigateway/response mysfits-api-default-4xx: apigateway/restApi mysfits-api, cloudfront/distribution mysfits-site
apigateway/response mysfits-api-default-5xx: apigateway/restApi mysfits-api, cloudfront/distribution mysfits-site

apigateway/deployment mysfits-api: apigateway/restApi mysfits-api, apigateway/resource mysfits-api-clicks, apigateway/model mysfits-api-click, apigateway/requestValidator mysfits-api-body, apigateway/method mysfits-api-put, apigateway/method mysfits-api-options, apigateway/integration mysfits-api-put, apigateway/integration mysfits-api-options, apigateway/methodResponse mysfits-api-put-200, apigateway/methodResponse mysfits-api-put-502, apigateway/methodResponse mysfits-api-put-503, apigateway/methodResponse mysfits-api-options-204, apigateway/integrationResponse mysfits-api-put-200, apigateway/integrationResponse mysfits-api-put-502, apigateway/integrationResponse mysfits-api-put-503, apigateway/integrationResponse mysfits-api-options-204, apigateway/response mysfits-api-default-4xx, apigateway/response mysfits-api-default-5xx, iam/role mysfits-api, kinesis/firehoseDeliveryStream mysfits-clicks, cloudfront/distribution mysfits-site
cloudwatch/logGroup mysfits-api:
iam/role mysfits-api-logs:
iam/rolePolicy mysfits-api-logs: iam/role mysfits-api-logs
apigateway/account logs-of-every-api-in-this-account-and-region: iam/role mysfits-api-logs, iam/rolePolicy mysfits-api-logs
apigateway/stage mysfits-api: apigateway/restApi mysfits-api, apigateway/deployment mysfits-api, apigateway/account logs-of-every-api-in-this-account-and-region, cloudwatch/logGroup mysfits-api
apigateway/methodSettings mysfits-api: apigateway/restApi mysfits-api, apigateway/stage mysfits-api
apigateway/methodSettings mysfits-api-put: apigateway/restApi mysfits-api, apigateway/stage mysfits-api

s3/bucket mysfits-site:
s3/bucketPublicAccessBlock mysfits-site-access: s3/bucket mysfits-site
s3/bucketOwnershipControls mysfits-site-ownership: s3/bucket mysfits-site
s3/bucketServerSideEncryptionConfiguration mysfits-site-encryption: s3/bucket mysfits-site
cloudfront/originAccessControl mysfits-site:
cloudfront/cachePolicy mysfits-site:
cloudfront/responseHeadersPolicy mysfits-site:
cloudfront/distribution mysfits-site: s3/bucket mysfits-site, cloudfront/originAccessControl mysfits-site, cloudfront/cachePolicy mysfits-site, cloudfront/responseHeadersPolicy mysfits-site
s3/bucketPolicy mysfits-site-policy: s3/bucket mysfits-site, cloudfront/distribution mysfits-site
s3/bucketObjectv2 mysfits-site/index.html: s3/bucket mysfits-site, s3/bucketPublicAccessBlock mysfits-site-access, s3/bucketOwnershipControls mysfits-site-ownership, s3/bucketServerSideEncryptionConfiguration mysfits-site-encryption, cloudfront/distribution mysfits-site, apigateway/stage mysfits-api, apigateway/resource mysfits-api-clicks
s3/bucketObjectv2 mysfits-site/config.json: s3/bucket mysfits-site, s3/bucketPublicAccessBlock mysfits-site-access, s3/bucketOwnershipControls mysfits-site-ownership, s3/bucketServerSideEncryptionConfiguration mysfits-site-encryption, cloudfront/distribution mysfits-site, apigateway/stage mysfits-api, apigateway/resource mysfits-api-clicks
s3/bucketObjectv2 mysfits-site/account.js: s3/bucket mysfits-site, s3/bucketPublicAccessBlock mysfits-site-access, s3/bucketOwnershipControls mysfits-site-ownership, s3/bucketServerSideEncryptionConfiguration mysfits-site-encryption, apigateway/stage mysfits-api
s3/bucketObjectv2 mysfits-site/adoption.js: s3/bucket mysfits-site, s3/bucketPublicAccessBlock mysfits-site-access, s3/bucketOwnershipControls mysfits-site-ownership, s3/bucketServerSideEncryptionConfiguration mysfits-site-encryption, apigateway/stage mysfits-api
s3/bucketObjectv2 mysfits-site/app.js: s3/bucket mysfits-site, s3/bucketPublicAccessBlock mysfits-site-access, s3/bucketOwnershipControls mysfits-site-ownership, s3/bucketServerSideEncryptionConfiguration mysfits-site-encryption, apigateway/stage mysfits-api
s3/bucketObjectv2 mysfits-site/clicks.js: s3/bucket mysfits-site, s3/bucketPublicAccessBlock mysfits-site-access, s3/bucketOwnershipControls mysfits-site-ownership, s3/bucketServerSideEncryptionConfiguration mysfits-site-encryption, apigateway/stage mysfits-api
s3/bucketObjectv2 mysfits-site/data.js: s3/bucket mysfits-site, s3/bucketPublicAccessBlock mysfits-site-access, s3/bucketOwnershipControls mysfits-site-ownership, s3/bucketServerSideEncryptionConfiguration mysfits-site-encryption, apigateway/stage mysfits-api
s3/bucketObjectv2 mysfits-site/profile.js: s3/bucket mysfits-site, s3/bucketPublicAccessBlock mysfits-site-access, s3/bucketOwnershipControls mysfits-site-ownership, s3/bucketServerSideEncryptionConfiguration mysfits-site-encryption, apigateway/stage mysfits-api
s3/bucketObjectv2 mysfits-site/visit.js: s3/bucket mysfits-site, s3/bucketPublicAccessBlock mysfits-site-access, s3/bucketOwnershipControls mysfits-site-ownership, s3/bucketServerSideEncryptionConfiguration mysfits-site-encryption, apigateway/stage mysfits-api

glue/catalogDatabase mysfits:
glue/catalogTable mysfits-clicks: glue/catalogDatabase mysfits, s3/bucket mysfits-clicks
glue/catalogTable mysfits-failed-clicks: glue/catalogDatabase mysfits, s3/bucket mysfits-clicks
athena/workgroup mysfits:
athena/namedQuery mysfits-by-alignment: athena/workgroup mysfits, glue/catalogDatabase mysfits
athena/namedQuery mysfits-by-hour: athena/workgroup mysfits, glue/catalogDatabase mysfits
athena/namedQuery mysfits-by-hour-of-day: athena/workgroup mysfits, glue/catalogDatabase mysfits
athena/namedQuery mysfits-by-species: athena/workgroup mysfits, glue/catalogDatabase mysfits
athena/namedQuery mysfits-by-weekday: athena/workgroup mysfits, glue/catalogDatabase mysfits
athena/namedQuery mysfits-failed: athena/workgroup mysfits, glue/catalogDatabase mysfits
athena/namedQuery mysfits-guests: athena/workgroup mysfits, glue/catalogDatabase mysfits
athena/namedQuery mysfits-looked-again: athena/workgroup mysfits, glue/catalogDatabase mysfits
athena/namedQuery mysfits-pairs: athena/workgroup mysfits, glue/catalogDatabase mysfits
athena/namedQuery mysfits-top-mysfits: athena/workgroup mysfits, glue/catalogDatabase mysfits
athena/namedQuery mysfits-totals: athena/workgroup mysfits, glue/catalogDatabase mysfits
athena/namedQuery mysfits-users: athena/workgroup mysfits, glue/catalogDatabase mysfits
iam/policy mysfits-analyst: s3/bucket mysfits-clicks, athena/workgroup mysfits, glue/catalogDatabase mysfits

cloudwatch/logMetricFilter mysfits-records-failed: cloudwatch/logGroup mysfits-processor
cloudwatch/metricAlarm mysfits-delivery-late: kinesis/firehoseDeliveryStream mysfits-clicks
cloudwatch/metricAlarm mysfits-records-throttled: kinesis/firehoseDeliveryStream mysfits-clicks
cloudwatch/metricAlarm mysfits-records-failed: 
cloudwatch/metricAlarm mysfits-processor-errors: lambda/function mysfits-processor
cloudwatch/metricAlarm mysfits-processor-throttled: lambda/function mysfits-processor
cloudwatch/metricAlarm mysfits-processor-slow: lambda/function mysfits-processor
cloudwatch/metricAlarm mysfits-api-failing: apigateway/restApi mysfits-api, apigateway/stage mysfits-api
cloudwatch/metricAlarm mysfits-api-refusing: apigateway/restApi mysfits-api, apigateway/stage mysfits-api
cloudwatch/dashboard mysfits: apigateway/restApi mysfits-api, apigateway/stage mysfits-api, kinesis/firehoseDeliveryStream mysfits-clicks, lambda/function mysfits-processor

codecommit/repository mysfits-processor:
";

type Dependencies = BTreeMap<String, BTreeSet<String>>;

#[test]
fn every_registration_says_what_it_depends_on() -> Result<()> {
    let run = run(mock())?;
    let mut found = Dependencies::new();
    for resource in run.resources.iter().filter(|resource| resource.custom) {
        let dependencies = resource.dependencies.iter();
        let dependencies = dependencies.map(|urn| cloud::label_of(urn)).collect();
        found.insert(cloud::label(resource), dependencies);
    }
    let expected = expected();

    let bucket = BTreeSet::from(
        [
            "s3/bucket mysfits-site",
            "s3/bucketPublicAccessBlock mysfits-site-access",
            "s3/bucketOwnershipControls mysfits-site-ownership",
            "s3/bucketServerSideEncryptionConfiguration mysfits-site-encryption",
        ]
        .map(str::to_owned),
    );
    let page = &expected["s3/bucketObjectv2 mysfits-site/index.html"];
    let mut files = 0;
    found.retain(|name, dependencies| {
        let file = name.starts_with("s3/bucketObjectv2 ") && !expected.contains_key(name);
        if file {
            // Each profile's page says what it connects to, as the site's first page does.
            let of_profile = name.contains("/profile/");
            let of = if of_profile { page } else { &bucket };
            assert_eq!(*dependencies, *of, "{name}");
            files += 1;
        }
        !file
    });
    assert!(files > 20, "only {files} other files");

    for (name, dependencies) in &expected {
        assert_eq!(found.get(name), Some(dependencies), "{name}");
    }
    let surplus: Vec<&String> = found
        .keys()
        .filter(|name| !expected.contains_key(*name))
        .collect();
    assert!(surplus.is_empty(), "not in the list: {surplus:?}");
    Ok(())
}

#[test]
fn every_resource_is_under_its_part_of_the_stack() -> Result<()> {
    let run = run(mock())?;
    for resource in &run.resources {
        let parent = resource.parent.rsplit("::").next().unwrap_or_default();
        let parts = [
            "analytics",
            "api",
            "delivery",
            "operations",
            "processor",
            "repository",
            "site",
            "storage",
        ];
        let expected: &[&str] = if resource.custom {
            &parts
        } else {
            &["mysfits-dev"]
        };
        assert!(
            expected.contains(&parent),
            "{} is under {parent}",
            resource.name
        );
    }
    Ok(())
}

fn expected() -> Dependencies {
    let lines = EXPECTED.lines().filter(|line| !line.is_empty());
    let entries = lines.filter_map(|line| line.split_once(':'));
    entries
        .map(|(name, dependencies)| {
            let dependencies = dependencies.split(',').map(str::trim);
            let dependencies = dependencies.filter(|dependency| !dependency.is_empty());
            (name.to_owned(), dependencies.map(str::to_owned).collect())
        })
        .collect()
}
