//! `claviger schema`: the documented forms as JSON Schema, draft 2020-12.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::print_json;
use crate::endpoint::auth;
use crate::{audit, credential::source, inject};

/// Flags of `schema`.
#[derive(Args)]
pub(super) struct SchemaArgs {
    /// Which form
    #[arg(value_enum)]
    form: Form,
}

#[derive(Clone, Copy, ValueEnum)]
enum Form {
    /// The configuration file
    Config,
    /// The policy's input
    Input,
    /// The policy's decision
    Decision,
    /// An audit event
    Audit,
}

pub(super) fn run(args: &SchemaArgs) -> ExitCode {
    print_json(&match args.form {
        Form::Config => config(),
        Form::Input => claviger_policy::input_schema(),
        Form::Decision => claviger_policy::decision_schema(),
        Form::Audit => audit::schema(),
    });
    ExitCode::SUCCESS
}

fn config() -> serde_json::Value {
    let sources: Vec<_> = source::KINDS.iter().map(|kind| (kind.name, (kind.schema)())).collect();
    let injections: Vec<_> = inject::KINDS.iter().map(|kind| (kind.name, (kind.schema)())).collect();
    let auths: Vec<_> = auth::KINDS.iter().map(|kind| (kind.name, (kind.schema)())).collect();
    claviger_config::schema(&sources, &injections, &auths)
}
