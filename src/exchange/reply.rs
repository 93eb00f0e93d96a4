//! One reply: held until it is known to be good, then committed; never both.

mod accounting;
mod failing;
mod gate;
mod hedged;
mod observing;
mod quota;
mod streaming;
mod telling;

use self::gate::Arrived;
pub(super) use self::gate::{Gate, Terms};
use self::quota::Quota;
pub use self::quota::tells_limit;
use self::telling::fidelity;
use super::credentials::{is_of_limits, is_withheld_from_client};
use super::holding::Used;
use super::mutation::Mutation;
use crate::adapt::{Reshape, Whole};
use crate::callout::Outcome;
use crate::catalog::cost::Tariff;
use crate::config::{Limits, OnUnsupported};
use crate::failure::{Class, Failure};
use crate::fidelity::Report;
use crate::observed::{Payer, Settings};
use crate::schema::{
    ErrorReply, Hints, OperationSchema, Reply, ReplyContext, Schema, StreamTranslator,
};
use crate::usage::{Tier, Usage};
use accounting::Seen;

/// The largest error body that is read, in bytes; what follows says nothing more.
const MAX_ERROR_BYTES: usize = 64 * 1024;

/// A reply's headers, as far as they matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResponseHead {
    /// HTTP status.
    pub status: u16,
    /// `retry-after`.
    pub retry_after: Option<String>,
    /// `retry-after-ms`.
    pub retry_after_ms: Option<String>,
    /// `content-encoding`.
    pub content_encoding: Option<String>,
    /// What the provider says of its limits.
    pub limits: Vec<(String, String)>,
    /// `x-gemini-service-tier`: Gemini says nowhere else how it has served a request.
    pub service_tier: Option<String>,
    /// Names of the headers that are there.
    pub names: Vec<String>,
    /// No body follows.
    pub end_of_stream: bool,
}

/// Whose reply it is, and what came before it.
pub(super) struct Origin {
    pub provider: String,
    pub model: String,
    pub started_ms: u64,
    pub trail: String,
    pub failure: Vec<u8>,
    pub per_try_ms: u64,
    pub idle_ms: u64,
    pub ejected: bool,
    pub fallback_on_refusal: bool,
    /// Whether Envoy tells clients of their limits.
    pub limited: bool,
    /// Whether nobody else is asked after it, unless it fails.
    pub is_last: bool,
    /// Whether it shows that a candidate is well again.
    pub probes: bool,
    /// Whether the same candidate may be asked again.
    pub again: Again,
    /// How targets are observed.
    pub settings: Settings,
    /// Attempts before this one.
    pub number: usize,
    /// Who asks, for metrics.
    pub payer: Payer,
    /// Estimated tokens of the prompt.
    pub input_tokens: u64,
    /// The same, closely, as this model counts; 0 when nobody wants to know.
    pub tokens: u64,
    /// What its tokens cost.
    pub tariff: Option<Box<Tariff>>,
    /// Hash of the prompt's beginning; 0 when nobody wants to know.
    pub prefix: u64,
    /// What answers have cost that were thrown away.
    pub rejected: Used,
    /// Another attempt of the request may be under way.
    pub hedged: bool,
}

/// Whether, and how, the same candidate is asked again after a wait.
pub(super) struct Again {
    /// The longest wait, in milliseconds; 0 for none.
    pub up_to_ms: u64,
    /// When all attempts must be over; 0 for no limit.
    pub deadline_ms: u64,
    /// Where Envoy finds the candidate.
    pub cluster: Option<String>,
}

/// How far the reply has come.
enum Phase {
    /// No headers yet.
    Awaited,
    /// A non-2xx reply: its body tells the class.
    Error {
        status: u16,
        retry_after: Option<String>,
    },
    /// A whole 2xx reply.
    Buffered,
    /// A stream whose headers are held.
    Held {
        translator: Box<dyn StreamTranslator>,
        read: usize,
        out: Vec<u8>,
        /// Its first meaningful event has come.
        started: bool,
    },
    /// Held until a webhook has said how good it is.
    Asking(Box<Arrived>),
    /// A stream that the client has begun to see.
    Committed {
        translator: Box<dyn StreamTranslator>,
    },
    /// Nothing more is to be told.
    Over,
}

pub(super) struct ReplyState {
    origin: Origin,
    schema: &'static dyn Schema,
    /// The language of the reply when it is to anything but chat.
    operation: Option<&'static dyn OperationSchema>,
    context: ReplyContext,
    /// What must be done to the reply because the request was degraded.
    reshape: Option<Reshape>,
    gate: Option<Gate>,
    streamed: bool,
    limits: Limits,
    fidelity: Option<String>,
    tells_fidelity: bool,
    phase: Phase,
    status: u16,
    quota: Quota,
    /// How the reply was served, by its headers.
    tier: Tier,
    usage: Usage,
    seen: Seen,
    /// When a committed stream was last heard of.
    heard_ms: u64,
    /// A committed stream has not been heard of yet.
    unheard: bool,
}

