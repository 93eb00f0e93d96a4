//! What goes back to the client, and when: a head and timed body steps.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

use crate::connection::{End, Fate};
use crate::record::Exchange;

/// A reply before it is bound to a connection.
pub struct Reply {
    /// The status code, 100 to 599.
    pub status: u16,
    /// The media type of the body.
    pub content_type: &'static str,
    /// Further header fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// What the body does.
    pub body: Script,
}

/// The body of a reply.
pub enum Script {
    /// One piece of known length.
    Whole(Bytes),
    /// Pieces sent in order. `length` is announced when it is known.
    Steps {
        /// The announced length in bytes; `None` sends chunks.
        length: Option<u64>,
        /// What happens, in order.
        steps: VecDeque<Step>,
    },
}

/// One step of a body.
pub enum Step {
    /// Sends these bytes.
    Send(Bytes),
    /// Sends nothing for this long.
    Wait(Duration),
    /// Sends nothing until the client leaves.
    WaitForever,
    /// Closes the connection although the body is not complete.
    Close,
    /// Resets the connection.
    Reset,
}

impl Reply {
    /// A JSON body.
    pub fn json(status: u16, body: Vec<u8>) -> Self {
        Self {
            status,
            content_type: "application/json",
            headers: Vec::new(),
            body: Script::Whole(Bytes::from(body)),
        }
    }

    /// A body that is sent event by event with status 200.
    pub fn events(content_type: &'static str, events: Vec<Bytes>) -> Self {
        Self {
            status: 200,
            content_type,
            headers: Vec::new(),
            body: Script::Steps {
                length: None,
                steps: events.into_iter().map(Step::Send).collect(),
            },
        }
    }
}

/// The body as hyper polls it. Knows whether the client stayed to the end.
pub struct ReplyBody {
    script: Script,
    pause: Option<Pin<Box<Sleep>>>,
    fate: Fate,
    exchange: Exchange,
    ended: bool,
    /// Set for good by a step that never ends.
    stuck: bool,
}

/// The stand-in broke the body off because it was told to.
#[derive(Debug)]
pub struct BrokenOff;

impl std::fmt::Display for BrokenOff {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the stand-in broke the body off")
    }
}

impl std::error::Error for BrokenOff {}

impl ReplyBody {
    /// Binds a body to its connection and to its record.
    pub fn new(script: Script, fate: Fate, mut exchange: Exchange) -> Self {
        let empty = matches!(&script, Script::Whole(bytes) if bytes.is_empty());
        if empty {
            exchange.complete();
        }
        Self {
            script,
            pause: None,
            fate,
            exchange,
            ended: empty,
            stuck: false,
        }
    }

    fn end(&mut self) {
        self.ended = true;
        self.exchange.complete();
    }

    fn next_step(&mut self) -> Option<Step> {
        match &mut self.script {
            Script::Whole(bytes) => Some(Step::Send(std::mem::take(bytes))),
            Script::Steps { steps, .. } => steps.pop_front(),
        }
    }

    fn nothing_left(&self) -> bool {
        match &self.script {
            Script::Whole(bytes) => bytes.is_empty(),
            Script::Steps { steps, .. } => steps.is_empty(),
        }
    }

    fn send(&mut self, bytes: Bytes) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        self.exchange.sent();
        if self.nothing_left() {
            self.end();
        }
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn break_off(&mut self) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        self.end();
        Poll::Ready(Some(Err(BrokenOff)))
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(context));
                self.pause = None;
            }
            if self.stuck {
                return Poll::Pending;
            }
            if self.ended {
                return Poll::Ready(None);
            }
            match self.next_step() {
                Some(Step::Send(bytes)) => return self.send(bytes),
                Some(Step::Wait(time)) => self.pause = Some(Box::pin(tokio::time::sleep(time))),
                Some(Step::WaitForever) => self.stuck = true,
                Some(Step::Close) => return self.break_off(),
                Some(Step::Reset) => {
                    self.fate.decide(End::Reset);
                    return self.break_off();
                }
                None => self.end(),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }

    fn size_hint(&self) -> SizeHint {
        match &self.script {
            Script::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Script::Steps {
                length: Some(length),
                ..
            } => SizeHint::with_exact(*length),
            Script::Steps { length: None, .. } => SizeHint::default(),
        }
    }
}
