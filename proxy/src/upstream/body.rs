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
use super::scrub::Scrubber;
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
    /// Secrets cannot be looked for in it.
    #[error("the body cannot be read: {0}")]
    Unreadable(&'static str),
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
    Carried(Carried),
    /// The same where reflected secrets are taken out.
    Scrubbed(Carried, Box<Scrubber>),
    /// Ours.
    Own(Option<Bytes>),
}

struct Carried {
    body: Incoming,
    connection: Option<Pooled>,
    patience: Patience,
}

type Polled = Poll<Option<Result<Frame<Bytes>, BodyError>>>;

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
    ) -> Polled {
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

impl Carried {
    /// The next piece; the connection is free again once the last was taken. Trailers end here.
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Polled {
        let frame = ready!(self.patience.poll_frame(&mut self.body, cx));
        if self.body.is_end_stream() || frame.is_none() {
            self.connection.take().into_iter().for_each(Pooled::give_back);
        }
        Poll::Ready(frame.filter(|frame| !matches!(frame, Ok(frame) if frame.is_trailers())))
    }

    /// The next piece that is there to go on after `scrubber` has seen what came.
    fn poll_scrubbed(&mut self, scrubber: &mut Scrubber, cx: &mut Context<'_>) -> Polled {
        while !scrubber.is_over() {
            let piece = match scrubber.more() {
                Ok(None) => match ready!(self.poll_frame(cx)) {
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    Some(Ok(frame)) => scrubber.push(frame.into_data().unwrap_or_default()),
                    None => scrubber.finish(),
                },
                Ok(Some(piece)) => Ok(piece),
                Err(why) => Err(why),
            };
            match piece {
                Ok(piece) if piece.is_empty() => {}
                piece => return Poll::Ready(Some(piece.map(Frame::data).map_err(BodyError::Unreadable))),
            }
        }
        Poll::Ready(None)
    }

    fn size_hint(&self, scrubber: &Scrubber) -> SizeHint {
        // asked before anything is held back
        if scrubber.keeps_length() { self.body.size_hint() } else { SizeHint::default() }
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

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
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

    /// The upstream's body, with or without a search for secrets; its connection is free again once it has ended.
    pub(super) fn carried(
        body: Incoming,
        connection: Pooled,
        scrubber: Option<Scrubber>,
        exchange: Rc<Exchange>,
        idle_max: Duration,
    ) -> Self {
        let mut connection = Some(connection);
        if body.is_end_stream() {
            connection.take().into_iter().for_each(Pooled::give_back);
        }
        let scrubber = scrubber.filter(|_| !body.is_end_stream());
        let carried = Carried { body, connection, patience: Patience::new(idle_max) };
        let content = match scrubber {
            None => Content::Carried(carried),
            Some(scrubber) => Content::Scrubbed(carried, Box::new(scrubber)),
        };
        Self { content, exchange }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        let this = self.get_mut();
        let frame = match &mut this.content {
            Content::Own(content) => {
                content.take().filter(|content| !content.is_empty()).map(|content| Ok(Frame::data(content)))
            }
            Content::Carried(carried) => ready!(carried.poll_frame(cx)),
            Content::Scrubbed(carried, scrubber) => ready!(carried.poll_scrubbed(scrubber, cx)),
        };
        if let Some(Err(BodyError::Unreadable(why))) = &frame {
            tracing::warn!(
                id = this.exchange.id(),
                why,
                "an answer broke off: secrets cannot be looked for in it"
            );
        }
        if let Some(Ok(frame)) = &frame {
            this.exchange.count_out(frame.data_ref().map_or(0, Bytes::len));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Own(content) => content.as_ref().is_none_or(Bytes::is_empty),
            Content::Carried(carried) => carried.body.is_end_stream(),
            Content::Scrubbed(carried, scrubber) => carried.body.is_end_stream() && scrubber.is_over(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Own(content) => {
                SizeHint::with_exact(content.as_ref().map_or(0, |content| content.len() as u64))
            }
            Content::Carried(carried) => carried.body.size_hint(),
            Content::Scrubbed(carried, scrubber) => carried.size_hint(scrubber),
        }
    }
}
