//! A viewer's request: behaviour, origin, error page, headers.

use super::{Behaviour, Distribution, Signing};
use crate::cloud::Cloud;
use crate::error::{AwsError, AwsResult};
use crate::services::s3::Object;
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LAST_MODIFIED,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use std::borrow::Cow;
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

impl Cloud {
    /// Answers a viewer of the distribution on `port`; `path` is as the viewer sent it. The body
    /// is there for HEAD too: the listener sends its length alone.
    pub async fn cloudfront_answer(
        &self,
        port: u16,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
    ) -> Response<Bytes> {
        let Some(distribution) = self.cloudfront.on_port(port) else {
            return error(
                StatusCode::NOT_FOUND,
                "no distribution is deployed on this port",
            );
        };
        let Some(behaviour) = distribution.behaviour(path) else {
            return error(StatusCode::NOT_FOUND, "no cache behavior takes this path");
        };
        // https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/http-403-permission-denied.html
        if !behaviour
            .allowed_methods
            .iter()
            .any(|allowed| allowed == method.as_str())
        {
            return error(
                StatusCode::FORBIDDEN,
                "the distribution is not configured to allow the HTTP request method",
            );
        }
        let mut response = match self.fetch(&distribution, behaviour, path).await {
            Ok(object) => answer(object, headers),
            Err(refusal) => self.error_page(&distribution, &refusal).await,
        };
        let policy = behaviour.response_headers_policy.as_deref();
        if let Some(policy) = policy.and_then(|id| self.cloudfront.response_headers(id)) {
            policy.apply(response.headers_mut());
        }
        response
    }

    async fn fetch(
        &self,
        distribution: &Distribution,
        behaviour: &Behaviour,
        path: &str,
    ) -> AwsResult<Object> {
        let origin = distribution.origins.get(&behaviour.origin_id);
        let origin = origin.ok_or_else(|| AwsError::internal("a behavior without its origin"))?;
        let access = origin.access_control.as_deref();
        let signing = access.and_then(|id| self.cloudfront.access_control(id));
        let caller = signing
            .unwrap_or(Signing::Unsigned)
            .caller(&distribution.arn);

        let path = match path {
            "/" => Cow::from(format!(
                "/{}",
                distribution
                    .default_root_object
                    .as_deref()
                    .unwrap_or_default()
            )),
            path => Cow::from(path),
        };
        let key = decode(&format!("{}{path}", origin.path));
        self.s3_get_object(&caller, &origin.bucket, key.trim_start_matches('/'))
            .await
    }

    /// The distribution's page for an error of the origin, or the error as S3 words it.
    /// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/GeneratingCustomErrorResponses.html>
    async fn error_page(&self, distribution: &Distribution, refusal: &AwsError) -> Response<Bytes> {
        let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_GATEWAY);
        if let Some(instead) = distribution.error_responses.get(&refusal.status)
            && let Some(behaviour) = distribution.behaviour(&instead.page)
            && let Ok(page) = self.fetch(distribution, behaviour, &instead.page).await
        {
            let mut response = answer(page, &HeaderMap::new());
            *response.status_mut() = StatusCode::from_u16(instead.status).unwrap_or(status);
            return response;
        }
        let mut response = error(status, "");
        *response.body_mut() = Bytes::from(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message></Error>",
            escape(&refusal.code),
            escape(&refusal.message)
        ));
        let xml = HeaderValue::from_static("application/xml");
        response.headers_mut().insert(CONTENT_TYPE, xml);
        response
    }
}

impl Distribution {
    /// The first behaviour whose pattern takes the path:
    /// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html>.
    fn behaviour(&self, path: &str) -> Option<&Behaviour> {
        let path = path.trim_start_matches('/').as_bytes();
        let takes = |behaviour: &&Behaviour| {
            let pattern = behaviour.path_pattern.trim_start_matches('/');
            matches(pattern.as_bytes(), path)
        };
        self.behaviours.iter().find(takes)
    }
}

/// `*` stands for any characters, `?` for one.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at_pattern, mut at_text) = (0, 0);
    // Where to go back to: behind the last star, and the text that it has not taken yet.
    let mut retry = None;
    while at_text < text.len() {
        match pattern.get(at_pattern) {
            Some(b'*') => {
                at_pattern += 1;
                retry = Some((at_pattern, at_text));
            }
            Some(&byte) if byte == b'?' || byte == text[at_text] => {
                at_pattern += 1;
                at_text += 1;
            }
            _ => match retry {
                Some((behind_star, taken)) => {
                    retry = Some((behind_star, taken + 1));
                    (at_pattern, at_text) = (behind_star, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[at_pattern..].iter().all(|byte| *byte == b'*')
}

fn answer(object: Object, request: &HeaderMap) -> Response<Bytes> {
    let etag = format!("\"{}\"", object.etag);
    let unchanged = request
        .get(IF_NONE_MATCH)
        .and_then(|tags| tags.to_str().ok())
        .is_some_and(|tags| {
            tags == "*"
                || tags
                    .split(',')
                    .any(|tag| tag.trim().trim_start_matches("W/") == etag)
        });
    let mut response = Response::new(object.body);
    if unchanged {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Bytes::new();
    }
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: Option<&str>| {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            headers.insert(name, value);
        }
    };
    set(ETAG, Some(&etag));
    set(LAST_MODIFIED, http_date(object.last_modified).as_deref());
    set(
        CONTENT_TYPE,
        object
            .headers
            .content_type
            .as_deref()
            .or(Some("binary/octet-stream")),
    );
    set(CONTENT_ENCODING, object.headers.content_encoding.as_deref());
    set(CACHE_CONTROL, object.headers.cache_control.as_deref());
    response
}

fn error(status: StatusCode, reason: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(reason.as_bytes()));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

fn http_date(time: OffsetDateTime) -> Option<String> {
    let format = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    time.to_offset(UtcOffset::UTC).format(&format).ok()
}

/// Resolves `%XX`; what is no escape stands for itself.
fn decode(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let escaped = match (first, behind) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        match escaped {
            Some((high, low)) => {
                bytes.push(high << 4 | low);
                rest = &behind[2..];
            }
            None => {
                bytes.push(first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_takes_paths() {
        let cases = [
            ("*", "anything/at/all", true),
            ("images/*.svg", "images/a/b.svg", true),
            ("images/*.svg", "images/b.png", false),
            ("a?c*", "abc", true),
            ("a?c", "ac", false),
            ("", "", true),
            ("*a*b", "xaxxb", true),
        ];
        for (pattern, path, expected) in cases {
            assert_eq!(
                matches(pattern.as_bytes(), path.as_bytes()),
                expected,
                "{pattern} {path}"
            );
        }
    }

    #[test]
    fn escapes_are_resolved_and_the_rest_stays() {
        assert_eq!(decode("/a%20b%C3%A9%"), "/a bé%");
        assert_eq!(decode("/%zz%4"), "/%zz%4");
    }
}
