//! A program with everything that the binding has.

use pulumi_gestalt_providers_sample::functions::{look_up, ping};
use pulumi_gestalt_providers_sample::types::Endpoint;
use pulumi_gestalt_providers_sample::{account, legacy, provider};
use pulumi_gestalt_rust::{Options, Program};

fn main() -> std::process::ExitCode {
    pulumi_gestalt_rust::run(stack)
}

fn stack(program: &Program) -> anyhow::Result<()> {
    let named = |name: &str| account::AccountArgs::builder().name(name);
    let plain = account::create(program, "plain", named("plain").build_struct());
    let said = named("said").owner("ann").size(5).password("hunter2");
    account::create(program, "said", said.build_struct());
    let secret = account::create_with_options(
        program,
        "after",
        named("after").build_struct(),
        // A resource is what options refer to, and so is its URN.
        Options::new().depends_on(&[&plain]).parent(&plain.urn),
    );
    program.export("key", &secret.key);

    let endpoint = Endpoint::builder().service("s3").url("https://example.org");
    let london = provider::create_with_options(
        program,
        "london",
        provider::ProviderArgs::builder()
            .region("london")
            .allowed_account_ids(["123456789012"])
            .endpoints([endpoint.build_struct()])
            .token("hunter2")
            .build_struct(),
        Options::new().parent(&plain),
    );
    let in_london = Options::new().provider(&london);
    let there = named("there").build_struct();
    account::create_with_options(program, "there", there, in_london.clone());
    let found = look_up::invoke(
        &program.calling(in_london),
        look_up::LookUpArgs::builder().name("x").build_struct(),
    );
    ping::invoke(program, ping::PingArgs::builder().name("x").build_struct());
    program.export("found", &found.value);

    // The compiler says it too.
    #[allow(deprecated)]
    legacy::create(
        program,
        "legacy",
        legacy::LegacyArgs::builder().build_struct(),
    );
    Ok(())
}
