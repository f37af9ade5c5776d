//! The site: a private bucket behind CloudFront, and what is in it.

mod access_log;
mod distribution;
mod files;
mod settings;

use anyhow::Result;
use pulumi_program::{Component, Options, Output, all, format_output};

use crate::bucket::{Kind, PrivateBucket};
use crate::catalogue;
use crate::policy;
use crate::scope::Scope;
use files::Page;
pub use settings::Settings;

/// The base URLs of a mysfits service: pages must not leave their own origin, and the processor
/// must not depend on a record that somebody has yet to make.
pub struct MysfitsService {
    pub for_pages: Output<String>,
    pub for_processor: Output<String>,
}

pub struct Site {
    /// Scheme and host, without a trailing slash: the site's URL and its origin.
    pub url: Output<String>,
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
        let bucket = PrivateBucket::new(scope, &component, "mysfits-site", &Kind::default());
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
        Self {
            url,
            distribution_url,
            bucket,
            component,
        }
    }

    /// Publishes the catalogue beside the site.
    pub fn publish_catalogue(&self, scope: &Scope<'_>) -> Result<MysfitsService> {
        for object in catalogue::objects()? {
            let page = Page::never_stale(object.key, "application/json; charset=utf-8");
            let source = files::Source::Text(Output::new(object.json));
            self.put(scope, self.options(), &page, source);
        }
        Ok(MysfitsService {
            for_pages: self.url.clone(),
            for_processor: self.distribution_url.clone(),
        })
    }

    /// Uploads the files of `web/`, and what of them only the deployment knows.
    pub fn publish(&self, scope: &Scope<'_>, settings: &Settings<'_>) -> Result<()> {
        let reachable = all((settings.clicks_endpoint, settings.mysfits_api))
            .map(|(clicks, mysfits)| [clicks, mysfits]);
        for file in files::of_site(&scope.program.root_directory().join("web"))? {
            let page = Page::of_file(&file.path)?;
            let source = match file.html {
                None => files::Source::File(format!("web/{}", file.path)),
                Some(html) => files::Source::Text(
                    reachable.map(move |services| settings::admit(&html, &services)),
                ),
            };
            // A script may say in a click what the API did not admit before.
            let options = match file.path.ends_with(".js") {
                true => self.options().depends_on(&[settings.api_live]),
                false => self.options(),
            };
            self.put(scope, options, &page, source);
        }
        let page = Page::never_stale("config.json".to_owned(), "application/json; charset=utf-8");
        let source = files::Source::Text(settings.json(scope));
        self.put(scope, self.options(), &page, source);
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
