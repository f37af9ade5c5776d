//! The pictures of README, made of the deployed site: `cargo xtask pictures` keeps them in docs/.

use super::driver::Setup;
use super::{SNOWFLAKE, Site};
use anyhow::{Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};

/// A file, the screen that it shows, what the visitor prefers, and where the visitor is.
const PICTURES: [(&str, u32, u32, &str, &str); 4] = [
    ("site.png", 1440, 1080, "light", "/"),
    ("site-dark.png", 1440, 1080, "dark", "/#sort=name"),
    ("site-phone.png", 390, 844, "light", "/"),
    ("site-phone-profile.png", 390, 844, "light", "/#mysfit="),
];

#[tokio::test]
async fn the_pictures_are_made_of_the_real_thing() -> Result<()> {
    let site = Site::deployed().await?;
    // Elsewhere than in docs/, unless somebody says so: a test changes no file of the repository.
    let folder =
        std::env::var_os("MYSFITS_PICTURES").map_or_else(|| site.picture(""), PathBuf::from);
    for (name, width, height, scheme, path) in PICTURES {
        let setup = Setup {
            arguments: &["--hide-scrollbars"],
            ..Setup::default()
        };
        let browser = site.driver.browser_with(width, height, setup).await?;
        browser.prefer(scheme).await?;
        let profile = if path.ends_with('=') { SNOWFLAKE } else { "" };
        browser
            .goto(&format!("{}{path}{profile}", site.url))
            .await?;
        browser.find("#grid[aria-busy=false]").await?;
        browser
            .until(
                "[...document.images].every((image) => image.complete && image.naturalWidth > 0)",
            )
            .await?;
        let file = folder.join(name);
        browser.screenshot(&file).await?;
        ensure!(
            fs::metadata(&file)?.len() > 10_000,
            "{} is empty",
            file.display()
        );
        site.leave(browser).await?;
    }
    shares(
        &site,
        std::env::var_os("MYSFITS_PICTURES").is_some(),
        &folder,
    )
    .await?;
    site.driver.stop().await?;
    match std::env::var_os("MYSFITS_PICTURES") {
        Some(_) => Ok(()),
        None => site.place.assert_clean(),
    }
}

/// What previews of links show: each mysfit's drawing as a PNG, which all of them can read.
async fn shares(site: &Site, keep: bool, folder: &Path) -> Result<()> {
    let images = site.place.root.join("web/images");
    let to = if keep {
        images.join("share")
    } else {
        folder.join("share")
    };
    let browser = site.driver.browser_with(600, 600, Setup::default()).await?;
    for entry in fs::read_dir(&images)? {
        let path = entry?.path();
        let name = path
            .file_stem()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if path.extension().is_some_and(|ending| ending == "svg") && name != "icon" {
            browser
                .goto(&format!("{}/images/{name}.svg", site.url))
                .await?;
            browser.screenshot(&to.join(format!("{name}.png"))).await?;
        }
    }
    browser.close().await
}
