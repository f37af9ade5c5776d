//! One file a command.

mod bench;
mod bootstrap;
mod click;
mod dev;
mod doctor;
mod down;
mod drift;
mod env;
mod history;
mod insights;
mod log_message;
mod logs;
mod open;
pub mod package;
mod pictures;
mod preview;
mod push;
mod replay;
mod scan;
mod schema;
mod setup;
mod status;
mod stop;
mod test;
mod up;

use anyhow::Result;
use clap::Subcommand;

#[derive(Subcommand)]
pub enum Command {
    /// Starts the embedded cloud and deploys stack `local` on it
    #[command(visible_alias = "deploy")]
    Up(up::Up),
    /// Brings every edit live by itself, and shows clicks and failures as they happen
    #[command(visible_alias = "watch")]
    Dev(dev::Dev),
    /// Sends one click and waits for its record
    Click(click::Click),
    /// Destroys stack `local` and stops the embedded cloud
    #[command(visible_alias = "destroy")]
    Down(down::Down),
    /// Opens the site and the embedded cloud's console in the browser
    Open(open::Open),
    /// Stops the embedded cloud, and keeps all that it holds
    Stop(stop::Stop),
    /// Starts the embedded cloud with what it held
    Start(stop::Start),
    /// Prints what a shell needs for plain `pulumi` and `aws`: eval "$(cargo xtask env)"
    Env(env::Env),
    /// Says what is missing on this machine, and how to install it
    Doctor(doctor::Doctor),
    /// Says whether the embedded cloud runs, and how it is doing
    Status(status::Status),
    /// Shows what the API, the stream and the processor have logged
    Logs(logs::Logs),
    /// Sends failed records through the stream once more
    Replay(replay::Replay),
    /// Says what an update would change: what is lost, allowed, seen, and what it costs
    Preview(preview::Preview),
    /// Puts the source into the stack's repository
    Push(push::Push),
    /// Prepares an account for deployments from GitHub
    Bootstrap(bootstrap::Bootstrap),
    /// Says what was changed outside of Pulumi
    Drift(drift::Drift),
    /// Lists who deployed which commit
    History(history::History),
    /// Answers questions about the clicks: which mysfits, by whom, when, and what failed
    Insights(insights::Insights),
    /// Runs every test
    Test(test::Test),
    /// Measures, beside what each figure is compared with
    Bench(bench::Bench),
    /// Builds the Lambda function's archive and prints its path
    Package(package::PackageCommand),
    /// Makes the pictures of the site in docs/ and web/ once more
    Pictures(pictures::Pictures),
    /// Runs checkov over the stack
    Scan(scan::Scan),
    /// Writes the schema of the aws binding, as pulumi/aws/tokens.toml selects it
    Schema(schema::Schema),
    /// Puts pulumi-language-rust on PATH for plain `pulumi up -s dev`
    Setup(setup::Setup),
}

impl Command {
    pub async fn run(self) -> Result<()> {
        match self {
            Self::Up(command) => command.run().await,
            Self::Dev(command) => command.run().await,
            Self::Doctor(command) => command.run().await,
            Self::Click(command) => command.run().await,
            Self::Down(command) => command.run().await,
            Self::Open(command) => command.run().await,
            Self::Stop(command) => command.run().await,
            Self::Start(command) => command.run().await,
            Self::Env(command) => command.run().await,
            Self::Status(command) => command.run().await,
            Self::Logs(command) => command.run().await,
            Self::Replay(command) => command.run().await,
            Self::Preview(command) => command.run().await,
            Self::Bootstrap(command) => command.run().await,
            Self::Push(command) => command.run().await,
            Self::Drift(command) => command.run().await,
            Self::History(command) => command.run().await,
            Self::Insights(command) => command.run().await,
            Self::Test(command) => command.run().await,
            Self::Bench(command) => command.run().await,
            Self::Package(command) => command.run().await,
            Self::Pictures(command) => command.run().await,
            Self::Scan(command) => command.run().await,
            Self::Schema(command) => command.run().await,
            Self::Setup(command) => command.run().await,
        }
    }
}
