//! `claviger policy eval`: one input document, one decision.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use claviger_policy::{EvalError, Evaluator, Policy, Trace};

use super::page::{Hue, Page, shown};
use super::subject::{self, SubjectArgs};
use super::verdict::{Verdict, evaluate, told, verdict_key};
use crate::cli::{Format, fail, print, print_json};
use crate::clock;

/// Flags of `eval`.
#[derive(Args)]
pub(super) struct EvalArgs {
    #[command(flatten)]
    subject: SubjectArgs,
    /// The input document; `-` reads standard input
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    input: PathBuf,
    /// Print OPA's result set as it came
    #[arg(long)]
    raw: bool,
    /// How the decision is printed; its timing and trace go to standard error in JSON's case
    #[arg(long, value_enum, default_value = "json")]
    format: Format,
}

pub(super) fn run(args: &EvalArgs) -> ExitCode {
    match evaluated(args) {
        Ok(answer) if args.raw => answer.print_raw(),
        Ok(answer) => answer.print_decision(args.format),
        Err(code) => code,
    }
}

fn evaluated(args: &EvalArgs) -> Result<Answer, ExitCode> {
    let policy = args.subject.load()?;
    let input = subject::read_input(&args.input, args.subject.manner.limits())?;
    Ok(Answer::of(policy, &input))
}

/// What came of it.
struct Answer {
    policy: Arc<Policy>,
    result_set: Result<Vec<u8>, EvalError>,
    trace: Trace,
    /// With the set-up of a fresh instance.
    first: Duration,
    /// Once more in the same instance, where the first time went well.
    again: Option<Duration>,
}

impl Answer {
    fn of(policy: Arc<Policy>, input: &[u8]) -> Self {
        let mut evaluator = Evaluator::new(Arc::clone(&policy));
        let mut trace = Trace::new();
        let began = clock::monotonic();
        let result_set = evaluate(&mut evaluator, input, &mut trace);
        let first = clock::monotonic().duration_since(began);
        let again = result_set.is_ok().then(|| {
            let began = clock::monotonic();
            // its answer was given already; only the time counts
            let _ = evaluate(&mut evaluator, input, &mut Trace::new());
            clock::monotonic().duration_since(began)
        });
        Self { policy, result_set, trace, first, again }
    }

    fn print_raw(self) -> ExitCode {
        self.whisper();
        match self.result_set {
            Ok(set) => {
                print(&format!("{}\n", String::from_utf8_lossy(&set)));
                ExitCode::SUCCESS
            }
            Err(error) => fail(1, &told(&error)),
        }
    }

    fn print_decision(self, format: Format) -> ExitCode {
        if format == Format::Json {
            self.whisper();
        }
        let (notes, timing) = (notes(&self.trace), self.timing());
        let verdict = Verdict::of(self.policy.dialect(), self.result_set);
        match format {
            Format::Json => print_json(&verdict.to_json()),
            Format::Human => print(&human(&self.policy, &verdict, &notes, &timing)),
        }
        match verdict {
            Verdict::Allow(_) => ExitCode::SUCCESS,
            Verdict::Deny(_) | Verdict::Error(_) => ExitCode::FAILURE,
        }
    }

    /// Trace and timing, beside the answer.
    fn whisper(&self) {
        let mut out = std::io::stderr().lock();
        for note in notes(&self.trace) {
            let _ = writeln!(out, "trace: {note}");
        }
        let _ = writeln!(out, "time: {}", self.timing());
    }

    fn timing(&self) -> String {
        let micros = |span: Duration| format!("{}.{} us", span.as_micros(), span.as_nanos() % 1000 / 100);
        match self.again {
            Some(again) => format!("{} (the first time {})", micros(again), micros(self.first)),
            None => micros(self.first),
        }
    }
}

fn notes(trace: &Trace) -> Vec<String> {
    let mut notes: Vec<String> = trace.lines().iter().map(|line| shown(line)).collect();
    if trace.lines_dropped() > 0 {
        notes.push(format!("and {} lines more", trace.lines_dropped()));
    }
    notes
}

fn human(policy: &Policy, verdict: &Verdict, notes: &[String], timing: &str) -> String {
    let mut page = Page::for_stdout();
    let hue = if matches!(verdict, Verdict::Allow(_)) { Hue::Green } else { Hue::Red };
    let outcome = page.paint(hue, verdict.outcome());
    page.row("outcome", &outcome);
    if let Some(fields) = verdict.to_json().as_object() {
        for (key, value) in fields.iter().filter(|(key, _)| *key != verdict_key(policy.dialect())) {
            page.row(
                &shown(key),
                &shown(value.as_str().map_or_else(|| value.to_string(), str::to_owned).as_str()),
            );
        }
    }
    page.row("entrypoint", &shown(policy.entrypoint()));
    page.row("revision", &shown(policy.revision()));
    page.row("time", timing);
    if !notes.is_empty() {
        page.rows("trace", notes);
    }
    page.into_text()
}
