//! The builtins that OPA's compiler leaves to the host, with OPA's semantics: an error makes the call undefined.
//!
//! Each family is a table from name to function. A name that is in no table cannot be called: the policy is refused
//! when it is loaded.

mod asn1;
mod aws;
mod casts;
mod crypto;
mod debug;
mod encoding;
mod format;
mod graph;
mod graphql;
mod json;
mod json_patch;
mod json_text;
mod jwt;
mod keys;
mod net;
mod numbers;
mod operand;
pub(crate) mod pem;
mod private_keys;
mod regex;
mod semver;
mod strings;
mod time;
mod units;
mod uri;
mod uuid;
mod x509;

use std::collections::BTreeMap;

use crate::error::LoadError;
use crate::inspection::Standing;
use crate::trace::Trace;
use crate::value::Value;

/// What a builtin is: pure in its operands and the evaluation's scope.
pub(crate) type Function = fn(&mut Scope, &[Value]) -> Outcome;
/// A value, or why there is none.
pub(crate) type Outcome = Result<Value, Fault>;
/// A family's table.
type Family = &'static [(&'static str, Function)];

const FAMILIES: [Family; 20] = [
    aws::FAMILY,
    casts::FAMILY,
    crypto::FAMILY,
    debug::FAMILY,
    encoding::FAMILY,
    graph::FAMILY,
    graphql::FAMILY,
    json::FAMILY,
    json_patch::FAMILY,
    jwt::FAMILY,
    net::FAMILY,
    numbers::FAMILY,
    private_keys::FAMILY,
    regex::FAMILY,
    semver::FAMILY,
    strings::FAMILY,
    time::FAMILY,
    units::FAMILY,
    uri::FAMILY,
    x509::FAMILY,
];

/// Builtins that a decision must not depend on.
const REFUSED: [(&str, &str); 4] = [
    ("http.send", "a decision must not wait for the network or send anything; put what it needs into data"),
    (
        "net.lookup_ip_addr",
        "a decision must not wait for DNS, which an attacker may answer; compare host names",
    ),
    ("opa.runtime", "it would show the sidecar's environment and configuration to the policy"),
    ("rego.parse_module", "policies are compiled before they are loaded; there is no compiler here"),
];

/// Why a call has no value. The reasons are fixed texts: they hold no operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// OPA's non-strict mode: the expression is undefined.
    Undefined(&'static str),
    /// The evaluation ends.
    Halt(&'static str),
}

/// What builtins share within one evaluation.
#[derive(Default)]
pub(crate) struct Scope {
    pub(crate) now_ns: i64,
    pub(crate) trace: Trace,
    /// Random values by what asked for them: the same question has the same answer within an evaluation.
    drawn: BTreeMap<(&'static str, Vec<Value>), Value>,
}

impl Scope {
    /// A new evaluation begins.
    pub(crate) fn begin(&mut self, now_ns: i64) {
        self.now_ns = now_ns;
        self.drawn.clear();
    }

    /// The value drawn before for the same operands, or a new one.
    fn drawn_once(
        &mut self,
        name: &'static str,
        operands: &[Value],
        draw: impl FnOnce() -> Outcome,
    ) -> Outcome {
        let key = (name, operands.to_vec());
        if let Some(value) = self.drawn.get(&key) {
            return Ok(value.clone());
        }
        let value = draw()?;
        self.drawn.insert(key, value.clone());
        Ok(value)
    }
}

/// The builtins of one module by the numbers it gives them.
#[derive(Default)]
pub(crate) struct Dispatch(BTreeMap<i32, Builtin>);

/// A builtin with its name for messages.
#[derive(Clone)]
pub(crate) struct Builtin {
    pub(crate) name: &'static str,
    pub(crate) run: Function,
}

impl Dispatch {
    /// All that a module calls, or the first that it may not.
    pub(crate) fn of(called: Vec<(String, i32)>) -> Result<Dispatch, LoadError> {
        called.into_iter().map(|(name, id)| Ok((id, lookup(name)?))).collect::<Result<_, _>>().map(Dispatch)
    }

    pub(crate) fn find(&self, id: i32) -> Option<Builtin> {
        self.0.get(&id).cloned()
    }
}

/// Whether a policy that calls `name` can be loaded.
pub(crate) fn standing(name: &str) -> Standing {
    match lookup(name.to_owned()) {
        Ok(_) => Standing::Offered,
        Err(LoadError::RefusedBuiltin { reason, .. }) => Standing::Refused(reason),
        Err(_) => Standing::Unknown,
    }
}

fn lookup(name: String) -> Result<Builtin, LoadError> {
    if let Some((_, reason)) = REFUSED.iter().find(|(refused, _)| *refused == name) {
        return Err(LoadError::RefusedBuiltin { name, reason });
    }
    match FAMILIES.iter().copied().flatten().find(|(offered, _)| *offered == name) {
        Some(&(name, run)) => Ok(Builtin { name, run }),
        None => Err(LoadError::UnknownBuiltin { name }),
    }
}

#[cfg(test)]
mod tests;
