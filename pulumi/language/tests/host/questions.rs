//! What the engine asks besides running a program.

use crate::harness::{Host, Workspace};
use anyhow::Result;
use pulumi_language_rust::proto::{
    AboutRequest, GetProgramDependenciesRequest, GetRequiredPackagesRequest,
    GetRequiredPluginsRequest, InstallDependenciesRequest, LanguageHandshakeRequest,
    RuntimeOptionsRequest, TemplateRequest,
};
use tonic::Code;

const LOCK: &str = r#"
version = 4

[[package]]
name = "program"
version = "0.1.0"
dependencies = ["helper"]

[[package]]
name = "helper"
version = "2.0.1"
dependencies = ["pulumi_gestalt_providers_aws"]

[[package]]
name = "pulumi_gestalt_providers_aws"
version = "7.48.0"
"#;

#[tokio::test]
async fn the_providers_of_the_program_are_its_required_packages() -> Result<()> {
    let workspace = Workspace::new("fn main() {}")?;
    workspace.write("Cargo.lock", LOCK)?;
    let mut host = Host::start().await?;
    let info = Some(workspace.info());
    let request = GetRequiredPackagesRequest { info };
    let packages = host.client.get_required_packages(request).await?;
    let packages = packages.into_inner().packages;
    assert_eq!(packages.len(), 1);
    assert_eq!(
        (
            packages[0].name.as_str(),
            packages[0].kind.as_str(),
            packages[0].version.as_str()
        ),
        ("aws", "resource", "7.48.0")
    );

    // An older engine asks otherwise, and sends the folder alone.
    let request = GetRequiredPluginsRequest {
        pwd: workspace.root().display().to_string(),
        info: None,
    };
    let plugins = host.client.get_required_plugins(request).await?;
    assert_eq!(plugins.into_inner().plugins[0].name, "aws");
    Ok(())
}

