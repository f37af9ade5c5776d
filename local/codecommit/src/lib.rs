//! CodeCommit: git repositories, served by git itself.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `git` | git, run in a repository, without the settings of the machine's user |
//! | `backend` | git's smart HTTP, by way of git's own CGI program |
//! | [`password`] | what the AWS CLI's credential helper signs |
//! | [`wire`] | the operations of the JSON protocol |
//! | here | where the repositories are |

#![warn(unreachable_pub)]

mod backend;
mod git;
pub mod password;
mod resources;
pub mod wire;

pub use backend::{Exchange, Refused};

use cloud_core::context::Context;
use cloud_core::error::{AwsError, AwsResult};
use cloud_iam::Iam;
use cloud_resource::deployments::Deployments;
use cloud_resource::resource::{AnyResourceType, Properties, Resource, ResourceType, bind};
use git::Git;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The type whose resources these are.
const TOKEN: &str = resources::Repository::TOKEN;

/// The repositories, each in a folder that has its id: a repository keeps that when it is renamed.
pub struct CodeCommit {
    folder: PathBuf,
    context: Context,
    iam: Arc<Iam>,
    deployments: Arc<Deployments>,
    /// Where git clients reach the repositories, on 127.0.0.1.
    port: u16,
}

impl CodeCommit {
    /// A service that keeps repositories in `folder` and has them reached at `port`.
    pub fn new(
        folder: &Path,
        context: &Context,
        iam: Arc<Iam>,
        deployments: Arc<Deployments>,
        port: u16,
    ) -> Self {
        Self {
            folder: folder.to_owned(),
            context: context.clone(),
            iam,
            deployments,
            port,
        }
    }

    /// Its resource types.
    pub fn resource_types(self: &Arc<Self>) -> Vec<Box<dyn AnyResourceType>> {
        vec![bind(resources::Repository, self)]
    }

    /// Deletes a repository with all that is in it.
    async fn remove(&self, id: &str) -> AwsResult<()> {
        match tokio::fs::remove_dir_all(self.folder.join(id)).await {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(AwsError::internal(error)),
            _ => Ok(()),
        }
    }

    /// The repository of an id. It is made when it is first asked for, so that a stack can be deployed
    /// where there is no git.
    async fn open(&self, id: &str) -> AwsResult<Git> {
        let path = self.folder.join(id);
        let git = Git::new(&path);
        if !path.join("HEAD").is_file() {
            tokio::fs::create_dir_all(&path)
                .await
                .map_err(AwsError::internal)?;
            git.init().await?;
        }
        Ok(git)
    }
}

/// A repository that is deployed.
#[derive(Debug, Clone)]
pub struct Deployed {
    pub name: String,
    pub region: String,
    pub arn: String,
    /// What it has besides, as its record says.
    resource: Resource<Properties>,
}

impl Deployed {
    fn id(&self) -> &str {
        self.resource.output("repositoryId")
    }

    /// Whom GetRepository and clones take for the one: what the program says, where that exists.
    fn wanted_branch(&self) -> Option<&str> {
        self.resource.inputs.get("defaultBranch")?.as_str()
    }
}

impl CodeCommit {
    /// The repositories of this name, one in a region.
    pub fn repositories(&self, name: &str) -> Vec<Deployed> {
        let records = self.deployments.all().into_iter();
        let of_name = records.filter(|record| {
            record.token == TOKEN
                && record
                    .resource
                    .inputs
                    .get("repositoryName")
                    .and_then(|name| name.as_str())
                    == Some(name)
        });
        let deployed = of_name.map(|record| Deployed {
            name: name.to_owned(),
            region: record.resource.region.clone(),
            arn: record.resource.output("arn").to_owned(),
            resource: record.resource,
        });
        deployed.collect()
    }
}
