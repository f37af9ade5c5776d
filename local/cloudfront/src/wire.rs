//! CloudFront's REST protocol, version 2020-05-31: invalidations.
//!
//! <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_Operations.html>

use crate::CloudFront;
use crate::invalidations::{Batch, Invalidation};
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::percent;
use cloud_iam::{Call, Caller};
use http::{HeaderValue, Method, Response, StatusCode, Uri, header};
use std::fmt::Write;
use time::format_description::well_known::Rfc3339;

/// What is here. A test compares it with docs/compatibility.
pub const OPERATIONS: &[&str] = &["CreateInvalidation", "GetInvalidation", "ListInvalidations"];

/// The namespace of its XML.
pub const NAMESPACE: &str = "http://cloudfront.amazonaws.com/doc/2020-05-31/";

/// What the paths of all operations begin with.
const VERSION: &str = "2020-05-31";

/// How many invalidations a list holds at most, and when nothing is said
/// (API reference, `ListInvalidations`).
const LIST_LIMIT: usize = 100;

impl CloudFront {
    /// One request. None when it is for an operation that is not here; errors are CloudFront's.
    pub fn http(
        &self,
        caller: &Caller,
        method: &Method,
        uri: &Uri,
        body: &[u8],
    ) -> Option<AwsResult<Response<String>>> {
        let segments: Vec<_> = uri.path().split('/').map(percent::decode).collect();
        let segments: Vec<_> = segments.iter().map(String::as_str).collect();
        match (method, segments.as_slice()) {
            (&Method::POST, ["", VERSION, "distribution", id, "invalidation"]) => {
                Some(self.create_invalidation(caller, id, uri, body))
            }
            (&Method::GET, ["", VERSION, "distribution", id, "invalidation"]) => {
                Some(self.list_invalidations(caller, id, uri))
            }
            (
                &Method::GET,
                [
                    "",
                    VERSION,
                    "distribution",
                    distribution,
                    "invalidation",
                    id,
                ],
            ) => Some(self.get_invalidation(caller, distribution, id)),
            _ => None,
        }
    }

    fn create_invalidation(
        &self,
        caller: &Caller,
        distribution: &str,
        uri: &Uri,
        body: &[u8],
    ) -> AwsResult<Response<String>> {
        self.may_invalidate(caller, "CreateInvalidation", distribution)?;
        if body.is_empty() {
            let message = "This operation requires a body.";
            return Err(AwsError::new(400, "MissingBody", message));
        }
        let text = std::str::from_utf8(body).map_err(|error| malformed(&error))?;
        let batch: Batch = quick_xml::de::from_str(text).map_err(|error| malformed(&error))?;
        let now = self.context.clock.now();
        let invalidation = self.with_invalidations(distribution, |all| all.create(batch, now))?;
        let mut response = answer(StatusCode::CREATED, invalidation_xml(&invalidation));
        let location = format!("{}/{}", uri.path(), invalidation.id);
        if let Ok(location) = HeaderValue::from_str(&location) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        Ok(response)
    }

    fn get_invalidation(
        &self,
        caller: &Caller,
        distribution: &str,
        id: &str,
    ) -> AwsResult<Response<String>> {
        self.may_invalidate(caller, "GetInvalidation", distribution)?;
        let invalidation = self.with_invalidations(distribution, |all| all.get(id))?;
        Ok(answer(StatusCode::OK, invalidation_xml(&invalidation)))
    }

    fn list_invalidations(
        &self,
        caller: &Caller,
        distribution: &str,
        uri: &Uri,
    ) -> AwsResult<Response<String>> {
        self.may_invalidate(caller, "ListInvalidations", distribution)?;
        let marker = parameter(uri, "Marker").filter(|marker| !marker.is_empty());
        let most = match parameter(uri, "MaxItems") {
            None => LIST_LIMIT,
            Some(text) => match text.parse() {
                Ok(most @ 1..) => LIST_LIMIT.min(most),
                _ => {
                    let message = format!("MaxItems {text:?} is no number from 1 on");
                    return Err(AwsError::new(400, "InvalidArgument", message));
                }
            },
        };
        let (page, more) =
            self.with_invalidations(distribution, |all| all.list(marker.as_deref(), most))?;
        let mut xml = format!(
            "<InvalidationList xmlns=\"{NAMESPACE}\"><Marker>{}</Marker>",
            escape(marker.as_deref().unwrap_or_default())
        );
        if let (true, Some(last)) = (more, page.last()) {
            // Writing to a string does not fail, here and below.
            let _ = write!(xml, "<NextMarker>{}</NextMarker>", last.id);
        }
        let _ = write!(
            xml,
            "<MaxItems>{most}</MaxItems><IsTruncated>{more}</IsTruncated>\
             <Quantity>{}</Quantity><Items>",
            page.len()
        );
        for one in &page {
            let _ = write!(
                xml,
                "<InvalidationSummary>{}</InvalidationSummary>",
                head_xml(one)
            );
        }
        xml.push_str("</Items></InvalidationList>");
        Ok(answer(StatusCode::OK, xml))
    }

    fn may_invalidate(&self, caller: &Caller, action: &str, distribution: &str) -> AwsResult<()> {
        let resource = format!("distribution/{distribution}");
        self.iam.authorize(&Call {
            caller,
            action: &format!("cloudfront:{action}"),
            resource: &cloud_core::identity::arn("cloudfront", "", &resource),
            context: &[],
            resource_policy: None,
        })
    }
}

fn invalidation_xml(invalidation: &Invalidation) -> String {
    let paths = &invalidation.batch.paths.items.path;
    let mut xml = format!(
        "<Invalidation xmlns=\"{NAMESPACE}\">{}<InvalidationBatch><Paths>\
         <Quantity>{}</Quantity><Items>",
        head_xml(invalidation),
        paths.len()
    );
    for path in paths {
        // Writing to a string does not fail.
        let _ = write!(xml, "<Path>{}</Path>", escape(path));
    }
    let reference = escape(&invalidation.batch.caller_reference);
    let _ = write!(
        xml,
        "</Items></Paths><CallerReference>{reference}</CallerReference></InvalidationBatch>\
         </Invalidation>"
    );
    xml
}

fn head_xml(invalidation: &Invalidation) -> String {
    format!(
        "<Id>{}</Id><Status>Completed</Status><CreateTime>{}</CreateTime>",
        invalidation.id,
        invalidation.created.format(&Rfc3339).unwrap_or_default()
    )
}

fn escape(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

fn answer(status: StatusCode, xml: String) -> Response<String> {
    let prolog = r#"<?xml version="1.0" encoding="UTF-8"?>"#;
    let mut response = Response::new(format!("{prolog}\n{xml}"));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/xml");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let pairs = uri.query()?.split('&');
    let mut pairs = pairs.filter_map(|pair| pair.split_once('='));
    pairs
        .find(|(key, _)| *key == name)
        .map(|(_, value)| percent::decode_form(value))
}

fn malformed(error: &dyn std::fmt::Display) -> AwsError {
    let message = format!("the body is no InvalidationBatch: {error}");
    AwsError::new(400, "InvalidArgument", message)
}
