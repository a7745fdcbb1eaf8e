//! The policy's answer as Rust values. Whatever is not clearly a permit or a denial is neither: there is no default.

mod ext_authz;
mod fields;
mod header;
mod reader;
mod schema;

use crate::error::EvalError;
use crate::value::Value;
pub use schema::decision_schema;

/// What the policy decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The request may leave, bound by these obligations.
    Permit(Permission),
    /// The request is refused.
    Deny(Denial),
}

/// A permit and what it binds us to. Absent obligations leave what the configuration says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// Why, for the audit.
    pub reason: Option<String>,
    /// The author's name of the rule.
    pub rule: Option<String>,
    /// Which of the route's credentials.
    pub credential: Option<String>,
    /// Scopes to ask for, at most the configured ones.
    pub scopes: Option<Vec<String>>,
    /// Audience to ask for.
    pub audience: Option<String>,
    /// Resource to ask for.
    pub resource: Option<String>,
    /// Use the credential at most this long; positive.
    pub ttl_s: Option<u64>,
    /// Headers to set on the upstream request: lower-case names, printable values; all values of a name replace what
    /// the request has of it. Whether a header may be set is the proxy's to say.
    pub set_headers: Vec<(String, String)>,
    /// Headers to remove from the upstream request: lower-case names.
    pub remove_headers: Vec<String>,
    /// What becomes of the query.
    pub query: QueryChanges,
    /// What becomes of the head of the upstream's answer.
    pub answer: AnswerChanges,
}

/// Changes to the query of the upstream request, by decoded names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueryChanges {
    /// Parameters to set; all values of a name replace what the query has of it.
    pub set: Vec<(String, String)>,
    /// Parameters to remove, those that were set included.
    pub remove: Vec<String>,
}

/// Changes to the head of the upstream's answer. Whether a header may be changed is the proxy's to say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnswerChanges {
    /// Headers to set: lower-case names, printable values; all values of a name replace what the answer has of it.
    pub set_headers: Vec<(String, String)>,
    /// Headers to remove: lower-case names.
    pub remove_headers: Vec<String>,
    /// Whether the request's credential is to be taken out, where the policy says so.
    pub scrub: Option<bool>,
}

/// A denial and what the caller is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// Why, for caller and audit.
    pub reason: Option<String>,
    /// The author's name of the rule.
    pub rule: Option<String>,
    /// What the caller may do about it.
    pub hint: Option<String>,
    /// In place of 403: 400 to 499, and for an Envoy policy 300 to 599.
    pub status: Option<u16>,
    /// Headers for the refusal, of an Envoy policy: lower-case names, printable values. Whether one may be set is the
    /// proxy's to say.
    pub headers: Vec<(String, String)>,
    /// An Envoy policy's own text for the caller; `reason` is its beginning.
    pub body: Option<String>,
}

impl Denial {
    /// `false` and undefined say nothing more.
    const SILENT: Denial =
        Denial { reason: None, rule: None, hint: None, status: None, headers: Vec::new(), body: None };
}

/// How a policy is asked and answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dialect {
    /// Claviger's own [`Input`](crate::Input) and decision.
    #[default]
    Mediation,
    /// The document and the result object of OPA's Envoy plugin.
    ExtAuthz,
}

impl Decision {
    /// Reads OPA's result set for a decision of our own, as [`evaluate_json`](crate::Evaluator::evaluate_json) gives it.
    ///
    /// # Errors
    /// [`EvalError::NotADecision`], naming what is wrong: a type, an unknown key, a key of a later version, a bound.
    pub fn read(result_set: &[u8]) -> Result<Decision, EvalError> {
        Decision::read_in(Dialect::Mediation, result_set)
    }

    /// The same in another dialect.
    ///
    /// # Errors
    /// As [`Decision::read`].
    pub fn read_in(dialect: Dialect, result_set: &[u8]) -> Result<Decision, EvalError> {
        Decision::of(dialect, sole_result(result_set)?)
    }

    /// What the entrypoint's value means; undefined is a denial.
    pub(crate) fn of(dialect: Dialect, result: Option<Value>) -> Result<Decision, EvalError> {
        result.map_or(Ok(Decision::Deny(Denial::SILENT)), |value| Decision::from_value(dialect, value))
    }

    fn from_value(dialect: Dialect, value: Value) -> Result<Decision, EvalError> {
        match value {
            Value::Boolean(true) => Ok(Decision::Permit(Permission::plain())),
            Value::Boolean(false) => Ok(Decision::Deny(Denial::SILENT)),
            Value::Object(fields) => match dialect {
                Dialect::Mediation => reader::read(fields),
                Dialect::ExtAuthz => ext_authz::read(fields),
            },
            other @ (Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Set(_)) => {
                Err(not_a_decision(format!("it is {}, neither a boolean nor an object", other.type_name())))
            }
        }
    }
}

impl Permission {
    /// What `true` means: go, as configured.
    fn plain() -> Permission {
        Permission {
            reason: None,
            rule: None,
            credential: None,
            scopes: None,
            audience: None,
            resource: None,
            ttl_s: None,
            set_headers: Vec::new(),
            remove_headers: Vec::new(),
            query: QueryChanges::default(),
            answer: AnswerChanges::default(),
        }
    }
}

/// The value in OPA's result set, `None` when the set is empty.
pub(crate) fn sole_result(result_set: &[u8]) -> Result<Option<Value>, EvalError> {
    let text = std::str::from_utf8(result_set).map_err(|_| not_a_decision("it is not UTF-8"))?;
    only_result(Value::parse(text).map_err(|error| not_a_decision(error.to_string()))?)
}

/// The same of a result set that is read already, as an array.
pub(crate) fn only_result(results: Value) -> Result<Option<Value>, EvalError> {
    let Value::Array(results) = results else { return Err(not_a_decision("there is no result set")) };
    match <[Value; 1]>::try_from(results) {
        Ok([result]) => unwrapped(result).map(Some),
        Err(none) if none.is_empty() => Ok(None),
        Err(_) => Err(not_a_decision("there are several results")),
    }
}

/// OPA wraps each result as `{"result": …}`.
fn unwrapped(result: Value) -> Result<Value, EvalError> {
    let Value::Object(mut fields) = result else { return Err(not_a_decision("the result set is malformed")) };
    fields.remove(&Value::from("result")).ok_or_else(|| not_a_decision("the result set is malformed"))
}

fn not_a_decision(what: impl Into<String>) -> EvalError {
    EvalError::NotADecision { what: what.into() }
}

#[cfg(test)]
mod tests;
