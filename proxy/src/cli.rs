//! The command line: flags, subcommands and exit codes.

pub mod audit;
mod check;
mod demo;
mod explain;
mod policy;
mod schema;
mod serve;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use claviger_config::{Findings, Source, Style};

use crate::snapshot::{Purpose, Snapshot};
use crate::telemetry::{self, LogFormat};

/// The command line was wrong, or a file that it names.
const USAGE: u8 = 2;

/// The key-bearer beside your workload: it decides at the moment of use, fetches a short-lived credential just in
/// time, and keeps a record that cannot be changed unseen.
#[derive(Parser)]
#[command(name = "claviger", version, propagate_version = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// How log lines on standard error look.
    #[arg(long, global = true, value_enum, env = "CLAVIGER_LOG_FORMAT", default_value = "text")]
    log_format: LogFormat,
}

#[derive(Subcommand)]
enum Command {
    /// Run the sidecar until it is told to stop
    Serve(ConfigArgs),
    /// Show what it does, on real sockets, without a file or a network
    Demo(demo::DemoArgs),
    /// Load a configuration without network and tell of everything that is wrong with it
    Check(check::CheckArgs),
    /// Show how a request would be decided, without sending it
    Explain(explain::ExplainArgs),
    /// Look into, try, test, measure and compare compiled policies
    Policy(policy::PolicyArgs),
    /// Verify or follow the audit
    Audit(audit::AuditArgs),
    /// Print the JSON Schema of a documented form
    Schema(schema::SchemaArgs),
    /// Print completions for a shell
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

/// Which configuration.
#[derive(Args)]
struct ConfigArgs {
    /// The configuration file
    #[arg(short, long, env = "CLAVIGER_CONFIG", default_value = "claviger.yaml", value_name = "FILE")]
    config: PathBuf,
}

/// How a command prints its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Human,
    /// For machines.
    Json,
}

/// Runs the program with the process's arguments.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    // the demo tells its own story: log lines only on demand
    let quiet = matches!(cli.command, Command::Demo(_)).then(|| "off".to_owned());
    telemetry::start(cli.log_format, std::env::var("CLAVIGER_LOG").ok().or(quiet).as_deref());
    match cli.command {
        Command::Serve(args) => serve::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Policy(args) => policy::run(&args),
        Command::Audit(args) => audit::run(&args),
        Command::Schema(args) => schema::run(&args),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "claviger", &mut std::io::stdout());
            ExitCode::SUCCESS
        }
    }
}

/// Loads a configuration, or prints what is wrong with it and gives the exit code.
fn load(args: &ConfigArgs, purpose: Purpose) -> Result<Snapshot, ExitCode> {
    let file = read(args)?;
    let (snapshot, findings) = Snapshot::build(&file, purpose);
    print_findings(&findings, &file);
    snapshot.ok_or(ExitCode::from(USAGE))
}

fn read(args: &ConfigArgs) -> Result<Source, ExitCode> {
    Source::read(&args.config).map_err(|error| fail(USAGE, &error.to_string()))
}

/// Prints findings on standard error, for people.
fn print_findings(findings: &Findings, file: &Source) {
    let mut out = std::io::stderr().lock();
    let style = if out.is_terminal() { Style::Colour } else { Style::Plain };
    let _ = out.write_all(findings.render(file, style).as_bytes());
}

/// Prints one line of trouble on standard error and gives the exit code.
fn fail(code: u8, why: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "claviger: {why}");
    ExitCode::from(code)
}

/// Prints an answer on standard output; a reader that has left is not an error.
fn print(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// Prints JSON for machines, indented for the people who look all the same.
fn print_json(value: &serde_json::Value) {
    print(&format!("{value:#}\n"));
}
