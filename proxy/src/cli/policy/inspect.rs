//! `claviger policy inspect`: what a bundle holds and needs.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use claviger_policy::{Bundle, Inspection, Limits, NeededBuiltin, Signer, Standing};
use serde_json::{Value, json};

use super::page::{Hue, Page, shown, size};
use super::subject;
use crate::cli::{Format, fail, print, print_json};

/// Looking is not serving: what the configuration would not let run can be looked at.
const TIME_MAX: Duration = Duration::from_secs(1);
const MEMORY_BYTES_MAX: usize = 1 << 30;

/// Flags of `inspect`.
#[derive(Args)]
pub(super) struct InspectArgs {
    /// A bundle of `opa build -t wasm`, or a bare policy.wasm
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
    /// How the answer is printed
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub(super) fn run(args: &InspectArgs) -> ExitCode {
    let bundle = match subject::open(&args.bundle) {
        Ok(bundle) => bundle,
        Err(code) => return code,
    };
    let inspection = match inspect(&bundle) {
        Ok(inspection) => inspection,
        Err(why) => return fail(1, &format!("{}: {why}", args.bundle.display())),
    };
    match args.format {
        Format::Json => print_json(&to_json(&bundle, &inspection)),
        Format::Human => print(&human(&args.bundle.display().to_string(), &bundle, &inspection)),
    }
    ExitCode::SUCCESS
}

/// Asks the bundle's module, within bounds that fit every module that may be worth a look.
pub(super) fn inspect(bundle: &Bundle) -> Result<Inspection, String> {
    Inspection::of(bundle, Limits::new(TIME_MAX, MEMORY_BYTES_MAX)).map_err(|error| error.to_string())
}

/// Everything that can be told of a bundle without evaluating it.
pub(super) fn to_json(bundle: &Bundle, inspection: &Inspection) -> Value {
    let builtins: Vec<Value> = inspection.builtins.iter().map(builtin).collect();
    let (major, minor) = inspection.abi;
    json!({
        "digest": bundle.digest(),
        "module_digest": bundle.module_digest(),
        "revision": bundle.revision(),
        "roots": bundle.roots(),
        "metadata": bundle.metadata(),
        "serial": bundle.serial(),
        "signature": signature(bundle),
        "abi": format!("{major}.{minor}"),
        "entrypoints": inspection.entrypoints,
        "builtins": builtins,
        "sizes": sizes(bundle, inspection),
    })
}

/// What the signature says. Nobody's key is asked for here, so nothing is proved.
pub(super) fn signature(bundle: &Bundle) -> Value {
    match bundle.signer() {
        None => Value::Null,
        Some(Ok(Signer { key_id, algorithm, scope, files })) => {
            json!({ "key_id": key_id, "algorithm": algorithm, "scope": scope, "files": files })
        }
        Some(Err(fault)) => json!({ "fault": fault.to_string() }),
    }
}

fn signed_by(page: &Page, bundle: &Bundle) -> String {
    match bundle.signer() {
        None => "nobody".to_owned(),
        Some(Ok(Signer { key_id, algorithm, scope, files })) => {
            let key = if key_id.is_empty() { "a key without a name" } else { key_id };
            let scope = if scope.is_empty() { String::new() } else { format!(" for {scope}") };
            let claim = shown(&format!("{key} ({algorithm}){scope}, {files} files"));
            format!("{claim}  {}", page.paint(Hue::Dim, "not verified here"))
        }
        Some(Err(fault)) => page.paint(Hue::Red, &shown(&fault.to_string())),
    }
}

fn sizes(bundle: &Bundle, inspection: &Inspection) -> Value {
    json!({
        "packed_bytes": bundle.packed_bytes(),
        "module_bytes": bundle.module_bytes(),
        "data_bytes": bundle.data().len(),
        "code_bytes": inspection.code_bytes,
        "memory_bytes": inspection.memory_bytes,
    })
}

fn builtin(needed: &NeededBuiltin) -> Value {
    let name = &needed.name;
    match needed.standing {
        Standing::Offered => json!({ "name": name, "standing": "offered" }),
        Standing::Refused(reason) => json!({ "name": name, "standing": "refused", "reason": reason }),
        Standing::Unknown => json!({ "name": name, "standing": "unknown" }),
    }
}

fn human(path: &str, bundle: &Bundle, inspection: &Inspection) -> String {
    let mut page = Page::for_stdout();
    let title = page.paint(Hue::Bold, &shown(path));
    page.line(&title);
    page.row("digest", bundle.digest());
    page.row("revision", &shown(bundle.revision()));
    page.row("serial", &bundle.serial().map_or_else(String::new, |serial| serial.to_string()));
    page.row("signed by", &signed_by(&page, bundle));
    page.row("ABI", &format!("{}.{}", inspection.abi.0, inspection.abi.1));
    page.rows("entrypoints", &list(&inspection.entrypoints));
    let builtins: Vec<String> = inspection.builtins.iter().map(|needed| standing(&page, needed)).collect();
    page.rows("builtins", &builtins);
    let root = |root: &String| if root.is_empty() { "everything".to_owned() } else { shown(root) };
    page.rows("roots", &bundle.roots().iter().map(root).collect::<Vec<_>>());
    let pair = |(key, value): (&String, &Value)| shown(&format!("{key}: {value}"));
    page.rows("metadata", &bundle.metadata().iter().map(pair).collect::<Vec<_>>());
    page.row("packed", &size(bundle.packed_bytes()));
    page.row("module", &format!("{}  {}", size(bundle.module_bytes()), bundle.module_digest()));
    page.row("data", &size(bundle.data().len()));
    page.row("machine code", &size(inspection.code_bytes));
    page.row("memory", &size(inspection.memory_bytes));
    page.into_text()
}

fn standing(page: &Page, needed: &NeededBuiltin) -> String {
    let name = shown(&needed.name);
    match needed.standing {
        Standing::Offered => name,
        Standing::Refused(reason) => format!("{name}  {}: {reason}", page.paint(Hue::Red, "refused")),
        Standing::Unknown => format!("{name}  {}", page.paint(Hue::Red, "not offered by this host")),
    }
}

/// Texts from outside, for a page.
pub(super) fn list(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| shown(text)).collect()
}
