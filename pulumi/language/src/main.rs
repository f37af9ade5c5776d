//! `pulumi-language-rust`: started by Pulumi's engine for projects of `runtime: rust`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help") {
        print!(
            "Pulumi's language host for Rust. The engine starts it for projects of `runtime: rust`:\n\
             \n    pulumi-language-rust [OPTIONS] [ENGINE-ADDRESS]\n"
        );
        return ExitCode::SUCCESS;
    }
    // The engine's address is the last argument; options for logs and traces may come before.
    let engine = arguments.last().filter(|last| !last.starts_with('-'));
    let served = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(pulumi_language_rust::server::serve(engine.cloned())));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pulumi-language-rust: {error:#}");
            ExitCode::FAILURE
        }
    }
}
