//! The engine's questions, and where their answers come from.

use crate::engine::Engine;
use crate::lockfile::{Lockfile, Versioned};
use crate::proto::language_runtime_server::LanguageRuntime;
use crate::proto::{
    AboutRequest, AboutResponse, DependencyInfo, GetProgramDependenciesRequest,
    GetProgramDependenciesResponse, GetRequiredPackagesRequest, GetRequiredPackagesResponse,
    GetRequiredPluginsRequest, GetRequiredPluginsResponse, InstallDependenciesRequest,
    InstallDependenciesResponse, LanguageHandshakeRequest, LanguageHandshakeResponse,
    PackageDependency, PackageParameterization, PluginDependency, PluginInfo, ProgramInfo,
    RunRequest, RunResponse, RuntimeOptionsRequest, RuntimeOptionsResponse, TemplateRequest,
    TemplateResponse,
};
use crate::run::{self, Failure};
use crate::workspace::{Plugin, Workspace};
use crate::{about, install};
use anyhow::{Context, Result};
use pulumi_package::project::Project;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::{Request, Response, Status};

/// A language host. What it has started ends, and is waited for, through `stop` and `tasks`.
#[derive(Debug, Clone)]
pub struct Host {
    engine: Arc<Mutex<Option<String>>>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Host {
    /// `engine` is the address on the command line; an engine that attaches to a host that
    /// already runs gives it with the handshake.
    pub fn new(engine: Option<String>, stop: CancellationToken, tasks: TaskTracker) -> Self {
        Self {
            engine: Arc::new(Mutex::new(engine)),
            stop,
            tasks,
        }
    }

    fn engine_address(&self) -> Result<String> {
        let engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        engine
            .clone()
            .context("this language host does not know its engine: it takes the address as its last argument")
    }

    async fn run_program(
        &self,
        request: RunRequest,
        stop: &CancellationToken,
    ) -> Result<RunResponse> {
        let address = self.engine_address()?;
        let engine = Engine::at(&address)?;
        let project = project(request.info.as_ref(), &request.pwd)?;
        let failure = match run::run(&project, &request, &engine, &address, stop).await {
            Ok(()) => return Ok(RunResponse::default()),
            Err(failure) => failure,
        };
        let error = match failure {
            Failure::Reported => String::new(),
            Failure::Program(error) => error,
            // As an error of its own it is not shown as `an unhandled error` of the program.
            Failure::Build(error) => match engine.error(format!("{error:#}")).await {
                Ok(()) => String::new(),
                Err(_) => format!("{error:#}"),
            },
        };
        Ok(RunResponse {
            bail: error.is_empty(),
            error,
        })
    }
}

#[tonic::async_trait]
impl LanguageRuntime for Host {
    async fn handshake(
        &self,
        request: Request<LanguageHandshakeRequest>,
    ) -> Result<Response<LanguageHandshakeResponse>, Status> {
        let address = request.into_inner().engine_address;
        if !address.is_empty() {
            *self.engine.lock().unwrap_or_else(PoisonError::into_inner) = Some(address);
        }
        Ok(Response::new(LanguageHandshakeResponse {}))
    }

    async fn get_plugin_info(&self, _: Request<()>) -> Result<Response<PluginInfo>, Status> {
        Ok(Response::new(PluginInfo {
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }))
    }

    async fn get_required_packages(
        &self,
        request: Request<GetRequiredPackagesRequest>,
    ) -> Result<Response<GetRequiredPackagesResponse>, Status> {
        let request = request.into_inner();
        let plugins = plugins(request.info.as_ref(), "").await.map_err(failed)?;
        let packages: Result<Vec<_>> = plugins.into_iter().map(package).collect();
        let packages = packages.map_err(failed)?;
        Ok(Response::new(GetRequiredPackagesResponse { packages }))
    }

    async fn get_required_plugins(
        &self,
        request: Request<GetRequiredPluginsRequest>,
    ) -> Result<Response<GetRequiredPluginsResponse>, Status> {
        let request = request.into_inner();
        let plugins = plugins(request.info.as_ref(), &request.pwd)
            .await
            .map_err(failed)?;
        // Such an engine knows no parameters.
        let plugin = |plugin: Plugin| PluginDependency {
            name: plugin.name,
            kind: "resource".to_owned(),
            version: plugin.version,
            server: plugin.server,
        };
        Ok(Response::new(GetRequiredPluginsResponse {
            plugins: plugins.into_iter().map(plugin).collect(),
        }))
    }

    type InstallDependenciesStream =
        UnboundedReceiverStream<Result<InstallDependenciesResponse, Status>>;

