//! The cases as `tests/conformance` compiles them: `cases.json` and the modules beside it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use claviger_tests::tool;
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// All cases, and the folder of their modules.
pub(crate) struct Corpus {
    folder: PathBuf,
    /// In the order of their names, which are made unique.
    pub(crate) cases: Vec<Case>,
}

/// One case: a query that OPA planned, what it is asked about, and what it has to answer.
#[derive(Deserialize)]
pub(crate) struct Case {
    /// OPA's note; where several cases have the same, ` #2` and so on is added.
    pub(crate) name: String,
    /// The module that the query is in; none where OPA did not compile the case.
    module: Option<String>,
    /// The query's name in its module.
    #[serde(default)]
    pub(crate) entrypoint: String,
    /// What OPA's compiler said against it.
    uncompiled: Option<String>,
    /// The data document.
    pub(crate) data: Option<Box<RawValue>>,
    /// The input document.
    pub(crate) input: Option<Box<RawValue>>,
    want_defined: Option<bool>,
    want_result: Option<Box<RawValue>>,
    want_error: Option<String>,
    /// Whether the error is one in strict mode only, which compiled policies do not have: they give nothing instead.
    strict_error: bool,
    /// Whether arrays in the result are to be compared without their order.
    pub(crate) sort_bindings: bool,
}

/// What a case is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A result, or none.
    Result,
    /// An error.
    Error,
}

/// What has to come.
pub(crate) enum Wanted<'a> {
    /// At least one result, or none.
    Defined(bool),
    /// These results.
    Results(&'a RawValue),
    /// An error with this code.
    Error(&'a str),
    /// No result, in place of an error in strict mode.
    Nothing,
}

impl Case {
    /// What it is about.
    pub(crate) fn kind(&self) -> Kind {
        match self.wanted() {
            Wanted::Defined(_) | Wanted::Results(_) => Kind::Result,
            Wanted::Error(_) | Wanted::Nothing => Kind::Error,
        }
    }

    /// What has to come, in the order of precedence of OPA's own test.
    pub(crate) fn wanted(&self) -> Wanted<'_> {
        match (self.want_defined, &self.want_result, &self.want_error) {
            (Some(defined), _, _) => Wanted::Defined(defined),
            (None, Some(results), _) => Wanted::Results(results),
            (None, None, Some(_)) if self.strict_error => Wanted::Nothing,
            (None, None, Some(code)) => Wanted::Error(code),
            (None, None, None) => panic!("{}: a case that wants nothing", self.name),
        }
    }
}

impl Corpus {
    /// Compiles the cases, unless the same sources did it before. Their modules ask for so many pages of memory more than
    /// OPA lets them.
    pub(crate) fn compile(more_pages: u32) -> Corpus {
        let sources = tool::root().join("tests/conformance");
        let name = format!("{}-{more_pages}", digest(&sources));
        let folder = tool::target().join("conformance").join(name);
        let list = folder.join("cases.json");
        if !list.is_file() {
            let mut go = Command::new(tool::path("go"));
            go.args(["run", "."])
                .arg(&folder)
                .arg(more_pages.to_string())
                .env("GOFLAGS", "-mod=mod")
                .current_dir(&sources);
            let done = go.output().expect("go runs");
            assert!(done.status.success(), "tests/conformance: {}", String::from_utf8_lossy(&done.stderr));
        }
        Corpus::read(&std::fs::read(&list).expect("the list is written last"), folder)
    }

    /// Reads the list.
    pub(crate) fn read(list: &[u8], folder: PathBuf) -> Corpus {
        let mut cases: Vec<Case> = serde_json::from_slice(list).expect("both sides know the same fields");
        number(&mut cases);
        Corpus { folder, cases }
    }

    /// The cases of each module.
    pub(crate) fn by_module(&self) -> Vec<(PathBuf, Vec<&Case>)> {
        let mut groups: BTreeMap<PathBuf, Vec<&Case>> = BTreeMap::new();
        for case in &self.cases {
            if let Some(module) = &case.module {
                groups.entry(self.folder.join(module)).or_default().push(case);
            }
        }
        groups.into_iter().collect()
    }

    /// What OPA said against those that it did not compile.
    pub(crate) fn uncompiled(&self) -> BTreeMap<String, String> {
        let refused = |case: &Case| Some((case.name.clone(), format!("OPA: {}", case.uncompiled.as_ref()?)));
        self.cases.iter().filter_map(refused).collect()
    }

    /// The number of cases of this kind.
    pub(crate) fn count(&self, kind: Kind) -> usize {
        self.cases.iter().filter(|case| case.kind() == kind).count()
    }

    /// The number of those that did not fail.
    pub(crate) fn passed(&self, kind: Kind, failures: &BTreeMap<String, String>) -> usize {
        let passed = |case: &&Case| case.kind() == kind && !failures.contains_key(&case.name);
        self.cases.iter().filter(passed).count()
    }
}

/// The beginning of the folder's name: what was compiled by other sources is not found.
fn digest(sources: &Path) -> String {
    let mut hash = Sha256::new();
    for name in ["go.mod", "go.sum", "link.go", "main.go", "plan.go"] {
        hash.update(std::fs::read(sources.join(name)).unwrap_or_else(|error| panic!("{name}: {error}")));
    }
    hex::encode(&hash.finalize()[..8])
}

/// OPA calls its names unique, but a few are not.
fn number(cases: &mut [Case]) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for case in cases {
        let times = seen.entry(case.name.clone()).or_default();
        *times += 1;
        if *times > 1 {
            case.name = format!("{} #{times}", case.name);
        }
    }
}
