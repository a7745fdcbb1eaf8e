//! `claviger serve` on a configuration: started, waited for, asked, stopped, and listened to.

use std::io::Result;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::canary::Canaries;
use crate::case::Case;
use crate::client::{Connection, Response};
use crate::config::Config;
use crate::process::Process;
use crate::tool;
use crate::wait::{eventually, eventually_within};

const START_MAX: Duration = Duration::from_secs(20);
const STOP_MAX: Duration = Duration::from_secs(20);

/// How the binary is started, beside its configuration.
#[derive(Clone, Default)]
pub struct Launch {
    /// Words before the binary's own, for a namespace or a limit.
    pub wrapper: Vec<String>,
    /// Variables of the environment; the values count as secrets that may be there.
    pub env: Vec<(String, String)>,
    /// The log level; trace unless set.
    pub log: Option<&'static str>,
}

/// A sidecar under test.
pub struct Sidecar {
    process: Process,
    command: Vec<String>,
    launch: Launch,
    dir: PathBuf,
    name: String,
    config: Config,
    canaries: Arc<Canaries>,
}

impl Sidecar {
    /// Starts it and waits until it says that it is ready.
    pub fn start(case: &Case, config: &Config) -> Sidecar {
        Sidecar::launch(case, config, Launch::default()).ready()
    }

    /// Starts it in a special way, without waiting.
    pub fn launch(case: &Case, config: &Config, launch: Launch) -> Sidecar {
        let name = case.name("claviger");
        let file = case.file(&format!("{name}.yaml"), config.to_yaml());
        let mut command = launch.wrapper.clone();
        command.extend(
            [tool::claviger(), "serve".into(), "-c".into(), file].map(|word| word.display().to_string()),
        );
        let dir = case.dir().to_owned();
        let process = spawn(&command, &launch, &dir, &name);
        Sidecar { process, command, launch, dir, name, config: config.clone(), canaries: case.canaries() }
    }

    /// Starts it once more, on the same configuration; the old process must have ended.
    pub fn restart(&mut self) {
        self.name.push_str("-again");
        self.process = spawn(&self.command, &self.launch, &self.dir, &self.name);
        self.wait_until_ready();
    }

    /// Waits until it is ready.
    pub fn ready(mut self) -> Sidecar {
        self.wait_until_ready();
        self
    }

    fn wait_until_ready(&mut self) {
        eventually_within(START_MAX, "the sidecar is ready", || {
            if let Some(status) = self.process.ended() {
                panic!("it ended with {status}: {}", self.process.output());
            }
            self.admin("/readyz").is_ok_and(|answer| answer.status == 200).then_some(())
        });
    }

    /// A connection to its listener `app`.
    pub fn connect(&self) -> Connection {
        self.try_connect().expect("the listener accepts")
    }

    /// A connection, or why there is none.
    pub fn try_connect(&self) -> Result<Connection> {
        Connection::tcp(self.config.port("listeners.app.bind"))
    }

    /// One GET on a connection of its own; what comes back counts as seen by the workload.
    pub fn call(&self, target: &str) -> Response {
        self.ask("GET", target, &[], b"")
    }

    /// One request on a connection of its own; what comes back counts as seen by the workload.
    pub fn ask(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        let answer =
            self.try_connect().and_then(|mut connection| connection.request(method, target, headers, body));
        let answer = answer.unwrap_or_else(|error| panic!("{method} {target}: {error}: {}", self.logs()));
        self.seen(&answer);
        answer
    }

    /// Marks an answer as seen by the workload: no secret may be in it.
    pub fn seen(&self, answer: &Response) {
        self.canaries.sink("a response's head", answer.head.clone());
        self.canaries.sink("a response's body", answer.body.clone());
    }

    /// A GET on the metrics address.
    pub fn admin(&self, path: &str) -> Result<Response> {
        Connection::tcp(self.config.port("metrics.bind"))?.request("GET", path, &[], b"")
    }

    /// The sum of a metric's samples whose labels contain all of `labels`, such as `route="api"`.
    pub fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        let page = self.admin("/metrics").expect("metrics are served").body;
        let page = String::from_utf8(page).expect("metrics are text");
        let matching = page.lines().filter(|line| {
            let rest = line.strip_prefix(name);
            rest.is_some_and(|rest| rest.starts_with(['{', ' ']))
                && labels.iter().all(|label| line.contains(label))
        });
        matching.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// The running process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// All that it has said.
    pub fn logs(&self) -> String {
        self.process.output()
    }

    /// Sends TERM and gives the exit code.
    pub fn stop(&mut self) -> i32 {
        self.sink_running();
        self.process.signal(Signal::TERM);
        self.process.exit_code(STOP_MAX)
    }

    /// kill -9.
    pub fn kill(&mut self) {
        self.sink_running();
        self.process.kill();
    }

    /// Whole lines of the audit file.
    pub fn events(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.audit_file()).unwrap_or_default();
        let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        whole.map(|line| serde_json::from_str(line).expect("an audit line is JSON")).collect()
    }

    /// The audit file.
    pub fn audit_file(&self) -> PathBuf {
        self.config
            .at("audit.file.path")
            .as_str()
            .map(PathBuf::from)
            .expect("the configuration names an audit file")
    }

    /// The records of requests, once there are at least `count`: one may be closed a moment after its response.
    pub fn records(&self, count: usize) -> Vec<Value> {
        eventually(&format!("{count} audit records"), || {
            let requests = self.events().into_iter().filter(|event| event.get("event").is_none());
            let requests: Vec<_> = requests.collect();
            (requests.len() >= count).then_some(requests)
        })
    }

    /// What others see of it while it runs: its arguments, its environment, its metrics.
    fn sink_running(&mut self) {
        if self.process.ended().is_some() {
            return;
        }
        let read =
            |name: &str| std::fs::read(format!("/proc/{}/{name}", self.process.pid())).unwrap_or_default();
        self.canaries.sink("the arguments", read("cmdline"));
        if self.launch.env.is_empty() {
            self.canaries.sink("the environment", read("environ"));
        }
        if let Ok(page) = self.admin("/metrics") {
            self.canaries.sink("the metrics", page.body);
        }
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.sink_running();
        }
    }
}

/// Runs a subcommand to its end; what it printed counts as seen.
pub fn run(case: &Case, words: &[&str]) -> Output {
    let mut command = Command::new(tool::claviger());
    let output =
        command.args(words).current_dir(case.dir()).env_clear().envs(environment(case.dir())).output();
    let output = output.expect("the binary runs");
    case.canaries().sink("a command's output", [&output.stdout[..], &output.stderr].concat());
    output
}

fn spawn(command: &[String], launch: &Launch, dir: &std::path::Path, name: &str) -> Process {
    let (program, words) = command.split_first().expect("a command has a program");
    let mut command = Command::new(program);
    command.args(words).env_clear().envs(environment(dir)).env("CLAVIGER_LOG", launch.log.unwrap_or("trace"));
    command.envs(launch.env.iter().cloned());
    Process::start(&mut command, dir, name)
}

fn environment(dir: &std::path::Path) -> [(&'static str, String); 2] {
    [("PATH", std::env::var("PATH").unwrap_or_default()), ("HOME", dir.display().to_string())]
}
