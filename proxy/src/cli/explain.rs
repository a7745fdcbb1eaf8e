//! `claviger explain`: how a request would be decided, without sending it or asking an issuer.

use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;

use clap::Args;
use claviger_config::Bind;
use http::uri::Authority;
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::{ConfigArgs, Format, USAGE, fail, load, print, print_json};
use crate::active::ActivePolicy;
use crate::admin::metrics::{Metrics, OutcomeLabel};
use crate::audit::LeaseRecord;
use crate::authorize::{Authorizer, Permitted, Surroundings};
use crate::clock;
use crate::connection::{Connection, ListenerFacts, Peer};
use crate::credential::cache::{LeaseIndex, LeaseLedger, Leases};
use crate::error::Error;
use crate::exchange::Exchange;
use crate::identity::{Identifier, Inbound};
use crate::refuse;
use crate::reload;
use crate::request::Request;
use crate::request::id::RequestIds;
use crate::route::Routes;
use crate::snapshot::{PolicyPlan, Purpose, Snapshot};
use crate::tally::Tally;

/// Flags of `explain`.
#[derive(Args)]
pub(super) struct ExplainArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The request's method
    method: String,
    /// What the workload would call: http://LISTENER/ROUTE/PATH, or the upstream's own URL
    url: String,
    /// A request header, as `Name: value`; may be given again
    #[arg(short = 'H', long = "header", value_name = "HEADER")]
    headers: Vec<String>,
    /// The workload's uid; this user by default
    #[arg(long)]
    uid: Option<u32>,
    /// How the answer is printed
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub(super) fn run(args: &ExplainArgs) -> ExitCode {
    let snapshot = match load(&args.config, Purpose::Look) {
        Ok(snapshot) => snapshot,
        Err(code) => return code,
    };
    let head = match head(args, &snapshot) {
        Ok(head) => head,
        Err(why) => return fail(USAGE, &why),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(1, &error.to_string()),
    };
    let explained = runtime.block_on(explain(snapshot, head, args.uid));
    match args.format {
        Format::Json => print_json(&explained.answer),
        Format::Human => print(&human(&explained.answer)),
    }
    if explained.permitted { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Explained {
    answer: Value,
    permitted: bool,
}

/// Keeps no record: nothing is issued.
struct NoLedger;

impl LeaseLedger for NoLedger {
    fn record(&self, _: &LeaseRecord<'_>) {}
}

/// Walks the request through the same stages that would carry it, up to the permit.
async fn explain(snapshot: Snapshot, head: http::request::Parts, uid: Option<u32>) -> Explained {
    let metrics = Arc::new(Metrics::new());
    let index =
        LeaseIndex::new(snapshot.sources, Handle::current(), Arc::clone(&metrics), Arc::new(NoLedger));
    let PolicyPlan { policy, origin, compiler, .. } = snapshot.policy;
    let policy = policy.or_else(|| reload::kept(&origin, &compiler, &snapshot.config.state_dir));
    let surroundings = Surroundings {
        environment: snapshot.config.identity.environment,
        labels: snapshot.config.identity.labels,
        sidecar: "explain".into(),
    };
    let authorizer = Authorizer::new(ActivePolicy::new(policy), surroundings, Rc::new(Leases::new(index)));
    let uid = uid.unwrap_or_else(|| rustix::process::getuid().as_raw());
    let listener =
        ListenerFacts { name: snapshot.config.listeners[0].name.clone(), callers: None, hosts: Vec::new() };
    let connection = Rc::new(Connection::new(Rc::new(listener), Peer::Pretended { uid: Some(uid) }));
    let id = RequestIds::new().next(clock::now());
    let exchange = Exchange::begin(id, connection, None, Rc::new(Tally::new(metrics)));

    let mut story = Story::default();
    let judged = judge(head, &exchange, &Routes::new(&snapshot.routes), &authorizer, &mut story).await;
    let permitted = judged.is_ok();
    Explained { answer: story.told(judged, &exchange), permitted }
}

/// What became known on the way.
#[derive(Default)]
struct Story {
    identity: Value,
    route: Value,
    input: Value,
}

async fn judge(
    head: http::request::Parts,
    exchange: &Rc<Exchange>,
    routes: &Routes,
    authorizer: &Authorizer,
    story: &mut Story,
) -> Result<Permitted, Error> {
    let request = Box::new(Request::admit(head, None)?);
    let identified =
        Identifier::new(Arc::default()).identify(Inbound { request, exchange: Rc::clone(exchange) }).await?;
    story.identity = json!(identified.identity().facts());
    let routed = routes.select(identified)?;
    let route = routed.route();
    let credentials: Vec<_> = route.offers().iter().map(|offer| &*offer.name).collect();
    story.route = json!({ "name": &**route.name(), "upstream": route.url(), "credentials": credentials });
    story.input = authorizer.explain(&routed)?;
    authorizer.authorize(routed).await
}

impl Story {
    fn told(self, judged: Result<Permitted, Error>, exchange: &Exchange) -> Value {
        let mut decision = match exchange.verdict() {
            Some((outcome, reason, rule)) => {
                json!({ "outcome": outcome.as_str(), "reason": reason, "rule": rule })
            }
            None => json!({ "outcome": OutcomeLabel::error.as_str(), "reason": null, "rule": null }),
        };
        let credential = match &judged {
            Ok(permitted) => permitted.offer().map_or(Value::Null, |offer| {
                json!({ "name": &*offer.name, "kind": &*offer.kind,
                        "scopes": permitted.permit().map(|permit| &*permit.terms().scopes) })
            }),
            Err(error) => {
                decision["refusal"] = json!(refuse::problem(error, exchange.id()));
                Value::Null
            }
        };
        json!({ "identity": self.identity, "route": self.route, "input": self.input,
                "decision": decision, "credential": credential })
    }
}

/// The head that would arrive for the URL: as a workload sends it to a reverse listener, or to a route's upstream.
fn head(args: &ExplainArgs, snapshot: &Snapshot) -> Result<http::request::Parts, String> {
    let url: http::Uri = args.url.parse().map_err(|error| format!("{}: {error}", args.url))?;
    let authority = url.authority().ok_or_else(|| format!("{}: give a whole URL", args.url))?;
    let path = url.path();
    let path = if is_listener(snapshot, authority) {
        path.to_owned()
    } else {
        under_route(snapshot, &url, authority)?
    };
    let target = url.query().map_or_else(|| path.clone(), |query| format!("{path}?{query}"));
    let mut request = http::Request::builder().method(args.method.as_bytes()).uri(target);
    for header in &args.headers {
        let (name, value) =
            header.split_once(':').ok_or_else(|| format!("{header}: a header is `Name: value`"))?;
        request = request.header(name.trim(), value.trim());
    }
    let request = request.body(()).map_err(|error| format!("this is not a request: {error}"))?;
    Ok(request.into_parts().0)
}

fn is_listener(snapshot: &Snapshot, authority: &Authority) -> bool {
    let port = authority.port_u16().unwrap_or(80);
    snapshot.config.listeners.iter().any(|listener| match &listener.bind {
        Bind::Tcp(address) => {
            let named = authority.host() == "localhost"
                || authority.host().trim_matches(['[', ']']) == address.ip().to_string();
            address.port() == port && (named || listener.hosts.iter().any(|host| host == authority.host()))
        }
        Bind::Unix(_) => authority.host() == "localhost" && authority.port().is_none(),
    })
}

/// The path that a reverse listener would get for an upstream's URL.
fn under_route(snapshot: &Snapshot, url: &http::Uri, authority: &Authority) -> Result<String, String> {
    let host = authority.host().to_ascii_lowercase();
    let default_port = if url.scheme_str() == Some("http") { 80 } else { 443 };
    let port = authority.port_u16().unwrap_or(default_port);
    let route = snapshot.config.routes.iter().find(|route| {
        route.hosts.contains(&host) && (route.upstream.host != host || route.upstream.port == port)
    });
    let route =
        route.ok_or_else(|| format!("{authority} is neither a listener's address nor a route's host"))?;
    let rest = url.path().strip_prefix(&route.upstream.base_path);
    let rest =
        rest.ok_or_else(|| format!("route {} leads to {} only", route.name, route.upstream.base_path))?;
    Ok(format!("/{}{rest}", route.name))
}

fn human(answer: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let decision = &answer["decision"];
    let mut lines = vec![format!("identity    {}", answer["identity"])];
    if !answer["route"].is_null() {
        lines.push(format!(
            "route       {} -> {}",
            text(&answer["route"]["name"]),
            text(&answer["route"]["upstream"])
        ));
    }
    let mut verdict = format!("decision    {}", text(&decision["outcome"]));
    for key in ["rule", "reason"] {
        if !decision[key].is_null() {
            verdict.push_str(&format!("  {key}: {}", text(&decision[key])));
        }
    }
    lines.push(verdict);
    if !decision["refusal"].is_null() {
        lines.push(format!(
            "refusal     {} {}",
            text(&decision["refusal"]["status"]),
            text(&decision["refusal"]["code"])
        ));
    }
    if !answer["credential"].is_null() {
        lines.push(format!("credential  {}", answer["credential"]));
    }
    lines.push(format!("input       {:#}", answer["input"]));
    lines.join("\n") + "\n"
}
