//! One call to a source: on its way on the control runtime, awaited by whoever needs it, counted when it lands.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;

use super::Unissued;
use super::index::{CredentialSource, LATER, LeaseIndex};
use super::slot::{Flight, Launch, Outcome, Purpose, Slot};
use crate::admin::metrics::{CredentialLabel, IssuerLabels, IssuerResult};
use crate::authorize::Permit;
use crate::clock;
use crate::credential::lease::Issued;
use crate::credential::source::IssueError;

/// A request waits this much longer than the source may take, so that it hears of the source's own failure.
const WAIT_MARGIN: Duration = Duration::from_secs(1);

/// The calls under way, and whether more may start.
#[derive(Default)]
pub(super) struct Traffic {
    pub(super) flights: usize,
    pub(super) closing: bool,
}

/// A call's permission to be under way; told to the index when dropped, also by a panic.
struct Ticket(Arc<LeaseIndex>);

impl LeaseIndex {
    /// Sends a call on its way and returns at once.
    pub(super) fn fly(
        self: &Arc<Self>,
        source: &Arc<CredentialSource>,
        slot: &Arc<Slot>,
        permit: &Permit,
        launch: Launch,
    ) -> Result<Flight, Unissued> {
        let ticket = Ticket::take(self).ok_or(Unissued::Closing)?;
        let flight = launch.flight.clone();
        let (source, slot, permit) = (Arc::clone(source), Arc::clone(slot), permit.clone());
        self.control.spawn(async move {
            let index = &ticket.0;
            let result = index.call(&source, &permit, &launch).await;
            let landed = slot.land(&launch, result, source.lifetime, clock::monotonic());
            let outcome = landed.outcome.clone();
            // on the record before anyone uses it
            index.settle(&slot.permit, launch.purpose, landed);
            launch.announce(outcome);
        });
        Ok(flight)
    }

    async fn call(
        &self,
        source: &CredentialSource,
        permit: &Permit,
        launch: &Launch,
    ) -> Result<Issued, IssueError> {
        let begun = clock::monotonic();
        let call = async {
            match launch
                .previous
                .as_deref()
                .filter(|old| launch.purpose == Purpose::Renew && old.prolongable())
            {
                Some(old) => source.source.renew(permit, old).await,
                None => source.source.issue(permit).await,
            }
        };
        let call = AssertUnwindSafe(call).catch_unwind();
        let result = match tokio::time::timeout(source.source.timeout(), call).await {
            Ok(Ok(result)) => result,
            Ok(Err(_panic)) => Err(IssueError::Unavailable("the source broke down")),
            Err(_elapsed) => Err(IssueError::Unavailable("no answer in time")),
        };
        self.count_call(source, result.as_ref().err(), begun);
        result
    }

    fn count_call(&self, source: &CredentialSource, error: Option<&IssueError>, begun: Instant) {
        let credential = source.name.clone();
        let result = match error {
            None => IssuerResult::ok,
            Some(IssueError::Refused(_)) => IssuerResult::refused,
            Some(IssueError::Unavailable(_)) => IssuerResult::unavailable,
            Some(IssueError::Invalid(_)) => IssuerResult::invalid,
        };
        if let Some(error) = error {
            tracing::warn!(credential, kind = source.kind, %error, "no credential was issued");
        }
        let took = clock::monotonic().saturating_duration_since(begun);
        let seconds = CredentialLabel { credential: credential.clone() };
        self.metrics.issuer_seconds.get_or_create(&seconds).observe(took.as_secs_f64());
        self.metrics.issuer_requests.get_or_create(&IssuerLabels { credential, result }).inc();
    }
}

impl Ticket {
    fn take(index: &Arc<LeaseIndex>) -> Option<Self> {
        let open = index.traffic.send_if_modified(|traffic| {
            traffic.flights += usize::from(!traffic.closing);
            !traffic.closing
        });
        open.then(|| Self(Arc::clone(index)))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.traffic.send_modify(|traffic| traffic.flights -= 1);
    }
}

/// The outcome of a call, for one of those who wait for it.
pub(super) async fn wait(mut flight: Flight, source: &CredentialSource) -> Outcome {
    let landed = flight.wait_for(Option::is_some);
    let outcome = match tokio::time::timeout(source.source.timeout() + WAIT_MARGIN, landed).await {
        Ok(Ok(landed)) => landed.clone(),
        Ok(Err(_killed)) => None,
        Err(_elapsed) => None,
    };
    outcome.unwrap_or(Err(LATER))
}
