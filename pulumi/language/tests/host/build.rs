//! What happens before a program runs: it is built, and its function packaged.

use crate::harness::{Host, Workspace};
use anyhow::Result;
use pulumi_gestalt_proto::pulumi::pulumirpc::LogSeverity;
use std::fs;
use std::path::PathBuf;

/// A function with what could differ from path to path: a type's identity, and the place of
/// generated code, which Cargo names by its whole path.
const FUNCTION: &str = r#"
    struct Own;
    include!(concat!(env!("OUT_DIR"), "/place.rs"));
    fn main() {
        let arguments: Vec<String> = std::env::args().collect();
        println!("{:?} {} {}", std::any::TypeId::of::<Own>(), place(), arguments[1]);
    }
"#;

const BUILD_SCRIPT: &str = r#"
    fn main() {
        let place = std::path::Path::new(&std::env::var("OUT_DIR").unwrap()).join("place.rs");
        std::fs::write(place, "fn place() -> &'static str { file!() }").unwrap();
    }
"#;

/// A program that fails unless the archive is there before it.
const PROGRAM: &str =
    r#"fn main() { std::fs::metadata("target/lambda/bootstrap.zip").expect("the archive"); }"#;

#[tokio::test]
async fn compiler_errors_are_shown_whole() -> Result<()> {
    let workspace = Workspace::new("fn main() {\n    let number: u32 = \"a\";\n}\n")?;
    let mut host = Host::start().await?;
    let response = host.client.run(workspace.request(&[])).await?.into_inner();
    assert_eq!((response.error.as_str(), response.bail), ("", true));

    let shown = host.engine.kept(LogSeverity::Info).join("");
    assert!(shown.contains("error[E0308]: mismatched types"), "{shown}");
    assert!(shown.contains("program/src/main.rs:2:23"), "{shown}");
    assert!(shown.contains("let number: u32 = \"a\";"), "{shown}");
    assert_eq!(
        host.engine.kept(LogSeverity::Error),
        ["`program` does not build"]
    );
    assert!(
        host.engine.statuses()[0].starts_with("Compiling program v0.1.0"),
        "{:?}",
        host.engine.statuses()
    );
    Ok(())
}

#[tokio::test]
async fn a_warning_is_shown_when_it_is_new() -> Result<()> {
    let workspace = Workspace::new("fn main() {}\nfn unused() {}\n")?;
    let mut host = Host::start().await?;
    host.client.run(workspace.request(&[])).await?;
    let shown = host.engine.kept(LogSeverity::Info);
    assert!(
        shown[0].contains("function `unused` is never used"),
        "{shown:?}"
    );

    host.client.run(workspace.request(&[])).await?;
    assert_eq!(host.engine.kept(LogSeverity::Info), shown);
    Ok(())
}

#[tokio::test]
async fn a_broken_manifest_is_cargos_to_explain() -> Result<()> {
    let workspace = Workspace::new("fn main() {}")?;
    workspace.write(
        "program/Cargo.toml",
        "[package]\nname = \"program\"\nedition = \"1999\"\n",
    )?;
    let mut host = Host::start().await?;
    let response = host.client.run(workspace.request(&[])).await?.into_inner();
    assert!(response.bail);
    let shown = host.engine.kept(LogSeverity::Info).join("\n");
    assert!(shown.contains("1999"), "{shown}");
    Ok(())
}

#[tokio::test]
async fn a_build_that_somebody_ended_says_so() -> Result<()> {
    let workspace = Workspace::new("fn main() {}")?;
    workspace.write(
        "program/build.rs",
        r#"fn main() {
            let cargo = std::os::unix::process::parent_id().to_string();
            std::process::Command::new("kill").args(["-KILL", &cargo]).status().unwrap();
        }"#,
    )?;
    let mut host = Host::start().await?;
    let response = host.client.run(workspace.request(&[])).await?.into_inner();
    assert!(response.bail);
    assert_eq!(
        host.engine.kept(LogSeverity::Error),
        ["the build of `program` was cut short (signal: 9 (SIGKILL))"]
    );
    Ok(())
}

#[tokio::test]
async fn the_archive_is_there_before_the_program_and_the_same_from_any_path() -> Result<()> {
    let mut archives: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    let one = Workspace::with_lambda(PROGRAM, Some(FUNCTION))?;
    let two = Workspace::with_lambda(PROGRAM, Some(FUNCTION))?;
    let mut host = Host::start().await?;
    for workspace in [&one, &two] {
        workspace.write("function/build.rs", BUILD_SCRIPT)?;
        let response = host.client.run(workspace.request(&[])).await?.into_inner();
        assert_eq!((response.error.as_str(), response.bail), ("", false));
        let path = workspace.root().join("target/lambda/bootstrap.zip");
        archives.push((path.clone(), fs::read(&path)?));
    }
    assert!(archives[0].1 == archives[1].1, "the archives differ");

    // An archive that is up to date is left alone, a changed function makes a new one.
    let path = &archives[0].0;
    let modified = fs::metadata(path)?.modified()?;
    host.client.run(one.request(&[])).await?;
    assert_eq!(fs::metadata(path)?.modified()?, modified);
    one.write("function/src/main.rs", &FUNCTION.replace("Own", "Other"))?;
    host.client.run(one.request(&[])).await?;
    assert!(
        fs::read(path)? != archives[0].1,
        "the archive is the old one"
    );
    Ok(())
}

#[tokio::test]
async fn a_function_that_does_not_build_stops_the_run() -> Result<()> {
    let program = r#"fn main() { println!("the program ran"); }"#;
    let workspace = Workspace::with_lambda(program, Some("fn main() { nonsense }"))?;
    let mut host = Host::start().await?;
    let response = host.client.run(workspace.request(&[])).await?.into_inner();
    assert!(response.bail);
    assert_eq!(
        host.engine.kept(LogSeverity::Error),
        ["`bootstrap` does not build"]
    );
    drop(host.process.stdin.take());
    assert_eq!(host.stdout.next_line().await?, None);
    Ok(())
}

#[tokio::test]
async fn an_unknown_architecture_is_refused() -> Result<()> {
    let workspace = Workspace::with_lambda(PROGRAM, Some("fn main() {}"))?;
    let mut host = Host::start().await?;
    let mut request = workspace.request(&[]);
    request.config = [("shop:architecture".to_owned(), "sparc".to_owned())].into();
    let response = host.client.run(request).await?.into_inner();
    assert!(response.bail);
    let errors = host.engine.kept(LogSeverity::Error);
    assert!(
        errors[0].contains("shop:architecture") && errors[0].contains("`sparc`"),
        "{errors:?}"
    );
    Ok(())
}
