//! `claviger check`: everything that is wrong with a configuration, in one go.

use std::process::ExitCode;

use clap::Args;

use super::{ConfigArgs, Format, print, print_findings, print_json, read};
use crate::snapshot::{Purpose, Snapshot};

/// Flags of `check`.
#[derive(Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// How findings are printed
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub(super) fn run(args: &CheckArgs) -> ExitCode {
    let file = match read(&args.config) {
        Ok(file) => file,
        Err(code) => return code,
    };
    let (snapshot, findings) = Snapshot::build(&file, Purpose::Check);
    match args.format {
        Format::Json => print_json(&findings.to_json()),
        Format::Human => print_findings(&findings, &file),
    }
    let Some(snapshot) = snapshot else { return ExitCode::FAILURE };
    if args.format == Format::Human {
        print(&format!(
            "ok: {}: {} listeners, {} routes, {} credentials\n",
            file.name(),
            snapshot.config.listeners.len(),
            snapshot.routes.len(),
            snapshot.sources.len()
        ));
    }
    ExitCode::SUCCESS
}
