//! Before the first record: opens the sink, and writes what a process that died has left.

use std::collections::HashSet;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use prometheus_client::metrics::counter::Counter;

use super::chain::Chain;
use super::journal::{JournalError, JournalFile, Leftovers, Slots};
use super::sink::Sink;
use super::sink::file::{FileError, LockedFile};
use super::sink::stdout::Stream;
use super::{Settings, line};
use crate::clock;

/// Why the audit cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The file cannot be the audit file.
    #[error("audit file {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: FileError,
    },
    /// Standard output is not there.
    #[error("audit to standard output: {0}")]
    Stdout(io::Error),
    /// A journal cannot be used.
    #[error("audit journal {}: {source}", path.display())]
    Journal {
        /// The journal, or the folder of all journals.
        path: PathBuf,
        /// Why.
        source: JournalError,
    },
    /// What a process that died has left cannot be written.
    #[error("the audit cannot be written: {0}")]
    Write(io::Error),
    /// No thread, or no memory, for the audit.
    #[error("the audit cannot be started: {0}")]
    System(io::Error),
}

impl StartError {
    /// Whether it passes when another process ends.
    pub(super) fn in_use(&self) -> bool {
        match self {
            Self::File { source, .. } => matches!(source, FileError::InUse),
            Self::Journal { source, .. } => matches!(source, JournalError::InUse),
            Self::Stdout(_) | Self::Write(_) | Self::System(_) => false,
        }
    }
}

/// The record, ours to go on with.
pub(super) struct Recovered {
    pub(super) sink: Box<dyn Sink>,
    pub(super) chain: Chain,
    /// Those of each worker.
    pub(super) slots: Vec<Arc<Slots>>,
    /// The first lines, where they could not be written and are not required.
    pub(super) untold: Vec<Vec<u8>>,
}

/// Locks the journals too, continues the chain, and writes what was left. Nothing is touched before all is locked.
/// `records` counts lines.
pub(super) fn recover(
    sink: LockedSink,
    settings: &Settings,
    records: &Counter,
) -> Result<Recovered, StartError> {
    let mut journals = Journals::open(settings)?;
    let mut sink = sink.mend()?;
    let mut texts = sink.to_tell(std::mem::take(&mut journals.left));
    match sink.tell(&texts) {
        Ok(()) => {
            records.inc_by(texts.len() as u64);
            texts.clear();
        }
        Err(error) if settings.required => return Err(StartError::Write(error)),
        Err(error) => tracing::error!(%error, "the audit cannot be written"),
    }
    let slots = journals.renew(settings)?;
    Ok(Recovered { sink: sink.sink, chain: sink.chain, slots, untold: texts })
}

/// A sink that no other process writes.
pub(super) enum LockedSink {
    /// As the last process left it.
    File(LockedFile),
    /// Its chain begins with this process.
    Fresh(Box<dyn Sink>),
}

impl LockedSink {
    pub(super) fn open(sink: &claviger_config::Sink) -> Result<Self, StartError> {
        match sink {
            claviger_config::Sink::Stdout => {
                Ok(Self::Fresh(Box::new(Stream::stdout().map_err(StartError::Stdout)?)))
            }
            claviger_config::Sink::File(path) => {
                let file = LockedFile::open(path);
                file.map(Self::File).map_err(|source| StartError::File { path: path.clone(), source })
            }
        }
    }

    fn mend(self) -> Result<OpenSink, StartError> {
        match self {
            Self::Fresh(sink) => {
                Ok(OpenSink { sink, chain: Chain::new(), torn_bytes: 0, recent: HashSet::new() })
            }
            Self::File(file) => {
                let path = file.path().to_owned();
                let found = file.mend().map_err(|source| StartError::File { path, source })?;
                let (chain, torn_bytes, recent) = (found.chain, found.torn_bytes, found.recent);
                Ok(OpenSink { sink: Box::new(found.file), chain, torn_bytes, recent })
            }
        }
    }
}

/// The sink, mended.
struct OpenSink {
    sink: Box<dyn Sink>,
    chain: Chain,
    torn_bytes: u64,
    recent: HashSet<Vec<u8>>,
}

