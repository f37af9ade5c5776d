//! What happens on an ordinary day: a forgotten variable, a reboot, another compression, a slip
//! of the fingers.

use crate::place::Place;
use anyhow::{Context, Result};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

#[test]
fn a_stopped_cloud_keeps_what_it_holds_and_everybody_says_so() -> Result<()> {
    let place = Place::new()?;
    let nothing = place.xtask(&["down"])?;
    assert!(nothing.contains("Nothing is deployed"), "{nothing}");
    let up = place.xtask(&["up"])?;
    assert!(up.contains("/_mysfits/console"), "{up}");
    place.xtask(&["click", "--user", "before"])?;

    // In a shell that was opened before the cloud was stopped.
    let xtask = env!("CARGO_BIN_EXE_xtask");
    let met = place.try_shell(&format!(
        "\"{xtask}\" stop >&2; pulumi preview -s local; aws s3 ls 2>&1 || true"
    ))?;
    let met = said(&met);
    assert!(met.contains("what it holds is kept"), "{met}");
    assert!(met.contains("`cargo xtask start` starts it"), "{met}");
    for command in ["click", "logs", "open"] {
        let refused = said(&place.try_xtask(&[command])?);
        assert!(refused.contains("cargo xtask start"), "{refused}");
    }
    let status = place.xtask(&["status"])?;
    assert!(status.contains("cargo xtask start"), "{status}");
    let again = place.xtask(&["stop"])?;
    assert!(again.contains("No embedded cloud was running"), "{again}");

    place.xtask(&["start"])?;
    let bucket = place.outputs()?["clicksBucket"].clone();
    let bucket = bucket.as_str().context("no bucket")?.to_owned();
    let kept = place.shell(&format!("pulumi stack -s local | grep -c {bucket}"))?;
    assert_ne!(kept.trim(), "0");
    place.xtask(&["click", "--user", "after"])?;
    let running = place.try_shell("pulumi stack ls")?;
    assert!(!said(&running).contains("note:"), "{}", said(&running));

    opens_site_and_console(&place)?;

    let down = place.xtask(&["down"])?;
    assert!(down.contains("Stack local is destroyed"), "{down}");
    let down = place.xtask(&["down"])?;
    assert!(
        down.contains("Stack local was not deployed, no embedded cloud was running"),
        "{down}"
    );
    place.assert_clean()
}

#[test]
fn the_home_knows_its_port() -> Result<()> {
    let place = Place::new()?;
    let variables = place.xtask(&["env"])?;
    let forgotten = place
        .command(&["status"])
        .env_remove("MYSFITS_PORT")
        .output()?;
    assert!(said(&forgotten).contains("runs, since"), "{forgotten:?}");
    let forgotten = place
        .command(&["env"])
        .env_remove("MYSFITS_PORT")
        .output()?;
    assert_eq!(String::from_utf8(forgotten.stdout)?, variables);

    let pid = place.cloud()?;
    for command in ["env", "status", "down"] {
        let other = place
            .command(&[command])
            .env("MYSFITS_PORT", "31000")
            .output()?;
        assert!(!other.status.success(), "{command}");
        let other = said(&other);
        assert!(other.contains("MYSFITS_PORT is 31000"), "{other}");
        assert!(other.contains("unset MYSFITS_PORT"), "{other}");
    }
    assert_eq!(place.cloud()?, pid, "the cloud was moved");
    Ok(())
}

#[test]
fn a_click_is_found_in_a_compressed_object() -> Result<()> {
    let place = Place::new()?;
    place.xtask(&["up"])?;
    place.shell(
        "copy=\"$MYSFITS_HOME/Pulumi.gzip.yaml\"; cp Pulumi.local.yaml \"$copy\"
         pulumi config set mysfits:compression GZIP -s local --config-file \"$copy\" &&
         pulumi up -s local --yes --config-file \"$copy\"",
    )?;
    let record = place.xtask(&["click", "--user", "compressed"])?;
    assert!(record.contains("\"userId\":\"compressed\""), "{record}");
    place.assert_clean()
}

#[test]
fn benchmarks_are_listed_and_nothing_dangerous_is_suggested() -> Result<()> {
    let place = Place::new()?;
    let listed = said(&place.try_xtask(&["bench"])?);
    for name in ["cloud", "processor", "program"] {
        assert!(listed.contains(name), "{listed}");
    }
    let refused = said(&place.try_xtask(&["bench", "program"])?);
    assert!(refused.contains("MYSFITS_PORT is set"), "{refused}");
    let slip = said(&place.try_xtask(&["relay"])?);
    assert!(!slip.contains("replay"), "{slip}");
    Ok(())
}

/// With a program in the place of the person's browser, and without one.
fn opens_site_and_console(place: &Place) -> Result<()> {
    let tools = place.home.join("tools");
    let opened = tools.join("opened");
    std::fs::create_dir_all(&tools)?;
    let opener = tools.join("xdg-open");
    std::fs::write(
        &opener,
        format!("#!/bin/sh\necho \"$1\" >> \"{}\"\n", opened.display()),
    )?;
    std::fs::set_permissions(&opener, Permissions::from_mode(0o755))?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(tools).chain(std::env::split_paths(&path));
    let path = std::env::join_paths(folders)?;
    let site = place.outputs()?["siteUrl"].clone();
    let site = site.as_str().context("no site")?.to_owned();
    let console = format!("{}/_mysfits/console", place.aws()?);
    let open = |display: &str| {
        let mut command = place.command(&["open"]);
        command.env("PATH", &path).env("DISPLAY", display);
        command.env_remove("WAYLAND_DISPLAY").env_remove("BROWSER");
        command.output()
    };
    let printed = said(&open(":0")?);
    assert!(
        printed.contains(&site) && printed.contains(&console),
        "{printed}"
    );
    let addresses = std::fs::read_to_string(&opened)?;
    assert_eq!(addresses, format!("{site}\n{console}\n"));
    let printed = said(&open("")?);
    assert!(
        printed.contains(&site) && printed.contains(&console),
        "{printed}"
    );
    assert_eq!(
        std::fs::read_to_string(&opened)?,
        addresses,
        "without a display"
    );
    Ok(())
}

/// All that a command wrote.
fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
