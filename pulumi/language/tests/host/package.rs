//! The package of the function: the same bytes on every machine, for the requested architecture; or
//! one that is built quickly.

use crate::harness::{Host, Workspace, options};
use anyhow::{Context, Result};
use pulumi_gestalt_proto::pulumi::pulumirpc::LogSeverity;
use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A function with a part in C, as crates for cryptography have.
const FUNCTION: &str = r#"
    unsafe extern "C" { fn part(text: *const u8) -> usize; }
    fn main() {
        let text = std::env::args().next().unwrap() + "\0";
        println!("{}", unsafe { part(text.as_ptr()) });
    }
"#;

/// What the crate `cc` does: the compiler and the flags of the target, or else those of all.
const BUILD_SCRIPT: &str = r#"
    use std::{env, process::Command};
    fn main() {
        let target = env::var("TARGET").unwrap().replace('-', "_");
        let of = |name: &str| env::var(format!("{name}_{target}")).or(env::var(name));
        let object = env::var("OUT_DIR").unwrap() + "/part.o";
        let compile = format!(
            "{} {} -O2 -c part.c -o '{object}'",
            of("CC").unwrap_or("cc".into()),
            of("CFLAGS").unwrap_or_default()
        );
        assert!(Command::new("sh").args(["-c", &compile]).status().unwrap().success());
        println!("cargo::rustc-link-arg={object}");
    }
"#;

const PART: &str = r#"
    #include <string.h>
    size_t part(const char *text) { return strlen(text) + strlen(__FILE__); }
"#;

/// Prints the environment, of which the host tells where the package is.
const PROGRAM: (&str, &str) = ("binary", "/usr/bin/env");

const MACHINES: [(&str, &str, &str, [u8; 2]); 2] = [
    (
        "x86_64",
        "x86_64-unknown-linux-gnu",
        "bootstrap.zip",
        [62, 0],
    ),
    (
        "arm64",
        "aarch64-unknown-linux-gnu",
        "bootstrap-arm64.zip",
        [183, 0],
    ),
];

fn workspace() -> Result<Workspace> {
    let workspace = Workspace::with_lambda("fn main() {}", Some(FUNCTION))?;
    workspace.write("function/build.rs", BUILD_SCRIPT)?;
    workspace.write("function/part.c", PART)?;
    Ok(workspace)
}

/// Runs a program that prints what it is told, and gives that.
async fn run(host: &mut Host, workspace: &Workspace, config: &[(&str, &str)]) -> Result<String> {
    let mut request = workspace.request(&[]);
    let pairs = config.iter();
    request.config = pairs
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    if let Some(info) = &mut request.info {
        info.options = Some(options(&[PROGRAM]));
    }
    let response = host.client.run(request).await?.into_inner();
    if response.bail || !response.error.is_empty() {
        let errors = host.engine.kept(LogSeverity::Error).join("\n");
        let shown = host.engine.kept(LogSeverity::Info).join("\n");
        anyhow::bail!("{}{errors}\n{shown}", response.error);
    }
    loop {
        let line = host.next_line().await?;
        if let Some(told) = line.strip_prefix("PULUMI_RUST_LAMBDA=") {
            return Ok(told.to_owned());
        }
    }
}

/// The package, and the number of the machine that its binary is for.
fn package(workspace: &Workspace, file: &str) -> Result<(Vec<u8>, [u8; 2])> {
    let path = workspace.root().join("target/lambda").join(file);
    let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
    let mut archive = zip::ZipArchive::new(File::open(&path)?)?;
    let mut header = [0; 20];
    archive.by_name("bootstrap")?.read_exact(&mut header)?;
    Ok((bytes, [header[18], header[19]]))
}

