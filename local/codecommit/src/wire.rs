//! The operations of CodeCommit's JSON protocol that read:
//! <https://docs.aws.amazon.com/codecommit/latest/APIReference/Welcome.html>.

use crate::git::Git;
use crate::{CodeCommit, Deployed, TOKEN};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::identity::{ACCOUNT_ID, arn};
use cloud_core::json_protocol::{answer, parse, unknown_operation};
use cloud_iam::{Call, Caller};
use serde::Deserialize;
use serde_json::{Value, json};

/// Bytes of a file that GetFile gives at most: those of an answer of the JSON protocol, 6 MB, as
/// <https://docs.aws.amazon.com/codecommit/latest/APIReference/API_GetFile.html> has it.
const MAX_FILE: usize = 6 * 1024 * 1024;

/// What there is of the protocol, by name.
pub const OPERATIONS: [&str; 5] = [
    "GetBranch",
    "GetFile",
    "GetRepository",
    "ListBranches",
    "ListRepositories",
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfRepository {
    repository_name: Option<String>,
    branch_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetFile {
    repository_name: Option<String>,
    commit_specifier: Option<String>,
    file_path: Option<String>,
}

impl CodeCommit {
    /// One request of the JSON protocol: `action` is what comes after the dot of `X-Amz-Target`,
    /// `region` that of the request's signature. Gives the body of the 200 answer.
    pub async fn call(
        &self,
        caller: &Caller,
        region: &str,
        action: &str,
        body: &[u8],
    ) -> AwsResult<Bytes> {
        let output = match action {
            "GetRepository" => {
                let input: OfRepository = parse(body)?;
                let repository = self.asked(caller, region, action, input.repository_name)?;
                self.metadata(&repository).await?
            }
            "ListBranches" => {
                let input: OfRepository = parse(body)?;
                let repository = self.asked(caller, region, action, input.repository_name)?;
                json!({ "branches": self.open(repository.id()).await?.branches().await? })
            }
            "GetBranch" => {
                let input: OfRepository = parse(body)?;
                let repository = self.asked(caller, region, action, input.repository_name)?;
                let name = required(
                    input.branch_name,
                    "BranchNameRequiredException",
                    "A branch name",
                )?;
                branch(&self.open(repository.id()).await?, &name).await?
            }
            "GetFile" => {
                let input: GetFile = parse(body)?;
                let repository = self.asked(caller, region, action, input.repository_name)?;
                let path = required(input.file_path, "PathRequiredException", "A file path")?;
                let git = self.open(repository.id()).await?;
                git.settle_head(repository.wanted_branch()).await?;
                file(
                    &git,
                    input.commit_specifier.as_deref().unwrap_or("HEAD"),
                    &path,
                )
                .await?
            }
            "ListRepositories" => {
                self.may_use(caller, action, "*")?;
                json!({ "repositories": self.listed(region) })
            }
            _ => return Err(unknown_operation("CodeCommit", action)),
        };
        answer(&output)
    }

    /// The repository that is asked about, once it is known that the caller may ask.
    fn asked(
        &self,
        caller: &Caller,
        region: &str,
        action: &str,
        name: Option<String>,
    ) -> AwsResult<Deployed> {
        let name = required(name, "RepositoryNameRequiredException", "A repository name")?;
        self.may_use(caller, action, &arn("codecommit", region, &name))?;
        let mut found = self.repositories(&name).into_iter();
        found
            .find(|repository| repository.region == region)
            .ok_or_else(|| {
                AwsError::new(
                    400,
                    "RepositoryDoesNotExistException",
                    format!("{name} does not exist"),
                )
            })
    }

    fn may_use(&self, caller: &Caller, action: &str, resource: &str) -> AwsResult<()> {
        let allowed = self.iam.authorize(&Call {
            caller,
            action: &format!("codecommit:{action}"),
            resource,
            context: &[],
            resource_policy: None,
        });
        allowed.map_err(|error| AwsError::new(400, "AccessDeniedException", error.message))
    }

    async fn metadata(&self, repository: &Deployed) -> AwsResult<Value> {
        let git = self.open(repository.id()).await?;
        let branch = git.settle_head(repository.wanted_branch()).await?;
        let resource = &repository.resource;
        let mut metadata = json!({
            "accountId": ACCOUNT_ID,
            "Arn": repository.arn,
            "cloneUrlHttp": resource.output("cloneUrlHttp"),
            "cloneUrlSsh": resource.output("cloneUrlSsh"),
            "repositoryId": repository.id(),
            "repositoryName": repository.name,
        });
        for (name, value) in [
            ("defaultBranch", branch.map(Value::from)),
            (
                "repositoryDescription",
                resource.inputs.get("description").cloned(),
            ),
        ] {
            if let Some(value) = value {
                metadata[name] = value;
            }
        }
        Ok(json!({ "repositoryMetadata": metadata }))
    }

    fn listed(&self, region: &str) -> Vec<Value> {
        let records = self.deployments.all().into_iter();
        let ours =
            records.filter(|record| record.token == TOKEN && record.resource.region == region);
        let listed = ours.map(|record| {
            json!({
                "repositoryId": record.resource.output("repositoryId"),
                "repositoryName": record.resource.inputs.get("repositoryName"),
            })
        });
        listed.collect()
    }
}

fn required(value: Option<String>, code: &'static str, what: &str) -> AwsResult<String> {
    match value {
        Some(value) if !value.is_empty() => Ok(value),
        _ => Err(AwsError::new(400, code, format!("{what} is required"))),
    }
}

async fn branch(git: &Git, name: &str) -> AwsResult<Value> {
    let commit = resolved(git, &format!("refs/heads/{name}^{{commit}}")).await?;
    match commit {
        Some(commit) => Ok(json!({ "branch": { "branchName": name, "commitId": commit } })),
        None => Err(AwsError::new(
            400,
            "BranchDoesNotExistException",
            format!("Branch {name} does not exist"),
        )),
    }
}

/// A file of a commit, which is named by its id, a branch or a tag.
async fn file(git: &Git, commit: &str, path: &str) -> AwsResult<Value> {
    let named = resolved(git, &format!("{commit}^{{commit}}")).await?;
    let Some(commit_id) = named else {
        return Err(AwsError::new(
            400,
            "CommitDoesNotExistException",
            format!("Commit {commit} does not exist"),
        ));
    };
    let path = path.trim_start_matches('/');
    let listed = git
        .run(&[
            "--literal-pathspecs",
            "ls-tree",
            "-z",
            &commit_id,
            "--",
            path,
        ])
        .await?;
    let entry = String::from_utf8_lossy(&listed).into_owned();
    let described = entry.split('\t').next().unwrap_or_default();
    let parts: Vec<&str> = described.split(' ').collect();
    let &[mode, "blob", blob_id] = parts.as_slice() else {
        return Err(AwsError::new(
            400,
            "FileDoesNotExistException",
            format!("{path} does not exist in {commit_id}"),
        ));
    };
    let content = git.run(&["cat-file", "blob", blob_id]).await?;
    if content.len() > MAX_FILE {
        return Err(AwsError::new(
            400,
            "FileTooLargeException",
            format!("{path} has more than {MAX_FILE} bytes"),
        ));
    }
    Ok(json!({
        "commitId": commit_id,
        "blobId": blob_id,
        "filePath": path,
        "fileMode": match mode {
            "100755" => "EXECUTABLE",
            "120000" => "SYMLINK",
            _ => "NORMAL",
        },
        "fileSize": content.len(),
        "fileContent": STANDARD.encode(content),
    }))
}

/// The id of an object, if there is one of this name.
async fn resolved(git: &Git, name: &str) -> AwsResult<Option<String>> {
    let arguments = ["rev-parse", "--verify", "--quiet", "--end-of-options", name];
    let output = git.try_run(&arguments).await?;
    let id = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok((output.status.success() && !id.is_empty()).then_some(id))
}
