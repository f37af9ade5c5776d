//! What a running program knows, and gives.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, bail};
use pulumi_gestalt_model::ResolvedOutput;
use pulumi_gestalt_rust::{Output, ToPulumiValue};
use pulumi_gestalt_rust_integration::engine::{Address, Engine, Failure};
use tokio::runtime::Runtime;

use crate::config::Config;
use crate::context::Context;
use crate::environment::Environment;
use crate::log::Log;
use crate::reader::Reader;

/// A program while it describes its stack.
///
/// It can be given wherever a binding wants a [`Context`].
#[derive(Debug)]
pub struct Program {
    context: Context,
    environment: Environment,
    exports: Mutex<Exports>,
    /// All of a program runs on one thread, closures of outputs too.
    runtime: Runtime,
}

#[derive(Debug, Default)]
struct Exports {
    names: BTreeSet<String>,
    duplicates: BTreeSet<String>,
}

impl Program {
    pub(crate) fn connect(environment: Environment) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let engine = runtime.block_on(Engine::connect(&Address {
            monitor: environment.monitor.clone(),
            engine: environment.engine.clone(),
            project: environment.project.clone(),
            stack: environment.stack.clone(),
            in_preview: environment.preview,
        }))?;
        Ok(Self {
            context: Context::new(engine),
            environment,
            exports: Mutex::default(),
            runtime,
        })
    }

    /// Registers all that is described. Whether all of it went well; what did not has been told.
    pub(crate) fn finish(&self) -> Result<bool> {
        self.check_exports()?;
        self.runtime.block_on(self.context.engine().finish())
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    pub fn context(&self) -> &Context {
        &self.context
    }

    pub fn stack(&self) -> &str {
        &self.environment.stack
    }

    pub fn project(&self) -> &str {
        &self.environment.project
    }

    pub fn organization(&self) -> &str {
        &self.environment.organization
    }

    /// The folder that the program runs in, where relative paths start: of files that it reads, and of
    /// assets. It is the one of Pulumi.yaml, or what `main` in it says.
    pub fn directory(&self) -> &Path {
        &self.environment.directory
    }

    /// The folder of Pulumi.yaml.
    pub fn root_directory(&self) -> &Path {
        &self.environment.root_directory
    }

    /// Whether this run only shows what an update would do.
    pub fn in_preview(&self) -> bool {
        self.environment.preview
    }

    pub fn config(&self) -> &Config {
        &self.environment.config
    }

    /// The project's own configuration, for a program that types all of it.
    pub fn reader(&self) -> Reader<'_> {
        Reader::new(self.project(), self.stack(), self.config().own())
    }

    /// Says something to the user, through the engine.
    pub fn log(&self) -> Log<'_> {
        Log::new(self)
    }

    /// Makes `output` an output of the stack. Unlike Gestalt's `add_export` it does not wait for
    /// the value. A name that is exported twice fails the program.
    pub fn export<T>(&self, name: &str, output: &Output<T>)
    where
        T: ToPulumiValue + Send + Sync + 'static,
    {
        let mut exports = self.exports.lock().unwrap_or_else(PoisonError::into_inner);
        if !exports.names.insert(name.to_owned()) {
            exports.duplicates.insert(name.to_owned());
        }
        let output = output.clone();
        let value = async move { output.to_pulumi_value().await };
        self.context.engine().export(name.to_owned(), value);
    }

    /// The same output, if `check` accepts its value. Otherwise the user sees the message of
    /// `check` once, as an error. Resources that depend on the output are not registered, and the
    /// program fails at its end. An unknown value is not checked.
    ///
    /// ```no_run
    /// # use pulumi_program::{Output, Program};
    /// # fn example(program: &Program, zone: &Output<String>) {
    /// let zone = program.require(zone, |zone| match zone.as_str() {
    ///     "" => Err("there is no zone yet: `pulumi up -s network` makes it".to_owned()),
    ///     _ => Ok(()),
    /// });
    /// # }
    /// ```
    pub fn require<T>(
        &self,
        output: &Output<T>,
        check: impl Fn(&T) -> std::result::Result<(), String> + Send + Sync + 'static,
    ) -> Output<T>
    where
        T: Clone + Send + Sync + 'static,
    {
        let (output, engine) = (output.clone(), self.context.engine().clone());
        Output::from_resolved_future(async move {
            let resolved = output.resolve().await;
            match resolved.value.as_ref().map(check) {
                Some(Err(text)) => {
                    engine.fail(Failure::refused(text)).await;
                    ResolvedOutput::failed()
                }
                _ => resolved,
            }
        })
    }

    fn check_exports(&self) -> Result<()> {
        let exports = self.exports.lock().unwrap_or_else(PoisonError::into_inner);
        match exports.duplicates.first() {
            None => Ok(()),
            Some(name) => bail!("the stack output {name} is exported twice"),
        }
    }
}

impl Deref for Program {
    type Target = Context;

    fn deref(&self) -> &Context {
        &self.context
    }
}