    async fn install_dependencies(
        &self,
        request: Request<InstallDependenciesRequest>,
    ) -> Result<Response<Self::InstallDependenciesStream>, Status> {
        let request = request.into_inner();
        let project = project(request.info.as_ref(), &request.directory).map_err(failed)?;
        let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            if let Err(error) =
                install::install(&project.root, request.is_terminal, &sender, &stop).await
            {
                sender.send(Err(failed(error))).ok();
            }
        });
        Ok(Response::new(UnboundedReceiverStream::new(receiver)))
    }

    async fn get_program_dependencies(
        &self,
        request: Request<GetProgramDependenciesRequest>,
    ) -> Result<Response<GetProgramDependenciesResponse>, Status> {
        let request = request.into_inner();
        let project = project(request.info.as_ref(), &request.pwd).map_err(failed)?;
        let packages = dependencies(&project, request.transitive_dependencies)
            .await
            .map_err(failed)?;
        let dependency = |package: Versioned| DependencyInfo {
            name: package.name,
            version: package.version,
        };
        Ok(Response::new(GetProgramDependenciesResponse {
            dependencies: packages.into_iter().map(dependency).collect(),
        }))
    }

    async fn about(
        &self,
        request: Request<AboutRequest>,
    ) -> Result<Response<AboutResponse>, Status> {
        let info = request.into_inner().info;
        let project = project(info.as_ref(), "").map_err(failed)?;
        let about = about::about(&project).await.map_err(failed)?;
        Ok(Response::new(about))
    }

    /// There is nothing to choose when a project is made.
    async fn runtime_options_prompts(
        &self,
        _: Request<RuntimeOptionsRequest>,
    ) -> Result<Response<RuntimeOptionsResponse>, Status> {
        Ok(Response::new(RuntimeOptionsResponse {}))
    }

    /// A new project needs nothing beyond the files of its template.
    async fn template(
        &self,
        _: Request<TemplateRequest>,
    ) -> Result<Response<TemplateResponse>, Status> {
        Ok(Response::new(TemplateResponse {}))
    }

    async fn run(&self, request: Request<RunRequest>) -> Result<Response<RunResponse>, Status> {
        let host = self.clone();
        let stop = self.stop.child_token();
        // The request is dropped when the engine gives it up. Then the guard stops the program,
        // and the end of the service waits for it, as for all tasks.
        let guard = stop.clone().drop_guard();
        let run = self
            .tasks
            .spawn(async move { host.run_program(request.into_inner(), &stop).await });
        let response = run
            .await
            .map_err(|error| Status::internal(error.to_string()))?;
        guard.disarm();
        response.map(Response::new).map_err(failed)
    }

    async fn cancel(&self, _: Request<()>) -> Result<Response<()>, Status> {
        self.stop.cancel();
        Ok(Response::new(()))
    }

    async fn generate_program(&self, _: Request<()>) -> Result<Response<()>, Status> {
        Err(Status::unimplemented(
            "no program in Rust can be generated: write it by hand; `pulumi import` imports all the \
             same, and with `--generate-code=false` says nothing of it",
        ))
    }

    async fn generate_project(&self, _: Request<()>) -> Result<Response<()>, Status> {
        Err(Status::unimplemented(
            "`pulumi convert` and `pulumi new` have no project in Rust to offer: write it by hand",
        ))
    }

    async fn generate_package(&self, _: Request<()>) -> Result<Response<()>, Status> {
        Err(Status::unimplemented(
            "no SDK in Rust is generated by Pulumi: a provider's binding is a crate whose build \
             script generates it from a schema, with `pulumi_gestalt_build`",
        ))
    }

    async fn run_plugin(&self, _: Request<()>) -> Result<Response<()>, Status> {
        Err(Status::unimplemented(
            "no plugin is run from sources in Rust: build it, and give Pulumi the binary",
        ))
    }

    async fn pack(&self, _: Request<()>) -> Result<Response<()>, Status> {
        Err(Status::unimplemented(LINKED_BY_CARGO))
    }

    async fn link(&self, _: Request<()>) -> Result<Response<()>, Status> {
        Err(Status::unimplemented(LINKED_BY_CARGO))
    }
}

const LINKED_BY_CARGO: &str =
    "a package for Rust is a crate: name it under [dependencies] in Cargo.toml";

/// The project of a request: older engines send a folder instead of the program's information.
fn project(info: Option<&ProgramInfo>, folder: &str) -> Result<Project> {
    let options = info
        .and_then(|info| info.options.as_ref())
        .map(crate::options::to_json);
    let folder = match info {
        Some(info) => &info.program_directory,
        None => folder,
    };
    Project::find(Path::new(folder), options.unwrap_or_default())
}

/// The crates that the program depends on; none for a program that is built elsewhere.
async fn dependencies(project: &Project, transitive: bool) -> Result<BTreeSet<Versioned>> {
    let Some(binary) = project.program_crate() else {
        return Ok(BTreeSet::new());
    };
    let lock = Lockfile::of(&project.root).await?;
    if lock.has(binary) {
        return Ok(lock.dependencies(binary, transitive));
    }
    let workspace = Workspace::of(&project.root).await?;
    let program = workspace.crate_of(binary).unwrap_or(binary);
    Ok(lock.dependencies(program, transitive))
}

/// The plugins that the program's bindings need.
async fn plugins(info: Option<&ProgramInfo>, folder: &str) -> Result<Vec<Plugin>> {
    let project = project(info, folder)?;
    let crates = dependencies(&project, true).await?;
    let workspace = Workspace::of(&project.root).await?;
    let plugins = crates.iter().map(|one| workspace.plugin_of(one));
    plugins.filter_map(Result::transpose).collect()
}

/// As the engine asks for it: of a package with parameters, the plugin that makes it.
fn package(plugin: Plugin) -> Result<PackageDependency> {
    let Plugin {
        name,
        version,
        server,
        parameterization,
    } = plugin;
    let mut package = PackageDependency {
        name,
        kind: "resource".to_owned(),
        version,
        server,
        parameterization: None,
    };
    if let Some(parameters) = parameterization {
        package.parameterization = Some(PackageParameterization {
            value: parameters.value()?,
            name: std::mem::replace(&mut package.name, parameters.base),
            version: std::mem::replace(&mut package.version, parameters.base_version),
        });
    }
    Ok(package)
}

fn failed(error: anyhow::Error) -> Status {
    Status::failed_precondition(format!("{error:#}"))
}
