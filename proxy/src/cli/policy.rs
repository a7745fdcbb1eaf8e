//! `claviger policy`: the author's tools on compiled bundles.

mod bench;
mod diff;
mod eval;
mod inspect;
mod page;
mod recording;
mod rehearsal;
mod replay;
mod subject;
mod test;
mod verdict;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use claviger_policy::shipped;

/// Flags of `policy`.
#[derive(Args)]
pub(super) struct PolicyArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show what a bundle holds, what it needs of the host, and who signed it
    Inspect(inspect::InspectArgs),
    /// Evaluate one input document
    Eval(eval::EvalArgs),
    /// Hold tables of requests against the decisions that they should meet
    Test(test::TestArgs),
    /// Let a bundle make recorded decisions again, and list those that come out otherwise
    Replay(replay::ReplayArgs),
    /// Compare two bundles, and what they decide
    Diff(diff::DiffArgs),
    /// Print what policies may call here, for `opa check --capabilities` and `opa build --capabilities`
    Capabilities,
    /// Measure evaluations
    Bench(bench::BenchArgs),
}

/// Runs the command.
pub(super) fn run(args: &PolicyArgs) -> ExitCode {
    match &args.command {
        Command::Inspect(args) => inspect::run(args),
        Command::Eval(args) => eval::run(args),
        Command::Test(args) => test::run(args),
        Command::Replay(args) => replay::run(args),
        Command::Diff(args) => diff::run(args),
        Command::Capabilities => {
            super::print(shipped::CAPABILITIES);
            ExitCode::SUCCESS
        }
        Command::Bench(args) => bench::run(args),
    }
}
