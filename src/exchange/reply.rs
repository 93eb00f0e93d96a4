//! One reply: held until it is known to be good, then committed; never both.

mod observing;

use super::final_error::{self, Noted};
use super::handoff::{self, ESCALATE, FAILED, RETRIABLE_STATUS};
use super::mutation::{Flow, Mutation};
use super::trail::{self, Entry};
use crate::adapt::{Reshape, Whole};
use crate::config::{Limits, OnUnsupported};
use crate::failure::{Class, Failure, Next};
use crate::fidelity::Report;
use crate::observed::Settings;
use crate::schema::openai::{ChunkWriter, write_error};
use crate::schema::{
    ErrorReply, Hints, OperationSchema, Progress, Reply, ReplyContext, Schema, StreamTranslator,
};
use crate::usage::Usage;

/// The largest error body that is read, in bytes; what follows says nothing more.
const MAX_ERROR_BYTES: usize = 64 * 1024;

/// The largest list of findings in a header, in bytes.
const MAX_FIDELITY_BYTES: usize = 2048;

/// The longest name of a model that a provider may answer with, in characters.
const MAX_MODEL_CHARS: usize = 200;

/// A reply's headers, as far as they matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResponseHead {
    /// HTTP status.
    pub status: u16,
    /// `retry-after`.
    pub retry_after: Option<String>,
    /// `content-encoding`.
    pub content_encoding: Option<String>,
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
    pub ejected: bool,
    pub fallback_on_refusal: bool,
    /// Whether nobody else is asked after it.
    pub is_last: bool,
    /// How targets are observed.
    pub settings: Settings,
    /// Attempts before this one.
    pub number: usize,
    /// Estimated tokens of the prompt.
    pub input_tokens: u64,
    /// Hash of the prompt's beginning; 0 when nobody wants to know.
    pub prefix: u64,
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
    },
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
    streamed: bool,
    limits: Limits,
    fidelity: Option<String>,
    tells_fidelity: bool,
    phase: Phase,
    status: u16,
    usage: Usage,
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
            streamed,
            limits,
            fidelity: None,
            tells_fidelity: false,
            phase: Phase::Awaited,
            status: 0,
            usage: Usage::default(),
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
        let mut mutation = Mutation::pause();
        for name in head
            .names
            .iter()
            .filter(|n| super::credentials::is_withheld_from_client(n))
        {
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
                retry_after: head.retry_after.clone(),
            }
        } else {
            match self.stream_translator() {
                Some(translator) => Phase::Held {
                    translator,
                    read: 0,
                    out: Vec::new(),
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

    pub(super) fn reads_from(&self, end_of_stream: bool) -> Option<usize> {
        match &self.phase {
            Phase::Error { .. } | Phase::Buffered if !end_of_stream => None,
            Phase::Held { read, .. } => Some(*read),
            _ => Some(0),
        }
    }

    pub(super) fn on_body(&mut self, bytes: &[u8], end_of_stream: bool, now_ms: u64) -> Mutation {
        match std::mem::replace(&mut self.phase, Phase::Over) {
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
            Phase::Buffered => self.whole(bytes, now_ms),
            Phase::Held {
                translator,
                read,
                out,
            } => self.held(translator, read, out, bytes, end_of_stream, now_ms),
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

    /// Tells of an attempt that never came to a verdict.
    pub(super) fn on_done(&mut self, connect_failed: bool, now_ms: u64) -> Mutation {
        let mut mutation = Mutation::default();
        match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Over => {}
            Phase::Committed { translator } => {
                self.store_usage(translator.usage(), &mut mutation);
                self.observe_end(None, Ok(()), &mut mutation);
            }
            // Its status says more than the way in which its body was lost.
            Phase::Error {
                status,
                retry_after,
            } => {
                let error = ErrorReply {
                    rules: &self.context.dialect.errors,
                    status,
                    retry_after: retry_after.as_deref(),
                    body: b"",
                };
                let failure = self.schema.read_error(&error);
                self.note(&failure, Some(status), now_ms, &mut mutation);
            }
            Phase::Awaited | Phase::Buffered | Phase::Held { .. } => {
                let class = self.unanswered(connect_failed, now_ms);
                let failure = Failure::new(class, unanswered_message(class));
                self.note(&failure, None, now_ms, &mut mutation);
            }
        }
        mutation
    }

    fn unanswered(&self, connect_failed: bool, now_ms: u64) -> Class {
        let elapsed = now_ms.saturating_sub(self.origin.started_ms);
        if self.origin.ejected {
            Class::Ejected
        } else if connect_failed {
            Class::ConnectFailure
        } else if elapsed.saturating_add(5) >= self.origin.per_try_ms {
            Class::Timeout
        } else {
            Class::Reset
        }
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
            return self.fail(too_large(), now_ms, Mutation::default());
        }
        let mut out = Vec::with_capacity(body.len());
        let reply = match self.translate_whole(body, &mut out) {
            Ok(reply) => reply,
            Err(failure) => return self.fail(failure, now_ms, Mutation::default()),
        };
        if let Some(reshape) = self.reshape.take() {
            match self.reshape(&reshape, out) {
                Ok(reshaped) => out = reshaped,
                Err(failure) => return self.fail(failure, now_ms, Mutation::default()),
            }
        }
        if out.len() as u64 > self.limits.reply_bytes {
            return self.fail(too_large(), now_ms, Mutation::default());
        }
        let mut mutation = Mutation::default();
        if !self.keeps_media_type() {
            mutation.set("content-type", "application/json");
        }
        mutation.set("content-length", out.len().to_string());
        self.commit(&reply.model, reply.refused, now_ms, &mut mutation);
        self.store_usage(reply.usage, &mut mutation);
        self.observe_whole(now_ms, &mut mutation);
        mutation.body = (out != body).then_some(out);
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

    fn held(
        &mut self,
        mut translator: Box<dyn StreamTranslator>,
        read: usize,
        mut out: Vec<u8>,
        bytes: &[u8],
        end_of_stream: bool,
        now_ms: u64,
    ) -> Mutation {
        let progress = match translator.push(bytes, &mut out) {
            Ok(progress) => progress,
            Err(failure) => return self.fail(failure, now_ms, Mutation::default()),
        };
        let read = read.saturating_add(bytes.len());
        if end_of_stream {
            // Nothing has reached the client: a stream that stopped short fails as a whole.
            return match translator.finish(&mut out) {
                Ok(reply) => self.release(out, &reply, now_ms),
                Err(failure) => self.fail(failure, now_ms, Mutation::default()),
            };
        }
        let held_too_much = read as u64 > self.limits.held_stream_bytes;
        if progress == Progress::Started || held_too_much {
            let mut mutation = Mutation::default();
            self.set_stream_type(&mut mutation);
            self.commit(&self.context.model.clone(), false, now_ms, &mut mutation);
            self.store_usage(translator.usage(), &mut mutation);
            self.observe_first(now_ms, &mut mutation);
            self.phase = Phase::Committed { translator };
            mutation.body = Some(out);
            return mutation;
        }
        self.phase = Phase::Held {
            translator,
            read,
            out,
        };
        Mutation::pause()
    }

    /// A stream that came whole before it was released.
    fn release(&mut self, out: Vec<u8>, reply: &Reply, now_ms: u64) -> Mutation {
        let mut mutation = Mutation::default();
        self.set_stream_type(&mut mutation);
        self.commit(&reply.model, reply.refused, now_ms, &mut mutation);
        self.store_usage(reply.usage, &mut mutation);
        self.observe_whole(now_ms, &mut mutation);
        mutation.body = Some(out);
        mutation
    }

    fn committed(
        &mut self,
        mut translator: Box<dyn StreamTranslator>,
        bytes: &[u8],
        end_of_stream: bool,
        now_ms: u64,
    ) -> Mutation {
        let mut mutation = Mutation::default();
        let mut out = Vec::with_capacity(bytes.len());
        let pushed = translator.push(bytes, &mut out);
        self.store_usage(translator.usage(), &mut mutation);
        match pushed {
            Err(failure) => self.break_stream(&failure, &mut out, &mut mutation),
            Ok(_) if end_of_stream => match translator.finish(&mut out) {
                Ok(reply) => {
                    self.store_usage(reply.usage, &mut mutation);
                    self.observe_end(Some(now_ms), Ok(()), &mut mutation);
                }
                Err(failure) => self.break_stream(&failure, &mut out, &mut mutation),
            },
            Ok(_) => self.phase = Phase::Committed { translator },
        }
        mutation.body = Some(out);
        mutation
    }

    /// After the commit a failure is told, not hidden: one error event and no `[DONE]`.
    fn break_stream(&self, failure: &Failure, out: &mut Vec<u8>, mutation: &mut Mutation) {
        ChunkWriter::error(failure, out);
        let broken = format!("{};broken={}", self.origin.trail, failure.class.as_str());
        mutation.store(handoff::TRAIL, broken);
        self.observe_end(None, Err(failure.class), mutation);
    }

    fn commit(&mut self, model: &str, refused: bool, now_ms: u64, mutation: &mut Mutation) {
        let class = refused.then_some(Class::ContentFilter);
        self.append_trail(class, Some(self.status), now_ms, mutation);
        mutation.store(handoff::PROVIDER, self.origin.provider.as_bytes());
        // The name is the provider's own word: it goes into a header and a log.
        let model = trail::token(&model.chars().take(MAX_MODEL_CHARS).collect::<String>());
        mutation.store(handoff::RESPONSE_MODEL, model.as_bytes());
        let answered_by = format!("{}/{model}", self.origin.provider);
        mutation.set(handoff::ANSWERED_BY, answered_by);
        mutation.set(handoff::ATTEMPTS, self.origin.trail.clone());
        if let Some(fidelity) = &self.fidelity {
            mutation.store(handoff::FIDELITY, fidelity.as_bytes());
            if self.tells_fidelity {
                mutation.set(handoff::FIDELITY_HEADER, fidelity.clone());
            }
        }
        if refused && self.origin.fallback_on_refusal {
            mutation.set(ESCALATE, "1");
        }
        self.phase = Phase::Over;
    }

    /// Turns the reply into a failed attempt that Envoy retries, or into the client's error.
    fn fail(&mut self, failure: Failure, now_ms: u64, mut mutation: Mutation) -> Mutation {
        self.phase = Phase::Over;
        mutation.flow = Flow::Continue;
        match signal(failure.class, self.origin.fallback_on_refusal) {
            Signal::ProviderFailed => mutation.set(":status", RETRIABLE_STATUS.to_string()),
            Signal::Escalate => {
                mutation.set(":status", failure.status.to_string());
                mutation.set(ESCALATE, "1");
            }
            Signal::Final => mutation.set(":status", final_error::status(&failure).to_string()),
        }
        mutation.set(FAILED, "1");
        mutation.set("content-type", "application/json");
        let status = (self.status != 0).then_some(self.status);
        mutation.warning = self.warning(failure.class);
        self.note(&failure, status, now_ms, &mut mutation);
        let mut body = Vec::new();
        write_error(&failure, &mut body);
        mutation.body = Some(body);
        mutation
    }

    /// What only the operator can mend.
    fn warning(&self, class: Class) -> Option<String> {
        let what = match class {
            Class::Authentication => "refuses its key",
            Class::QuotaExhausted => "has no quota left",
            Class::ModelNotFound => "does not know this model",
            Class::MalformedReply => "does not follow its own schema",
            _ => return None,
        };
        let Origin {
            provider, model, ..
        } = &self.origin;
        Some(format!(
            "provider {provider} {what} (model {model}, status {})",
            self.status
        ))
    }

    /// Writes a failure into the trail, and keeps it if it is the most useful so far.
    fn note(
        &mut self,
        failure: &Failure,
        status: Option<u16>,
        now_ms: u64,
        mutation: &mut Mutation,
    ) {
        self.append_trail(Some(failure.class), status, now_ms, mutation);
        self.observe_failure(failure, now_ms, mutation);
        let noted = Noted::new(failure, &self.origin.provider, &self.origin.model);
        if noted.is_more_useful_than(&self.origin.failure) {
            mutation.store(handoff::FAILURE, noted.encode());
        }
    }

    fn append_trail(
        &mut self,
        class: Option<Class>,
        status: Option<u16>,
        now_ms: u64,
        mutation: &mut Mutation,
    ) {
        let entry = Entry {
            provider: &self.origin.provider,
            model: &self.origin.model,
            class,
            status,
            elapsed_ms: now_ms.saturating_sub(self.origin.started_ms),
        };
        self.origin.trail = trail::append(&self.origin.trail, &entry);
        mutation.store(handoff::TRAIL, self.origin.trail.as_bytes());
    }

    fn store_usage(&mut self, usage: Usage, mutation: &mut Mutation) {
        if usage == self.usage {
            return;
        }
        self.usage = usage;
        let counts = [
            (handoff::INPUT_TOKENS, usage.input_tokens),
            (handoff::OUTPUT_TOKENS, usage.output_tokens),
            (handoff::CACHED_TOKENS, usage.cached_input_tokens),
            (handoff::REASONING_TOKENS, usage.reasoning_tokens),
        ];
        for (key, tokens) in counts {
            mutation.store(key, tokens.to_string());
        }
    }
}

/// How a failure is told to Envoy.
enum Signal {
    /// By a retriable status, which outlier detection counts too.
    ProviderFailed,
    /// By the retriable header: the provider is healthy, the answer is not of use.
    Escalate,
    /// Not at all.
    Final,
}

fn signal(class: Class, fallback_on_refusal: bool) -> Signal {
    match class.next() {
        Next::Never => Signal::Final,
        Next::NextIfRefusalAllowed if fallback_on_refusal => Signal::Escalate,
        Next::NextIfRefusalAllowed => Signal::Final,
        Next::NextCandidate => match class {
            Class::ModelNotFound | Class::ContextLengthExceeded | Class::NotJson => {
                Signal::Escalate
            }
            _ => Signal::ProviderFailed,
        },
    }
}

fn malformed(message: &'static str) -> Failure {
    Failure::new(Class::MalformedReply, message)
}

fn too_large() -> Failure {
    Failure::new(Class::ReplyTooLarge, "the reply exceeds limits.reply")
}

fn unanswered_message(class: Class) -> &'static str {
    match class {
        Class::Ejected => "the provider is out of service after repeated failures",
        Class::ConnectFailure => "no connection to the provider could be made",
        Class::Timeout => "the provider did not answer in time",
        _ => "the connection to the provider broke before it answered",
    }
}

/// The findings in one line of bounded length; parameter names may be the client's own.
fn fidelity(report: &Report) -> String {
    let visible = |c: char| if (' '..='~').contains(&c) { c } else { '?' };
    report
        .to_string()
        .chars()
        .map(visible)
        .take(MAX_FIDELITY_BYTES)
        .collect()
}
