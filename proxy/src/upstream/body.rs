//! Bodies on their way through: counted, bounded in time, never gathered.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Sleep, sleep};

use super::pool::Pooled;
use crate::exchange::Exchange;
use crate::request::body::Body as WorkloadBody;

/// Why a body broke off; the connection that carries it is closed.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The sending side broke off, or its framing is wrong.
    #[error("the body broke off")]
    Broken(#[source] hyper::Error),
    /// No piece came in time.
    #[error("the body stalled")]
    Stalled,
}

/// What the workload sends on to the upstream.
pub struct RequestBody {
    body: Option<WorkloadBody>,
    exchange: Rc<Exchange>,
    patience: Patience,
}

/// What goes back to the workload.
pub struct AnswerBody {
    content: Content,
    exchange: Rc<Exchange>,
}

enum Content {
    /// The upstream's, with the connection that it comes from.
    Carried { body: Incoming, connection: Option<Pooled>, patience: Patience },
    /// Ours.
    Own(Option<Bytes>),
}

/// A timer that exists only while somebody waits.
struct Patience {
    limit: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    fn new(limit: Duration) -> Self {
        Self { limit, timer: None }
    }

    /// The next frame of `body`, or an error when it takes too long.
    fn poll_frame(
        &mut self,
        body: &mut (impl Body<Data = Bytes, Error = hyper::Error> + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) {
            self.timer = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(BodyError::Broken)));
        }
        let limit = self.limit;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Some(Err(BodyError::Stalled)))
    }
}

impl RequestBody {
    /// The workload's body; `None` where there is none.
    pub fn new(body: Option<WorkloadBody>, exchange: Rc<Exchange>, idle_max: Duration) -> Self {
        Self { body, exchange, patience: Patience::new(idle_max) }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        loop {
            let counted = body.is_ahead();
            match ready!(this.patience.poll_frame(body, cx)) {
                // trailers end here: an upstream might read them as headers
                Some(Ok(frame)) if frame.is_trailers() => {}
                Some(Ok(frame)) => {
                    if !counted {
                        this.exchange.count_in(frame.data_ref().map_or(0, Bytes::len));
                    }
                    return Poll::Ready(Some(Ok(frame)));
                }
                end => return Poll::Ready(end),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl AnswerBody {
    /// A body of our own.
    pub fn own(content: Bytes, exchange: Rc<Exchange>) -> Self {
        Self { content: Content::Own(Some(content)), exchange }
    }

    /// The upstream's body; its connection is free again once it has ended.
    pub(super) fn carried(
        body: Incoming,
        connection: Pooled,
        exchange: Rc<Exchange>,
        idle_max: Duration,
    ) -> Self {
        let mut connection = Some(connection);
        if body.is_end_stream() {
            connection.take().into_iter().for_each(Pooled::give_back);
        }
        Self { content: Content::Carried { body, connection, patience: Patience::new(idle_max) }, exchange }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let frame = match &mut this.content {
            Content::Own(content) => {
                content.take().filter(|content| !content.is_empty()).map(|content| Ok(Frame::data(content)))
            }
            Content::Carried { body, connection, patience } => {
                let frame = ready!(patience.poll_frame(body, cx));
                if body.is_end_stream() || frame.is_none() {
                    connection.take().into_iter().for_each(Pooled::give_back);
                }
                frame.filter(|frame| !matches!(frame, Ok(frame) if frame.is_trailers()))
            }
        };
        if let Some(Ok(frame)) = &frame {
            this.exchange.count_out(frame.data_ref().map_or(0, Bytes::len));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Own(content) => content.as_ref().is_none_or(Bytes::is_empty),
            Content::Carried { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Own(content) => {
                SizeHint::with_exact(content.as_ref().map_or(0, |content| content.len() as u64))
            }
            Content::Carried { body, .. } => body.size_hint(),
        }
    }
}
