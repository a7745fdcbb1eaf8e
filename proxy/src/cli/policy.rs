//! `claviger policy`: the author's tools on compiled bundles.

mod bench;
mod eval;
mod inspect;
mod page;
mod subject;
mod verdict;

use std::process::ExitCode;

use clap::{Args, Subcommand};

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
    /// Measure evaluations
    Bench(bench::BenchArgs),
}

/// Runs the command.
pub(super) fn run(args: &PolicyArgs) -> ExitCode {
    match &args.command {
        Command::Inspect(args) => inspect::run(args),
        Command::Eval(args) => eval::run(args),
        Command::Bench(args) => bench::run(args),
    }
}
