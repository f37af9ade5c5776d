//! When nothing has changed, Cargo is not asked. When anything changes, no old program runs.

use crate::harness::{Host, Workspace};
use anyhow::{Context, Result, ensure};
use pulumi_language_rust::proto::{AboutRequest, GetRequiredPackagesRequest};
use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Prints what each kind of edit changes.
const PROGRAM: &str = r#"
    mod part;
    fn main() {
        println!(
            "part={} included={} script={} variable={} settings={} flag={} version={} checks={} helper={}",
            part::TEXT,
            include_str!("included.txt"),
            env!("FROM_SCRIPT"),
            option_env!("SHOP_VARIABLE").unwrap_or("none"),
            option_env!("FROM_SETTINGS").unwrap_or("none"),
            cfg!(flag),
            env!("CARGO_PKG_VERSION"),
            cfg!(debug_assertions),
            helper::TEXT,
        );
    }
"#;

const BUILD_SCRIPT: &str = r#"
    fn main() {
        println!("cargo::rerun-if-changed=input.txt");
        println!("cargo::rustc-check-cfg=cfg(flag)");
        println!("cargo::rustc-env=FROM_SCRIPT={}", std::fs::read_to_string("input.txt").unwrap());
    }
"#;

const HELPER: &str = r#"pub const TEXT: &str = match option_env!("HELPER") {
    Some(text) => text,
    None => "one",
};"#;

/// A workspace, and a Cargo and a compiler on PATH that keep a list of what they are asked.
struct Place {
    workspace: Workspace,
    variables: Vec<(&'static str, OsString)>,
    asked: PathBuf,
}

impl Place {
    fn new() -> Result<Self> {
        let workspace = Workspace::new(PROGRAM)?;
        let manifest = "[package]\nname = \"program\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
                        [dependencies]\nhelper.path = \"../helper\"\n";
        for (path, text) in [
            ("program/Cargo.toml", manifest),
            ("program/build.rs", BUILD_SCRIPT),
            ("program/input.txt", "one"),
            ("program/src/included.txt", "one"),
            ("program/src/part.rs", "pub const TEXT: &str = \"one\";\n"),
            (
                "helper/Cargo.toml",
                "[package]\nname = \"helper\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
            ),
            ("helper/src/lib.rs", HELPER),
        ] {
            workspace.write(path, text)?;
        }
        let bin = workspace.scratch().join("bin");
        let asked = workspace.scratch().join("asked");
        fs::create_dir_all(&bin)?;
        fs::write(&asked, "")?;
        for program in ["cargo", "rustc"] {
            let script = format!(
                "#!/bin/sh\necho \"{program} $1\" >> '{}'\nexec '{}' \"$@\"\n",
                asked.display(),
                on_path(program)?.display()
            );
            fs::write(bin.join(program), script)?;
            fs::set_permissions(bin.join(program), Permissions::from_mode(0o755))?;
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(bin).chain(std::env::split_paths(&path)))?;
        Ok(Self {
            workspace,
            variables: vec![("PATH", path)],
            asked,
        })
    }

    async fn host(&self) -> Result<Host> {
        Host::start_with(&self.variables).await
    }

    /// How often Cargo was asked to build.
    fn builds(&self) -> Result<usize> {
        let asked = fs::read_to_string(&self.asked)?;
        Ok(asked.lines().filter(|line| *line == "cargo build").count())
    }

    /// Runs the program; gives what it printed, and whether Cargo was asked.
    async fn run(&self, host: &mut Host) -> Result<(String, bool)> {
        let before = self.builds()?;
        let response = host.client.run(self.workspace.request(&[])).await?;
        let response = response.into_inner();
        ensure!(
            !response.bail && response.error.is_empty(),
            "{}{:?}",
            response.error,
            host.engine
        );
        Ok((host.next_line().await?, self.builds()? > before))
    }

