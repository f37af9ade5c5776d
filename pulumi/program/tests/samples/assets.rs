//! Assets and archives of every kind.

use std::collections::HashMap;

use anyhow::Result;
use pulumi_program::{
    AssetArchive, FileArchive, FileAsset, Input, Program, RemoteArchive, RemoteAsset, StringAsset,
    pulumi_any,
};

use crate::{input, text, thing};

/// Paths and addresses are of the folder in `project:folder`.
pub(crate) fn stack(program: &Program) -> Result<()> {
    let folder = &program.config().require("folder")?.text;
    let at = |name: &str| format!("{folder}/{name}");
    let remote = |name: &str| format!("file://{folder}/{name}");
    let inputs: [(&str, Input<HashMap<String, String>>); 9] = [
        ("archive", FileArchive::new(at("empty.tar")).into()),
        ("file", FileAsset::new(at("word.txt")).into()),
        (
            "any",
            Input::any(pulumi_any!(FileAsset::new(at("word.txt")))),
        ),
        ("text", StringAsset::new("body").into()),
        ("later", text("later").map(StringAsset::new).into()),
        ("remote", RemoteAsset::new(remote("word.txt")).into()),
        ("far", RemoteArchive::new(remote("empty.tar")).into()),
        (
            "hidden",
            text("hidden").secret().map(StringAsset::new).into(),
        ),
        (
            "gathered",
            AssetArchive::new()
                .with("word", StringAsset::new("first"))
                .with("word", FileAsset::new(at("word.txt")))
                .with("far", RemoteArchive::new(remote("empty.tar")))
                .with(
                    "deep",
                    AssetArchive::new().with("text", StringAsset::new("body")),
                )
                .into(),
        ),
    ];
    let inputs = inputs.map(|(name, value)| (name, value.get_output(program)));
    let inputs: Vec<_> = inputs
        .iter()
        .map(|(name, value)| input(name, value))
        .collect();
    let given = thing(program, "given", &inputs);
    let back = given.get_field_any("gathered");
    thing(program, "again", &[input("gathered", &back)]);
    Ok(())
}
