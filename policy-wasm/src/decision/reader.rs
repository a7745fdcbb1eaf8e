//! The object form of a decision: strict types, bounded sizes, no key that is not understood.

use std::collections::BTreeMap;

use super::fields::{Fields, NAME_BYTES_MAX, headers, mistyped};
use super::{AnswerChanges, Decision, Denial, Permission, QueryChanges, not_a_decision};
use crate::error::EvalError;
use crate::value::Value;

pub(super) const TEXT_BYTES_MAX: usize = 1024;
const TARGET_BYTES_MAX: usize = 2048;
const SCOPES_MAX: usize = 64;

/// Keys that contracts describe and this version does not obey; ignoring one would permit more than the author means.
const NOT_YET: [&str; 4] = ["approval", "details", "rate", "revalidate_s"];

pub(super) fn read(fields: BTreeMap<Value, Value>) -> Result<Decision, EvalError> {
    let mut fields = Fields::of(fields)?;
    let allow = fields.verdict("allow")?;
    let reason = fields.text("reason", TEXT_BYTES_MAX)?;
    let rule = fields.text("rule", NAME_BYTES_MAX)?;
    let permission = Permission {
        reason: reason.clone(),
        rule: rule.clone(),
        credential: fields.text("credential", NAME_BYTES_MAX)?,
        scopes: fields.texts("scopes", SCOPES_MAX)?,
        audience: fields.text("audience", TARGET_BYTES_MAX)?,
        resource: fields.text("resource", TARGET_BYTES_MAX)?,
        ttl_s: ttl(&mut fields)?,
        set_headers: set_headers(&mut fields)?,
        remove_headers: fields.header_names("remove_headers")?,
        query: QueryChanges::default(),
        answer: answer_changes(&mut fields)?,
    };
    let hint = fields.text("hint", TEXT_BYTES_MAX)?;
    let denial = Denial { reason, rule, hint, status: status(&mut fields)?, ..Denial::SILENT };
    fields.must_be_empty(&NOT_YET)?;
    Ok(if allow { Decision::Permit(permission) } else { Decision::Deny(denial) })
}

fn ttl(fields: &mut Fields) -> Result<Option<u64>, EvalError> {
    let Some(seconds) = fields.whole("ttl_s")? else { return Ok(None) };
    let positive = u64::try_from(seconds).ok().filter(|&seconds| seconds > 0);
    positive.map(Some).ok_or_else(|| not_a_decision("`ttl_s` must be positive"))
}

fn status(fields: &mut Fields) -> Result<Option<u16>, EvalError> {
    let Some(status) = fields.whole("status")? else { return Ok(None) };
    let status = u16::try_from(status).ok().filter(|status| (400..=499).contains(status));
    status.map(Some).ok_or_else(|| not_a_decision("`status` must be from 400 to 499"))
}

fn set_headers(fields: &mut Fields) -> Result<Vec<(String, String)>, EvalError> {
    const KEY: &str = "set_headers";
    let pairs = match fields.take(KEY) {
        None => return Ok(Vec::new()),
        Some(Value::Object(pairs)) => pairs.into_iter().collect(),
        Some(other) => return Err(mistyped(KEY, &other, "an object of strings")),
    };
    let headers = headers(KEY, pairs)?;
    for (index, (name, _)) in headers.iter().enumerate() {
        if headers[..index].iter().any(|(earlier, _)| earlier == name) {
            return Err(not_a_decision(format!("`{KEY}` has `{name}` twice")));
        }
    }
    Ok(headers)
}

fn answer_changes(fields: &mut Fields) -> Result<AnswerChanges, EvalError> {
    const KEY: &str = "response";
    let mut inner = match fields.take(KEY) {
        None => return Ok(AnswerChanges::default()),
        Some(Value::Object(inner)) => Fields::of(inner)?,
        Some(other) => return Err(mistyped(KEY, &other, "an object")),
    };
    let changes = AnswerChanges {
        set_headers: Vec::new(),
        remove_headers: inner.header_names("remove_headers")?,
        scrub: inner.flag("scrub")?,
    };
    inner.must_be_empty(&[])?;
    Ok(changes)
}
