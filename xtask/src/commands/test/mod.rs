//! `cargo xtask test`: every check and every test, and one line at the end.
//!
//! | module | what is in it |
//! | --- | --- |
//! | this one | which stages there are, and in which order |
//! | `board` | what runs now, and the table of what each stage took |
//! | `checks` | what is no test: formatting, lints, documentation, workflows |
//! | `programs` | the test programs: compiled in one go, run side by side |

mod board;
mod checks;
mod programs;

use crate::browser;
use crate::checkout::Checkout;
use crate::pulumi;
use anyhow::Result;
use board::{Board, Count};
use clap::{Args, ValueEnum};
use programs::{Programs, TestKind};
use std::path::Path;

#[derive(Args)]
pub struct Test {
    /// Formatting, clippy, and the tests that need nothing but Cargo: for after an edit
    #[arg(long, conflicts_with = "part")]
    quick: bool,
    /// One part of all; they are independent of each other
    #[arg(long)]
    part: Option<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Formatting, clippy, documentation with its examples, workflows
    Checks,
    /// The tests that need nothing but Cargo
    InProcess,
    /// Those that need Pulumi's CLI, a browser, or packages of other registries
    EndToEnd,
}

impl Test {
    pub async fn run(self) -> Result<()> {
        let checkout = Checkout::find()?;
        let board = Board::new();
        let count = self.stages(&checkout, &board).await;
        board.print();
        let count = count?;
        println!("{count}");
        if count.failed > 0 {
            std::process::exit(1);
        }
        Ok(())
    }

    fn has(&self, part: Part) -> bool {
        !self.quick && self.part.is_none_or(|only| only == part)
    }

    /// Checks that need no Cargo run beside everything else. Cargo compiles one thing after the
    /// other, so the in-process tests run while it does its checks. The end-to-end tests call Cargo
    /// themselves, so they come last.
    async fn stages(&self, checkout: &Checkout, board: &Board) -> Result<Count> {
        let root = &checkout.root;
        let mut count = Count::default();
        if self.quick || self.has(Part::Checks) {
            count += board.stage("formatting", checks::formatting(root)).await?;
        }
        let beside = async {
            if self.has(Part::Checks) {
                board.stage("workflows", checks::workflows(root)).await
            } else {
                Ok(Count::default())
            }
        };
        let cli = async {
            if self.has(Part::EndToEnd) {
                browser::ensure().await?;
                checks::add_targets(root).await;
                pulumi::with_folder_of(&pulumi::find(checkout).await?).map(Some)
            } else {
                Ok(None)
            }
        };
        let cargo = self.with_cargo(root, board);
        let (beside, cli, (programs, checked)) = tokio::try_join!(beside, cli, cargo)?;
        count += beside;
        count += checked;
        if let (Some(programs), Some(path)) = (programs, cli) {
            let tests = programs.run(TestKind::EndToEnd, Some(path), board);
            count += board.stage("end-to-end tests", tests).await?;
        }
        Ok(count)
    }

    /// All that Cargo compiles, and the tests that need nothing else.
    async fn with_cargo(&self, root: &Path, board: &Board) -> Result<(Option<Programs>, Count)> {
        let mut count = Count::default();
        let in_process = self.quick || self.has(Part::InProcess);
        let mut programs = None;
        if in_process || self.has(Part::EndToEnd) {
            let kinds = match (in_process, self.has(Part::EndToEnd)) {
                (true, false) => &[TestKind::InProcess][..],
                (false, true) => &[TestKind::EndToEnd],
                _ => &[TestKind::InProcess, TestKind::EndToEnd],
            };
            let compiled = Programs::compile(root, kinds, board);
            let (compiled, counted) = board.stage_with("compiling the tests", compiled).await?;
            programs = compiled;
            count += counted;
        }
        let tests = async {
            match &programs {
                Some(programs) if in_process => {
                    let tests = programs.run(TestKind::InProcess, None, board);
                    board.stage("in-process tests", tests).await
                }
                _ => Ok(Count::default()),
            }
        };
        let lints = async {
            let mut count = Count::default();
            if self.quick || self.has(Part::Checks) {
                count += board.stage("clippy", checks::clippy(root)).await?;
            }
            if self.has(Part::Checks) {
                count += board
                    .stage("documentation", checks::documentation(root))
                    .await?;
                count += board.stage("its examples", checks::examples(root)).await?;
            }
            Ok(count)
        };
        let (tested, linted) = tokio::try_join!(tests, lints)?;
        count += tested;
        count += linted;
        Ok((programs, count))
    }
}
