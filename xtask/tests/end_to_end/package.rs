//! The package that goes to AWS: the same from another checkout on a machine where nothing is the
//! same, and one that runs.

use crate::copy::Copy;
use crate::place::Place;
use anyhow::{Context, Result, ensure};
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

#[test]
fn the_package_is_the_same_elsewhere_and_runs() -> Result<()> {
    let here = Place::new()?;
    let copy = Copy::new()?;
    let there = Place::of_copy(&copy)?;
    // That of this machine, since it is run below.
    let arguments = ["package", "--architecture", "host"];
    let package = PathBuf::from(last_line(&here.xtask(&arguments)?)?);
    here.assert_clean()?;

    let elsewhere = tempfile::tempdir()?;
    let output = there
        .command(&arguments)
        .envs(hostile(elsewhere.path())?)
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo xtask package: {said}");
    let other = PathBuf::from(last_line(&String::from_utf8(output.stdout)?)?);
    assert!(
        fs::read(package)? == fs::read(&other)?,
        "the packages differ"
    );

    // Stack `local` runs a quick one; without the key it runs this one.
    let file = copy.root.join("Pulumi.local.yaml");
    let text = fs::read_to_string(&file)?;
    let lines = text.lines().filter(|line| !line.contains("packageProfile"));
    let changed = lines.collect::<Vec<_>>().join("\n") + "\n";
    assert_ne!(changed, text);
    fs::write(&file, changed)?;
    let built = fs::metadata(&other)?.modified()?;
    there.xtask(&["up"])?;
    assert_eq!(fs::metadata(&other)?.modified()?, built);
    let state = there.resources()?;
    let function = state
        .iter()
        .find(|resource| resource["type"] == "aws:lambda/function:Function")
        .context("no function")?;
    let path = function["inputs"]["code"]["path"].as_str();
    let path = path.context("no path of the package")?;
    assert!(other.ends_with(path), "{path}");
    there.xtask(&["click"])?;
    there.xtask(&["down"])?;
    Ok(())
}

fn last_line(printed: &str) -> Result<&str> {
    printed.lines().last().context("no path was printed")
}

/// What another machine, and another user's shell, may have otherwise.
fn hostile(folder: &Path) -> Result<Vec<(&'static str, OsString)>> {
    let bin = folder.join("bin");
    fs::create_dir_all(&bin)?;
    for tool in ["cc", "gcc", "ld"] {
        let script = format!(
            "#!/bin/sh\nPATH=${{PATH#*:}}\nexec {tool} {} \"$@\"\n",
            if tool == "ld" {
                ""
            } else {
                "-g -Wl,--build-id=sha1"
            }
        );
        fs::write(bin.join(tool), script)?;
        fs::set_permissions(bin.join(tool), fs::Permissions::from_mode(0o755))?;
    }
    let include = folder.join("include");
    fs::create_dir_all(&include)?;
    fs::write(
        include.join("string.h"),
        "#error another machine's header\n",
    )?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(bin).chain(std::env::split_paths(&path)))?;
    let mut variables = vec![("PATH", path)];
    for name in ["CPATH", "C_INCLUDE_PATH", "LIBRARY_PATH"] {
        variables.push((name, include.clone().into()));
    }
    for (name, value) in [
        ("CC", "/nonexistent"),
        ("CFLAGS", "-O0 -g"),
        ("LDFLAGS", "-Wl,--build-id=sha1"),
        ("RUSTFLAGS", "-Copt-level=1"),
        ("RUSTC_WRAPPER", "/nonexistent"),
        ("CARGO_INCREMENTAL", "1"),
        ("CARGO_PROFILE_LAMBDA_OPT_LEVEL", "0"),
        ("CARGO_PROFILE_LAMBDA_LTO", "off"),
        ("CARGO_PROFILE_LAMBDA_CODEGEN_UNITS", "16"),
        ("SOURCE_DATE_EPOCH", "1"),
    ] {
        variables.push((name, value.into()));
    }
    Ok(variables)
}
