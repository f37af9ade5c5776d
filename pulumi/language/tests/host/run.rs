//! Programs that run: what they are given, and how they end.

use crate::harness::{Host, Workspace, options};
use anyhow::Result;
use pulumi_gestalt_proto::pulumi::pulumirpc::LogSeverity;
use std::collections::BTreeMap;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

#[tokio::test]
async fn a_program_gets_what_pulumis_sdks_read() -> Result<()> {
    let workspace = Workspace::new(
        r#"fn main() {
            println!("cwd={}", std::env::current_dir().unwrap().display());
            println!("args={:?}", std::env::args().skip(1).collect::<Vec<_>>());
            for (name, value) in std::env::vars().filter(|(name, _)| name.starts_with("PULUMI_")) {
                println!("{name}={value}");
            }
            println!("end");
        }"#,
    )?;
    let mut host = Host::start().await?;
    let mut request = workspace.request(&["one", "two words"]);
    request.dry_run = true;
    request.config = [("shop:size".to_owned(), "\"big\"".to_owned())].into();
    request.config_secret_keys = vec!["shop:key".to_owned()];
    let response = host.client.run(request).await?.into_inner();
    assert_eq!((response.error.as_str(), response.bail), ("", false));

    let mut lines = BTreeMap::new();
    loop {
        let line = host.next_line().await?;
        let Some((name, value)) = line.split_once('=') else {
            break;
        };
        lines.insert(name.to_owned(), value.to_owned());
    }
    let root = workspace.root().display().to_string();
    for (name, value) in [
        ("cwd", root.as_str()),
        ("args", r#"["one", "two words"]"#),
        ("PULUMI_MONITOR", "127.0.0.1:1"),
        ("PULUMI_PROJECT", "shop"),
        ("PULUMI_STACK", "dev"),
        ("PULUMI_ORGANIZATION", "organization"),
        ("PULUMI_ROOT_DIRECTORY", root.as_str()),
        ("PULUMI_PWD", root.as_str()),
        ("PULUMI_CONFIG", r#"{"shop:size":"\"big\""}"#),
        ("PULUMI_CONFIG_SECRET_KEYS", r#"["shop:key"]"#),
        ("PULUMI_DRY_RUN", "true"),
        ("PULUMI_PARALLEL", "16"),
    ] {
        assert_eq!(lines.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(lines["PULUMI_ENGINE"].starts_with("127.0.0.1:"));
    Ok(())
}

#[tokio::test]
async fn output_arrives_while_the_program_runs() -> Result<()> {
    // The program does not go on before somebody answers to its first line.
    let workspace = Workspace::new(
        r#"use std::io::Read;
        fn main() {
            println!("first");
            let address = std::env::args().nth(1).unwrap();
            let mut answer = String::new();
            std::net::TcpStream::connect(address).unwrap().read_to_string(&mut answer).unwrap();
            println!("{answer}");
        }"#,
    )?;
    let mut host = Host::start().await?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?.to_string();
    let mut client = host.client.clone();
    let request = workspace.request(&[&address]);
    let run = tokio::spawn(async move { client.run(request).await });

    assert_eq!(host.next_line().await?, "first");
    let (mut program, _) = listener.accept().await?;
    program.write_all(b"second").await?;
    drop(program);
    assert_eq!(host.next_line().await?, "second");
    assert!(!run.await??.into_inner().bail);
    Ok(())
}

#[tokio::test]
async fn a_failure_is_reported_once() -> Result<()> {
    let workspace = Workspace::new(
        r#"fn main() {
            match std::env::args().nth(1).as_deref() {
                Some("abort") => std::process::abort(),
                Some(code) => std::process::exit(code.parse().unwrap()),
                None => {}
            }
        }"#,
    )?;
    let mut host = Host::start().await?;

    // 32: the program has told the engine itself.
    let response = host.client.run(workspace.request(&["32"])).await?;
    let response = response.into_inner();
    assert_eq!((response.error.as_str(), response.bail), ("", true));

    let response = host.client.run(workspace.request(&["3"])).await?;
    let response = response.into_inner();
    assert!(response.error.contains("exit status: 3"), "{response:?}");
    assert!(!response.bail);

    let response = host.client.run(workspace.request(&["abort"])).await?;
    let response = response.into_inner();
    assert!(response.error.contains("signal: 6"), "{response:?}");

    assert_eq!(host.engine.kept(LogSeverity::Error), [""; 0]);
    Ok(())
}

#[tokio::test]
async fn a_program_that_ends_in_the_middle_is_not_taken_for_complete() -> Result<()> {
    let workspace = Workspace::new(
        r#"fn main() {
            let file = std::env::var("PULUMI_RUST_UNFINISHED").unwrap();
            std::fs::write(&file, "running").unwrap();
            if std::env::args().nth(1).as_deref() == Some("complete") {
                std::fs::write(&file, "").unwrap();
            }
        }"#,
    )?;
    let mut host = Host::start().await?;
    let response = host.client.run(workspace.request(&["complete"])).await?;
    assert_eq!(response.into_inner().error, "");
    let response = host.client.run(workspace.request(&[])).await?.into_inner();
    assert!(
        response.error.contains("before it was complete"),
        "{response:?}"
    );
    Ok(())
}

#[tokio::test]
async fn the_project_file_may_name_a_program_built_elsewhere() -> Result<()> {
    let workspace = Workspace::new("compile_error!(\"nobody builds this\");")?;
    let mut host = Host::start().await?;
    let mut request = workspace.request(&["hello"]);
    if let Some(info) = &mut request.info {
        info.options = Some(options(&[("binary", "/bin/echo")]));
    }
    let response = host.client.run(request).await?.into_inner();
    assert_eq!((response.error.as_str(), response.bail), ("", false));
    assert_eq!(host.next_line().await?, "hello");
    Ok(())
}

#[tokio::test]
async fn an_unknown_option_is_refused_by_name() -> Result<()> {
    let workspace = Workspace::new("fn main() {}")?;
    let mut host = Host::start().await?;
    let mut request = workspace.request(&[]);
    if let Some(info) = &mut request.info {
        info.options = Some(options(&[("binaries", "/bin/echo")]));
    }
    let refused = host.client.run(request).await.unwrap_err();
    assert!(refused.message().contains("binaries"), "{refused:?}");
    Ok(())
}

#[tokio::test]
async fn that_no_debugger_is_attached_is_said() -> Result<()> {
    let workspace = Workspace::new("fn main() {}")?;
    let mut host = Host::start().await?;
    let mut request = workspace.request(&[]);
    host.client.run(request.clone()).await?;
    assert_eq!(host.engine.kept(LogSeverity::Warning), [""; 0]);

    request.attach_debugger = true;
    assert!(!host.client.run(request).await?.into_inner().bail);
    let warnings = host.engine.kept(LogSeverity::Warning);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].starts_with("--attach-debugger "),
        "{warnings:?}"
    );
    Ok(())
}
