//! Where we are in a connection's stream of messages.

use super::HeadError;
use super::body::{Chunks, Then};
use super::head::{Framing, HeadScan};

/// Follows message after message and tells how far the bytes may pass.
#[derive(Debug)]
pub(super) struct Flow {
    stage: Stage,
    scan: HeadScan,
    header_bytes_max: usize,
}

#[derive(Debug)]
enum Stage {
    Head,
    Sized { bytes_left: u64 },
    Chunked(Chunks),
    Stopped(Stop),
}

/// Why nothing more passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// A head was refused.
    Head(HeadError),
    /// A chunked body is not well-formed.
    Body(&'static str),
}

impl Flow {
    /// At the beginning of a connection.
    pub(super) fn new(header_bytes_max: usize) -> Self {
        Self { stage: Stage::Head, scan: HeadScan::default(), header_bytes_max }
    }

    /// Why the flow has ended, if it has.
    pub(super) fn stop(&self) -> Option<Stop> {
        match self.stage {
            Stage::Stopped(stop) => Some(stop),
            Stage::Head | Stage::Sized { .. } | Stage::Chunked(_) => None,
        }
    }

    /// Whether a whole message is over and no byte of the next has passed.
    pub(super) fn is_between_messages(&self) -> bool {
        matches!(self.stage, Stage::Head)
    }

    /// Judges `bytes`, which go on where the bytes that passed before ended, and returns how many of them pass.
    /// The others are to be given again with more behind them, unless the flow has stopped.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> usize {
        let mut passed = 0;
        while passed < bytes.len() {
            let rest = &bytes[passed..];
            let step = match &mut self.stage {
                Stage::Head => self.follow_head(rest),
                Stage::Sized { bytes_left } => {
                    let step = usize::try_from(*bytes_left).map_or(rest.len(), |left| left.min(rest.len()));
                    *bytes_left -= step as u64;
                    if *bytes_left == 0 {
                        self.stage = Stage::Head;
                    }
                    step
                }
                Stage::Chunked(chunks) => {
                    let (step, then) = chunks.follow(rest);
                    match then {
                        Then::More => {}
                        Then::Ended => self.stage = Stage::Head,
                        Then::Broken(reason) => self.stage = Stage::Stopped(Stop::Body(reason)),
                    }
                    step
                }
                Stage::Stopped(_) => 0,
            };
            if step == 0 {
                break;
            }
            passed += step;
        }
        passed
    }

    /// Lets a whole head pass, or nothing.
    fn follow_head(&mut self, bytes: &[u8]) -> usize {
        match self.scan.advance(bytes, self.header_bytes_max) {
            Ok(None) => 0,
            Ok(Some(head)) => {
                self.scan = HeadScan::default();
                self.stage = match head.framing {
                    Framing::Length(0) => Stage::Head,
                    Framing::Length(bytes_left) => Stage::Sized { bytes_left },
                    Framing::Chunked => Stage::Chunked(Chunks::new(self.header_bytes_max)),
                };
                head.bytes
            }
            Err(error) => {
                self.stage = Stage::Stopped(Stop::Head(error));
                0
            }
        }
    }
}
