//! `claviger policy bench`: how long an evaluation takes on this machine, by the path that serving takes.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use claviger_policy::{EvalError, Evaluator, Policy, Trace};
use serde_json::{Value, json};

use super::page::{Hue, Page, shown};
use super::subject::{self, SubjectArgs};
use super::verdict::{Verdict, moment, told};
use crate::cli::{Format, USAGE, fail, print, print_json};
use crate::clock;

/// Evaluated and not counted: caches and branch predictors settle.
const WARM_UP: Duration = Duration::from_millis(100);
const MEASURED_SECONDS_MAX: u64 = 600;
/// Measured at most, 4 bytes each.
const EVALS_MAX: usize = 4 << 20;

/// Flags of `bench`.
#[derive(Args)]
pub(super) struct BenchArgs {
    #[command(flatten)]
    subject: SubjectArgs,
    /// The input document; `-` reads standard input
    #[arg(short, long, value_name = "FILE")]
    input: PathBuf,
    /// How long to measure
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=MEASURED_SECONDS_MAX))]
    seconds: u64,
    /// How the answer is printed
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub(super) fn run(args: &BenchArgs) -> ExitCode {
    match measured(args) {
        Ok(measure) => {
            match args.format {
                Format::Json => print_json(&measure.to_json()),
                Format::Human => print(&measure.human()),
            }
            ExitCode::SUCCESS
        }
        Err(code) => code,
    }
}

fn measured(args: &BenchArgs) -> Result<Measure, ExitCode> {
    let began = clock::monotonic();
    let policy = args.subject.load()?;
    let load = clock::monotonic().duration_since(began);
    let input = subject::read_input(&args.input, args.subject.manner.limits())?;
    let input: Value = serde_json::from_slice(&input)
        .map_err(|error| fail(USAGE, &format!("{}: {error}", args.input.display())))?;
    let span = Duration::from_secs(args.seconds);
    Measure::take(policy, &input, load, span).map_err(|error| fail(1, &told(&error)))
}

/// What was measured.
struct Measure {
    policy: Arc<Policy>,
    outcome: &'static str,
    /// Reading, compiling and checking the bundle.
    load: Duration,
    /// The first evaluation, with the set-up of its instance.
    first: Duration,
    /// Nanoseconds of each evaluation, sorted; never empty.
    spans_ns: Vec<u32>,
}

impl Measure {
    fn take(policy: Arc<Policy>, input: &Value, load: Duration, span: Duration) -> Result<Self, EvalError> {
        let mut evaluator = Evaluator::new(Arc::clone(&policy));
        let now_ns = moment(input).unwrap_or_else(|| clock::now().nanoseconds());
        let began = clock::monotonic();
        evaluator.evaluate_document(input, now_ns, &mut Trace::new())?;
        let outcome = Verdict::of(policy.dialect(), evaluator.result_json()).outcome();
        let first = clock::monotonic().duration_since(began);
        let mut once = || {
            evaluator.evaluate_document(input, now_ns, &mut Trace::new())?;
            // what it says counts above; here the reading takes its time, as it does in serving
            drop(evaluator.decision());
            Ok(())
        };
        repeat(WARM_UP, EVALS_MAX, &mut once)?;
        let mut spans_ns = repeat(span, EVALS_MAX, &mut once)?;
        spans_ns.sort_unstable();
        Ok(Self { policy, outcome, load, first, spans_ns })
    }

    /// What `share` percent of the evaluations stayed within.
    fn percentile_us(&self, share: usize) -> f64 {
        let at = (self.spans_ns.len() * share).div_ceil(100).max(1) - 1;
        f64::from(self.spans_ns[at]) / 1000.0
    }

    fn mean_us(&self) -> f64 {
        let sum: u64 = self.spans_ns.iter().copied().map(u64::from).sum();
        sum as f64 / self.spans_ns.len() as f64 / 1000.0
    }

    fn to_json(&self) -> Value {
        json!({
            "evals": self.spans_ns.len(),
            "p50_us": self.percentile_us(50),
            "p90_us": self.percentile_us(90),
            "p99_us": self.percentile_us(99),
            "max_us": self.percentile_us(100),
            "mean_us": self.mean_us(),
            "first_us": self.first.as_nanos() as f64 / 1000.0,
            "load_ms": self.load.as_micros() as f64 / 1000.0,
            "input": "json",
            "outcome": self.outcome,
            "entrypoint": self.policy.entrypoint(),
            "digest": self.policy.digest(),
        })
    }

    fn human(&self) -> String {
        let mut page = Page::for_stdout();
        let median = page.paint(Hue::Bold, &format!("{:.1} us", self.percentile_us(50)));
        page.row("p50", &median);
        for (label, share) in [("p90", 90), ("p99", 99), ("max", 100)] {
            page.row(label, &format!("{:.1} us", self.percentile_us(share)));
        }
        page.row("evaluations", &format!("{}, by one thread", self.spans_ns.len()));
        page.row("first", &format!("{} us, with the set-up of its instance", self.first.as_micros()));
        page.row("load", &format!("{} ms", self.load.as_millis()));
        page.row("input", "as JSON text");
        page.row("outcome", self.outcome);
        page.row("entrypoint", &shown(self.policy.entrypoint()));
        page.into_text()
    }
}

/// Runs `once` for the time of `span`; how long each run took, in nanoseconds.
fn repeat(
    span: Duration,
    count_max: usize,
    once: &mut impl FnMut() -> Result<(), EvalError>,
) -> Result<Vec<u32>, EvalError> {
    let mut spans_ns = Vec::new();
    let began = clock::monotonic();
    let mut from = began;
    while spans_ns.len() < count_max && from.duration_since(began) < span {
        once()?;
        let to = clock::monotonic();
        spans_ns.push(u32::try_from(to.duration_since(from).as_nanos()).unwrap_or(u32::MAX));
        from = to;
    }
    Ok(spans_ns)
}
