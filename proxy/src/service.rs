//! The tower stack round the pipeline: how many requests at once, and how long each may take.

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
use tower::timeout::{Timeout, error::Elapsed};
use tower::{BoxError, Service, ServiceBuilder};

use crate::error::Error;
use crate::identity::Inbound;
use crate::pipeline::Pipeline;
use crate::upstream::body::AnswerBody;

/// The pipeline as a tower service.
#[derive(Clone)]
pub struct Mediation {
    pipeline: Rc<Pipeline>,
}

/// The pipeline within its bounds.
pub type Bounded = LoadShed<ConcurrencyLimit<Timeout<Mediation>>>;

/// Wraps `pipeline` so that it sheds what is more than `requests_max` at once, and ends what takes too long to be
/// answered.
pub fn bounded(pipeline: Rc<Pipeline>, requests_max: usize, request_timeout: Duration) -> Bounded {
    ServiceBuilder::new()
        .load_shed()
        .concurrency_limit(requests_max)
        .timeout(request_timeout)
        .service(Mediation { pipeline })
}

impl Service<Inbound> for Mediation {
    type Response = Result<Response<AnswerBody>, Error>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, inbound: Inbound) -> Self::Future {
        let pipeline = Rc::clone(&self.pipeline);
        Box::pin(async move { Ok(pipeline.mediate(inbound).await) })
    }
}

/// What a bound of the stack means for the workload.
pub fn exceeded(bound: &BoxError) -> Error {
    if bound.is::<Elapsed>() {
        Error::DeadlineExceeded
    } else {
        debug_assert!(bound.is::<Overloaded>(), "the stack has two bounds");
        Error::Overloaded
    }
}
