//! A request, from the viewer to the origin and back.

use crate::CloudFront;
use crate::compression;
use crate::distribution::{Distribution, Origin, Scheme};
use crate::headers::HeadersPolicy;
use crate::ports::Wanted;
use crate::shared::AccessControl;
use cloud_core::body::Data;
use cloud_core::error::AwsError;
use cloud_core::identity::ACCOUNT_ID;
use cloud_core::percent;
use cloud_iam::{Caller, ServicePrincipal};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Version};

/// What CloudFront calls itself where a policy names who may read a bucket.
const PRINCIPAL: &str = "cloudfront.amazonaws.com";

/// What a viewer sends, as far as it counts.
#[derive(Clone, Copy)]
pub struct Viewer<'a> {
    pub method: &'a Method,
    pub version: Version,
    /// Percent-encoded, without the query.
    pub path: &'a str,
    pub headers: &'a HeaderMap,
}

impl CloudFront {
    /// What a distribution answers.
    pub async fn answer(&self, distribution: &Distribution, viewer: Viewer<'_>) -> Response<Data> {
        let behavior = distribution.behavior(viewer.path);
        let mut answer = if !distribution.enabled {
            unsatisfied("The distribution is disabled.")
        } else if !behavior.allows(viewer.method) {
            // https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/http-403-permission-denied.html
            unsatisfied(
                "This distribution is not configured to allow the HTTP request method that was \
                 used for this request.",
            )
        } else {
            self.ask_origin(distribution, behavior.scheme, &viewer)
                .await
        };
        let is_error = answer.status().is_client_error() || answer.status().is_server_error();
        if let Some(instead_of) = distribution.error_pages.get(&answer.status().as_u16()) {
            let unconditional = HeaderMap::new();
            let instead = Viewer {
                method: &Method::GET,
                version: viewer.version,
                path: &instead_of.path,
                headers: &unconditional,
            };
            let page = self.ask_origin(distribution, behavior.scheme, &instead);
            answer = page.await;
            // Where the page is missing, the viewer gets what the page's origin says.
            if answer.status() == StatusCode::OK {
                let status = StatusCode::from_u16(instead_of.status);
                *answer.status_mut() = status.unwrap_or(StatusCode::NOT_FOUND);
            }
        }
        if behavior.compresses
            && self.compresses(&behavior.cache_policy_id)
            && compression::is_wanted(viewer.method, viewer.version, viewer.headers)
        {
            answer = match compression::compress(answer).await {
                Ok(answer) => answer,
                Err(failure) => self.origins.refuse(&failure),
            };
        }
        let policy = behavior.headers_policy_id.as_deref();
        if let Some(policy) = policy.and_then(|id| self.shared::<HeadersPolicy>(id)) {
            policy.apply(answer.headers_mut());
        }
        mark(answer.headers_mut(), is_error);
        answer
    }

    async fn ask_origin(
        &self,
        distribution: &Distribution,
        scheme: Scheme,
        viewer: &Viewer<'_>,
    ) -> Response<Data> {
        let behavior = distribution.behavior(viewer.path);
        let Some(origin) = distribution.origins.get(&behavior.origin_id) else {
            return self
                .origins
                .refuse(&AwsError::internal("a behavior has no origin"));
        };
        let key = percent::decode_path(viewer.path).map(|path| distribution.key(origin, &path));
        let wanted = Wanted {
            caller: &self.origin_caller(distribution, origin),
            bucket: &origin.bucket,
            key: key.as_deref(),
            method: viewer.method,
            headers: viewer.headers,
            context: &[("aws:SecureTransport", scheme.is_secure())],
        };
        self.origins.read(wanted).await
    }

    /// As whom a distribution reads its origin:
    /// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html>.
    fn origin_caller(&self, distribution: &Distribution, origin: &Origin) -> Caller {
        let access = origin.access_control_id.as_deref();
        let access = access.and_then(|id| self.shared::<AccessControl>(id));
        if !access.is_some_and(|access| access.signs) {
            return Caller::Anonymous;
        }
        Caller::Service(ServicePrincipal {
            service: PRINCIPAL.to_owned(),
            source_arn: Some(distribution.arn.clone()),
            // It comes with the ARN, which has it:
            // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-sourceaccount
            source_account: Some(ACCOUNT_ID.to_owned()),
        })
    }
}

/// CloudFront's own refusal.
fn unsatisfied(reason: &str) -> Response<Data> {
    let body = format!(
        "<!DOCTYPE html>\n<title>ERROR: The request could not be satisfied</title>\n\
         <h1>403 ERROR</h1>\n<p>The request could not be satisfied. {reason}</p>\n"
    );
    let mut answer = Response::new(Data::Whole(body.into()));
    *answer.status_mut() = StatusCode::FORBIDDEN;
    insert(answer.headers_mut(), "content-type", "text/html");
    answer
}

/// What tells a viewer that CloudFront was in between.
fn mark(headers: &mut HeaderMap, is_error: bool) {
    let id = uuid::Uuid::new_v4().simple().to_string();
    let result = match is_error {
        true => "Error from cloudfront",
        false => "Miss from cloudfront",
    };
    insert(headers, "x-cache", result);
    insert(headers, "via", "1.1 127.0.0.1 (CloudFront)");
    insert(headers, "x-amz-cf-id", &id);
}

fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
