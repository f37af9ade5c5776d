//! What happens, and how things are at the moment: for the page that shows it.
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /_mysfits/events?after=N&run=R` | the events after number N of run R, or of this run, as soon as there is one |
//! | `GET /_mysfits/state` | the streams with their buffers, and the faults |

use crate::cloud::Cloud;
use crate::current::Current;
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use serde_json::json;
use std::time::Duration;
use time::format_description::well_known::Rfc3339;

const EVENTS: &str = "/_mysfits/events";
const STATE: &str = "/_mysfits/state";

/// How long a request waits for an event before it is told that there is none.
const PATIENCE: Duration = Duration::from_secs(20);

/// Answers a request for events, which waits until there is one; nothing for any other request.
/// It holds no cloud, so that a reset does not wait for it.
pub(super) async fn events<B>(
    request: &Request<B>,
    current: &Current,
) -> Option<Response<Full<Bytes>>> {
    if request.uri().path() != EVENTS || request.method() != Method::GET {
        return None;
    }
    let query = request.uri().query().unwrap_or_default();
    let parameter = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let events = &current.events;
    let run = parameter("run").unwrap_or_else(|| events.run());
    let number = match parameter("after").unwrap_or("0").parse() {
        Ok(number) => number,
        Err(_) => {
            let message = "after: must be the number of an event, or 0";
            return Some(super::operator::refusal(
                http::StatusCode::BAD_REQUEST,
                message,
            ));
        }
    };
    tokio::select! {
        () = events.newer(run, number) => {}
        () = tokio::time::sleep(PATIENCE) => {}
        () = current.stopping() => {}
    }
    let news = json!(events.after(run, number));
    Some(super::operator::answer_of(http::StatusCode::OK, &news))
}

/// Answers a request for the state; nothing for any other request.
pub(super) fn state<B>(request: &Request<B>, cloud: &Cloud) -> Option<Response<Full<Bytes>>> {
    if request.uri().path() != STATE || request.method() != Method::GET {
        return None;
    }
    let services = cloud.context.faults.services();
    let services: Vec<_> = services
        .iter()
        .map(|service| json!({ "name": service.name, "operations": service.operations }))
        .collect();
    let state = json!({
        "started": cloud.started.format(&Rfc3339).ok(),
        "streams": cloud.firehose.tallies(),
        "faults": cloud.context.faults.all(),
        "services": services,
    });
    Some(super::operator::answer_of(http::StatusCode::OK, &state))
}
