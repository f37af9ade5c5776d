//! A place to measure in: a home and an embedded cloud that nobody else uses.

use crate::checkout::Checkout;
use crate::commands::package;
use crate::session::{LOCAL, Session};
use anyhow::{Result, bail};
use std::path::Path;

/// Fails when no place can be had, which a person should hear before minutes of measuring.
pub fn check() -> Result<()> {
    if std::env::var_os("MYSFITS_PORT").is_some() {
        bail!("MYSFITS_PORT is set, and a benchmark has a cloud with ports of its own: unset it");
    }
    Ok(())
}

/// Does something with a cloud in a temporary home, where stack `local` is not deployed yet.
pub async fn with<T>(root: &Path, measure: impl AsyncFnOnce(&Session) -> Result<T>) -> Result<T> {
    with_cloud(root, None, measure).await
}

/// The same, with a program of one's own choice as the cloud.
pub async fn with_cloud<T>(
    root: &Path,
    program: Option<&Path>,
    measure: impl AsyncFnOnce(&Session) -> Result<T>,
) -> Result<T> {
    check()?;
    let home = tempfile::tempdir()?;
    let session = Session::of(Checkout {
        root: root.to_owned(),
        home: home.path().to_owned(),
    })
    .await?;
    package::build_first(root).await?;
    match program {
        Some(program) => session.cloud().start(program).await?,
        None => {
            session.ensure_cloud().await?;
        }
    }
    let measured = async {
        session.ensure_stack(LOCAL).await?;
        measure(&session).await
    };
    let measured = measured.await;
    if let Some(running) = session.cloud().running().await? {
        session.cloud().stop(running).await?;
    }
    measured
}
