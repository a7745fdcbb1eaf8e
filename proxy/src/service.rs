//! The tower stack round the pipeline: how many requests at once, and how long each may take to be answered.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Response;
use tower::limit::ConcurrencyLimit;
use tower::load_shed::LoadShed;
use tower::load_shed::error::Overloaded;
use tower::{BoxError, Service, ServiceBuilder};

use crate::deadline::{Deadlines, Passed};
use crate::error::Error;
use crate::identity::Inbound;
use crate::pipeline::Pipeline;
use crate::upstream::body::AnswerBody;

/// The pipeline as a tower service that answers in time: tower's own timeout would arm a timer for each request.
#[derive(Clone)]
pub struct Mediation {
    pipeline: Rc<Pipeline>,
    deadlines: Rc<Deadlines>,
    request_timeout: Duration,
}

/// The pipeline within its bounds.
pub type Bounded = LoadShed<ConcurrencyLimit<Mediation>>;

/// Wraps `pipeline` so that it sheds what is more than `requests_max` at once, and ends what takes longer than
/// `request_timeout` to be answered.
pub fn bounded(
    pipeline: Rc<Pipeline>,
    deadlines: Rc<Deadlines>,
    requests_max: usize,
    request_timeout: Duration,
) -> Bounded {
    ServiceBuilder::new().load_shed().concurrency_limit(requests_max).service(Mediation {
        pipeline,
        deadlines,
        request_timeout,
    })
}

impl Service<Inbound> for Mediation {
    type Response = Result<Response<AnswerBody>, Error>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, inbound: Inbound) -> Self::Future {
        let Self { pipeline, deadlines, request_timeout } = self.clone();
        Box::pin(async move {
            let mediated = std::pin::pin!(pipeline.mediate(inbound));
            let timely = deadlines.within(request_timeout, mediated).await;
            Ok(timely.unwrap_or_else(|Passed| Err(Error::DeadlineExceeded)))
        })
    }
}

/// What the stack's bound means for the workload.
pub fn exceeded(bound: &BoxError) -> Error {
    debug_assert!(bound.is::<Overloaded>(), "the stack has no other error");
    Error::Overloaded
}