    /// Runs the program until Cargo is not asked: the first run builds, and the second finds that
    /// nothing has changed since.
    async fn prove(&self, host: &mut Host) -> Result<String> {
        for _ in 0..3 {
            let (printed, asked) = self.run(host).await?;
            if !asked {
                return Ok(printed);
            }
        }
        anyhow::bail!("Cargo is asked again and again")
    }
}

fn on_path(program: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").context("no PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
        .with_context(|| format!("no {program}"))
}

#[tokio::test]
async fn every_kind_of_edit_is_seen_and_nothing_else_asks_cargo() -> Result<()> {
    let place = Place::new()?;
    let mut host = place.host().await?;
    let first = place.prove(&mut host).await?;
    assert_eq!(
        first,
        "part=one included=one script=one variable=none settings=none flag=false version=0.1.0 \
         checks=true helper=one"
    );
    let manifest = fs::read_to_string(place.workspace.root().join("Cargo.toml"))?;
    let of_program = fs::read_to_string(place.workspace.root().join("program/Cargo.toml"))?;
    let read = "std::fs::read_to_string(\"input.txt\").unwrap()";
    let script = BUILD_SCRIPT.replace(read, "\"three\"");
    let edits = [
        (
            "program/src/part.rs",
            "pub const TEXT: &str = \"two\";\n",
            "part=two",
        ),
        ("program/src/included.txt", "two", "included=two"),
        ("program/input.txt", "two", "script=two"),
        ("program/build.rs", &script, "script=three"),
        (
            "helper/src/lib.rs",
            &HELPER.replace("one", "two"),
            "helper=two",
        ),
        (
            "helper/build.rs",
            "fn main() { println!(\"cargo::rerun-if-changed=build.rs\\ncargo::rustc-env=HELPER=three\") }",
            "helper=three",
        ),
        (
            "program/Cargo.toml",
            &of_program.replace("0.1.0", "0.2.0"),
            "version=0.2.0",
        ),
        (
            "Cargo.toml",
            &format!("{manifest}[profile.dev]\ndebug-assertions = false\n"),
            "checks=false",
        ),
        (
            ".cargo/config.toml",
            "[env]\nFROM_SETTINGS = \"two\"\n",
            "settings=two",
        ),
        (
            "../.cargo/config.toml",
            "[build]\nrustflags = [\"--cfg=flag\"]\n",
            "flag=true",
        ),
        ("program/src/lib.rs", "//! Nothing.\n", "part=two"),
        (
            "rust-toolchain.toml",
            include_str!("../../../../rust-toolchain.toml"),
            "part=two",
        ),
    ];
    for (path, text, expected) in edits {
        place.workspace.write(path, text)?;
        let (printed, asked) = place.run(&mut host).await?;
        assert!(asked, "{path} was not seen");
        assert!(printed.contains(expected), "{path}: {printed}");
        assert_eq!(place.prove(&mut host).await?, printed, "{path}");
    }

    for gone in ["target/debug/program", "Cargo.lock"] {
        fs::remove_file(place.workspace.root().join(gone))?;
        assert!(place.run(&mut host).await?.1, "{gone} was not missed");
        place.prove(&mut host).await?;
    }
    Ok(())
}

/// What the engine asks in every command, beside the run: the toolchain, and the providers.
async fn questions(place: &Place, host: &mut Host) -> Result<(String, Vec<String>)> {
    let info = Some(place.workspace.info());
    let about = AboutRequest { info: info.clone() };
    let about = host.client.about(about).await?.into_inner();
    let packages = GetRequiredPackagesRequest { info };
    let packages = host.client.get_required_packages(packages).await?;
    let packages = packages.into_inner().packages.into_iter();
    let packages = packages.map(|package| format!("{} {}", package.name, package.version));
    Ok((about.version, packages.collect()))
}

#[tokio::test]
async fn the_toolchain_is_asked_again_only_when_the_answer_may_be_another() -> Result<()> {
    let place = Place::new()?;
    place.workspace.write(
        "helper/Cargo.toml",
        "[package]\nname = \"helper\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
         [package.metadata.pulumi]\nname = \"shop\"\nversion = \"1.0.0\"\n",
    )?;
    let mut host = place.host().await?;
    place.prove(&mut host).await?;
    let said = questions(&place, &mut host).await?;
    assert_eq!(said.1, ["shop 1.0.0"]);

    let settled = async |host: &mut Host| -> Result<_> {
        for _ in 0..4 {
            let before = fs::read_to_string(&place.asked)?;
            let said = questions(&place, host).await?;
            if fs::read_to_string(&place.asked)? == before {
                return Ok(said);
            }
        }
        anyhow::bail!("the same is asked again and again")
    };
    assert_eq!(settled(&mut host).await?, said);

    let helper = fs::read_to_string(place.workspace.root().join("helper/Cargo.toml"))?;
    place
        .workspace
        .write("helper/Cargo.toml", &helper.replace("1.0.0", "1.0.1"))?;
    assert_eq!(questions(&place, &mut host).await?.1, ["shop 1.0.1"]);
    settled(&mut host).await?;

    // Nothing of the workspace says that its compiler is another one now.
    let compiler = place.workspace.scratch().join("bin/rustc");
    let script = fs::read_to_string(&compiler)?;
    let other = script.replace(
        "exec ",
        "[ \"$1\" = -vV ] && echo rustc 9.9.9 && set -- \"$@\"\nexec ",
    );
    fs::write(&compiler, other)?;
    assert_eq!(questions(&place, &mut host).await?.0, "rustc 9.9.9");
    settled(&mut host).await?;

    // Another binary of the crate, which Cargo finds without being told.
    let before = fs::read_to_string(&place.asked)?;
    place
        .workspace
        .write("program/src/bin/other.rs", "fn main() {}")?;
    questions(&place, &mut host).await?;
    let after = fs::read_to_string(&place.asked)?;
    assert!(after[before.len()..].contains("cargo metadata"), "{after}");
    Ok(())
}

#[tokio::test]
async fn another_environment_is_another_program() -> Result<()> {
    let mut place = Place::new()?;
    let mut host = place.host().await?;
    place.prove(&mut host).await?;
    // The engine has another address in every command.
    for address in ["localhost:1", "localhost:2"] {
        let endpoint = ("PULUMI_LOG_OTLP_ENDPOINT", OsString::from(address));
        let variables = [place.variables.clone(), vec![endpoint]].concat();
        let mut command = Host::start_with(&variables).await?;
        assert!(!place.run(&mut command).await?.1, "{address}");
    }
    place.variables.push(("SHOP_VARIABLE", "two".into()));
    let mut other = place.host().await?;
    let (printed, asked) = place.run(&mut other).await?;
    assert!(asked && printed.contains("variable=two"), "{printed}");
    place.prove(&mut other).await?;
    // The binary is now that of the other environment.
    let (printed, asked) = place.run(&mut host).await?;
    assert!(asked && printed.contains("variable=none"), "{printed}");
    Ok(())
}

/// A list of files that may be incomplete is not used.
#[tokio::test]
async fn where_the_inputs_are_not_known_cargo_is_asked_each_time() -> Result<()> {
    for (path, text) in [
        (
            "program/build.rs",
            BUILD_SCRIPT.replace("println!(\"cargo::rerun-if-changed=input.txt\");", ""),
        ),
        (
            "program/build.rs",
            BUILD_SCRIPT.replace("rerun-if-changed=input.txt", "rerun-if-changed=."),
        ),
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"prog*\"]\nresolver = \"3\"\n\
             [workspace.metadata.pulumi]\nprogram = \"program\"\n"
                .to_owned(),
        ),
        (
            ".cargo/config.toml",
            "include = [{ path = \"more.toml\", optional = true }]\n".to_owned(),
        ),
    ] {
        let place = Place::new()?;
        place.workspace.write(path, &text)?;
        let mut host = place.host().await?;
        for _ in 0..3 {
            assert!(place.run(&mut host).await?.1, "{path}: {text}");
        }
        place.workspace.write("program/input.txt", "two")?;
        let (printed, _) = place.run(&mut host).await?;
        assert!(printed.contains("script=two"), "{path}: {printed}");
    }
    Ok(())
}

/// What is kept of a look that never was, or of a newer version's, is nothing.
#[tokio::test]
async fn a_damaged_record_is_written_again() -> Result<()> {
    let place = Place::new()?;
    let mut host = place.host().await?;
    place.prove(&mut host).await?;
    let looks = place.workspace.root().join("target/looks");
    for entry in fs::read_dir(&looks)? {
        fs::write(entry?.path(), "{")?;
    }
    assert!(place.run(&mut host).await?.1);
    place.prove(&mut host).await?;
    assert!(Path::new(&looks).is_dir());
    Ok(())
}
