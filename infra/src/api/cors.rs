//! Which pages may send clicks: those of the site, and of the configured origins.

use std::collections::HashMap;

/// The origins that are allowed, never all of them.
#[derive(Clone)]
pub struct Cors {
    site: String,
    more: Vec<String>,
}

/// Headers by name, and their values.
pub type Headers = Vec<(&'static str, String)>;

impl Cors {
    /// `site`: the origins of the site's pages, of which the first is what it calls itself.
    pub fn new(site: Vec<String>, more: &[String]) -> Self {
        let mut all = site;
        for origin in more {
            if !all.contains(origin) {
                all.push(origin.clone());
            }
        }
        let mut all = all.into_iter();
        Self {
            site: all.next().unwrap_or_default(),
            more: all.collect(),
        }
    }

    /// The headers of every answer to a click. They name one origin; where more are allowed,
    /// the [`script`](Self::script) replaces it.
    pub fn headers(&self) -> Headers {
        let mut headers = vec![("Access-Control-Allow-Origin", self.site.clone())];
        if !self.more.is_empty() {
            headers.push(("Vary", "Origin".to_owned()));
        }
        headers
    }

    /// A Velocity template that answers an allowed origin by its name; empty when there is only
    /// one. API Gateway distinguishes upper and lower case in names of headers, and a browser that
    /// speaks HTTP/2 sends this one in lower case.
    pub fn script(&self) -> String {
        if self.more.is_empty() {
            return String::new();
        }
        let conditions: Vec<String> = self
            .more
            .iter()
            .map(|origin| format!("$origin == '{origin}'"))
            .collect();
        let condition = conditions.join(" || ");
        format!(
            "#set($origin = $input.params('Origin'))\n\
             #if($origin == '')\n\
             #set($origin = $input.params('origin'))\n\
             #end\n\
             #if({condition})\n\
             #set($context.responseOverride.header.Access-Control-Allow-Origin = $origin)\n\
             #end\n"
        )
    }

    /// For an answer of the gateway itself, which runs no script: the site's pages can read it.
    pub fn of_gateway(&self) -> HashMap<String, String> {
        let header = |(name, value): (&str, String)| {
            let parameter = format!("gatewayresponse.header.{name}");
            (parameter, format!("'{value}'"))
        };
        self.headers().into_iter().map(header).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_origin_needs_no_script() {
        let site = "https://d1.cloudfront.net".to_owned();
        let cors = Cors::new(vec![site.clone()], std::slice::from_ref(&site));
        assert_eq!(cors.script(), "");
        assert_eq!(cors.headers(), [("Access-Control-Allow-Origin", site)]);
    }

    #[test]
    fn more_origins_are_answered_by_name() {
        let more = [
            "https://a.example".to_owned(),
            "http://localhost:8080".to_owned(),
        ];
        let cors = Cors::new(vec!["https://d1.cloudfront.net".to_owned()], &more);
        let script = cors.script();
        assert!(
            script.contains(
                "#if($origin == 'https://a.example' || $origin == 'http://localhost:8080')"
            )
        );
        assert!(cors.headers().contains(&("Vary", "Origin".to_owned())));
        assert!(!script.contains('*'));
    }
}
