//! The cloud as a process: how it starts, how it is stopped and killed, and what it refuses.

mod damage;

use anyhow::{Context, Result, ensure};
use cloud_resource::value::{encode, from_json};
use mysfits_local::cloud::Endpoints;
use pulumi_gestalt_proto::pulumi::pulumirpc as rpc;
use rpc::resource_provider_client::ResourceProviderClient;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinSet;
use tonic::transport::Channel;

/// A running cloud; killed when it goes out of scope.
struct Process {
    child: Child,
    output: BufReader<ChildStdout>,
    endpoints: Endpoints,
}

impl Process {
    async fn start(home: &Path) -> Result<Self> {
        let mut child = command(home, 0).spawn()?;
        let mut output = BufReader::new(child.stdout.take().context("standard output")?);
        let mut line = String::new();
        output.read_line(&mut line).await?;
        ensure!(line == "ready\n", "{line:?}");
        let endpoints = std::fs::read(home.join("endpoints.json"))?;
        Ok(Self {
            child,
            output,
            endpoints: serde_json::from_slice(&endpoints)?,
        })
    }

    async fn engine(&self) -> Result<ResourceProviderClient<Channel>> {
        let address = format!("http://127.0.0.1:{}", self.endpoints.provider);
        Ok(ResourceProviderClient::connect(address).await?)
    }

    fn pid(&self) -> Result<Pid> {
        let pid = i32::try_from(self.child.id().context("it runs")?)?;
        Pid::from_raw(pid).context("a process id")
    }
}

