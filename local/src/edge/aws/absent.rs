//! Requests to services that the embedded cloud does not have: which service and operation they
//! name, and in which form the client can read a refusal.
//!
//! On AWS each service has its own address. The embedded cloud has one for all, so the service is
//! the one that the request is signed for.

use super::form::{Form, JSON_1_0, JSON_1_1};
use ::http::request::Parts;
use cloud_core::error::AwsError;
use cloud_core::percent;

/// The services that answer in XML with an address for each operation, beside S3.
const REST_XML: &[(&str, &str)] = &[
    (
        "cloudfront",
        "http://cloudfront.amazonaws.com/doc/2020-05-31/",
    ),
    ("route53", "https://route53.amazonaws.com/doc/2013-04-01/"),
];

/// The services that have an address for each operation and answer in JSON, by the names they
/// are signed for (botocore 1.43, protocol `rest-json`).
const REST_JSON: &str = "\
access-analyzer account aidevops aiops airflow amplify amplifybackend amplifyuibuilder \
apigateway app-integrations appconfig appfabric appflow application-cost-profiler \
application-signals appmesh appsync aps arc-zonal-shift artifact auditmanager aws-marketplace \
awsssoportal backup backup-search batch bedrock bedrock-agentcore billingconductor braket cases \
chatbot chime cleanrooms cleanrooms-ml clouddirectory cloudfront-keyvaluestore cloudsearch \
cloudtrail-data codeartifact codecatalyst codeguru-profiler codeguru-reviewer codeguru-security \
codestar-notifications cognito-sync connect connect-campaigns controlcatalog controltower \
databrew dataexchange datazone deadline detective devops-guru dlm docdb-elastic drs ds-data dsql \
ebs eks eks-auth elasticfilesystem elemental-inference emr-containers emr-serverless \
entityresolution es execute-api finspace finspace-api fis gameliftstreams geo geo-maps \
geo-places geo-routes glacier grafana greengrass groundstation guardduty health-agent \
imagebuilder inspector-scan inspector2 internetmonitor iot iot-jobs-data iotdata \
iotdeviceadvisor iotevents ioteventsdata iotmanagedintegrations iotsitewise iottwinmaker \
iotwireless ivs ivschat kafka kafkaconnect kinesisvideo lakeformation launchwizard lex \
license-manager-linux-subscriptions license-manager-user-subscriptions m2 macie2 \
managedblockchain managedblockchain-query mediaconnect mediaconvert medialive mediapackage \
mediapackage-vod mediapackagev2 mediastore mediatailor medical-imaging mgn \
migrationhub-orchestrator migrationhub-strategy mobiletargeting mpa mq neptune-db neptune-graph \
networkflowmonitor networkmanager networkmonitor notifications notifications-contacts nova-act \
oam observabilityadmin omics osis outposts panorama payment-cryptography pca-connector-ad \
pca-connector-scep personalize pipes polly profile qapps qbusiness quicksight ram rbin rds-data \
refactor-spaces repostspace resiliencehub resource-explorer-2 resource-groups rolesanywhere \
route53-recovery-control-config route53-recovery-readiness route53globalresolver route53profiles \
rtbfabric rum s3-outposts s3files s3tables s3vectors sagemaker sagemaker-geospatial savingsplans \
scheduler schemas scn sdb security-ir securityagent securityhub securitylake serverlessrepo \
servicecatalog ses signer signin simspaceweaver sms-voice snow-device-management \
social-messaging ssm-guiconnect ssm-incidents ssm-quicksetup ssm-sap sso-oauth supportapp \
sustainability synthetics tax thinclient tnb trustedadvisor uxc vpc-lattice wellarchitected \
wickr wisdom workdocs workmailmessageflow workspaces-web xray";

/// A request to a service that the embedded cloud does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Absent {
    /// The name in the signature; empty when the request is not signed.
    pub service: String,
    /// Its name, or its method and path, whichever the request has.
    pub operation: String,
    pub form: Form,
}

impl Absent {
    /// An operation that the target of a JSON request names.
    pub(super) fn json(parts: &Parts, service: &str, target: &str) -> Self {
        let operation = target.rsplit('.').next().unwrap_or(target);
        Self {
            service: service.to_owned(),
            operation: operation.to_owned(),
            form: json_form(parts),
        }
    }

    /// An action of a form.
    pub(super) fn query(service: &str, action: &str) -> Self {
        let form = match service {
            "ec2" => Form::Ec2,
            "sts" => Form::Query {
                namespace: super::sts::NAMESPACE,
            },
            // Clients read the elements whatever their namespace is.
            _ => Form::Query { namespace: "" },
        };
        Self {
            service: service.to_owned(),
            operation: percent::decode_form(action),
            form,
        }
    }

    /// An operation with an address of its own, when the service in the signature has such
    /// operations. None for S3 and for all other services: S3 says that the signature is not for it.
    pub(super) fn rest(parts: &Parts, service: &str) -> Option<Self> {
        let xml = REST_XML.iter().find(|(name, _)| *name == service);
        let form = match xml {
            Some((_, namespace)) => Form::RestXml { namespace },
            None if REST_JSON.split(' ').any(|name| name == service) => Form::RestJson,
            None => return None,
        };
        Some(Self {
            service: service.to_owned(),
            operation: format!("{} {}", parts.method, parts.uri.path()),
            form,
        })
    }

    /// An operation of the CBOR protocol: `/service/SERVICE/operation/OPERATION`.
    pub(super) fn cbor(parts: &Parts, service: &str) -> Option<Self> {
        let protocol = parts.headers.get("smithy-protocol")?;
        let segments: Vec<_> = parts.uri.path().split('/').collect();
        let ["", "service", named, "operation", operation] = segments.as_slice() else {
            return None;
        };
        (protocol == "rpc-v2-cbor").then(|| Self {
            service: match service {
                "" => (*named).to_owned(),
                service => service.to_owned(),
            },
            operation: (*operation).to_owned(),
            form: Form::Cbor,
        })
    }

    /// What the caller is told.
    pub(super) fn error(&self) -> AwsError {
        unknown_operation(&self.service, &self.operation)
    }
}

/// The form of a request with a target: 1.0 or 1.1, as it was asked.
pub(super) fn json_form(parts: &Parts) -> Form {
    let asked = parts.headers.get("content-type");
    let media_type = match asked.is_some_and(|asked| asked == JSON_1_0) {
        true => JSON_1_0,
        false => JSON_1_1,
    };
    Form::Json { media_type }
}

/// Refuses an operation that the embedded cloud does not have; perhaps it lacks the whole service.
pub(super) fn unknown_operation(service: &str, operation: &str) -> AwsError {
    let service = match service {
        "" => "a service that it does not name",
        service => service,
    };
    AwsError::new(
        400,
        "UnknownOperationException",
        format!(
            "The embedded cloud has no operation {operation} of {service}: docs/compatibility \
             says which services and operations there are"
        ),
    )
}
