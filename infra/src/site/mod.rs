//! The site: a private bucket behind CloudFront, and what is in it.

mod distribution;
mod files;
mod settings;

use anyhow::Result;
use pulumi_program::{Component, Output, all};

use crate::bucket::PrivateBucket;
use crate::catalogue;
use crate::policy;
use crate::scope::Scope;
use files::Page;
pub use settings::Settings;

pub struct Site {
    /// Scheme and host, without a trailing slash: the site's URL and its origin.
    pub url: Output<String>,
    pub bucket: Output<String>,
    component: Component,
}

impl Site {
    /// The bucket and its distribution, still empty.
    pub fn new(scope: &Scope<'_>) -> Self {
        let component = scope.component("Site", "site");
        let bucket = PrivateBucket::new(scope, &component, "mysfits-site", false);
        let distribution = distribution::create(scope, &component, &bucket);
        let readers = all((&bucket.arn, &distribution.arn)).map(|(bucket, distribution)| {
            vec![policy::readable_by_distribution(&bucket, &distribution)]
        });
        bucket.policy(scope, &component, readers);

        let scheme = scope.config.site.scheme;
        let url = distribution
            .domain_name
            .map(move |domain| format!("{scheme}://{domain}"));
        component.output("url", &url);
        Self {
            url,
            bucket: bucket.name,
            component,
        }
    }

    /// Publishes the catalogue beside the site, and gives the base URL that serves it.
    pub fn publish_catalogue(&self, scope: &Scope<'_>) -> Result<Output<String>> {
        for object in catalogue::objects()? {
            let page = Page::never_stale(object.key, "application/json; charset=utf-8");
            self.put(scope, &page, files::Source::Text(Output::new(object.json)));
        }
        Ok(self.url.clone())
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
            self.put(scope, &page, source);
        }
        let page = Page::never_stale("config.json".to_owned(), "application/json; charset=utf-8");
        self.put(scope, &page, files::Source::Text(settings.json(scope)));
        Ok(())
    }

    fn put(&self, scope: &Scope<'_>, page: &Page, source: files::Source) {
        files::upload(scope, &self.component, &self.bucket, page, source);
    }
}
