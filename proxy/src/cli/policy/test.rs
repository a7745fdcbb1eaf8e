//! `claviger policy test`: tables of requests and expected decisions.

mod expect;
mod report;
mod shape;
pub(super) mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use claviger_config::{Findings, Source};
use claviger_policy::{Bundle, Evaluator, Policy, Trace};

use self::expect::Mismatch;
use self::report::{Report, ReportFormat};
use self::table::{Case, Table};
use super::subject::{self, SubjectArgs};
use super::verdict::Verdict;
use crate::cli::{USAGE, fail, print, print_findings};

/// Flags of `test`.
#[derive(Args)]
pub(super) struct TestArgs {
    #[command(flatten)]
    subject: SubjectArgs,
    /// Tables of cases, in YAML
    #[arg(value_name = "TABLE", required = true)]
    tables: Vec<PathBuf>,
    /// How the answer is printed
    #[arg(long, value_enum, default_value = "human")]
    format: ReportFormat,
}

pub(super) fn run(args: &TestArgs) -> ExitCode {
    match tested(args) {
        Ok(report) => {
            print(&report.told(args.format));
            if report.failed() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(code) => code,
    }
}

/// Every table is read before any case is judged.
fn tested(args: &TestArgs) -> Result<Report, ExitCode> {
    let bundle = subject::open(&args.subject.bundle)?;
    let mut suites = Vec::new();
    let mut code = None;
    for path in &args.tables {
        match suite(args, &bundle, path) {
            Ok(suite) => suites.push(suite),
            Err(failed) => code = Some(failed),
        }
    }
    if let Some(code) = code {
        return Err(code);
    }
    let judged = suites.into_iter().flat_map(Suite::judge);
    Ok(Report::of(judged.collect()))
}

/// One table with the policy that it is about.
struct Suite {
    file: String,
    policy: Arc<Policy>,
    cases: Vec<Case>,
}

fn suite(args: &TestArgs, bundle: &Bundle, path: &Path) -> Result<Suite, ExitCode> {
    let source = read(path)?;
    let table = Table::read(&source).map_err(|findings| told(&findings, &source))?;
    let policy = args.subject.manner.load(&args.subject.bundle, bundle, table.wish())?;
    let cases = table.cases(&policy).map_err(|findings| told(&findings, &source))?;
    Ok(Suite { file: source.name().to_owned(), policy, cases })
}

/// Reads a table's file.
pub(super) fn read(path: &Path) -> Result<Source, ExitCode> {
    Source::read(path).map_err(|error| fail(USAGE, &error.to_string()))
}

/// Tells what is wrong with a table.
pub(super) fn told(findings: &Findings, source: &Source) -> ExitCode {
    print_findings(findings, source);
    ExitCode::from(USAGE)
}

/// What came of one case.
struct Judged {
    file: String,
    case: Case,
    verdict: Verdict,
    mismatches: Vec<Mismatch>,
    trace: Trace,
}

impl Suite {
    fn judge(self) -> Vec<Judged> {
        let Self { file, policy, cases } = self;
        let dialect = policy.dialect();
        let mut evaluator = Evaluator::new(policy);
        let judge = |case: Case| {
            let mut trace = Trace::new();
            let verdict = Verdict::on(&mut evaluator, &case.document, &mut trace);
            let mismatches = case.expectation.judge(dialect, &verdict);
            Judged { file: file.clone(), case, verdict, mismatches, trace }
        };
        cases.into_iter().map(judge).collect()
    }
}
