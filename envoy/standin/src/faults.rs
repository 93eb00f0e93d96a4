//! The ways a stand-in can fail.

mod body;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use crate::answer::Answer;
use crate::ask::Ask;
use crate::connection::End;
use crate::reply::{Reply, Script, Step};
use crate::vendors::{Dialect, Trouble};

use body::*;

/// A fault as the control API takes it, under its field `kind`.
#[derive(Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Another status, by default with the vendor's own body for it.
    Status {
        status: u16,
        /// JSON, or a string that is sent as it is.
        #[serde(default)]
        body: Option<Value>,
        /// The vendor's error code within the default body.
        #[serde(default)]
        code: Option<String>,
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// Seconds; sent the vendor's way.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// A reset instead of a reply.
    Reset {},
    /// The connection closes instead of a reply.
    Close {},
    /// Bytes that are no HTTP, and the end of the connection.
    NotHttp {},
    /// A reply whose head has a field of this many bytes.
    BigHead { bytes: usize },
    /// A reset after the reply's head.
    ResetAfterHeaders {},
    /// A reset in the middle of the body.
    ResetAfter {
        #[serde(default = "one")]
        after_events: usize,
    },
    /// Silence before the reply's head; without `ms` for ever.
    Stall {
        #[serde(default)]
        ms: Option<u64>,
    },
    /// Silence in the middle of a stream.
    StallStream {
        #[serde(default = "one")]
        after_events: usize,
        #[serde(default)]
        ms: Option<u64>,
    },
    /// The connection closes in the middle of the body.
    Cut {
        #[serde(default = "one")]
        after_events: usize,
    },
    /// The body ends in order, but before its end.
    EndEarly {
        #[serde(default = "one")]
        after_events: usize,
    },
    /// Comments that keep the connection alive, and never an event.
    KeepAlive { ms: u64 },
    /// A stream where none was asked for, and the other way round.
    OtherMode {},
    /// A good reply in which nothing is said.
    NothingSaid {},
    /// A stream without events.
    EmptyStream {},
    /// Status 200 without a body.
    EmptyBody {},
    /// A stream that starts with an error event.
    ErrorEventFirst {},
    /// A stream that breaks off with an error event.
    ErrorEventAfter {
        #[serde(alias = "after_events")]
        events: usize,
    },
    /// Status 200 and bytes that are no format.
    Garbage {},
    /// One broken event in a stream that goes on.
    MalformedEvent {
        #[serde(default = "one")]
        after_events: usize,
    },
    /// The account has no credit or quota left.
    Quota {},
    /// The model does not exist any more.
    ModelGone {},
    /// The prompt is too long for the model.
    ContextOverflow {},
    /// The content policy refuses.
    ContentFilter {},
    /// A pause before every event.
    SlowStream { ms: u64 },
    /// A text of this many bytes.
    BigReply { bytes: usize },
    /// A reply that is compressed whether or not the client asked for it.
    Gzip {},
}

/// What becomes of the request.
pub enum Outcome {
    /// It gets this reply.
    Reply(Reply),
    /// Its connection ends.
    End(End),
}

fn one() -> usize {
    1
}

