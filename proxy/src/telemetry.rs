//! Logs: to standard error, without a header value, a query or a body, at any level.

use std::io::IsTerminal;

use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{EnvFilter, FilterFn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging; `spec` is what `CLAVIGER_LOG` holds, as `info` or `claviger_proxy::upstream=debug`.
pub fn start(format: LogFormat, spec: Option<&str>) {
    let (filter, refused) = match EnvFilter::builder().parse(spec.unwrap_or("info")) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::default().add_directive(LevelFilter::INFO.into()), Some(error)),
    };
    // libraries print heads, bodies and keys below the level of a warning, so theirs end there
    let ours = FilterFn::new(|event| event.target().starts_with("claviger") || *event.level() <= Level::WARN);
    let lines = match format {
        LogFormat::Text => {
            fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal()).boxed()
        }
        LogFormat::Json => fmt::layer().json().with_writer(std::io::stderr).boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(ours)).with(filter).init();
    if let Some(error) = refused {
        tracing::warn!(%error, "CLAVIGER_LOG cannot be read; logging at info");
    }
}
