//! Two bundles asked about the same inputs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use claviger_policy::{Bundle, Evaluator};
use serde_json::{Value, json};

use super::change;
use crate::cli::policy::page::{Page, shown};
use crate::cli::policy::recording::fact::Fact;
use crate::cli::policy::recording::settings::SettingsArgs;
use crate::cli::policy::recording::{self, Counts, Ground, Reading, verdict_json};
use crate::cli::policy::subject::{self, MannerArgs, Wish};
use crate::cli::policy::test::table::Table;
use crate::cli::policy::test::{read, told};
use crate::cli::policy::verdict::{Verdict, moment};
use crate::cli::{USAGE, fail};
use crate::clock;

/// Differences that are shown to people.
const SHOWN_MAX: usize = 50;

/// What to ask both bundles about.
#[derive(Args)]
pub(super) struct VerdictsArgs {
    /// An input document to ask both about; may be given again
    #[arg(short, long = "input", value_name = "FILE")]
    inputs: Vec<PathBuf>,
    /// Recorded decisions to ask both about, as `replay` reads them; may be given again
    #[arg(long = "audit", value_name = "FILE")]
    audits: Vec<PathBuf>,
    #[command(flatten)]
    settings: SettingsArgs,
    /// A table of cases to ask both about, as `test` reads it; may be given again
    #[arg(long = "table", value_name = "FILE")]
    tables: Vec<PathBuf>,
}

impl VerdictsArgs {
    pub(super) fn are_wanted(&self) -> bool {
        !(self.inputs.is_empty() && self.audits.is_empty() && self.tables.is_empty())
    }
}

/// What both said.
pub(super) struct Verdicts {
    asked: usize,
    differences: Vec<Difference>,
}

/// An input for which they decide otherwise.
struct Difference {
    /// The file, and the line where there are more than one in it.
    source: String,
    name: String,
    old: Verdict,
    new: Verdict,
    ground: Ground,
}

/// One input.
struct Question {
    source: String,
    name: String,
    input: Fact,
    now_ns: i64,
}

/// Both bundles, ready to be asked.
struct Pair {
    old: Evaluator,
    new: Evaluator,
}

impl Pair {
    fn load(
        old: (&Path, &Bundle),
        new: (&Path, &Bundle),
        manner: &MannerArgs,
        wish: Wish<'_>,
    ) -> Result<Self, ExitCode> {
        let load = |(path, bundle): (&Path, &Bundle)| manner.load(path, bundle, wish).map(Evaluator::new);
        Ok(Self { old: load(old)?, new: load(new)? })
    }
}

impl Verdicts {
    pub(super) fn of(
        old: (&Path, &Bundle),
        new: (&Path, &Bundle),
        manner: &MannerArgs,
        args: &VerdictsArgs,
    ) -> Result<Self, ExitCode> {
        let mut verdicts = Self { asked: 0, differences: Vec::new() };
        if !args.inputs.is_empty() || !args.audits.is_empty() {
            let mut pair = Pair::load(old, new, manner, Wish::default())?;
            let reading = Reading { policy: Arc::clone(pair.new.policy()), settings: args.settings.load()? };
            for path in &args.inputs {
                verdicts.ask(&mut pair, document(path, manner)?);
            }
            for path in &args.audits {
                verdicts.ask_records(&mut pair, path, &reading)?;
            }
        }
        for path in &args.tables {
            let source = read(path)?;
            let table = Table::read(&source).map_err(|findings| told(&findings, &source))?;
            let mut pair = Pair::load(old, new, manner, table.wish())?;
            let cases = table.cases(pair.new.policy()).map_err(|findings| told(&findings, &source))?;
            for case in cases {
                let now_ns = moment(&case.document).unwrap_or_default();
                let source = format!("{}:{}", source.name(), case.line);
                verdicts.ask(
                    &mut pair,
                    Question { source, name: case.name, input: Fact::Known(case.document), now_ns },
                );
            }
        }
        Ok(verdicts)
    }

    fn ask_records(&mut self, pair: &mut Pair, path: &Path, reading: &Reading) -> Result<(), ExitCode> {
        recording::read(path, reading, &mut Counts::default(), |line, recorded| {
            let target = [recorded.method, recorded.route, recorded.path].map(Option::unwrap_or_default);
            self.ask(
                pair,
                Question {
                    source: format!("{}:{line}", path.display()),
                    name: format!("{} {} {}", recorded.id, target[0], target[1..].concat()),
                    input: recorded.input,
                    now_ns: recorded.now_ns,
                },
            );
        })
    }

    fn ask(&mut self, pair: &mut Pair, question: Question) {
        let Question { source, name, input, now_ns } = question;
        self.asked += 1;
        let old = recording::ask(&mut pair.old, &input, now_ns);
        let new = recording::ask(&mut pair.new, &input, now_ns);
        let ground = match (old.ground, new.ground) {
            (Ground::Certain, Ground::Certain) => Ground::Certain,
            (Ground::Incomplete, _) | (_, Ground::Incomplete) => Ground::Incomplete,
        };
        let words_apart = recording::changed_keys(&old.verdict.to_json(), &new.verdict.to_json());
        if old.verdict.outcome() != new.verdict.outcome() || !words_apart.is_empty() {
            self.differences.push(Difference { source, name, old: old.verdict, new: new.verdict, ground });
        }
    }

    pub(super) fn are_equal(&self) -> bool {
        self.differences.is_empty()
    }

    pub(super) fn to_json(&self) -> Value {
        let differences: Vec<Value> = self.differences.iter().map(Difference::to_json).collect();
        json!({ "asked": self.asked, "differences": differences })
    }

    pub(super) fn show(&self, page: &mut Page) {
        page.row("asked", &self.asked.to_string());
        page.row("differ", &self.differences.len().to_string());
        for difference in self.differences.iter().take(SHOWN_MAX) {
            difference.show(page);
        }
        if self.differences.len() > SHOWN_MAX {
            page.line(&format!("and {} more", self.differences.len() - SHOWN_MAX));
        }
    }
}

impl Difference {
    fn to_json(&self) -> Value {
        json!({
            "source": self.source,
            "name": self.name,
            "old": verdict_json(&self.old),
            "new": verdict_json(&self.new),
            "incomplete": self.ground == Ground::Incomplete,
        })
    }

    fn show(&self, page: &mut Page) {
        page.line(&format!("{}  {}", shown(&self.source), shown(&self.name)));
        let told = |verdict: &Verdict| format!("{}  {}", verdict.outcome(), verdict.to_json());
        change(page, "", &told(&self.old), &told(&self.new));
        if self.ground == Ground::Incomplete {
            page.row("", "one of them looks at what is not on the record; that was absent for both");
        }
    }
}

fn document(path: &Path, manner: &MannerArgs) -> Result<Question, ExitCode> {
    let text = subject::read_input(path, manner.limits())?;
    let source = path.display().to_string();
    let document: Value =
        serde_json::from_slice(&text).map_err(|error| fail(USAGE, &format!("{source}: {error}")))?;
    let now_ns = moment(&document).unwrap_or_else(|| clock::now().nanoseconds());
    Ok(Question { source, name: String::new(), input: Fact::Known(document), now_ns })
}
