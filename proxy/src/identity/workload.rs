//! What is known of a workload, in the forms in which stages need it.

use std::sync::Arc;

use serde::Serialize;

/// What is known of a workload. Absent facts are `None`.
#[derive(Debug, Default, Serialize)]
pub struct Facts {
    /// The user that owns the peer's socket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// Its group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gid: Option<u32>,
    /// Its process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// The program that the process runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exe: Option<String>,
    /// Its control group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cgroup: Option<String>,
}

/// A workload's identity: its facts, and the forms in which stages need them, made once per connection.
#[derive(Debug)]
pub struct Identity {
    facts: Facts,
    subject: Arc<str>,
    record: String,
    /// The inode of the peer's TCP socket, by which it is known again.
    inode: Option<u32>,
}

impl Identity {
    pub(super) fn new(facts: Facts, inode: Option<u32>) -> Self {
        let subject = facts.uid.map_or_else(|| "unknown".into(), |uid| format!("uid={uid}").into());
        let record = serde_json::to_string(&facts).expect("numbers and strings always serialise");
        Self { facts, subject, record, inode }
    }

    /// The inode of the peer's TCP socket, where there is one.
    pub(super) fn inode(&self) -> Option<u32> {
        self.inode
    }

    /// The facts themselves.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The part that outlives a connection, for which leases are kept: as `uid=1000`.
    pub fn subject(&self) -> &Arc<str> {
        &self.subject
    }

    /// The facts as the audit event's `workload`.
    pub fn record(&self) -> &str {
        &self.record
    }
}