/// A binary has a name of its own, and a binding says where its plugin is and what makes it.
#[tokio::test]
async fn a_bindings_manifest_says_which_plugin_it_needs() -> Result<()> {
    let workspace = Workspace::new("fn main() {}")?;
    workspace.write(
        "Cargo.toml",
        "[workspace]\nmembers = [\"program\", \"binding\", \"made\"]\nresolver = \"3\"\n\
         [workspace.metadata.pulumi]\nprogram = \"deploy\"\n",
    )?;
    workspace.write(
        "program/Cargo.toml",
        "[package]\nname = \"program\"\nversion = \"0.1.0\"\n\
         [[bin]]\nname = \"deploy\"\npath = \"src/main.rs\"\n\
         [dependencies]\nour-own-name = { path = \"../binding\" }\n\
         pulumi_gestalt_providers_made = { path = \"../made\" }\n",
    )?;
    workspace.write(
        "binding/Cargo.toml",
        "[package]\nname = \"our-own-name\"\nversion = \"0.1.0\"\n\
         [package.metadata.pulumi]\nname = \"shop\"\nversion = \"4.5.6\"\n\
         server = \"https://example.org/plugins\"\n",
    )?;
    workspace.write("binding/src/lib.rs", "")?;
    workspace.write(
        "made/Cargo.toml",
        "[package]\nname = \"pulumi_gestalt_providers_made\"\nversion = \"2.0.0\"\n\
         [package.metadata.pulumi]\nname = \"made\"\nversion = \"2.0.1\"\n\
         [package.metadata.pulumi.parameterization]\nbase = \"maker\"\n\
         base-version = \"1.0.0\"\nparameter = \"bWFkZQ==\"\n",
    )?;
    workspace.write("made/src/lib.rs", "")?;
    let mut host = Host::start().await?;
    let info = Some(workspace.info());
    let request = GetRequiredPackagesRequest { info };
    let packages = host.client.get_required_packages(request).await?;
    let mut packages = packages.into_inner().packages;
    packages.sort_by(|one, other| one.name.cmp(&other.name));
    let [made, shop] = &packages[..] else {
        anyhow::bail!("{packages:?}");
    };
    assert_eq!(
        (shop.name.as_str(), shop.version.as_str()),
        ("shop", "4.5.6")
    );
    assert_eq!(shop.server, "https://example.org/plugins");
    assert_eq!(
        (made.name.as_str(), made.version.as_str()),
        ("maker", "1.0.0")
    );
    let parameters = made.parameterization.as_ref().expect("parameters");
    assert_eq!(
        (parameters.name.as_str(), parameters.version.as_str()),
        ("made", "2.0.1")
    );
    assert_eq!(parameters.value, b"made");

    let request = GetProgramDependenciesRequest {
        info: Some(workspace.info()),
        ..Default::default()
    };
    let answer = host.client.get_program_dependencies(request).await?;
    assert_eq!(answer.into_inner().dependencies.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_workspace_that_was_never_built_is_locked_first() -> Result<()> {
    let workspace = Workspace::new("fn main() {}")?;
    let mut host = Host::start().await?;
    let info = Some(workspace.info());
    let request = GetRequiredPackagesRequest { info };
    let packages = host.client.get_required_packages(request).await?;
    assert!(packages.into_inner().packages.is_empty());
    assert!(workspace.root().join("Cargo.lock").is_file());
    Ok(())
}

#[tokio::test]
async fn dependencies_are_those_of_the_lock_file() -> Result<()> {
    let workspace = Workspace::new("fn main() {}")?;
    workspace.write("Cargo.lock", LOCK)?;
    let mut host = Host::start().await?;
    let mut names = Vec::new();
    for transitive_dependencies in [false, true] {
        let request = GetProgramDependenciesRequest {
            transitive_dependencies,
            info: Some(workspace.info()),
            ..Default::default()
        };
        let answer = host.client.get_program_dependencies(request).await?;
        let packages = answer.into_inner().dependencies.into_iter();
        names.push(
            packages
                .map(|package| format!("{} {}", package.name, package.version))
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(names[0], ["helper 2.0.1"]);
    assert_eq!(
        names[1],
        ["helper 2.0.1", "pulumi_gestalt_providers_aws 7.48.0"]
    );
    Ok(())
}

#[tokio::test]
async fn installing_streams_what_cargo_says() -> Result<()> {
    let workspace = Workspace::new("fn main() {}")?;
    let mut host = Host::start().await?;
    let request = InstallDependenciesRequest {
        info: Some(workspace.info()),
        ..Default::default()
    };
    let mut stream = host.client.install_dependencies(request.clone()).await?;
    while stream.get_mut().message().await?.is_some() {}
    assert!(workspace.root().join("Cargo.lock").is_file());

    workspace.write("program/Cargo.toml", "[package]\nname = 7\n")?;
    let mut stream = host.client.install_dependencies(request).await?;
    let mut said = Vec::new();
    let failure = loop {
        match stream.get_mut().message().await {
            Ok(Some(message)) => said.extend(message.stderr),
            Ok(None) => anyhow::bail!("it did not fail"),
            Err(failure) => break failure,
        }
    };
    assert!(failure.message().contains("cargo fetch"), "{failure:?}");
    assert!(String::from_utf8(said)?.contains("invalid type"));
    Ok(())
}

#[tokio::test]
async fn about_names_the_toolchain() -> Result<()> {
    let workspace = Workspace::new("fn main() {}")?;
    let mut host = Host::start().await?;
    let info = Some(workspace.info());
    let about = host.client.about(AboutRequest { info }).await?.into_inner();
    assert!(about.version.starts_with("rustc 1."), "{about:?}");
    assert!(
        std::path::Path::new(&about.executable).is_file(),
        "{about:?}"
    );
    assert_eq!(about.metadata["program"], "program");
    Ok(())
}

#[tokio::test]
async fn there_is_nothing_to_choose_and_nothing_to_generate() -> Result<()> {
    let mut host = Host::start().await?;
    let info = host.client.get_plugin_info(()).await?.into_inner();
    assert_eq!(info.version, env!("CARGO_PKG_VERSION"));
    host.client
        .runtime_options_prompts(RuntimeOptionsRequest::default())
        .await?;
    host.client.template(TemplateRequest::default()).await?;
    let engine_address = "127.0.0.1:1".to_owned();
    host.client
        .handshake(LanguageHandshakeRequest { engine_address })
        .await?;
    Ok(())
}

#[tokio::test]
async fn a_folder_without_a_manifest_is_refused_with_its_path() -> Result<()> {
    let workspace = Workspace::new("fn main() {}")?;
    let mut host = Host::start().await?;
    let folder = workspace.scratch().display().to_string();
    let mut info = workspace.info();
    info.program_directory = folder.clone();
    let request = GetRequiredPackagesRequest { info: Some(info) };
    let refused = host.client.get_required_packages(request).await;
    let refused = refused.unwrap_err();
    assert!(refused.message().contains(&folder), "{refused:?}");
    Ok(())
}

#[tokio::test]
async fn what_this_host_cannot_do_says_what_to_do_instead() -> Result<()> {
    let host = Host::start().await?;
    let client = || host.client.clone();
    for (refused, advice) in [
        (client().generate_program(()).await, "--generate-code=false"),
        (client().generate_project(()).await, "by hand"),
        (client().generate_package(()).await, "pulumi_gestalt_build"),
        (client().run_plugin(()).await, "the binary"),
        (client().pack(()).await, "Cargo.toml"),
        (client().link(()).await, "Cargo.toml"),
    ] {
        let refused = refused.unwrap_err();
        assert_eq!(refused.code(), Code::Unimplemented);
        assert!(refused.message().contains(advice), "{refused:?}");
    }
    Ok(())
}
