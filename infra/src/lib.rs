//! The stack of Mythical Mysfits: a click on a profile becomes an enriched record in S3.
//!
//! The function [`stack`] is its table of contents. The stack file and the provider decide where it
//! is deployed; no module here asks.

mod analytics;
mod api;
mod bucket;
mod catalogue;
pub mod config;
mod delivery;
mod operations;
mod outputs;
mod policy;
mod processor;
mod repository;
mod scope;
mod site;
mod storage;

use anyhow::Result;
use pulumi_program::Program;

use analytics::Analytics;
use api::ClicksApi;
pub use api::digest as api_digest;
use config::Config;
use delivery::Delivery;
use operations::Watched;
use outputs::Outputs;
use processor::Processor;
use repository::Repository;
use scope::Scope;
use site::{MysfitsService, Site, SiteSettings};

/// Describes everything that is deployed.
///
/// # Errors
/// When the configuration has mistakes, or a file of the site cannot be read.
pub fn stack(program: &Program) -> Result<()> {
    let settings = program.config();
    let accounts = settings.get("aws:allowedAccountIds");
    let config = Config::read(program.stack(), settings.own(), accounts)?;
    if !config.exposed.is_empty() {
        program.log().warning(format!(
            "set as a secret, but not kept as one: {}. Their values are in the state in plain text; \
             only mysfits:alarmEmail may be a secret",
            config.exposed.join(", ")
        ));
    }
    let scope = Scope::new(program, &config);

    let site = Site::new(&scope);
    let mysfits = match &config.processor.mysfits_api_url {
        Some(url) => MysfitsService::existing(url),
        None => site.publish_catalogue(&scope)?,
    };

    let clicks = storage::clicks_bucket(&scope);
    let processor = Processor::new(&scope, &mysfits.for_processor)?;
    let delivery = Delivery::new(&scope, &clicks, &processor);
    let api = ClicksApi::new(&scope, &delivery, &site.origins);

    let settings = SiteSettings {
        mysfits_api: &mysfits.for_pages,
        clicks_endpoint: &api.endpoint,
        api_live: &api.live,
    };
    site.publish(&scope, &settings)?;

    let watched = Watched {
        api: &api,
        delivery: &delivery,
        processor: &processor,
    };
    operations::watch(&scope, &watched);

    let analytics = match config.analytics {
        true => Some(Analytics::new(&scope, &clicks)?),
        false => None,
    };
    let repository = config.repository.then(|| Repository::new(&scope));
    Outputs {
        clicks_endpoint: &api.endpoint,
        site_url: &site.url,
        mysfits_api_endpoint: &mysfits.for_pages,
        clicks_bucket: &clicks.name,
        site_bucket: &site.bucket.name,
        delivery_stream: &delivery.stream_name,
        processor: &processor.name,
        repository: repository.as_ref(),
        analytics: analytics.as_ref(),
        region: &scope.region,
    }
    .export(program);
    Ok(())
}

/// The page's program is one that compiles.
#[cfg(doctest)]
#[doc = include_str!("../../docs/pulumi-in-rust.md")]
mod page {}
