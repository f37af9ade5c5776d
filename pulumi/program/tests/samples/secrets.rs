//! Lists and maps of outputs, one of which is a secret and one of which is not known in a preview.

use std::collections::HashMap;

use anyhow::Result;
use pulumi_program::{Input, Output, Program, all, pulumi_any};

use crate::generated::Settings;
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
    let map: Input<HashMap<String, String>> = named.clone().into();
    let any = pulumi_any!({ "deep": [{ "password": password.clone(), "user": "ann" }] });
    let nested: Input<Option<Settings>> = Input::any(pulumi_any!({
        "user": "ann",
        "note": password.clone(),
        "limits": [{ "count": 1, "unit": base.get_id() }],
    }));
    let lists: Input<HashMap<String, Vec<String>>> =
        HashMap::from([("parts".to_owned(), parts.to_vec())]).into();
    let maps: Input<Option<Vec<HashMap<String, String>>>> = vec![named.clone()].into();
    let gathered = all(parts.to_vec());
    thing(
        program,
        "user",
        &[
            input("list", &list.get_output(program)),
            input("optional", &optional.get_output(program)),
            input("map", &map.get_output(program)),
            input("any", &Output::new(any)),
            input("nested", &nested.get_output(program)),
            input("lists", &lists.get_output(program)),
            input("maps", &maps.get_output(program)),
            input("hidden", &Output::new_secret(parts.to_vec())),
            input("gathered", &gathered),
            input("joined", &gathered.map(|parts| parts.join(" "))),
        ],
    );
    program.export("parts", &Output::new(parts[..2].to_vec()));
    Ok(())
}
