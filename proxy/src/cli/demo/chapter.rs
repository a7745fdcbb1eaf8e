//! What the tour shows, in the order in which it is told.

/// One thing that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chapter {
    Allowed,
    Denied,
    Injected,
    Rotated,
    Revoked,
    Audited,
}

impl Chapter {
    /// What a running sidecar can show.
    pub(super) const WHILE_RUNNING: [Self; 4] = [Self::Allowed, Self::Denied, Self::Injected, Self::Rotated];
    /// What shows when it stops.
    pub(super) const AT_THE_END: [Self; 2] = [Self::Revoked, Self::Audited];

    /// Its name for machines.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Injected => "injected",
            Self::Rotated => "rotated",
            Self::Revoked => "revoked",
            Self::Audited => "audited",
        }
    }

    /// What it claims.
    pub(super) fn claim(self) -> &'static str {
        match self {
            Self::Allowed => "A call without any credential goes through",
            Self::Denied => "A write without a purpose is refused, with its reason",
            Self::Injected => "The upstream sees one credential: ours, not the workload's",
            Self::Rotated => "Two seconds later the token is another one",
            Self::Revoked => "When the sidecar stops, its tokens die with it",
            Self::Audited => "The record tells it all, and tells when it was touched",
        }
    }

    /// Why that matters.
    pub(super) fn moral(self) -> &'static str {
        match self {
            Self::Allowed => {
                "The workload holds no key: there is none to steal, to log, or to talk it out of."
            }
            Self::Denied => {
                "The policy decides at the moment of use; nothing left, and no token was asked for."
            }
            Self::Injected => "What the workload presents is dropped; what leaves, the policy has permitted.",
            Self::Rotated => "A token that leaks is worth seconds, and nobody had to roll a key.",
            Self::Revoked => "No credential outlives the process that asked for it.",
            Self::Audited => {
                "One chained line for each request, allowed or not, and no secret in any of them."
            }
        }
    }
}
