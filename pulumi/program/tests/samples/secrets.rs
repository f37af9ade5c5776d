//! Lists and maps of outputs, one of which is a secret and one of which is not known in a preview.

use std::collections::HashMap;

use anyhow::Result;
use pulumi_program::{Input, Output, Program, all, pulumi_any};

use crate::{input, text, thing};

pub(crate) fn stack(program: &Program) -> Result<()> {
    let base = thing(program, "base", &[]);
    let password = Output::new_secret("hunter2".to_owned());
    let parts = [text("ann"), password.clone(), base.get_id()];
    let named: HashMap<String, Output<String>> = ["user", "password", "base"]
        .map(str::to_owned)
        .into_iter()
        .zip(parts.clone())
        .collect();

    let list: Input<Vec<String>> = parts.clone().into();
    let optional: Input<Option<Vec<String>>> = parts.to_vec().into();
    let map: Input<HashMap<String, String>> = named.into();
    let any = pulumi_any!({ "deep": [{ "password": password.clone(), "user": "ann" }] });
    let gathered = all(parts.to_vec());
    thing(
        program,
        "user",
        &[
            input("list", &list.get_output(program)),
            input("optional", &optional.get_output(program)),
            input("map", &map.get_output(program)),
            input("any", &Output::new(any)),
            input("hidden", &Output::new_secret(parts.to_vec())),
            input("gathered", &gathered),
            input("joined", &gathered.map(|parts| parts.join(" "))),
        ],
    );
    program.export("parts", &Output::new(parts[..2].to_vec()));
    Ok(())
}
