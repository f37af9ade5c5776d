//! A program of Gestalt's own, which knows nothing of `pulumi_program`.

use std::process::ExitCode;

use pulumi_gestalt_rust::{Context, RegisterResourceRequest, ResourceRequestObjectField, run};

pub(crate) fn main() -> ExitCode {
    match run(stack) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn stack(context: &Context) -> anyhow::Result<()> {
    let thing = |name: &str, object: &[ResourceRequestObjectField]| {
        context.register_resource(RegisterResourceRequest {
            type_: "test:index:Thing".to_owned(),
            name: name.to_owned(),
            version: "1.2.3".to_owned(),
            object,
            options: None,
        })
    };
    let size = context.new_output(&1);
    let base = thing(
        "base",
        &[ResourceRequestObjectField {
            name: "size".to_owned(),
            value: &size,
        }],
    );
    let user = thing(
        "user",
        &[
            ResourceRequestObjectField {
                name: "base".to_owned(),
                value: &base.get_id(),
            },
            ResourceRequestObjectField {
                name: "password".to_owned(),
                value: &context.new_secret(&"hunter2".to_owned()),
            },
        ],
    );
    context.add_export("user", &user.get_id());
    Ok(())
}
