//! What a template or a mapping can see of a request.

use crate::Strings;
use crate::context::RequestContext;
use http::HeaderMap;
use std::borrow::Cow;

/// A request's parameters and a payload.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The payload that `$input` reads: the request's, or the integration's answer.
    pub body: &'a str,
    /// Parameters from the path, by name.
    pub path: &'a [(String, String)],
    /// Parameters of the query string, decoded, in their order.
    pub query: &'a [(String, String)],
    pub headers: &'a HeaderMap,
    pub context: &'a RequestContext,
    pub stage_variables: &'a Strings,
}

impl<'a> Scope<'a> {
    /// A path parameter's value.
    pub fn path_parameter(&self, name: &str) -> Option<&'a str> {
        last(self.path, name)
    }

    /// A query parameter's value; the last one when it comes more than once.
    pub fn query_parameter(&self, name: &str) -> Option<&'a str> {
        last(self.query, name)
    }

    /// A header's value. AWS tells `X-A` from `x-a`; here the two are one, since names arrive in
    /// lower case.
    pub fn header(&self, name: &str) -> Option<Cow<'a, str>> {
        header(self.headers, name)
    }
}

/// The last value of a header, as text.
pub fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<Cow<'a, str>> {
    let value = headers.get_all(name).into_iter().next_back()?;
    Some(String::from_utf8_lossy(value.as_bytes()))
}

fn last<'a>(parameters: &'a [(String, String)], name: &str) -> Option<&'a str> {
    parameters
        .iter()
        .rev()
        .find(|(parameter, _)| parameter == name)
        .map(|(_, value)| value.as_str())
}
