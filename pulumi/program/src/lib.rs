//! The API of a Pulumi program in Rust, on top of Gestalt: how it runs, the options of a resource,
//! components, assets, exports.
//!
//! ```no_run
//! use pulumi_program::{Component, Options, Program};
//!
//! fn main() -> std::process::ExitCode {
//!     pulumi_program::run(stack)
//! }
//!
//! fn stack(program: &Program) -> anyhow::Result<()> {
//!     let storage = Component::new(program, "shop:index:Storage", "storage", Options::new());
//!     // A generated binding takes the program where it wants Gestalt's context, and options:
//!     // let bucket = bucket::create_with_options(
//!     //     program,
//!     //     "orders",
//!     //     BucketArgs::builder().build_struct(),
//!     //     Options::new().parent(&storage).protect(true),
//!     // );
//!     // storage.output("bucket", &bucket.bucket);
//!     program.export("region", &program.new_output(&"eu-west-1".to_owned()));
//!     Ok(())
//! }
//! ```
//!
//! Nothing is registered while the function runs: it only describes. When it returns, everything
//! is registered at once, each resource as soon as what it awaits is there, and exports and
//! component outputs are registered as they become known. A function that fails has touched
//! nothing.

#![warn(missing_debug_implementations)]

mod alias;
mod all;
mod any;
mod asset;
mod component;
mod config;
mod context;
mod environment;
mod format;
mod hook;
mod input;
mod log;
mod members;
mod options;
mod package;
mod panics;
mod program;
mod reader;
mod recording;
mod resource;
mod run;
mod schema;
mod stack_reference;
mod transform;
mod unfinished;

pub use alias::Alias;
pub use all::{All, all};
pub use asset::{
    AssetArchive, Entry, FileArchive, FileAsset, RemoteArchive, RemoteAsset, StringAsset,
};
pub use component::Component;
pub use config::{Config, ConfigValue};
pub use context::{
    CompositeOutput, Context, Field, InvokeResourceRequest, RegisterResourceRequest,
    ResourceRequestObjectField,
};
pub use hook::{Event, Hook, When};
pub use input::Input;
pub use log::{Log, Message};
pub use options::{Options, Timeouts};
pub use package::LambdaPackage;
pub use program::Program;
pub use reader::{Allowed, Check, Mistake, Mistakes, Reader};
pub use recording::Recording;
pub use resource::{Resource, Urn};
pub use run::run;
pub use schema::{
    Constant, DefaultValue, InputKind, PackageSchema, Parameterization, ResourceSchema,
};
pub use stack_reference::StackReference;
pub use transform::{Transform, Transformed};

// What a generated binding names besides.
#[doc(hidden)]
pub use format::__both;
pub use format::ToOutput;
#[doc(hidden)]
pub use members::Members;
#[doc(hidden)]
pub use options::Options as CustomResourceOptions;
#[doc(hidden)]
pub use pulumi_gestalt_rust::__private;
pub use pulumi_gestalt_rust::{
    FromPulumiValue, OneOf2, OneOf3, OneOf4, Output, Provider, PulumiAny, ToPulumiAny,
    ToPulumiValue, include_provider,
};
