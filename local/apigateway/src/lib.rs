//! API Gateway: REST APIs, deployed to stages, run as an ordered chain of steps.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `definition`, `declarations` | what is declared |
//! | `rules`, `problem` | what is refused, and how that is said |
//! | `program`, `live` | what a deployment has captured; what answers right now |
//! | `receive`, `steps`, `exchange` | a request on its way |
//! | [`ports`] | what it needs of other services |
//! | `resources` | its resource types |
//!
//! The four languages in which declarations are written are a crate of their own,
//! `cloud_template`. The resource types change what is declared. Such a change is not live until a
//! deployment has captured it and a stage points to that deployment. Settings of a stage are live
//! at once.

#![warn(unreachable_pub)]

mod declarations;
mod definition;
mod exchange;
mod live;
pub mod ports;
mod problem;
mod program;
mod receive;
mod resources;
mod rules;
mod steps;

pub use exchange::Payload;
pub use receive::receive;
use steps::payload::MAX_PAYLOAD;

use bytes::Bytes;
use cloud_core::context::Context;
use cloud_core::error::AwsResult;
use cloud_core::events::{Event, excerpt};
use cloud_iam::Iam;
use cloud_resource::resource::AnyResourceType;
use cloud_template::context::{self, Outcome};
use declarations::{Api, Declarations};
use exchange::Exchange;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use live::Table;
use ports::{Actions, LogSink};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use steps::throttle::{Limit, TokenBucket};
use steps::{access_log, gateway_response};
use uuid::Uuid;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const EXTENDED_REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-apigw-id");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// The REST APIs of the account.
pub struct ApiGateway {
    context: Context,
    iam: Arc<Iam>,
    actions: Arc<dyn Actions>,
    logs: Arc<dyn LogSink>,
    /// Where deployed APIs are.
    port: u16,
    declared: Mutex<Declarations>,
    /// Replaced as a whole after every change.
    table: RwLock<Arc<Table>>,
    /// The account's limit for all of its APIs.
    account: TokenBucket,
}

impl ApiGateway {
    /// Without any API. APIs will be reached at `port`.
    pub fn new(
        context: &Context,
        iam: Arc<Iam>,
        actions: Arc<dyn Actions>,
        logs: Arc<dyn LogSink>,
        port: u16,
    ) -> Self {
        Self {
            context: context.clone(),
            iam,
            actions,
            logs,
            port,
            declared: Mutex::default(),
            table: RwLock::default(),
            account: TokenBucket::new(Limit::ACCOUNT),
        }
    }

    /// Its resource types.
    pub fn resource_types(self: &Arc<Self>) -> Vec<Box<dyn AnyResourceType>> {
        resources::all(self)
    }

    /// Answers a request to `/API-ID/STAGE/…` that came from `peer`.
    pub async fn handle(&self, peer: IpAddr, request: Request<Payload>) -> Response<Bytes> {
        let (parts, payload) = request.into_parts();
        let table = Arc::clone(&self.table.read().unwrap_or_else(PoisonError::into_inner));
        let Some((live, path)) = table.find(parts.uri.path()) else {
            let answer = forbidden();
            self.context.events.push(Event::Request {
                api: String::new(),
                stage: String::new(),
                method: parts.method.to_string(),
                path: excerpt(parts.uri.path().as_bytes()),
                status: answer.status().as_u16(),
                duration: 0,
                request_id: String::new(),
                body: String::new(),
                answer: excerpt(answer.body()),
                reason: Some(String::from("no API has a stage at this path")),
            });
            return answer;
        };
        let mut exchange = Exchange::new(self, &live.stage, path, &parts, payload, peer);
        let mut response = match steps::run(&mut exchange, &live, &self.account).await {
            Ok(response) => response,
            Err(refused) => {
                exchange.reason = Some(refused.explain());
                gateway_response::answer(&mut exchange, &live.program.responses, &refused)
            }
        };
        identify(
            response.headers_mut(),
            &exchange.context.request_id,
            &exchange.context.extended_request_id,
        );
        exchange.context.outcome = Some(Outcome {
            status: response.status().as_u16(),
            length: response.body().len(),
            latency_ms: exchange.started.elapsed().as_millis(),
        });
        self.context.events.push(happened(&exchange, &response));
        if let Some(log) = &live.access_log {
            access_log::write(&exchange, log, live.log_role.as_deref());
        }
        response
    }

    /// Reads what is declared.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Declarations) -> AwsResult<T>) -> AwsResult<T> {
        look(&self.lock())
    }

    /// Whether an API exists and this is true of it.
    pub(crate) fn has(&self, api: &str, something: impl FnOnce(&Api) -> bool) -> bool {
        self.lock().apis.get(api).is_some_and(something)
    }

    /// Changes what is declared, and then the table that answers requests.
    pub(crate) fn change<T>(
        &self,
        change: impl FnOnce(&mut Declarations) -> AwsResult<T>,
    ) -> AwsResult<T> {
        let mut declared = self.lock();
        let result = change(&mut declared)?;
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        *table = Arc::new(Table::of(&declared, &table));
        Ok(result)
    }

    fn lock(&self) -> MutexGuard<'_, Declarations> {
        self.declared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The event of a request, for the person who watches.
fn happened(exchange: &Exchange<'_>, response: &Response<Bytes>) -> Event {
    let query = exchange.parts.uri.query();
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    Event::Request {
        api: exchange.context.api_id.clone(),
        stage: exchange.context.stage.clone(),
        method: exchange.context.http_method.clone(),
        path: excerpt(format!("{}{query}", exchange.context.path).as_bytes()),
        status: response.status().as_u16(),
        duration: u64::try_from(exchange.started.elapsed().as_millis()).unwrap_or(u64::MAX),
        request_id: exchange.context.request_id.clone(),
        body: match &exchange.payload {
            Payload::Whole(body) => excerpt(body),
            Payload::TooLarge => String::from("more than API Gateway takes"),
        },
        answer: excerpt(response.body()),
        reason: exchange.reason.clone(),
    }
}

/// The answer to a request for an API or stage that does not exist.
fn forbidden() -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(br#"{"message":"Forbidden"}"#));
    *response.status_mut() = StatusCode::FORBIDDEN;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(ERROR_TYPE, HeaderValue::from_static("ForbiddenException"));
    identify(
        headers,
        &Uuid::new_v4().to_string(),
        &context::extended_request_id(),
    );
    response
}

/// The ids by which a request can be found again.
fn identify(headers: &mut HeaderMap, request_id: &str, extended_request_id: &str) {
    for (name, id) in [
        (REQUEST_ID, request_id),
        (EXTENDED_REQUEST_ID, extended_request_id),
    ] {
        if let Ok(id) = HeaderValue::from_str(id) {
            headers.insert(name, id);
        }
    }
}