fn command(home: &Path, port: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mysfits-local"));
    command
        .args(["serve", "--port", &port.to_string(), "--home"])
        .arg(home)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// The error that a start ends with.
async fn refused(mut command: Command) -> Result<String> {
    let output = command.output().await?;
    ensure!(output.status.code() == Some(1), "{}", output.status);
    ensure!(output.stdout.is_empty(), "not ready");
    let log = String::from_utf8(output.stderr)?;
    let error = log.lines().find(|line| line.starts_with("error: "));
    Ok(error.context(log.clone())?.to_owned())
}

fn urn(name: &str) -> String {
    format!("urn:pulumi:dev::test::aws:codecommit/repository:Repository::{name}")
}

async fn create(client: &mut ResourceProviderClient<Channel>, name: &str) -> Result<String> {
    let inputs = json!({ "repositoryName": name, "description": "d" });
    let created = client
        .create(rpc::CreateRequest {
            urn: urn(name),
            properties: inputs.as_object().map(|inputs| encode(from_json(inputs))),
            ..Default::default()
        })
        .await?;
    Ok(created.into_inner().id)
}

async fn exists(client: &mut ResourceProviderClient<Channel>, name: &str) -> Result<bool> {
    let read = client
        .read(rpc::ReadRequest {
            urn: urn(name),
            id: name.to_owned(),
            ..Default::default()
        })
        .await?;
    Ok(read.into_inner().id == name)
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill_at_any_moment() -> Result<()> {
    let home = tempfile::tempdir()?;
    let mut acknowledged = BTreeSet::new();
    for round in 0..5_usize {
        let mut process = Process::start(home.path()).await?;
        let engine = process.engine().await?;
        let mut creations = JoinSet::new();
        for index in 0..40 {
            let mut engine = engine.clone();
            creations.spawn(async move {
                let name = format!("r{round}-{index}");
                create(&mut engine, &name).await
            });
        }
        // The kill comes in the middle of them, a little later in each round.
        for _ in 0..=round * 8 {
            let created = creations.join_next().await.context("one more")?;
            acknowledged.insert(created??);
        }
        process.child.kill().await?;
        while let Some(created) = creations.join_next().await {
            acknowledged.extend(created?);
        }
    }

    let process = Process::start(home.path()).await?;
    let mut engine = process.engine().await?;
    ensure!(acknowledged.len() >= 85, "{}", acknowledged.len());
    for name in &acknowledged {
        ensure!(exists(&mut engine, name).await?, "{name} is lost");
    }
    ensure!(!exists(&mut engine, "another").await?);
    Ok(())
}

#[tokio::test]
async fn a_signal_ends_it_in_order() -> Result<()> {
    let home = tempfile::tempdir()?;
    for signal in [Signal::TERM, Signal::INT] {
        let mut process = Process::start(home.path()).await?;
        // An idle connection does not hold it up.
        let _engine = process.engine().await?;
        kill_process(process.pid()?, signal)?;
        let status = process.child.wait().await?;
        ensure!(status.success(), "{status}");
        let mut rest = String::new();
        process.output.read_to_string(&mut rest).await?;
        ensure!(rest.is_empty(), "{rest:?} after the one line");
    }
    Ok(())
}

#[tokio::test]
async fn a_reset_forgets_everything_while_the_engine_stays_connected() -> Result<()> {
    let home = tempfile::tempdir()?;
    let mut process = Process::start(home.path()).await?;
    let mut engine = process.engine().await?;
    create(&mut engine, "a").await?;
    let again = create(&mut engine, "a").await;
    ensure!(again.is_err(), "it is there");

    let mut others = JoinSet::new();
    for index in 0..8 {
        let mut engine = engine.clone();
        others.spawn(async move { create(&mut engine, &format!("other-{index}")).await });
    }
    let reset = request(process.endpoints.aws, "POST /_mysfits/reset", "127.0.0.1").await?;
    ensure!(reset == "HTTP/1.1 200 OK", "{reset}");
    // Before, or after: none is refused.
    while let Some(created) = others.join_next().await {
        created??;
    }
    ensure!(!exists(&mut engine, "a").await?);
    create(&mut engine, "a").await?;
    process.child.kill().await?;
    let process = Process::start(home.path()).await?;
    ensure!(exists(&mut process.engine().await?, "a").await?);
    Ok(())
}

#[tokio::test]
async fn a_folder_has_one_cloud() -> Result<()> {
    let home = tempfile::tempdir()?;
    let first = Process::start(home.path()).await?;
    let error = refused(command(home.path(), 0)).await?;
    let pid = first.pid()?.as_raw_nonzero();
    ensure!(error.contains(&format!("process {pid} ")), "{error}");
    ensure!(error.contains("MYSFITS_HOME"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() -> Result<()> {
    let home = tempfile::tempdir()?;
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let port = taken.local_addr()?.port();
    let error = refused(command(home.path(), port)).await?;
    ensure!(error.contains(&format!("port {port} ")), "{error}");
    ensure!(error.contains("MYSFITS_PORT"), "{error}");
    Ok(())
}

#[tokio::test]
async fn data_of_a_newer_version_is_left_alone() -> Result<()> {
    let home = tempfile::tempdir()?;
    std::fs::write(home.path().join("format"), "99\n")?;
    let error = refused(command(home.path(), 0)).await?;
    ensure!(error.contains("format 99"), "{error}");
    let kept = std::fs::read_dir(home.path())?.filter_map(|entry| {
        let name = entry.ok()?.file_name();
        name.into_string().ok()
    });
    let kept: BTreeSet<String> = kept.collect();
    ensure!(
        kept == BTreeSet::from(["format".into(), "lock".into()]),
        "{kept:?}"
    );
    Ok(())
}

#[tokio::test]
async fn every_port_answers_but_not_to_foreign_names() -> Result<()> {
    let home = tempfile::tempdir()?;
    let process = Process::start(home.path()).await?;
    let Endpoints {
        aws, api, sites, ..
    } = &process.endpoints;
    ensure!(sites.len() == 13, "{sites:?}");
    for port in [aws, api].into_iter().chain(sites) {
        let own = status(*port, &format!("127.0.0.1:{port}")).await?;
        ensure!(own.starts_with("HTTP/1.1 "), "{port}: {own}");
        // A page elsewhere that points its own name here gets nothing.
        let foreign = status(*port, "example.com").await?;
        ensure!(foreign == "HTTP/1.1 403 Forbidden", "{port}: {foreign}");
    }
    Ok(())
}

/// The status line that a port answers with.
async fn status(port: u16, host: &str) -> Result<String> {
    request(port, "GET /", host).await
}

/// The status line of the answer to `METHOD PATH`.
async fn request(port: u16, request: &str, host: &str) -> Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let request = format!("{request} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).await?;
    Ok(line.trim_end().to_owned())
}
