//! The environment of a pinned build: what a user's shell or Cargo configuration holds for other
//! builds must not change the package.

use super::tools::Tools;
use crate::project::cargo_home;
use crate::toolchain::Compiler;
use anyhow::{Context, Result, bail};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

/// What a build may know of the user's environment: where things are, how to reach the registry,
/// how much may run at once. All else, from `CFLAGS` to `RUSTC_WRAPPER`, stays outside: a list of
/// what to remove would never be complete.
const KEPT: [&str; 19] = [
    "CARGO_BUILD_JOBS",
    "CARGO_HOME",
    "HOME",
    "LOGNAME",
    "RUSTUP_HOME",
    "SSH_AUTH_SOCK",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TERM",
    "TMPDIR",
    "USER",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "ALL_PROXY",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
];

/// The same, for variables that begin so: how Cargo reaches its registries, and what it prints.
const KEPT_PREFIXES: [&str; 5] = [
    "CARGO_HTTP_",
    "CARGO_NET_",
    "CARGO_REGISTRIES_",
    "CARGO_REGISTRY_",
    "CARGO_TERM_",
];

/// The whole environment of a build of the workspace in `root` for `target`.
pub fn environment(
    root: &Path,
    target: &str,
    compiler: &Compiler,
    sysroot: &Path,
    tools: &Tools,
) -> Result<Vec<(OsString, OsString)>> {
    let target_folder = target_folder(root);
    let mut environment: Vec<(OsString, OsString)> = std::env::vars_os()
        .filter(|(name, _)| is_kept(name))
        .collect();
    let mut set = |name: &str, value: &OsStr| environment.push((name.into(), value.to_owned()));

    // The toolchain itself, since rustup would choose another outside of the checkout.
    set("PATH", &path(sysroot)?);
    set("RUSTC", sysroot.join("bin/rustc").as_os_str());
    for wrapper in ["RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"] {
        // Nothing, which is more than the wrapper of a configuration file.
        set(wrapper, OsStr::new(""));
    }
    set("CARGO_INCREMENTAL", OsStr::new("0"));
    set("CARGO_TARGET_DIR", target_folder.as_os_str());
    set("CARGO_BUILD_BUILD_DIR", target_folder.as_os_str());

    let moved = moved(root, &target_folder, sysroot, &compiler.commit)?;
    set("CARGO_ENCODED_RUSTFLAGS", &rust_flags(&moved));
    // For what crates compile from C. The flags are split as a shell does it.
    set("CC_SHELL_ESCAPED_FLAGS", OsStr::new("1"));
    let c_flags = c_flags(&moved);
    set(&format!("CFLAGS_{}", target.replace('-', "_")), &c_flags);

    set("CARGO_ZIGBUILD_ZIG_PATH", tools.zig().as_os_str());
    for (name, folder) in [
        ("CARGO_ZIGBUILD_CACHE_DIR", "wrappers"),
        ("ZIG_GLOBAL_CACHE_DIR", "zig-cache"),
        ("ZIG_LOCAL_CACHE_DIR", "zig-cache"),
    ] {
        set(name, tools.folder().join(folder).as_os_str());
    }
    Ok(environment)
}

fn is_kept(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    KEPT.contains(&name) || KEPT_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Where Cargo builds, as the user asked for it.
fn target_folder(root: &Path) -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) if !folder.is_empty() => root.join(folder),
        _ => root.join("target"),
    }
}

fn path(sysroot: &Path) -> Result<OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(sysroot.join("bin")).chain(std::env::split_paths(&path));
    std::env::join_paths(folders)
        .with_context(|| format!("{} cannot be on PATH", sysroot.display()))
}

/// Folders that differ from machine to machine, and what they are called in the binary: paths end
/// up there as the places of panics. When several fit, the compiler takes the last.
fn moved(
    root: &Path,
    target_folder: &Path,
    sysroot: &Path,
    commit: &str,
) -> Result<Vec<(PathBuf, String)>> {
    Ok(vec![
        (cargo_home()?, "/cargo".to_owned()),
        (
            sysroot.join("lib/rustlib/src/rust"),
            format!("/rustc/{commit}"),
        ),
        (root.to_owned(), "/workspace".to_owned()),
        (target_folder.to_owned(), "/workspace/target".to_owned()),
    ])
}

fn rust_flags(moved: &[(PathBuf, String)]) -> OsString {
    let mut flags = OsString::new();
    for (from, to) in moved {
        if !flags.is_empty() {
            flags.push("\u{1f}");
        }
        flags.push("--remap-path-prefix=");
        flags.push(from);
        flags.push("=");
        flags.push(to);
    }
    flags
}

fn c_flags(moved: &[(PathBuf, String)]) -> OsString {
    let mut flags = OsString::new();
    for (from, to) in moved {
        if !flags.is_empty() {
            flags.push(" ");
        }
        let flag = format!("-ffile-prefix-map={}={to}", from.display());
        flags.push(format!("'{}'", flag.replace('\'', r"'\''")));
    }
    flags
}

/// Refuses what Cargo's configuration would change and nothing can override. It reads that of its
/// home and, since the build runs in `/`, no other but the one there.
pub fn check_configuration() -> Result<()> {
    for folder in [cargo_home()?, PathBuf::from("/.cargo")] {
        for name in ["config.toml", "config"] {
            check_file(&folder.join(name))?;
        }
    }
    Ok(())
}

fn check_file(path: &Path) -> Result<()> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            return Err(error).with_context(|| format!("{} cannot be read", path.display()));
        }
    };
    let table: toml::Table = text
        .parse()
        .with_context(|| format!("{} is not valid TOML", path.display()))?;
    if let Some(key) = foreign(&table) {
        bail!(
            "`{key}` in {} would change the bytes of the package, which are the same from every \
             machine: move it into the files of the projects that need it",
            path.display()
        );
    }
    Ok(())
}

/// The first setting that changes what is compiled, and that no variable overrides. Linkers,
/// flags and wrappers are overridden; a table of a target is the place of a build script.
fn foreign(table: &toml::Table) -> Option<String> {
    let whole = ["env", "include", "patch", "paths", "profile", "unstable"];
    if let Some(key) = whole.iter().find(|key| table.contains_key(**key)) {
        return Some((*key).to_owned());
    }
    let targets = table.get("target")?.as_table()?;
    targets.iter().find_map(|(target, settings)| {
        let (key, _) = settings
            .as_table()?
            .iter()
            .find(|(_, value)| value.is_table())?;
        Some(format!("target.{target}.{key}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_change_the_binary_are_foreign() -> Result<()> {
        for (text, key) in [
            ("[env]\nCFLAGS = \"-g\"", Some("env")),
            ("[profile.release]\ndebug = 1", Some("profile")),
            (
                "[target.x86_64-unknown-linux-gnu.ring]\nrustc-link-lib = [\"x\"]",
                Some("target.x86_64-unknown-linux-gnu.ring"),
            ),
            (
                "[target.x86_64-unknown-linux-gnu]\nlinker = \"clang\"\nrustflags = [\"-g\"]\n\
                 [build]\nrustc-wrapper = \"sccache\"\n[registries.own]\nindex = \"x\"",
                None,
            ),
        ] {
            assert_eq!(foreign(&text.parse()?).as_deref(), key, "{text}");
        }
        Ok(())
    }

    #[test]
    fn a_folder_with_a_quote_is_one_flag() {
        let moved = [(PathBuf::from("/it's here"), "/workspace".to_owned())];
        assert_eq!(
            c_flags(&moved),
            r"'-ffile-prefix-map=/it'\''s here=/workspace'"
        );
    }
}
