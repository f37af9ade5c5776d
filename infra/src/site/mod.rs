//! The site: a private bucket behind CloudFront, and what is in it.

mod access_log;
mod distribution;
mod files;
mod pages;
mod settings;

use anyhow::Result;
use pulumi_program::{Component, Options, Output, all, format_output};

use crate::bucket::{BucketSettings, PrivateBucket};
use crate::catalogue::{self, Mysfit};
use crate::policy;
use crate::scope::Scope;
use files::Page;
pub use settings::SiteSettings;

/// Takes the place of the site's URL in a page until that is known.
const SITE: &str = "https://site.invalid";

/// The base URLs of a mysfits service: pages must not leave their own origin, and the processor
/// must not depend on a record that somebody has yet to make.
pub struct MysfitsService {
    pub for_pages: Output<String>,
    pub for_processor: Output<String>,
}

pub struct Site {
    /// Scheme and host, without a trailing slash: the site's URL and its origin.
    pub url: Output<String>,
    /// Whose pages are the site's: by its URL first, and by every other name that it has.
    pub origins: Output<Vec<String>>,
    /// The same, by CloudFront's name for it, which is known without any record of one's own.
    distribution_url: Output<String>,
    pub bucket: PrivateBucket,
    component: Component,
}

impl MysfitsService {
    pub fn existing(url: &str) -> Self {
        let url = Output::new(url.to_owned());
        Self {
            for_pages: url.clone(),
            for_processor: url,
        }
    }
}

impl Site {
    /// The bucket and its distribution, still empty.
    pub fn new(scope: &Scope<'_>) -> Self {
        let component = scope.component("Site", "site");
        let bucket = PrivateBucket::new(
            scope,
            &component,
            "mysfits-site",
            &BucketSettings::default(),
        );
        let distribution = distribution::create(scope, &component, &bucket);
        let readers = all((&bucket.arn, &distribution.arn)).map(|(bucket, distribution)| {
            vec![policy::readable_by_distribution(&bucket, &distribution)]
        });
        bucket.policy(scope, &component, readers);

        if scope.config.site.access_logs {
            access_log::create(scope, &component, &distribution.arn);
        }

        let scheme = scope.config.site.scheme;
        let distribution_url =
            format_output!("{scheme}://{}", distribution.domain_name, scheme = scheme);
        let url = match &scope.config.site.domain {
            None => distribution_url.clone(),
            Some(domain) => Output::new(format!("{scheme}://{}", domain.name)),
        };
        component.output("url", &url);
        let hosts = scope.config.site.hosts.clone();
        let origins = all((&url, &distribution_url)).map(move |(url, distribution)| {
            let port = distribution.rsplit_once(':').map(|(_, port)| port);
            let port = port.filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            let others = hosts.iter().map(|host| format!("{scheme}://{host}{port}"));
            let mut origins = vec![url];
            for origin in std::iter::once(distribution).chain(others) {
                if !origins.contains(&origin) {
                    origins.push(origin);
                }
            }
            origins
        });
        Self {
            url,
            origins,
            distribution_url,
            bucket,
            component,
        }
    }

    /// Publishes the catalogue beside the site.
    pub fn publish_catalogue(&self, scope: &Scope<'_>) -> Result<MysfitsService> {
        for object in catalogue::objects()? {
            let source = files::Source::Text(Output::new(object.json));
            self.put(scope, self.options(), &Page::json(&object.key), source);
        }
        Ok(MysfitsService {
            for_pages: self.url.clone(),
            for_processor: self.distribution_url.clone(),
        })
    }

    /// Uploads the files of `web/`, and what of them only the deployment knows.
    pub fn publish(&self, scope: &Scope<'_>, settings: &SiteSettings<'_>) -> Result<()> {
        let services = settings.services(scope);
        // What another service has is known when a page asks it, and not here.
        let mysfits = match scope.config.processor.mysfits_api_url {
            None => catalogue::mysfits()?,
            Some(_) => Vec::new(),
        };
        for file in files::of_site(&scope.program.root_directory().join("web"))? {
            let page = Page::of_file(&file.path)?;
            let Some(html) = file.html else {
                let source = files::Source::File(format!("web/{}", file.path));
                // A script may say in a click what the API did not admit before.
                let options = match file.path.ends_with(".js") {
                    true => self.options().depends_on(&[settings.api_live]),
                    false => self.options(),
                };
                self.put(scope, options, &page, source);
                continue;
            };
            if file.path != pages::PROFILE {
                let html = pages::with_cards(&html, &mysfits)?;
                let html = services.map(move |services| pages::admit(&html, &services));
                self.put(scope, self.options(), &page, files::Source::Text(html));
                continue;
            }
            for mysfit in &mysfits {
                self.put_profile(scope, &html, mysfit, &services)?;
            }
        }
        let source = files::Source::Text(settings.json(scope));
        self.put(scope, self.options(), &Page::json("config.json"), source);
        if scope.config.site.insights {
            // What is published into it later is not this program's to change.
            let options = self.options().ignore_changes(&["content"]);
            let nothing = files::Source::Text(Output::new(r#"{"mysfits":[]}"#.to_owned()));
            self.put(scope, options, &Page::json("insights.json"), nothing);
        }
        Ok(())
    }

    /// The page of a profile. Visitors without scripts, and previews of a link, read there who it is.
    fn put_profile(
        &self,
        scope: &Scope<'_>,
        html: &str,
        mysfit: &Mysfit,
        services: &Output<Vec<String>>,
    ) -> Result<()> {
        // A mistake in the page is found before anything is deployed.
        let html = pages::of_profile(html, mysfit, SITE)?;
        let html = all((services, &self.url))
            .map(move |(services, site)| pages::admit(&html.replace(SITE, &site), &services));
        let page = Page::html(pages::key(mysfit));
        self.put(scope, self.options(), &page, files::Source::Text(html));
        Ok(())
    }

    /// Those of an object of the site.
    fn options(&self) -> Options {
        self.bucket.object(&self.component)
    }

    fn put(&self, scope: &Scope<'_>, options: Options, page: &Page, source: files::Source) {
        files::upload(scope, options, &self.bucket, page, source);
    }
}
