//! What is wrong with a file, in a form that people and programs can act on.

mod render;

use serde::Serialize;

pub use render::Style;

use crate::Source;

/// Findings kept for one file: more than anybody reads in one go.
pub const FINDINGS_MAX: usize = 500;

/// A place in the file; both count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Location {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Location {
    /// Where a file begins: the place of what is missing from the whole.
    pub const START: Self = Self { line: 1, column: 1 };
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, and probably does not say what was meant.
    Warning,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// A stable name for the rule, as `unknown_key`.
    pub code: &'static str,
    /// One sentence for a person; never a secret, nor the value of a variable.
    pub message: String,
    /// The path of the setting, as `routes.github.upstream`; empty for the whole file.
    pub path: String,
    /// Where it stands.
    #[serde(flatten)]
    pub location: Location,
    /// The name that was probably meant.
    pub suggestion: Option<String>,
}

impl Finding {
    /// An error without a suggestion.
    pub fn error(
        code: &'static str,
        path: impl Into<String>,
        location: Location,
        message: impl Into<String>,
    ) -> Self {
        let (message, path) = (message.into(), path.into());
        Self { severity: Severity::Error, code, message, path, location, suggestion: None }
    }

    /// A warning without a suggestion.
    pub fn warning(
        code: &'static str,
        path: impl Into<String>,
        location: Location,
        message: impl Into<String>,
    ) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, path, location, message) }
    }

    /// The same with the name that was probably meant, if there is one.
    #[must_use]
    pub fn suggest(self, near: Option<&str>) -> Self {
        Self { suggestion: near.map(str::to_owned), ..self }
    }
}

/// Everything that is wrong with one file, in the order of its lines.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    sorted: Vec<Finding>,
    /// Also when the error itself found no room.
    has_errors: bool,
}

impl Findings {
    /// Adds one behind those of its line and above.
    pub fn push(&mut self, finding: Finding) {
        self.has_errors |= finding.severity == Severity::Error;
        if self.sorted.len() == FINDINGS_MAX {
            return;
        }
        let at = self.sorted.partition_point(|other| other.location <= finding.location);
        self.sorted.insert(at, finding);
    }

    /// Adds an error without a suggestion.
    pub fn error(
        &mut self,
        code: &'static str,
        path: impl Into<String>,
        location: Location,
        message: impl Into<String>,
    ) {
        self.push(Finding::error(code, path, location, message));
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// Whether the file cannot be used.
    pub fn has_errors(&self) -> bool {
        self.has_errors
    }

    /// Each finding, by line.
    pub fn iter(&self) -> std::slice::Iter<'_, Finding> {
        self.sorted.iter()
    }

    /// `[{severity, code, message, path, line, column, suggestion}]`.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(&self.sorted).expect("findings are text and numbers")
    }

    /// For people: each finding with its line of the file.
    pub fn render(&self, source: &Source, style: Style) -> String {
        render::render(self, source, style)
    }
}

impl<'a> IntoIterator for &'a Findings {
    type Item = &'a Finding;
    type IntoIter = std::slice::Iter<'a, Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
