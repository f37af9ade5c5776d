//! A program outside of this checkout: made of the template, with a binding that the command line writes.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use pulumi_package::cargo::forget_own_package;
use serde_json::json;
use tokio::process::Command;

use crate::stack::{SAMPLES, Stack};

/// The schema of a package that has nothing to do with any other.
fn schema() -> String {
    let text = json!({ "type": "string" });
    json!({
        "name": "other",
        "version": "1.2.3",
        "pluginDownloadURL": "https://example.org/plugins",
        "provider": { "inputProperties": { "place": text } },
        "resources": {
            "other:index/note:Note": {
                "inputProperties": {
                    "title": text,
                    "body": { "type": "string", "secret": true },
                    "language": { "type": "string", "default": "en" },
                    "old": { "type": "string", "deprecationMessage": "use title" },
                },
                "requiredInputs": ["title"],
                "properties": { "title": text, "language": text },
                "required": ["title", "language"],
            },
        },
        "functions": {
            "other:index/echo:echo": {
                "inputs": { "type": "object", "properties": { "word": text }, "required": ["word"] },
                "outputs": { "type": "object", "properties": { "word": text }, "required": ["word"] },
            },
        },
    })
    .to_string()
}

const PROGRAM: &str = r#"
use pulumi_gestalt_providers_other::functions::echo;
use pulumi_gestalt_providers_other::{note, provider};
use pulumi_program::{Options, Program, format_output};

fn main() -> std::process::ExitCode {
    pulumi_program::run(stack)
}

fn stack(program: &Program) -> anyhow::Result<()> {
    let place = provider::ProviderArgs::builder().place("here").build_struct();
    let here = provider::create(program, "here", place);
    let args = note::NoteArgs::builder().title("one").body("hunter2").build_struct();
    let one = note::create_with_options(program, "one", args, Options::new().provider(&here));
    let word = echo::EchoArgs::builder().word(one.title.clone()).build_struct();
    let said = echo::invoke(program, word);
    let two = note::NoteArgs::builder().title(format_output!("{} and two", said.word)).build_struct();
    note::create_with_options(program, "two", two, Options::new().depends_on(&[&one]));
    program.export("language", &one.language);
    Ok(())
}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_program_begins_in_an_empty_folder() -> Result<()> {
    let stack = Stack::new().await?;
    let empty = tempfile::tempdir()?;
    let (template, program) = (empty.path().join("template"), empty.path().join("shop"));
    let bindings = program.join("bindings/other");
    let schema_file = empty.path().join("schema.json");
    std::fs::write(&schema_file, schema())?;

    let told = pulumi_schema(&["template".as_ref(), &template]).await?;
    ensure!(told.contains("pulumi new"), "{told}");
    let new = |folder: &Path| {
        [
            "new",
            &template.display().to_string(),
            "--dir",
            &folder.display().to_string(),
        ]
        .map(str::to_owned)
    };
    let new = new(&program);
    let mut arguments: Vec<&str> = new.iter().map(String::as_str).collect();
    arguments.extend([
        "--name",
        "shop",
        "--description",
        "A shop",
        "--yes",
        "--generate-only",
    ]);
    stack.succeed(&arguments).await?;
    let manifest = std::fs::read_to_string(program.join("Pulumi.yaml"))?;
    ensure!(
        manifest.contains("name: shop") && !manifest.contains("in Rust"),
        "{manifest}"
    );

    let package: [&Path; 4] = [
        "new".as_ref(),
        "other@1.2.3".as_ref(),
        &bindings,
        "--all".as_ref(),
    ];
    let from: [&Path; 2] = ["--schema".as_ref(), &schema_file];
    let told = pulumi_schema(&[&package[..], &from[..]].concat()).await?;
    ensure!(told.contains("1 resources, 1 functions"), "{told}");
    // What is selected can be changed, and the schema follows.
    let told = pulumi_schema(&["update".as_ref(), &bindings, from[0], from[1]]).await?;
    ensure!(told.contains("of other 1.2.3"), "{told}");

    let manifest = std::fs::read_to_string(program.join("Cargo.toml"))?;
    let dependency =
        "[dependencies]\npulumi_gestalt_providers_other = { path = \"bindings/other\" }";
    std::fs::write(
        program.join("Cargo.toml"),
        manifest.replace("[dependencies]", dependency),
    )?;
    std::fs::write(program.join("src/main.rs"), PROGRAM)?;
    // The same versions as here, for a machine without a network.
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::copy(checkout.join("Cargo.lock"), program.join("Cargo.lock"))?;

    let elsewhere = stack.elsewhere(program);
    elsewhere.succeed(&["stack", "init", "test"]).await?;
    elsewhere
        .succeed(&["up", "--yes", "--skip-preview"])
        .await?;
    let events = elsewhere.provider.events();
    ensure!(events == ["create one", "create two"], "{events:?}");
    ensure!(elsewhere.outputs().await? == json!({ "language": "en" }));
    let one = elsewhere.resource("one").await?;
    ensure!(one["inputs"]["language"] == json!("en"), "{one}");
    ensure!(one["inputs"]["body"]["ciphertext"].is_string(), "{one}");
    ensure!(
        one["provider"]
            .as_str()
            .is_some_and(|one| one.contains("::here::")),
        "{one}"
    );
    let two = elsewhere.resource("two").await?;
    ensure!(two["inputs"]["title"] == json!("one and two"), "{two}");
    ensure!(elsewhere.up().await?.success && elsewhere.provider.events().is_empty());
    elsewhere
        .succeed(&["destroy", "--yes", "--skip-preview"])
        .await?;
    ensure!(elsewhere.provider.events() == ["delete two", "delete one"]);
    Ok(())
}

/// Runs the command line of `pulumi_schema`, which has to succeed.
async fn pulumi_schema(arguments: &[&Path]) -> Result<String> {
    let mut cargo = Command::new(env!("CARGO"));
    forget_own_package(&mut cargo);
    let status = cargo
        .args(["build", "--quiet", "--workspace", "--bin", "pulumi-schema"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .await?;
    ensure!(status.success(), "pulumi-schema was not built");
    let folder = Path::new(SAMPLES)
        .parent()
        .context("the samples lie in no folder")?;
    let program: PathBuf = folder.join("pulumi-schema");
    let output = Command::new(program).args(arguments).output().await?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(told)
}