impl OpenSink {
    /// The texts of what a start has found to tell: that it mended something, and the records that were left.
    fn to_tell(&self, left: Leftovers) -> Vec<Vec<u8>> {
        let mut texts = left.texts;
        texts.retain(|text| !line::id_in(text).is_some_and(|id| self.recent.contains(id)));
        // A text begins with its time, whose spelling sorts as time does.
        texts.sort_unstable();
        if self.torn_bytes > 0 || left.slots_unreadable > 0 {
            let mut text = Vec::new();
            line::recovered(&mut text, clock::now(), self.torn_bytes, left.slots_unreadable);
            texts.insert(0, text);
        }
        texts
    }

    /// Writes the first lines of this process.
    fn tell(&mut self, texts: &[Vec<u8>]) -> io::Result<()> {
        let mut chain = self.chain.clone();
        let mut lines = Vec::new();
        texts.iter().for_each(|text| chain.append(text, &mut lines));
        self.sink.append(&lines)?;
        self.chain = chain;
        Ok(())
    }
}

/// The journals of one state directory, locked.
struct Journals {
    /// One for each worker, in order; none for a worker whose records are in memory alone.
    current: Vec<Option<JournalFile>>,
    /// Those of workers that there are no more.
    former: Vec<JournalFile>,
    left: Leftovers,
}

impl Journals {
    /// Opens the journals in the state directory, creating what is missing. Where they are not required, those that
    /// cannot be used are done without.
    fn open(settings: &Settings) -> Result<Self, StartError> {
        let Settings { workers, required, .. } = *settings;
        let folder = settings.state_dir.join("audit");
        let mut journals = Self { current: Vec::new(), former: Vec::new(), left: Leftovers::default() };
        if let Err(source) = DirBuilder::new().recursive(true).mode(0o700).create(&folder) {
            unusable(StartError::Journal { path: folder.clone(), source: source.into() }, required)?;
        }
        for worker in 0..workers {
            let journal = journals.take(&folder.join(format!("worker-{worker}.journal")), required)?;
            journals.current.push(journal);
        }
        for path in former(&folder, workers) {
            let journal = journals.take(&path, required)?;
            journals.former.extend(journal);
        }
        Ok(journals)
    }

    /// Opens one journal and takes what is left in it.
    fn take(&mut self, path: &Path, required: bool) -> Result<Option<JournalFile>, StartError> {
        let opened = JournalFile::open(path).and_then(|mut journal| Ok((journal.leftovers()?, journal)));
        match opened {
            Ok((left, journal)) => {
                self.left.texts.extend(left.texts);
                self.left.slots_unreadable += left.slots_unreadable;
                Ok(Some(journal))
            }
            Err(source) => {
                unusable(StartError::Journal { path: path.to_owned(), source }, required)?;
                Ok(None)
            }
        }
    }

    /// Empties all journals, once what was left in them is written. Gives the slots of each worker.
    fn renew(self, settings: &Settings) -> Result<Vec<Arc<Slots>>, StartError> {
        for journal in self.former {
            let path = journal.path().to_owned();
            journal.remove().map_err(|error| StartError::Journal { path, source: error.into() })?;
        }
        self.current.into_iter().map(|journal| renewed(journal, settings)).collect()
    }
}

fn renewed(journal: Option<JournalFile>, settings: &Settings) -> Result<Arc<Slots>, StartError> {
    if let Some(journal) = journal {
        let path = journal.path().to_owned();
        match journal.renew(settings.slots) {
            Ok(slots) => return Ok(slots),
            Err(error) => {
                unusable(StartError::Journal { path, source: error.into() }, settings.required)?;
            }
        }
    }
    Slots::in_memory(settings.slots).map_err(StartError::System)
}

/// Where the audit is required, `error` ends the start; else records are not safe from a crash, which is told.
fn unusable(error: StartError, required: bool) -> Result<(), StartError> {
    if required {
        return Err(error);
    }
    tracing::warn!(%error, "audit records under way will not survive a crash");
    Ok(())
}

/// The journals in `folder` of workers beyond the first `workers`.
fn former(folder: &Path, workers: usize) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let number = |path: &Path| -> Option<usize> {
        path.file_name()?.to_str()?.strip_prefix("worker-")?.strip_suffix(".journal")?.parse().ok()
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.filter(|path| number(path).is_some_and(|number| number >= workers)).collect()
}