impl Fault {
    /// The fault's name in scripts and records.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Status { .. } => "status",
            Self::Reset {} => "reset",
            Self::Close {} => "close",
            Self::NotHttp {} => "not_http",
            Self::BigHead { .. } => "big_head",
            Self::ResetAfterHeaders {} => "reset_after_headers",
            Self::ResetAfter { .. } => "reset_after",
            Self::Stall { .. } => "stall",
            Self::StallStream { .. } => "stall_stream",
            Self::Cut { .. } => "cut",
            Self::EndEarly { .. } => "end_early",
            Self::KeepAlive { .. } => "keep_alive",
            Self::OtherMode {} => "other_mode",
            Self::NothingSaid {} => "nothing_said",
            Self::EmptyStream {} => "empty_stream",
            Self::EmptyBody {} => "empty_body",
            Self::ErrorEventFirst {} => "error_event_first",
            Self::ErrorEventAfter { .. } => "error_event_after",
            Self::Garbage {} => "garbage",
            Self::MalformedEvent { .. } => "malformed_event",
            Self::Quota {} => "quota",
            Self::ModelGone {} => "model_gone",
            Self::ContextOverflow {} => "context_overflow",
            Self::ContentFilter {} => "content_filter",
            Self::SlowStream { .. } => "slow_stream",
            Self::BigReply { .. } => "big_reply",
            Self::Gzip {} => "gzip",
        }
    }

    /// The time to wait before anything is sent; `Some(None)` is for ever.
    pub fn stall(&self) -> Option<Option<Duration>> {
        match self {
            Self::Stall { ms } => Some(ms.map(Duration::from_millis)),
            _ => None,
        }
    }

    /// The request as the vendor understands it.
    pub fn misheard(&self, mut ask: Ask) -> Ask {
        if let Self::OtherMode {} = self {
            ask.stream = !ask.stream;
            ask.sse = ask.stream;
        }
        ask
    }

    /// Plays the fault on a request that would have succeeded.
    pub fn play(self, dialect: &dyn Dialect, ask: &Ask) -> Outcome {
        let mut answer = Answer::to(ask, dialect.name());
        let reply = match self {
            Self::Reset {} => return Outcome::End(End::Reset),
            Self::Close {} => return Outcome::End(End::Close),
            Self::NotHttp {} => return Outcome::End(End::Bytes(NOT_HTTP)),
            Self::NothingSaid {} => {
                answer.say_nothing();
                dialect.render(ask, &answer)
            }
            Self::Status { .. } => self.status(dialect, ask),
            Self::Quota {} => dialect.trouble(Trouble::Quota, ask),
            Self::ModelGone {} => dialect.trouble(Trouble::ModelGone, ask),
            Self::ContextOverflow {} => dialect.trouble(Trouble::ContextOverflow, ask),
            Self::ContentFilter {} => filtered(dialect, ask, answer),
            Self::BigReply { bytes } => {
                answer.pad(bytes);
                dialect.render(ask, &answer)
            }
            other => other.spoil(dialect, ask, dialect.render(ask, &answer)),
        };
        Outcome::Reply(reply)
    }

    fn status(self, dialect: &dyn Dialect, ask: &Ask) -> Reply {
        let Self::Status {
            status,
            body,
            code,
            headers,
            retry_after,
        } = self
        else {
            return dialect.failure(ask, 500, None, None);
        };
        let mut reply = dialect.failure(ask, status, code.as_deref(), retry_after);
        match body {
            Some(Value::String(text)) => {
                reply.content_type = "text/plain";
                reply.body = Script::Whole(Bytes::from(text));
            }
            Some(body) => reply.body = Script::Whole(Bytes::from(body.to_string())),
            None => {}
        }
        reply.headers.extend(headers);
        reply
    }

    fn spoil(self, dialect: &dyn Dialect, ask: &Ask, mut reply: Reply) -> Reply {
        let error = || dialect.error_event(ask);
        match self {
            Self::ResetAfterHeaders {} => replace(&mut reply, vec![flushed(), Step::Reset]),
            Self::StallStream { after_events, ms } => {
                insert(&mut reply, after_events, wait(ms));
            }
            Self::Cut { after_events } => cut(&mut reply, after_events, Step::Close),
            Self::ResetAfter { after_events } => cut(&mut reply, after_events, Step::Reset),
            Self::EndEarly { after_events } => end_early(&mut reply, after_events),
            Self::KeepAlive { ms } => keep_alive(&mut reply, Duration::from_millis(ms)),
            Self::BigHead { bytes } => {
                let field = ("x-filler".to_owned(), "x".repeat(bytes));
                reply.headers.push(field);
            }
            Self::EmptyStream {} => replace(&mut reply, Vec::new()),
            Self::EmptyBody {} => reply.body = Script::Whole(Bytes::new()),
            Self::ErrorEventFirst {} => replace(&mut reply, vec![Step::Send(error())]),
            Self::ErrorEventAfter { events } => {
                break_after(&mut reply, events, Step::Send(error()))
            }
            Self::Garbage {} => reply.body = Script::Whole(Bytes::from_static(GARBAGE)),
            Self::MalformedEvent { after_events } => {
                malform(dialect, ask, &mut reply, after_events)
            }
            Self::SlowStream { ms } => slow_down(&mut reply, Duration::from_millis(ms)),
            Self::Gzip {} => compress(&mut reply),
            // Stalling is over by now; the others never come here.
            _ => {}
        }
        reply
    }
}

/// What a server of another kind says on the port.
const NOT_HTTP: &[u8] = b"SSH-2.0-OpenSSH_9.6\r\n";

/// Neither JSON nor SSE nor UTF-8.
const GARBAGE: &[u8] = b"<html>\xff\xfe it is not what you think\x00</html>";

fn filtered(dialect: &dyn Dialect, ask: &Ask, mut answer: Answer) -> Reply {
    if dialect.refuses_with_an_error() {
        return dialect.trouble(Trouble::ContentFilter, ask);
    }
    answer.refuse();
    dialect.render(ask, &answer)
}
