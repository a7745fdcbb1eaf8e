//! What every engine is asked, and how its answers are timed: `ENGINE CASE EVALUATIONS` reads `policy.rego`, `data.json`,
//! `input.json` and `bundle.tar.gz` in the folder CASE and prints one JSON object.
//!
//! Each evaluation starts at the parsed input document, as a host has it, and ends with the result in the host's hands.

use std::error::Error;
use std::io::Read as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The allocator that the product has, for all alike.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The entrypoint of every case.
pub const ENTRYPOINT: &str = "bench/allow";
/// The rule of every case, as Rego writes it.
pub const RULE: &str = "data.bench.allow";

/// Any failure ends the program.
pub type Fallible<T> = Result<T, Box<dyn Error>>;

/// One case and how often it is evaluated.
pub struct Case {
    folder: PathBuf,
    /// Evaluations that are timed; none are where instructions are counted around a single one.
    pub evaluations: usize,
}

impl Case {
    /// From the command line.
    ///
    /// # Errors
    /// Arguments that are missing or no number.
    pub fn from_arguments() -> Fallible<Case> {
        let mut arguments = std::env::args().skip(1);
        match (arguments.next(), arguments.next()) {
            (Some(folder), Some(evaluations)) => {
                Ok(Case { folder: PathBuf::from(folder), evaluations: evaluations.parse()? })
            }
            _ => Err("usage: ENGINE CASE EVALUATIONS".into()),
        }
    }

    /// The bytes of a file of the case.
    ///
    /// # Errors
    /// What the file system says.
    pub fn bytes(&self, name: &str) -> Fallible<Vec<u8>> {
        Ok(std::fs::read(self.folder.join(name))?)
    }

    /// A file of the case that is JSON.
    ///
    /// # Errors
    /// What the file system or the parser says.
    pub fn json(&self, name: &str) -> Fallible<Value> {
        Ok(serde_json::from_slice(&self.bytes(name)?)?)
    }

    /// A file of the case that is text.
    ///
    /// # Errors
    /// What the file system says, or bytes that are no UTF-8.
    pub fn text(&self, name: &str) -> Fallible<String> {
        Ok(String::from_utf8(self.bytes(name)?)?)
    }

    /// Evaluates a tenth as often without counting, then times each evaluation; prints the result and the times.
    ///
    /// # Errors
    /// What the engine says.
    pub fn measure(
        &self,
        mut evaluate: impl FnMut() -> Fallible<()>,
        result: Value,
        more: Value,
    ) -> Fallible<()> {
        for _ in 0..self.evaluations / 10 {
            evaluate()?;
        }
        let mut spans = Vec::with_capacity(self.evaluations);
        for _ in 0..self.evaluations {
            let began = Instant::now();
            evaluate()?;
            spans.push(began.elapsed());
        }
        spans.sort_unstable();
        println!(
            "{}",
            json!({ "p50_us": at(&spans, 50), "p99_us": at(&spans, 99), "result": result, "more": more })
        );
        Ok(())
    }
}

/// Microseconds that `share` percent of the evaluations stayed within.
fn at(spans: &[Duration], share: usize) -> f64 {
    let place = (spans.len() * share).div_ceil(100).max(1) - 1;
    spans.get(place).map_or(0.0, |span| micros(*span))
}

/// A span in microseconds.
#[must_use]
pub fn micros(span: Duration) -> f64 {
    span.as_nanos() as f64 / 1000.0
}

/// `policy.wasm` out of the bundle.
///
/// # Errors
/// A bundle that cannot be read or has none.
pub fn module(case: &Case) -> Fallible<Vec<u8>> {
    let bundle = case.bytes("bundle.tar.gz")?;
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bundle.as_slice()));
    for entry in archive.entries()? {
        let mut entry = entry?;
        if entry.path()?.ends_with("policy.wasm") {
            let mut wasm = Vec::new();
            entry.read_to_end(&mut wasm)?;
            return Ok(wasm);
        }
    }
    Err("no policy.wasm in the bundle".into())
}
