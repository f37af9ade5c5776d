//! What starts functions in tests of this crate, as the cloud's own program does otherwise.

fn main() -> anyhow::Result<()> {
    cloud_lambda::launcher::run()
}
