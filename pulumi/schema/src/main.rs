//! `pulumi-schema`: bindings of Pulumi packages for programs in Rust, and a template for `pulumi new`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use pulumi_schema::{Choice, Origin, PackageSpec};

/// Bindings of Pulumi packages for programs in Rust.
#[derive(Parser)]
#[command(version, name = "pulumi-schema")]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Writes a template: `pulumi new FOLDER` makes a program of it
    Template {
        /// A new folder
        folder: PathBuf,
        #[command(flatten)]
        sdk: Sdk,
    },
    /// Writes the crate of a binding, with what is chosen of the package
    New {
        /// `NAME@VERSION`
        package: String,
        /// A new folder, such as `bindings/random`
        folder: PathBuf,
        /// A resource to have, as `PACKAGE:MODULE:NAME`; may be said again
        #[arg(long = "resource", value_name = "TOKEN")]
        resources: Vec<String>,
        /// A function to have; may be said again
        #[arg(long = "function", value_name = "TOKEN")]
        functions: Vec<String>,
        /// Everything that the package has: that of a large one takes long to compile
        #[arg(long, conflicts_with_all = ["resources", "functions"])]
        all: bool,
        #[command(flatten)]
        from: From,
        #[command(flatten)]
        sdk: Sdk,
    },
    /// Writes the schema of a binding again, after a change of its `tokens.toml`
    Update {
        /// The binding's folder
        #[arg(default_value = ".")]
        folder: PathBuf,
        #[command(flatten)]
        from: From,
    },
}

#[derive(Args)]
struct From {
    /// The output of `pulumi package get-schema`, where it is already here
    #[arg(long, value_name = "FILE", conflicts_with = "wheel")]
    schema: Option<PathBuf>,
    /// A wheel of the package's Python SDK, where it is already here
    #[arg(long, value_name = "FILE")]
    wheel: Option<PathBuf>,
}

#[derive(Args)]
struct Sdk {
    /// The folder with the crates `program`, `binding`, `model` and `runtime`, where it is not the one
    /// that this was built from
    #[arg(long, value_name = "FOLDER")]
    sdk: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(CommandLine::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Template { folder, sdk } => {
            pulumi_schema::template(&folder, &sdk.folder()?)?;
            println!(
                "{}: make a program of it with `pulumi new`",
                folder.display()
            );
        }
        Command::New {
            package,
            folder,
            resources,
            functions,
            all,
            from,
            sdk,
        } => {
            let (name, version) = package
                .split_once('@')
                .with_context(|| format!("{package} says no version: write {package}@VERSION"))?;
            let choice = Choice {
                resources,
                functions,
                all,
            };
            let (origin, sdk) = (from.origin(), sdk.folder()?);
            let package = pulumi_schema::binding(&folder, name, version, &choice, origin, &sdk)?;
            tell(&folder, &package);
        }
        Command::Update { folder, from } => {
            let package = pulumi_schema::update(&folder, from.origin())?;
            tell(&folder, &package);
        }
    }
    Ok(())
}

fn tell(folder: &std::path::Path, package: &PackageSpec) {
    println!(
        "{}: {} resources, {} functions and {} types of {} {}",
        folder.display(),
        package.resources.len(),
        package.functions.len(),
        package.types.len(),
        package.name,
        package.version
    );
}

impl From {
    fn origin(self) -> Origin {
        match (self.schema, self.wheel) {
            (Some(path), _) => Origin::Schema(path),
            (_, Some(path)) => Origin::Wheel(path),
            (None, None) => Origin::Any,
        }
    }
}

impl Sdk {
    fn folder(self) -> Result<PathBuf> {
        match self.sdk {
            None => pulumi_schema::sdk(),
            Some(folder) => folder
                .canonicalize()
                .with_context(|| format!("there is no {}", folder.display())),
        }
    }
}