impl ReplyState {
    pub(super) fn new(
        origin: Origin,
        schema: &'static dyn Schema,
        operation: Option<&'static dyn OperationSchema>,
        context: ReplyContext,
        streamed: bool,
        limits: Limits,
    ) -> ReplyState {
        ReplyState {
            origin,
            schema,
            operation,
            context,
            reshape: None,
            gate: None,
            streamed,
            limits,
            fidelity: None,
            tells_fidelity: false,
            phase: Phase::Awaited,
            status: 0,
            quota: Quota::default(),
            tier: Tier::default(),
            usage: Usage::default(),
            seen: Seen::default(),
            heard_ms: 0,
            unheard: false,
        }
    }

    /// What the request's translation left behind.
    pub(super) fn set_hints(&mut self, hints: Hints, report: &Report, policy: OnUnsupported) {
        self.context.hints = hints;
        self.fidelity = (!report.is_empty()).then(|| fidelity(report));
        self.tells_fidelity = policy != OnUnsupported::Ignore;
    }

    /// What must be done to the reply because the request was degraded.
    pub(super) fn set_reshape(&mut self, reshape: Option<Reshape>) {
        self.reshape = reshape;
    }

    pub(super) fn on_headers(&mut self, head: &ResponseHead, now_ms: u64) -> Mutation {
        self.status = head.status;
        if !head.limits.is_empty() {
            self.quota = Quota::read(&head.limits, now_ms);
        }
        let tier = head.service_tier.as_deref();
        self.tier = tier.map_or(self.tier, Tier::named);
        let mut mutation = Mutation::pause();
        for name in head.names.iter().filter(|n| {
            is_withheld_from_client(n)
                || quota::is_normalised(n)
                || (self.origin.limited && is_of_limits(n))
        }) {
            mutation.remove(name.clone());
        }
        let compressed = head
            .content_encoding
            .as_deref()
            .is_some_and(|e| e != "identity");
        if compressed {
            mutation.remove("content-encoding");
        }
        let ok = (200..300).contains(&head.status);
        self.phase = if !ok {
            Phase::Error {
                status: head.status,
                retry_after: head.retry_after(),
            }
        } else {
            match self.stream_translator() {
                Some(translator) => Phase::Held {
                    translator,
                    read: 0,
                    out: Vec::new(),
                    started: false,
                },
                None => Phase::Buffered,
            }
        };
        if ok && compressed {
            let failure = malformed("the provider's reply is compressed, which was not asked for");
            // Its body has yet to come, and will be emptied.
            return Mutation {
                body: None,
                ..self.fail(failure, now_ms, mutation)
            };
        }
        if head.end_of_stream {
            self.on_empty(now_ms, mutation)
        } else if self.origin.hedged {
            self.take_by_head(now_ms, mutation)
        } else {
            mutation
        }
    }

    /// For a reply that comes as a stream.
    fn stream_translator(&mut self) -> Option<Box<dyn StreamTranslator>> {
        let context = || self.context.clone();
        match self.operation {
            _ if !self.streamed => None,
            None => {
                let translator = self.schema.translate_stream(context());
                Some(match self.reshape.take() {
                    Some(reshape) => reshape.stream(&self.context.id, translator),
                    None => translator,
                })
            }
            Some(operation) => operation.translate_stream(context()),
        }
    }

    fn translate_whole(&self, body: &[u8], out: &mut Vec<u8>) -> Result<Reply, Failure> {
        match self.operation {
            None => self.schema.translate_response(&self.context, body, out),
            Some(operation) => operation.translate_response(&self.context, body, out),
        }
    }

    fn set_stream_type(&self, mutation: &mut Mutation) {
        if !self.keeps_media_type() {
            mutation.set("content-type", "text/event-stream");
        }
    }

    fn keeps_media_type(&self) -> bool {
        self.operation.is_some_and(|o| o.keeps_media_type())
    }

    /// What grows beyond a limit is judged at once: its end may be beyond what Envoy buffers.
    pub(super) fn reads_from(&mut self, size: usize, end_of_stream: bool) -> Option<usize> {
        match &mut self.phase {
            Phase::Asking(arrived) => {
                arrived.grow(end_of_stream);
                let is_too_much = size as u64 > self.limits.held_stream_bytes;
                self.unread().filter(|_| is_too_much && size != usize::MAX)
            }
            Phase::Buffered if size as u64 > self.limits.reply_bytes => Some(0),
            Phase::Error { .. } if size > MAX_ERROR_BYTES => Some(0),
            Phase::Error { .. } | Phase::Buffered if !end_of_stream => None,
            Phase::Held { read, .. } => Some(*read),
            _ => Some(0),
        }
    }

