//! `claviger policy replay`: recorded decisions made again by another bundle, and where they come out otherwise.

mod report;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use claviger_policy::{Evaluator, Policy};

use self::report::Report;
use super::recording::settings::SettingsArgs;
use super::recording::{self, Counts, Ground, Reading, Recorded, Was};
use super::subject::SubjectArgs;
use super::verdict::Verdict;
use crate::cli::{Format, print, print_json};

/// Decisions that cannot be judged of which it is found out what the policy looks at.
const LOOKED_INTO_MAX: usize = 1_000;

/// Flags of `replay`.
#[derive(Args)]
pub(super) struct ReplayArgs {
    #[command(flatten)]
    subject: SubjectArgs,
    /// Files of the audit, or of a decision log in OPA's format, as JSON lines
    #[arg(value_name = "AUDIT", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    settings: SettingsArgs,
    /// Take a decision that cannot be judged for drift
    #[arg(long)]
    strict: bool,
    /// How the answer is printed
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub(super) fn run(args: &ReplayArgs) -> ExitCode {
    let replayed = match replayed(args) {
        Ok(replayed) => replayed,
        Err(code) => return code,
    };
    let report = Report::of(&replayed);
    match args.format {
        Format::Json => print_json(&report.to_json()),
        Format::Human => print(&report.human()),
    }
    match replayed.holds(args.strict) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// What came of all files.
struct Replayed {
    policy: Arc<Policy>,
    counts: Counts,
    same: usize,
    drift: Vec<Drift>,
    unjudged: Vec<Unjudged>,
    unjudged_count: usize,
}

/// Where a decision was made, and what it was about.
struct Origin {
    file: String,
    line: usize,
    id: String,
    time: String,
    method: Option<String>,
    route: Option<String>,
    path: Option<String>,
    was: Was,
}

/// A decision that comes out otherwise.
struct Drift {
    origin: Origin,
    now: Verdict,
    differs: Vec<String>,
}

/// A decision for which the policy looks at what is not on the record.
struct Unjudged {
    origin: Origin,
    /// What it says where that is absent.
    now: Verdict,
    looks_at: Vec<String>,
}

fn replayed(args: &ReplayArgs) -> Result<Replayed, ExitCode> {
    let settings = args.settings.load()?;
    let policy = args.subject.load()?;
    let reading = Reading { policy: Arc::clone(&policy), settings };
    let mut evaluator = Evaluator::new(Arc::clone(&policy));
    let mut counts = Counts::default();
    let mut replayed = Replayed {
        policy,
        counts: Counts::default(),
        same: 0,
        drift: Vec::new(),
        unjudged: Vec::new(),
        unjudged_count: 0,
    };
    for file in &args.files {
        let name = file.display().to_string();
        recording::read(file, &reading, &mut counts, |line, recorded| {
            replayed.judge(&mut evaluator, &name, line, recorded);
        })?;
    }
    replayed.counts = counts;
    Ok(replayed)
}

impl Replayed {
    fn judge(&mut self, evaluator: &mut Evaluator, file: &str, line: usize, recorded: Recorded) {
        let Recorded { id, time, method, route, path, was, input, now_ns } = recorded;
        let origin = Origin { file: file.to_owned(), line, id, time, method, route, path, was };
        let answer = recording::ask(evaluator, &input, now_ns);
        if answer.ground == Ground::Incomplete {
            self.unjudged_count += 1;
            if self.unjudged.len() < LOOKED_INTO_MAX {
                let looks_at = recording::parts_looked_at(evaluator, &input, now_ns);
                self.unjudged.push(Unjudged { origin, now: answer.verdict, looks_at });
            }
            return;
        }
        match recording::differences(&origin.was, &answer.verdict) {
            differs if differs.is_empty() => self.same += 1,
            differs => self.drift.push(Drift { origin, now: answer.verdict, differs }),
        }
    }

    fn judged(&self) -> usize {
        self.same + self.drift.len()
    }

    /// Whether nothing speaks against the bundle. Where nothing at all could be judged, nothing speaks for it either.
    fn holds(&self, strict: bool) -> bool {
        let tolerated = self.unjudged_count == 0 || (!strict && self.judged() > 0);
        self.drift.is_empty() && tolerated
    }
}
