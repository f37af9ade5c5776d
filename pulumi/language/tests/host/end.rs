//! How a host and its programs end: when they are told to, and with nothing left behind.

use crate::harness::{Host, Workspace};
use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A program with a child; both hold a connection, and would forever.
const PROGRAM: &str = r#"
    use std::io::Read;
    use std::process::Command;
    fn main() {
        let arguments: Vec<String> = std::env::args().collect();
        let mut connection = std::net::TcpStream::connect(&arguments[1]).unwrap();
        if arguments.len() == 2 {
            Command::new(&arguments[0]).args([&arguments[1], "child"]).spawn().unwrap();
        }
        connection.read(&mut [0]).unwrap();
    }
"#;

struct Running {
    _workspace: Workspace,
    host: Host,
    run: JoinHandle<
        Result<tonic::Response<pulumi_language_rust::proto::RunResponse>, tonic::Status>,
    >,
    connections: [TcpStream; 2],
}

async fn start() -> Result<Running> {
    let workspace = Workspace::new(PROGRAM)?;
    let host = Host::start().await?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?.to_string();
    let mut client = host.client.clone();
    let request = workspace.request(&[&address]);
    let run = tokio::spawn(async move { client.run(request).await });
    let connections = [listener.accept().await?.0, listener.accept().await?.0];
    Ok(Running {
        _workspace: workspace,
        host,
        run,
        connections,
    })
}

/// The program and its child are gone when their connections are.
async fn are_gone(connections: [TcpStream; 2]) -> Result<()> {
    for mut connection in connections {
        // An end or a reset: nobody holds the other side.
        if let Ok(length) = connection.read(&mut [0]).await {
            assert_eq!(length, 0);
        }
    }
    Ok(())
}

fn signal(host: &Host, signal: Signal) -> Result<()> {
    let pid = host.process.id().context("the host is gone")?;
    let pid = Pid::from_raw(pid.try_into()?).context("no pid")?;
    Ok(kill_process(pid, signal)?)
}

#[tokio::test]
async fn cancelling_stops_the_program_with_its_children() -> Result<()> {
    let mut running = start().await?;
    running.host.client.cancel(()).await?;
    let response = running.run.await??.into_inner();
    assert_eq!((response.error.as_str(), response.bail), ("", true));
    are_gone(running.connections).await
}

#[tokio::test]
async fn an_interrupt_ends_the_host_quietly() -> Result<()> {
    let mut running = start().await?;
    signal(&running.host, Signal::INT)?;
    assert_eq!(running.host.end().await?, (Some(0), String::new()));
    are_gone(running.connections).await
}

#[tokio::test]
async fn an_idle_host_ends_quietly_too() -> Result<()> {
    let mut host = Host::start().await?;
    signal(&host, Signal::INT)?;
    assert_eq!(host.end().await?, (Some(0), String::new()));
    Ok(())
}

#[tokio::test]
async fn a_killed_engine_takes_the_host_with_it() -> Result<()> {
    let mut running = start().await?;
    drop(running.host.process.stdin.take());
    assert_eq!(running.host.end().await?, (Some(0), String::new()));
    are_gone(running.connections).await
}

#[tokio::test]
async fn a_request_that_is_given_up_stops_its_program() -> Result<()> {
    let running = start().await?;
    running.run.abort();
    are_gone(running.connections).await
}

#[tokio::test]
async fn what_a_program_leaves_behind_holds_nothing_up() -> Result<()> {
    let workspace = Workspace::new(
        r#"
        use std::io::{Read, Write};
        use std::process::Command;
        fn main() {
            let arguments: Vec<String> = std::env::args().collect();
            if arguments.len() == 2 {
                Command::new(&arguments[0]).args([&arguments[1], "child"]).spawn().unwrap();
                return println!("last words");
            }
            let mut connection = std::net::TcpStream::connect(&arguments[1]).unwrap();
            connection.read(&mut [0]).unwrap();
            writeln!(std::io::stdout(), "late words").ok();
        }
        "#,
    )?;
    let mut host = Host::start().await?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?.to_string();
    let response = host.client.run(workspace.request(&[&address])).await?;
    assert!(!response.into_inner().bail);
    assert_eq!(host.next_line().await?, "last words");
    drop(host.process.stdin.take());
    assert!(host.process.wait().await?.success());

    // Only now it goes on, and its words could still be heard if it had the host's output.
    drop(listener.accept().await?);
    assert_eq!(host.stdout.next_line().await?, None);
    Ok(())
}