    pub(super) fn on_body(&mut self, bytes: &[u8], end_of_stream: bool, now_ms: u64) -> Mutation {
        match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Asking(arrived) => {
                // More has come than is held for anybody.
                self.phase = Phase::Asking(arrived);
                let unanswered = (Outcome::Timeout, None);
                self.on_score(bytes, unanswered, now_ms).unwrap_or_default()
            }
            Phase::Error {
                status,
                retry_after,
            } => {
                let body = bytes.get(..MAX_ERROR_BYTES).unwrap_or(bytes);
                let error = ErrorReply {
                    status,
                    retry_after: retry_after.as_deref(),
                    body,
                    rules: &self.context.dialect.errors,
                };
                let failure = self.schema.read_error(&error);
                self.fail(failure, now_ms, Mutation::default())
            }
            Phase::Buffered if self.origin.hedged => self.whole_of_hedged(bytes, now_ms),
            Phase::Buffered => self.whole(bytes, now_ms),
            held @ Phase::Held { .. } => self.held(held, bytes, end_of_stream, now_ms),
            Phase::Committed { translator } => {
                self.committed(translator, bytes, end_of_stream, now_ms)
            }
            Phase::Awaited | Phase::Over => Mutation {
                body: Some(Vec::new()),
                ..Mutation::default()
            },
        }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    fn on_empty(&mut self, now_ms: u64, mutation: Mutation) -> Mutation {
        let verdict = self.on_body(b"", true, now_ms);
        // There is no body to replace, and none can be added to a reply that has none.
        Mutation {
            headers: mutation
                .headers
                .into_iter()
                .chain(verdict.headers)
                .collect(),
            body: None,
            ..verdict
        }
    }

    fn whole(&mut self, body: &[u8], now_ms: u64) -> Mutation {
        if body.is_empty() {
            let failure = Failure::new(Class::EmptyReply, "the provider's reply is empty");
            return self.fail(failure, now_ms, Mutation::default());
        }
        if body.len() as u64 > self.limits.reply_bytes {
            let usage = self.estimate_of_whole(body.len());
            return self.fail_charged(usage, too_large(), now_ms);
        }
        let mut out = Vec::with_capacity(body.len());
        let reply = match self.translate_whole(body, &mut out) {
            Ok(reply) => reply,
            Err(failure) => return self.fail(failure, now_ms, Mutation::default()),
        };
        if let Some(reshape) = self.reshape.take() {
            match self.reshape(&reshape, out) {
                Ok(reshaped) => out = reshaped,
                Err(failure) => return self.fail_charged(reply.usage, failure, now_ms),
            }
        }
        if out.len() as u64 > self.limits.reply_bytes {
            return self.fail_charged(reply.usage, too_large(), now_ms);
        }
        let is_changed = out != body;
        let whole = Arrived::Whole {
            reply,
            out,
            is_changed,
        };
        self.pass_gate(whole, now_ms)
    }

    fn deliver_whole(
        &mut self,
        reply: &Reply,
        out: Vec<u8>,
        is_changed: bool,
        now_ms: u64,
    ) -> Mutation {
        let mut mutation = Mutation::default();
        if !self.keeps_media_type() {
            mutation.set("content-type", "application/json");
        }
        mutation.set("content-length", out.len().to_string());
        self.commit_whole(reply, now_ms, &mut mutation);
        mutation.body = is_changed.then_some(out);
        mutation
    }

    /// Shapes a reply back. One that is not the JSON it should be is worth another candidate;
    /// when there is none, the client gets what there is, and is told.
    fn reshape(&mut self, reshape: &Reshape, body: Vec<u8>) -> Result<Vec<u8>, Failure> {
        let Whole { body, is_json } = reshape.whole(&self.context.id, body);
        if !is_json && !self.origin.is_last {
            let message = "the model did not answer with the JSON that it was asked for";
            return Err(Failure::new(Class::NotJson, message));
        }
        if !is_json {
            // That it was only asked for is a finding already.
            let fidelity = self.fidelity.get_or_insert_default();
            fidelity.push_str("; dropped response_format");
        }
        Ok(body)
    }
}

impl ResponseHead {
    /// In seconds: OpenAI and Azure also say it in milliseconds, and more closely.
    ///
    /// Source: openai-python, `_base_client.py`, `_parse_retry_after_header`, read 2026-11-21.
    fn retry_after(&self) -> Option<String> {
        let closely = self
            .retry_after_ms
            .as_deref()
            .and_then(|ms| ms.trim().parse::<f64>().ok());
        match closely {
            Some(ms) => Some((ms / 1000.0).to_string()),
            None => self.retry_after.clone(),
        }
    }
}

impl Origin {
    /// Whether a refusal leads on: not to those who are to be left alone, for nothing has failed.
    fn falls_back_on_refusal(&self) -> bool {
        self.fallback_on_refusal && !self.is_last
    }
}

fn malformed(message: &'static str) -> Failure {
    Failure::malformed(message)
}

fn too_large() -> Failure {
    Failure::new(Class::ReplyTooLarge, "the reply exceeds limits.reply")
}
