//! An engine that listens to the host's log, the host as a process, and workspaces to run.

use anyhow::{Context, Result};
use prost_types::{Struct, Value, value::Kind};
use pulumi_gestalt_proto::pulumi::pulumirpc::engine_server::{Engine, EngineServer};
use pulumi_gestalt_proto::pulumi::pulumirpc::{
    GetRootResourceRequest, GetRootResourceResponse, LogRequest, LogSeverity,
    RequirePulumiVersionRequest, RequirePulumiVersionResponse, SetRootResourceRequest,
    SetRootResourceResponse, StartDebuggingRequest,
};
use pulumi_language_rust::proto::language_runtime_client::LanguageRuntimeClient;
use pulumi_language_rust::proto::{ProgramInfo, RunRequest};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdout, Command};
use tonic::transport::Channel;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// A running host, with the client that the engine would have.
pub struct Host {
    pub client: LanguageRuntimeClient<Channel>,
    pub process: Child,
    pub stdout: Lines<BufReader<ChildStdout>>,
    pub engine: Log,
}

impl Host {
    pub async fn start() -> Result<Self> {
        Self::start_with(&[]).await
    }

    /// In an environment with more variables.
    pub async fn start_with(variables: &[(&str, OsString)]) -> Result<Self> {
        let engine = Log::default();
        let address = engine.serve().await?;
        let mut process = Command::new(env!("CARGO_BIN_EXE_pulumi-language-rust"))
            .args(["--logtostderr", "-v=9", &address])
            .env_remove("CARGO_TARGET_DIR")
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = process.stdout.take().context("no output")?;
        let mut stdout = BufReader::new(stdout).lines();
        let port = stdout.next_line().await?.context("no port")?;
        let client = LanguageRuntimeClient::connect(format!("http://127.0.0.1:{port}")).await?;
        Ok(Self {
            client,
            process,
            stdout,
            engine,
        })
    }

    pub async fn next_line(&mut self) -> Result<String> {
        let line = self.stdout.next_line().await?;
        line.context("the host ended")
    }

    /// Waits for the end of the process, and gives its exit code and all of its errors.
    pub async fn end(&mut self) -> Result<(Option<i32>, String)> {
        let mut stderr = self.process.stderr.take().context("taken already")?;
        let mut text = String::new();
        stderr.read_to_string(&mut text).await?;
        Ok((self.process.wait().await?.code(), text))
    }
}

/// What the host logged.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<Mutex<Vec<LogRequest>>>);

impl Log {
    async fn serve(&self) -> Result<String> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?.to_string();
        let server = tonic::transport::Server::builder()
            .add_service(EngineServer::new(self.clone()))
            .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)));
        tokio::spawn(server);
        Ok(address)
    }

    /// What stays on the screen, of a severity.
    pub fn kept(&self, severity: LogSeverity) -> Vec<String> {
        self.messages(|log| !log.ephemeral && log.severity() == severity)
    }

    /// What the next status replaces.
    pub fn statuses(&self) -> Vec<String> {
        self.messages(|log| log.ephemeral)
    }

    fn messages(&self, wanted: impl Fn(&LogRequest) -> bool) -> Vec<String> {
        let logs = self.0.lock().unwrap();
        let logs = logs.iter().filter(|log| wanted(log));
        logs.map(|log| log.message.clone()).collect()
    }
}

#[tonic::async_trait]
impl Engine for Log {
    async fn log(&self, request: Request<LogRequest>) -> Result<Response<()>, Status> {
        self.0.lock().unwrap().push(request.into_inner());
        Ok(Response::new(()))
    }

    async fn get_root_resource(
        &self,
        _: Request<GetRootResourceRequest>,
    ) -> Result<Response<GetRootResourceResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn set_root_resource(
        &self,
        _: Request<SetRootResourceRequest>,
    ) -> Result<Response<SetRootResourceResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn start_debugging(
        &self,
        _: Request<StartDebuggingRequest>,
    ) -> Result<Response<()>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn require_pulumi_version(
        &self,
        _: Request<RequirePulumiVersionRequest>,
    ) -> Result<Response<RequirePulumiVersionResponse>, Status> {
        Err(Status::unimplemented(""))
    }
}

/// A workspace in a folder of its own: a program, and a function when it has a source.
pub struct Workspace {
    folder: tempfile::TempDir,
    root: PathBuf,
}

impl Workspace {
    pub fn new(program: &str) -> Result<Self> {
        Self::with_lambda(program, None)
    }

    pub fn with_lambda(program: &str, lambda: Option<&str>) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        // A path with a space is nothing special.
        let root = folder.path().join("a checkout");
        let workspace = Self { folder, root };
        let (members, metadata) = match lambda {
            Some(_) => ("\"program\", \"function\"", "lambda = \"function\"\n"),
            None => ("\"program\"", ""),
        };
        workspace.write(
            "Cargo.toml",
            &format!(
                "[workspace]\nmembers = [{members}]\nresolver = \"3\"\n\
                 [workspace.metadata.pulumi]\nprogram = \"program\"\n{metadata}\
                 architecture-config = \"shop:architecture\"\n\
                 profile-config = \"shop:profile\"\n\
                 [profile.lambda]\ninherits = \"release\"\nstrip = \"symbols\"\n"
            ),
        )?;
        workspace.write("program/Cargo.toml", &package("program", ""))?;
        workspace.write("program/src/main.rs", program)?;
        if let Some(source) = lambda {
            let binary = "[[bin]]\nname = \"bootstrap\"\npath = \"src/main.rs\"\n";
            workspace.write("function/Cargo.toml", &package("function", binary))?;
            workspace.write("function/src/main.rs", source)?;
        }
        Ok(workspace)
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A folder beside the workspace.
    pub fn scratch(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, path: &str, text: &str) -> Result<()> {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().context("no folder")?)?;
        std::fs::write(path, text)?;
        Ok(())
    }

    pub fn info(&self) -> ProgramInfo {
        let folder = self.root.display().to_string();
        ProgramInfo {
            root_directory: folder.clone(),
            program_directory: folder,
            entry_point: ".".to_owned(),
            options: None,
        }
    }

    /// What the engine sends for `pulumi up`.
    pub fn request(&self, arguments: &[&str]) -> RunRequest {
        RunRequest {
            project: "shop".to_owned(),
            stack: "dev".to_owned(),
            pwd: self.root.display().to_string(),
            args: arguments.iter().map(ToString::to_string).collect(),
            monitor_address: "127.0.0.1:1".to_owned(),
            organization: "organization".to_owned(),
            info: Some(self.info()),
            parallel: 16,
            ..RunRequest::default()
        }
    }
}

fn package(name: &str, more: &str) -> String {
    format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{more}")
}

/// The value of `runtime.options` in Pulumi.yaml.
pub fn options(fields: &[(&str, &str)]) -> Struct {
    let value = |text: &str| Value {
        kind: Some(Kind::StringValue(text.to_owned())),
    };
    Struct {
        fields: fields
            .iter()
            .map(|(name, text)| ((*name).to_owned(), value(text)))
            .collect(),
    }
}
