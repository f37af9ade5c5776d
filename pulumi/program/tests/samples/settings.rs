//! An output of a nested type, some of whose fields are absent.

use anyhow::Result;
use pulumi_program::{FileAsset, Output, Program, pulumi_any};

use crate::generated::Settings;
use crate::{input, thing};

pub(crate) fn stack(program: &Program) -> Result<()> {
    let given = Output::new(pulumi_any!({
        "user": "ann",
        "limits": [{ "count": 1 }, { "count": 2, "unit": "MB" }],
    }));
    let source = thing(program, "source", &[input("settings", &given)]);
    let settings: Output<Settings> = source.get_field("settings");
    let told = settings.map(|settings| format!("{settings:?}"));
    thing(
        program,
        "told",
        &[input("told", &told), input("again", &settings)],
    );
    Ok(())
}

/// Gives what the configuration says.
pub(crate) fn configured(program: &Program) -> Result<()> {
    let mut reader = program.reader();
    reader.optional("program", |_| Ok(()));
    let flag = reader.flag("flag", true);
    let size = reader.number("size", "things", 1..=10, 3);
    let name = reader.optional("name", |_| Ok(()));
    let list = reader.list("list", |_| Ok(()));
    let tags = reader.map("tags", |_| Ok(()));
    let owner = reader.confidential("owner", |_| Ok(()));
    reader.finish(())?;
    program.export("flag", &Output::new(flag));
    program.export("size", &Output::new(size));
    program.export("name", &Output::new(name.unwrap_or("none".to_owned())));
    program.export("list", &Output::new(list));
    program.export("tags", &Output::new(tags));
    if let Some(owner) = owner {
        program.export("owner", &owner.output());
    }
    Ok(())
}

/// A file, by a path that is relative.
pub(crate) fn file(program: &Program) -> Result<()> {
    let file = Output::new(FileAsset::new("note.txt"));
    thing(program, "file", &[input("file", &file)]);
    let directory = program.directory().display().to_string();
    program.export("directory", &Output::new(directory));
    Ok(())
}
