//! A distribution's settings, and which of them apply to a request.

use cloud_iam::pattern::like;
use http::Method;
use std::collections::BTreeMap;

/// A distribution that is deployed.
#[derive(Debug, Clone)]
pub struct Distribution {
    pub id: String,
    pub arn: String,
    pub enabled: bool,
    /// The object that is read for `/`.
    pub default_root_object: Option<String>,
    /// By their ids.
    pub origins: BTreeMap<String, Origin>,
    /// In their order of precedence.
    pub ordered_behaviors: Vec<(String, Behavior)>,
    pub default_behavior: Behavior,
    /// By the status that they replace.
    pub error_pages: BTreeMap<u16, ErrorPage>,
}

/// A bucket that a distribution reads.
#[derive(Debug, Clone)]
pub struct Origin {
    pub bucket: String,
    /// What comes before every key; without slashes at its ends.
    pub path: String,
    pub access_control_id: Option<String>,
}

/// What a distribution does with requests of some paths.
#[derive(Debug, Clone)]
pub struct Behavior {
    pub origin_id: String,
    /// What a viewer speaks here, and with it CloudFront to the origin.
    pub scheme: Scheme,
    pub allows_options: bool,
    pub cache_policy_id: String,
    /// Whether it compresses what its cache policy lets it.
    pub compresses: bool,
    pub headers_policy_id: Option<String>,
}

/// What a request of a viewer counts as. What comes is always plain HTTP, on loopback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Where plain HTTP is refused or redirected: the connection on loopback counts as TLS.
    Https,
    /// Where plain HTTP is served as it comes (`allow-all`).
    Http,
}

impl Scheme {
    /// The value of `aws:SecureTransport` at the origin: CloudFront speaks to a bucket in the scheme
    /// of the viewer's request, see
    /// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPandHTTPSRequests.html>.
    pub(crate) fn is_secure(self) -> &'static str {
        match self {
            Self::Https => "true",
            Self::Http => "false",
        }
    }
}

/// What a viewer gets instead of an error.
#[derive(Debug, Clone)]
pub struct ErrorPage {
    /// A path on this distribution.
    pub path: String,
    pub status: u16,
}

impl Distribution {
    /// The first behavior whose pattern the path matches, or the default one:
    /// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html>.
    pub(crate) fn behavior(&self, path: &str) -> &Behavior {
        let path = path.trim_start_matches('/');
        self.ordered_behaviors
            .iter()
            .find(|(pattern, _)| like(pattern.trim_start_matches('/'), path))
            .map_or(&self.default_behavior, |(_, behavior)| behavior)
    }

    /// The key of the object at a path:
    /// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DefaultRootObject.html>.
    pub fn key(&self, origin: &Origin, path: &str) -> String {
        let path = path.strip_prefix('/').unwrap_or(path);
        let path = match (&self.default_root_object, path) {
            (Some(root), "") => root,
            (_, path) => path,
        };
        match origin.path.as_str() {
            "" => path.to_owned(),
            before => format!("{before}/{path}"),
        }
    }

    pub(crate) fn uses_access_control(&self, id: &str) -> bool {
        let mut origins = self.origins.values();
        origins.any(|origin| origin.access_control_id.as_deref() == Some(id))
    }

    pub(crate) fn uses_cache_policy(&self, id: &str) -> bool {
        self.behaviors().any(|one| one.cache_policy_id == id)
    }

    pub(crate) fn uses_headers_policy(&self, id: &str) -> bool {
        self.behaviors()
            .any(|one| one.headers_policy_id.as_deref() == Some(id))
    }

    fn behaviors(&self) -> impl Iterator<Item = &Behavior> {
        let ordered = self.ordered_behaviors.iter().map(|(_, behavior)| behavior);
        ordered.chain([&self.default_behavior])
    }
}

impl Behavior {
    /// Whether a viewer may send this method. What changes an origin is not among what a
    /// distribution of this cloud can be told to allow.
    pub fn allows(&self, method: &Method) -> bool {
        match *method {
            Method::GET | Method::HEAD => true,
            Method::OPTIONS => self.allows_options,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn behavior(origin_id: &str) -> Behavior {
        Behavior {
            origin_id: origin_id.to_owned(),
            scheme: Scheme::Https,
            allows_options: false,
            cache_policy_id: String::new(),
            compresses: false,
            headers_policy_id: None,
        }
    }

    fn distribution() -> Distribution {
        Distribution {
            id: "E1".into(),
            arn: "arn:aws:cloudfront::000000000000:distribution/E1".into(),
            enabled: true,
            default_root_object: Some("index.html".into()),
            origins: BTreeMap::new(),
            ordered_behaviors: vec![
                ("/images/*.jpg".into(), behavior("pictures")),
                ("a??.gif".into(), behavior("animations")),
            ],
            default_behavior: behavior("rest"),
            error_pages: BTreeMap::new(),
        }
    }

    #[test]
    fn the_first_pattern_that_fits_decides() {
        let distribution = distribution();
        for (path, origin) in [
            ("/images/a.jpg", "pictures"),
            ("/images/b/c.jpg", "pictures"),
            ("/Images/a.jpg", "rest"),
            ("/ant.gif", "animations"),
            ("/abcd.gif", "rest"),
            ("/", "rest"),
        ] {
            assert_eq!(distribution.behavior(path).origin_id, origin, "{path}");
        }
    }

    #[test]
    fn the_root_object_is_the_answer_for_the_root_alone() {
        let distribution = distribution();
        let origin = |path: &str| Origin {
            bucket: "b".into(),
            path: path.into(),
            access_control_id: None,
        };
        for (before, path, key) in [
            ("", "/", "index.html"),
            ("", "/install/", "install/"),
            ("", "/a//b", "a//b"),
            ("site", "/", "site/index.html"),
            ("site", "/a", "site/a"),
        ] {
            assert_eq!(
                distribution.key(&origin(before), path),
                key,
                "{before} {path}"
            );
        }
    }
}
