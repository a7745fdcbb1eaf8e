//! `claviger demo`: the whole product on real sockets, with an issuer, an upstream and a workload of its own, so that
//! it can be seen without a file, a network or a container.

mod chapter;
mod issuer;
mod narrator;
mod scene;
mod server;
mod tour;
mod upstream;
mod workload;

use std::process::ExitCode;

use clap::Args;

use self::chapter::Chapter;
use self::narrator::{Ending, Narrator};
use self::scene::Scene;
use self::tour::Tour;
use super::{Format, fail};
use crate::process;
use crate::run::Signals;

/// Where the sidecar listens when it stays up and nothing is said.
const PORT: u16 = 8080;

/// Flags of `demo`.
#[derive(Args)]
pub(super) struct DemoArgs {
    /// Where the sidecar listens on 127.0.0.1 [default: 8080; with --once any free port]
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// Take the tour and exit, instead of staying up for requests of your own
    #[arg(long)]
    once: bool,
    /// How the tour is told
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub(super) fn run(args: &DemoArgs) -> ExitCode {
    process::harden();
    let control = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("control")
        .enable_all()
        .build();
    let ending = match control {
        Ok(control) => control.block_on(show(args)),
        Err(error) => return fail(1, &format!("no threads: {error}")),
    };
    match ending {
        Ok(Ending::Proved) => ExitCode::SUCCESS,
        Ok(Ending::Disproved) => ExitCode::FAILURE,
        Err(why) => fail(1, &why),
    }
}

async fn show(args: &DemoArgs) -> Result<Ending, String> {
    let mut signals = Signals::new().map_err(|error| error.to_string())?;
    let scene = Scene::set(args.port.unwrap_or(if args.once { 0 } else { PORT })).await?;
    let mut narrator = Narrator::new(args.format);
    let mut tour = Tour::start(&scene).await?;
    narrator.introduce(&scene, tour.address());
    for chapter in Chapter::WHILE_RUNNING {
        narrator.tell(chapter, tour.visit(chapter).await);
    }
    if !args.once {
        narrator.invite(&scene, tour.address());
        signals.next().await;
    }
    for chapter in Chapter::AT_THE_END {
        narrator.tell(chapter, tour.visit(chapter).await);
    }
    Ok(narrator.close())
}
