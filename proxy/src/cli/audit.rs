//! `claviger audit`: verify finished files, or follow a live one.

mod line;
mod tail;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use claviger_config::Sink;

use super::{ConfigArgs, Format, USAGE, fail, print, print_findings, read};
use crate::audit::Hash;
use crate::audit::verify::{Fault, Known, verify};

/// Flags of `audit`.
#[derive(Args)]
pub struct AuditArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check the hash chain and name the first line that was changed, moved, added or lost
    Verify(VerifyArgs),
    /// Follow the audit live
    Tail(TailArgs),
}

#[derive(Args)]
struct VerifyArgs {
    /// The files, oldest first: each continues the one before
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The hash that the last record must have: tells whether later records were lost
    #[arg(long, value_name = "HASH")]
    head: Option<Hash>,
    /// The hash of the last record of an archived file: the first record here follows it
    #[arg(long, value_name = "HASH")]
    from: Option<Hash>,
}

#[derive(Args)]
struct TailArgs {
    /// The file; by default the one that the configuration names
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArgs,
    /// How many of the lines that are there are shown first
    #[arg(short = 'n', long, default_value_t = 10, value_name = "LINES")]
    lines: usize,
    /// How lines are shown
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

/// Runs the command.
pub fn run(args: &AuditArgs) -> ExitCode {
    match &args.command {
        Command::Verify(args) => verified(args),
        Command::Tail(args) => followed(args),
    }
}

fn verified(args: &VerifyArgs) -> ExitCode {
    match verify(&args.files, Known { from: args.from, head: args.head }) {
        Ok(records) => {
            print(&format!("ok: {records} records\n"));
            ExitCode::SUCCESS
        }
        Err(fault @ Fault::Broken { .. }) => {
            print(&format!("{fault}\n"));
            ExitCode::FAILURE
        }
        Err(fault @ Fault::Unreadable { .. }) => fail(USAGE, &fault.to_string()),
    }
}

fn followed(args: &TailArgs) -> ExitCode {
    let path = match args.file.clone().map_or_else(|| configured(&args.config), Ok) {
        Ok(path) => path,
        Err(code) => return code,
    };
    match tail::follow(&path, args.lines, line::Look::for_stdout(args.format)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(USAGE, &format!("{}: {error}", path.display())),
    }
}

/// The file that the configuration names.
fn configured(args: &ConfigArgs) -> Result<PathBuf, ExitCode> {
    let file = read(args)?;
    let draft = claviger_config::parse(&file, &|name| std::env::var(name).ok());
    let Some(config) = draft.config else {
        print_findings(&draft.findings, &file);
        return Err(ExitCode::from(USAGE));
    };
    match config.audit.sink {
        Sink::File(path) => Ok(path),
        Sink::Stdout => Err(fail(USAGE, "the audit goes to standard output; name a file to follow")),
    }
}
