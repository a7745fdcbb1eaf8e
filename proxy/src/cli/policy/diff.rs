//! `claviger policy diff`: what two bundles have that is not the same, and for which inputs they decide otherwise.

mod contents;
mod verdicts;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use self::contents::Contents;
use self::verdicts::{Verdicts, VerdictsArgs};
use super::page::{Hue, Page, shown};
use super::subject::{self, MannerArgs};
use crate::cli::{Format, print, print_json};

/// Flags of `diff`.
#[derive(Args)]
pub(super) struct DiffArgs {
    /// The bundle as it was
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The bundle as it is to be
    #[arg(value_name = "NEW")]
    new: PathBuf,
    #[command(flatten)]
    manner: MannerArgs,
    #[command(flatten)]
    verdicts: VerdictsArgs,
    /// How the answer is printed
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub(super) fn run(args: &DiffArgs) -> ExitCode {
    let compared = match compared(args) {
        Ok(compared) => compared,
        Err(code) => return code,
    };
    match args.format {
        Format::Json => print_json(&compared.to_json()),
        Format::Human => print(&compared.human()),
    }
    if compared.are_equal() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn compared(args: &DiffArgs) -> Result<Compared, ExitCode> {
    let (old, new) = (subject::open(&args.old)?, subject::open(&args.new)?);
    let contents = Contents::of((&args.old, &old), (&args.new, &new))?;
    let verdicts = match args.verdicts.are_wanted() {
        true => Some(Verdicts::of((&args.old, &old), (&args.new, &new), &args.manner, &args.verdicts)?),
        false => None,
    };
    Ok(Compared { contents, verdicts })
}

/// Two bundles side by side.
struct Compared {
    contents: Contents,
    /// Where there were inputs to ask about.
    verdicts: Option<Verdicts>,
}

impl Compared {
    fn are_equal(&self) -> bool {
        self.contents.are_equal() && self.verdicts.as_ref().is_none_or(Verdicts::are_equal)
    }

    fn to_json(&self) -> Value {
        let mut told = self.contents.to_json();
        told["equal"] = json!(self.are_equal());
        told["verdicts"] = self.verdicts.as_ref().map_or(Value::Null, Verdicts::to_json);
        told
    }

    fn human(&self) -> String {
        let mut page = Page::for_stdout();
        self.contents.show(&mut page);
        if let Some(verdicts) = &self.verdicts {
            verdicts.show(&mut page);
        }
        if self.are_equal() {
            page.line("the bundles are equal");
        }
        page.into_text()
    }
}

/// Something that was, and something else that is.
fn change(page: &mut Page, label: &str, old: &str, new: &str) {
    let removed = page.paint(Hue::Red, &format!("- {}", shown(old)));
    let added = page.paint(Hue::Green, &format!("+ {}", shown(new)));
    page.rows(label, &[removed, added]);
}