/// A shell and a home where nothing is as elsewhere.
fn hostile(workspace: &Workspace) -> Result<Vec<(&'static str, OsString)>> {
    let scratch = workspace.scratch();
    let bin = scratch.join("bin");
    for tool in ["cc", "gcc", "clang", "ld", "ar"] {
        // Those for this machine's own programs work, and leave traces in all that they link.
        let more = if matches!(tool, "cc" | "gcc") {
            "-g -Wl,--build-id=sha1"
        } else {
            ""
        };
        let real = on_path(tool).unwrap_or_else(|| PathBuf::from("/bin/false"));
        script(
            &bin.join(tool),
            &format!("exec '{}' {more} \"$@\"", real.display()),
        )?;
    }
    let include = scratch.join("include");
    fs::create_dir_all(&include)?;
    fs::write(
        include.join("string.h"),
        "#error another machine's header\n",
    )?;
    let home = scratch.join("cargo-home");
    fs::create_dir_all(&home)?;
    // A linker that also works for build scripts, which are this machine's own programs.
    let config = format!(
        "[build]\nrustflags = [\"-Copt-level=0\"]\nrustc-wrapper = \"/nonexistent\"\n\
         [target.'cfg(all())']\nlinker = \"{}\"\nrustflags = [\"-g\"]\n",
        bin.join("cc").display()
    );
    fs::write(home.join("config.toml"), config)?;
    // Cargo reads those above a checkout too.
    let above = scratch.join(".cargo");
    fs::create_dir_all(&above)?;
    let config =
        "[profile.lambda]\nopt-level = 0\n[env]\nCFLAGS = { value = \"-O0\", force = true }\n";
    fs::write(above.join("config.toml"), config)?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(bin).chain(std::env::split_paths(&path)))?;
    let mut variables: Vec<(&str, OsString)> = vec![
        ("PATH", path),
        ("CARGO_HOME", home.into()),
        ("CARGO_TARGET_DIR", scratch.join("elsewhere").into()),
        ("RUSTUP_HOME", rustup_home()?.into()),
    ];
    for name in ["CPATH", "C_INCLUDE_PATH", "LIBRARY_PATH"] {
        variables.push((name, include.clone().into()));
    }
    for (name, value) in [
        ("CC", "/nonexistent"),
        ("CC_x86_64_unknown_linux_gnu", "/nonexistent"),
        ("CC_aarch64_unknown_linux_gnu", "/nonexistent"),
        ("CFLAGS", "-O0 -g"),
        ("CFLAGS_x86_64_unknown_linux_gnu", "-O0"),
        ("CFLAGS_aarch64_unknown_linux_gnu", "-O0"),
        ("LDFLAGS", "-Wl,--build-id=sha1"),
        ("RUSTFLAGS", "-Copt-level=0"),
        ("CARGO_ENCODED_RUSTFLAGS", "-Copt-level=0"),
        ("CARGO_BUILD_RUSTFLAGS", "-g"),
        ("CARGO_BUILD_TARGET", "wasm32-unknown-unknown"),
        ("CARGO_INCREMENTAL", "1"),
        ("CARGO_PROFILE_LAMBDA_OPT_LEVEL", "0"),
        ("CARGO_PROFILE_LAMBDA_STRIP", "none"),
        ("CARGO_PROFILE_RELEASE_DEBUG", "true"),
        (
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER",
            "/nonexistent",
        ),
        (
            "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER",
            "/nonexistent",
        ),
        ("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS", "-g"),
        ("RUSTC_WRAPPER", "/nonexistent"),
        ("SOURCE_DATE_EPOCH", "1"),
    ] {
        variables.push((name, value.into()));
    }
    Ok(variables)
}

/// Whether Rust's standard library for a target is here, after an attempt to have it. Where it
/// cannot be had, what the host says of that is tested instead.
fn has_target(workspace: &Workspace, target: &str) -> Result<bool> {
    let mut add = Command::new("rustup");
    add.args(["target", "add", target]);
    if let Err(error) = add.current_dir(workspace.root()).output() {
        println!("without rustup: {error}");
    }
    let mut sysroot = Command::new("rustc");
    sysroot.args(["--print", "sysroot"]);
    let sysroot = sysroot.current_dir(workspace.root()).output()?.stdout;
    let sysroot = PathBuf::from(String::from_utf8(sysroot)?.trim());
    Ok(sysroot
        .join("lib/rustlib")
        .join(target)
        .join("lib")
        .is_dir())
}

