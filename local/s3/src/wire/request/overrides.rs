//! The headers of an answer that its request chooses, in parameters `response-*`:
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>.

use super::refusal::Refusal;
use super::{decoded, raw_pairs};
use crate::errors::{invalid_argument, invalid_request};
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Uri};

/// The parameters, and the headers that they set.
const PARAMETERS: [(&str, HeaderName); 6] = [
    ("response-cache-control", header::CACHE_CONTROL),
    ("response-content-disposition", header::CONTENT_DISPOSITION),
    ("response-content-encoding", header::CONTENT_ENCODING),
    ("response-content-language", header::CONTENT_LANGUAGE),
    ("response-content-type", header::CONTENT_TYPE),
    ("response-expires", header::EXPIRES),
];

#[derive(Default)]
pub(super) struct Overrides(Vec<(HeaderName, HeaderValue)>);

impl Overrides {
    /// Reads what a read of an object wants, or nothing for any other request.
    ///
    /// # Errors
    /// For an anonymous request, and, as seen, for a value that is not Latin-1, the text of
    /// HTTP's headers: <https://github.com/guardian/grid/pull/1716>.
    pub(super) fn of(method: &Method, uri: &Uri, is_signed: bool) -> Result<Self, Refusal> {
        let mut overrides = Vec::new();
        if method != Method::GET && method != Method::HEAD {
            return Ok(Self::default());
        }
        for (name, value) in raw_pairs(uri) {
            let name = decoded(name);
            let known = PARAMETERS.into_iter().find(|(known, _)| *known == name);
            let Some((parameter, header)) = known else {
                continue;
            };
            if !is_signed {
                return Err(invalid_request(
                    "Request specific response headers cannot be used for anonymous GET requests.",
                )
                .into());
            }
            let value = decoded(value);
            let bytes = value.chars().map(u8::try_from);
            let Ok(bytes) = bytes.collect::<Result<Vec<u8>, _>>() else {
                return Err(refused(
                    "Header value cannot be represented using ISO-8859-1.",
                    parameter,
                    value,
                ));
            };
            let Ok(text) = HeaderValue::from_bytes(&bytes) else {
                return Err(refused(
                    "Header value has characters that no header can have.",
                    parameter,
                    value,
                ));
            };
            overrides.push((header, text));
        }
        Ok(Self(overrides))
    }

    /// Sets the headers, each byte a character.
    pub(super) fn apply(self, headers: &mut HeaderMap) {
        for (name, value) in self.0 {
            headers.insert(name, value);
        }
    }
}

fn refused(message: &str, parameter: &str, value: String) -> Refusal {
    let details = vec![
        ("ArgumentName", parameter.to_owned()),
        ("ArgumentValue", value),
    ];
    Refusal::new(invalid_argument(message), details)
}
