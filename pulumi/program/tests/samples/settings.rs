//! An output of a nested type, some of whose fields are absent.

use anyhow::Result;
use pulumi_program::{Output, Program, pulumi_any};

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
