//! The objects in the site's bucket.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use aws::s3::bucket_objectv_2 as object;
use pulumi_gestalt_providers_aws as aws;
use pulumi_program::{FileAsset, Options, Output};

use super::pages;
use crate::bucket::PrivateBucket;
use crate::scope::Scope;

/// How an object is served.
pub struct Page {
    key: String,
    content_type: &'static str,
    cache_control: &'static str,
}

/// Where an object's content comes from.
pub enum Source {
    /// A path from the folder of Pulumi.yaml.
    File(String),
    Text(Output<String>),
}

/// A file of the site.
pub struct SiteFile {
    /// From the site's folder, with slashes.
    pub path: String,
    /// The text, when it is a page that says what it connects to.
    pub html: Option<String>,
}

/// Asked for again every time, answered with 304 when nothing changed.
const NEVER_STALE: &str = "no-cache";
/// Data says what it means in every version, so that an old answer beside a new page does no harm.
const FOR_A_MINUTE: &str = "public, max-age=60, stale-while-revalidate=600";
/// Pictures change seldom, and a day's delay does not matter.
const FOR_A_DAY: &str = "public, max-age=86400";

impl Page {
    /// Data for the site's scripts.
    pub fn json(key: &str) -> Self {
        Self {
            key: key.to_owned(),
            content_type: "application/json; charset=utf-8",
            cache_control: FOR_A_MINUTE,
        }
    }

    /// A page that is made of one in `web/`.
    pub fn html(key: String) -> Self {
        Self {
            key,
            content_type: "text/html; charset=utf-8",
            cache_control: NEVER_STALE,
        }
    }

    /// By the ending of the file. Scripts and styles have no version in their names, so a page and
    /// the files that it loads must be equally new.
    pub fn of_file(path: &str) -> Result<Self> {
        let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
        let (content_type, cache_control) = match ending {
            "html" => ("text/html; charset=utf-8", NEVER_STALE),
            "css" => ("text/css; charset=utf-8", NEVER_STALE),
            "js" => ("text/javascript; charset=utf-8", NEVER_STALE),
            "json" => ("application/json; charset=utf-8", FOR_A_MINUTE),
            "txt" => ("text/plain; charset=utf-8", NEVER_STALE),
            "svg" => ("image/svg+xml", FOR_A_DAY),
            "png" => ("image/png", FOR_A_DAY),
            "ico" => ("image/x-icon", FOR_A_DAY),
            "woff2" => ("font/woff2", FOR_A_DAY),
            _ => bail!("web/{path} has an ending whose content type is not known"),
        };
        Ok(Self {
            key: path.to_owned(),
            content_type,
            cache_control,
        })
    }
}

/// Every file under `folder`, in order of path. Hidden files are left out.
pub fn of_site(folder: &Path) -> Result<Vec<SiteFile>> {
    let mut files = Vec::new();
    collect(folder, "", &mut files)
        .with_context(|| format!("cannot read the site's files in {}", folder.display()))?;
    ensure!(
        files.iter().any(|file| file.path == "index.html"),
        "{} has no index.html",
        folder.display()
    );
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

pub fn upload(
    scope: &Scope<'_>,
    options: Options,
    bucket: &PrivateBucket,
    page: &Page,
    source: Source,
) {
    let (file, text) = match source {
        Source::File(path) => (Some(HashMap::from(FileAsset::new(path))), None),
        Source::Text(text) => (None, Some(text)),
    };
    let text = match text {
        Some(text) => text.map(Some),
        None => Output::new(None),
    };
    object::create_with_options(
        scope.program,
        &format!("mysfits-site/{}", page.key),
        object::BucketObjectv2Args::builder()
            .bucket(bucket.name.clone())
            .key(page.key.clone())
            .source(file)
            .content(text)
            .content_type(page.content_type)
            .cache_control(page.cache_control)
            .build_struct(),
        options,
    );
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<SiteFile>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_str().context("a file name is no text")?;
        if name.starts_with('.') {
            continue;
        }
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{path}/"), files)?;
        } else {
            let page = path.ends_with(".html");
            let html = page.then(|| std::fs::read_to_string(entry.path()));
            files.push(SiteFile {
                html: html.transpose()?.filter(|html| pages::connects(html)),
                path,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_site_has_a_content_type() -> Result<()> {
        let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web");
        let files = of_site(&web)?;
        for file in &files {
            Page::of_file(&file.path)?;
        }
        assert!(files.iter().any(|file| file.path == "images/icon.svg"));
        Ok(())
    }

    #[test]
    fn an_unknown_ending_is_refused() {
        assert!(Page::of_file("notes.docx").is_err());
        assert!(Page::of_file("Makefile").is_err());
    }
}
