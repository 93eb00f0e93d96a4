//! What the host shall do; the exchange itself does nothing.

use std::borrow::Cow;

use super::handoff::{ESCALATE, FAILED, WAIT};
use crate::callout::Question;
use crate::failure::Failure;
use crate::observed::Observation;
use crate::schema::openai::write_error;
use crate::surface::Surface;

/// Whether the host goes on with the message or holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Flow {
    /// Hold it: more is needed.
    Pause,
    /// Go on.
    #[default]
    Continue,
}

/// One change of the header map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderEdit {
    /// Sets a header, replacing what was there.
    Set(Cow<'static, str>, String),
    /// Removes a header.
    Remove(Cow<'static, str>),
}

/// One value for filter state, which the other role, the matcher and the access log read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateEdit {
    /// Name, without Envoy's `wasm.` prefix.
    pub key: Cow<'static, str>,
    /// Value.
    pub value: Vec<u8>,
}

/// What the host shall change. Header edits come only while the headers are held.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mutation {
    /// Whether to go on.
    pub flow: Flow,
    /// Header changes, in order.
    pub headers: Vec<HeaderEdit>,
    /// The whole of what is in the body buffer now, replaced.
    pub body: Option<Vec<u8>>,
    /// Filter state changes.
    pub state: Vec<StateEdit>,
    /// The client's answer: the request goes no further.
    pub answer: Option<Box<ImmediateResponse>>,
    /// A classifier that must be asked before anything else happens.
    pub question: Option<Box<Question>>,
    /// What has been observed of targets.
    pub observed: Vec<Observation>,
    /// For the operator's log; holds no value from a body.
    pub warning: Option<String>,
}

/// An answer of our own: the request goes no further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImmediateResponse {
    /// HTTP status.
    pub status: u16,
    /// Headers; the content type is JSON where they do not say it.
    pub headers: Vec<(&'static str, String)>,
    /// JSON, or events.
    pub body: Vec<u8>,
}

// === impl Mutation ===

impl Mutation {
    pub(super) fn pause() -> Mutation {
        Mutation {
            flow: Flow::Pause,
            ..Mutation::default()
        }
    }

    pub(super) fn ask(question: Box<Question>) -> Mutation {
        Mutation {
            question: Some(question),
            ..Mutation::pause()
        }
    }

    pub(super) fn set(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) {
        self.headers
            .push(HeaderEdit::Set(name.into(), value.into()));
    }

    pub(super) fn remove(&mut self, name: impl Into<Cow<'static, str>>) {
        self.headers.push(HeaderEdit::Remove(name.into()));
    }

    pub(super) fn store(&mut self, key: impl Into<Cow<'static, str>>, value: impl Into<Vec<u8>>) {
        self.state.push(StateEdit {
            key: key.into(),
            value: value.into(),
        });
    }
}

// === impl ImmediateResponse ===

impl ImmediateResponse {
    pub(super) fn error(failure: &Failure) -> ImmediateResponse {
        ImmediateResponse::error_of(None, failure)
    }

    /// The error as clients of this surface know it; without one, of Chat Completions.
    pub(super) fn error_of(
        surface: Option<&'static dyn Surface>,
        failure: &Failure,
    ) -> ImmediateResponse {
        let mut body = Vec::new();
        match surface {
            Some(surface) => surface.write_error(failure, &mut body),
            None => write_error(failure, &mut body),
        }
        let retry_after = failure
            .retry_after_s
            .map(|s| ("retry-after", s.to_string()));
        ImmediateResponse {
            status: failure.status,
            headers: retry_after.into_iter().collect(),
            body,
        }
    }

    /// The same in the place of a reply that has begun: header changes, and the body for its
    /// body.
    pub fn in_place(self) -> (Mutation, Vec<u8>) {
        let ImmediateResponse {
            status,
            headers,
            body,
        } = self;
        let mut mutation = Mutation::default();
        for name in [ESCALATE, FAILED, WAIT] {
            mutation.remove(name);
        }
        mutation.set(":status", status.to_string());
        mutation.set("content-type", "application/json");
        mutation.set("content-length", body.len().to_string());
        for (name, value) in headers {
            mutation.set(name, value);
        }
        (mutation, body)
    }
}
