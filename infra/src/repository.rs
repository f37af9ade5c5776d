//! The repository of the processor's source.

use aws::codecommit::repository;
use pulumi_gestalt_providers_aws as aws;
use pulumi_program::{Options, Output};

use crate::scope::Scope;

pub struct Repository {
    pub clone_url_http: Output<String>,
    pub clone_url_ssh: Output<String>,
}

impl Repository {
    pub fn new(scope: &Scope<'_>) -> Self {
        let component = scope.component("Repository", "repository");
        let repository = repository::create_with_options(
            scope.program,
            "mysfits-processor",
            repository::RepositoryArgs::builder()
                .repository_name(name(scope.program.stack()))
                .description("The source of the clicks processor of Mythical Mysfits")
                .build_struct(),
            Options::new().parent(&component),
        );
        component.output("cloneUrlHttp", &repository.clone_url_http);
        Self {
            clone_url_http: repository.clone_url_http,
            clone_url_ssh: repository.clone_url_ssh,
        }
    }
}

/// CodeCommit's service model: `RepositoryName`.
pub const MAX_NAME: usize = 100;

/// A repository's name is unique in account and region, so only stack `dev` has the plain one.
pub fn name(stack: &str) -> String {
    let name = "MythicalMysfits-ClicksProcessingLambdaRepository";
    match stack {
        "dev" => name.to_owned(),
        other => format!("{name}-{other}"),
    }
}