fn rustup_home() -> Result<PathBuf> {
    let home = std::env::var_os("RUSTUP_HOME").map(PathBuf::from);
    home.or_else(|| Some(std::env::home_dir()?.join(".rustup")))
        .context("no home")
}

fn script(path: &Path, text: &str) -> Result<()> {
    fs::create_dir_all(path.parent().context("no folder")?)?;
    fs::write(path, format!("#!/bin/sh\n{text}\n"))?;
    fs::set_permissions(path, Permissions::from_mode(0o755))?;
    Ok(())
}

fn on_path(tool: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(tool))
        .find(|path| path.is_file())
}

#[tokio::test]
async fn the_package_is_the_same_from_every_machine_for_each_architecture() -> Result<()> {
    let (plain, other) = (workspace()?, workspace()?);
    let mut host = Host::start().await?;
    let mut elsewhere = Host::start_with(&hostile(&other)?).await?;
    for (architecture, target, file, machine) in MACHINES {
        let config = [("shop:architecture", architecture)];
        if !has_target(&plain, target)? {
            let refused = run(&mut host, &plain, &config).await.unwrap_err();
            let advice = format!("run `rustup target add {target}`");
            assert!(refused.to_string().contains(&advice), "{refused}");
            continue;
        }
        let told = run(&mut host, &plain, &config).await?;
        assert_eq!(
            told,
            format!(r#"{{"architecture":"{architecture}","archive":"target/lambda/{file}"}}"#)
        );
        assert_eq!(run(&mut elsewhere, &other, &config).await?, told);
        let (bytes, found) = package(&plain, file)?;
        assert_eq!(found, machine, "{architecture}");
        assert!(
            bytes == package(&other, file)?.0,
            "the packages for {architecture} differ"
        );
    }
    Ok(())
}

/// Without the variable and without a value: x86_64, on every machine.
#[tokio::test]
async fn the_architecture_does_not_depend_on_the_machine() -> Result<()> {
    let workspace = workspace()?;
    let mut host = Host::start().await?;
    let told = run(&mut host, &workspace, &[]).await?;
    assert!(told.contains(r#""architecture":"x86_64""#), "{told}");
    assert_eq!(package(&workspace, "bootstrap.zip")?.1, [62, 0]);
    Ok(())
}

#[tokio::test]
async fn a_quick_package_is_built_with_what_is_here() -> Result<()> {
    let workspace = workspace()?;
    // No pinned tools can be in this cache.
    let cache = workspace.scratch().join("cache");
    fs::write(&cache, "a file")?;
    let mut host = Host::start_with(&[("XDG_CACHE_HOME", cache.into())]).await?;
    let quick = [("shop:architecture", "host"), ("shop:profile", "quick")];
    let told = run(&mut host, &workspace, &quick).await?;
    let file = match std::env::consts::ARCH {
        "aarch64" => "bootstrap-arm64-quick.zip",
        _ => "bootstrap-quick.zip",
    };
    assert!(
        told.contains(&format!(r#""target/lambda/{file}""#)),
        "{told}"
    );
    package(&workspace, file)?;
    let shared = workspace.root().join("target/debug/bootstrap");
    assert!(shared.is_file(), "it is not built where other programs are");
    // What is not asked for is not built.
    assert!(
        !workspace
            .root()
            .join("target/lambda/bootstrap.zip")
            .exists()
    );
    Ok(())
}

#[tokio::test]
async fn a_quick_package_for_another_machine_is_refused() -> Result<()> {
    let workspace = workspace()?;
    let mut host = Host::start().await?;
    let other = match std::env::consts::ARCH {
        "aarch64" => "x86_64",
        _ => "arm64",
    };
    let quick = [("shop:architecture", other), ("shop:profile", "quick")];
    let refused = run(&mut host, &workspace, &quick).await.unwrap_err();
    let refused = refused.to_string();
    assert!(
        refused.contains("`host`") && refused.contains(other),
        "{refused}"
    );
    Ok(())
}

#[tokio::test]
async fn an_unknown_profile_is_refused() -> Result<()> {
    let workspace = workspace()?;
    let mut host = Host::start().await?;
    let refused = run(&mut host, &workspace, &[("shop:profile", "fast")]).await;
    let refused = refused.unwrap_err().to_string();
    assert!(
        refused.contains("shop:profile") && refused.contains("`fast`"),
        "{refused}"
    );
    Ok(())
}

/// Whatever the compiler made, it is not uploaded for another architecture.
#[tokio::test]
async fn a_binary_for_another_machine_is_refused() -> Result<()> {
    let workspace = workspace()?;
    let mut elf = [0; 64];
    elf[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    // A machine that Lambda has not: RISC-V.
    elf[18] = 243;
    let binary = workspace.scratch().join("foreign");
    fs::write(&binary, elf)?;
    let message = format!(
        r#"{{"reason":"compiler-artifact","package_id":"f","target":{{"name":"bootstrap","kind":["bin"]}},"fresh":false,"executable":"{}"}}"#,
        binary.display()
    );
    let bin = workspace.scratch().join("bin");
    script(&bin.join("cargo"), &format!("echo '{message}'"))?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(bin).chain(std::env::split_paths(&path)))?;
    let mut host = Host::start_with(&[("PATH", path)]).await?;
    let quick = [("shop:architecture", "host"), ("shop:profile", "quick")];
    let refused = run(&mut host, &workspace, &quick).await.unwrap_err();
    let refused = refused.to_string();
    assert!(refused.contains("it is for ELF machine 243"), "{refused}");
    assert!(refused.contains("would not start in Lambda"), "{refused}");
    Ok(())
}

#[tokio::test]
async fn without_python_the_error_says_what_to_install() -> Result<()> {
    let workspace = workspace()?;
    let bin = workspace.scratch().join("bin");
    script(
        &bin.join("python3"),
        "echo 'No module named pip' >&2; exit 1",
    )?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(bin).chain(std::env::split_paths(&path)))?;
    let cache = workspace.scratch().join("cache");
    let variables = [("PATH", path), ("XDG_CACHE_HOME", cache.into())];
    let mut host = Host::start_with(&variables).await?;
    let refused = run(&mut host, &workspace, &[]).await.unwrap_err();
    let refused = refused.to_string();
    assert!(
        refused.contains("Python 3 with pip") && refused.contains("python3-pip"),
        "{refused}"
    );
    assert!(
        host.engine
            .statuses()
            .iter()
            .any(|status| status.contains("ziglang==")),
        "{:?}",
        host.engine.statuses()
    );
    Ok(())
}

/// A setting that the build cannot keep out is named, not obeyed.
#[tokio::test]
async fn a_setting_of_the_users_that_would_change_the_package_is_refused() -> Result<()> {
    let workspace = workspace()?;
    let home = workspace.scratch().join("cargo-home");
    fs::create_dir_all(&home)?;
    fs::write(
        home.join("config.toml"),
        "[profile.release]\ndebug = true\n",
    )?;
    let mut host = Host::start_with(&[("CARGO_HOME", home.clone().into())]).await?;
    let refused = run(&mut host, &workspace, &[]).await.unwrap_err();
    let refused = refused.to_string();
    let file = home.join("config.toml").display().to_string();
    assert!(
        refused.contains("`profile`") && refused.contains(&file),
        "{refused}"
    );
    Ok(())
}
