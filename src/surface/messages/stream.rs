//! A chat completion stream to Anthropic's events.

use std::borrow::Cow;

use serde::Serialize;

use super::calls::Calls;
use super::completion::{ChatChoice, ChatDelta, ChatReply, OwnMetadata, ReplyDetail};
use super::error;
use super::event::{Delta, StreamEvent, no_input, write};
use super::message::{ContentBlock, Message, MessageUsage, Stop, message_id};
use super::reasoning::{CALL_SIGNATURE, seal};
use super::reply::tool_id;
use crate::failure::{Class, Failure};
use crate::framing::sse::{Decoder, Event, EventTooLarge};
use crate::json::{self, Raw, RawValue};
use crate::usage::Usage;

/// Translates one stream.
pub(super) struct Stream {
    decoder: Decoder,
    comments: Comments,
    state: State,
}

struct State {
    exchange: String,
    id: Option<String>,
    model: String,
    has_started: bool,
    is_over: bool,
    /// How many blocks have started.
    blocks: usize,
    open: Option<Open>,
    calls: Calls,
    refusal: String,
    finish_reason: Option<String>,
    metadata: Option<Box<RawValue>>,
    usage: Usage,
}

/// The block that grows.
#[derive(Debug, PartialEq, Eq)]
enum Open {
    Text,
    Thinking {
        has_text: bool,
    },
    /// A call, by its position among the calls.
    ToolUse(usize),
}

/// The provider's event is beyond every limit.
struct Broken;

impl From<EventTooLarge> for Broken {
    fn from(_: EventTooLarge) -> Broken {
        Broken
    }
}

// === impl Stream ===

impl Stream {
    pub(super) fn new(exchange: &str) -> Stream {
        Stream {
            decoder: Decoder::default(),
            comments: Comments::default(),
            state: State {
                exchange: exchange.to_owned(),
                id: None,
                model: String::new(),
                has_started: false,
                is_over: false,
                blocks: 0,
                open: None,
                calls: Calls::default(),
                refusal: String::new(),
                finish_reason: None,
                metadata: None,
                usage: Usage::default(),
            },
        }
    }

    pub(super) fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        let Stream {
            decoder,
            comments,
            state,
        } = self;
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            let read = decoder.push(piece, |event| state.event(event, out));
            if let Err(Broken) = read {
                state.fail(&too_large(), out);
            }
            if comments.ends_one(piece) {
                state.ping(out);
            }
        }
    }

    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        let Stream { decoder, state, .. } = self;
        let _: Result<(), Broken> = decoder.finish(|event| state.event(event, out));
        let message = "the reply ended before it was whole";
        state.fail(&Failure::new(Class::Reset, message), out);
    }
}

fn too_large() -> Failure {
    let message = "an event of the reply is too large";
    Failure::new(Class::ReplyTooLarge, message)
}

/// Finds comments, which the decoder skips: they say that the provider is alive.
#[derive(Default)]
struct Comments {
    is_within_line: bool,
    is_comment: bool,
}

impl Comments {
    /// Takes a line or a piece of one; whether a comment ends with it.
    fn ends_one(&mut self, piece: &[u8]) -> bool {
        if !self.is_within_line {
            self.is_comment = piece.starts_with(b":");
        }
        self.is_within_line = !piece.ends_with(b"\n");
        self.is_comment && !self.is_within_line
    }
}

// === impl State ===

impl State {
    fn event(&mut self, event: Event<'_>, out: &mut Vec<u8>) -> Result<(), Broken> {
        if self.is_over {
            return Ok(());
        }
        if event.data.trim_ascii() == b"[DONE]" {
            self.end(out);
            return Ok(());
        }
        // One broken event in a healthy stream is skipped: the rest is still of use.
        let Ok(reply) = json::read::<ChatReply<'_>>(event.data) else {
            return Ok(());
        };
        if reply.error.is_some() {
            self.fail(&error::read_event(event.data), out);
            return Ok(());
        }
        self.reply(reply, out);
        Ok(())
    }

    fn reply(&mut self, reply: ChatReply<'_>, out: &mut Vec<u8>) {
        let ChatReply {
            id,
            model,
            choices,
            usage,
            error: _, // read by the caller
            provider_metadata,
            extra: _, // what OpenAI tells of its own service
        } = reply;
        if !self.has_started {
            self.id = id.map(|id| id.to_string()).or(self.id.take());
            self.model = model.map_or_else(|| std::mem::take(&mut self.model), |m| m.to_string());
        }
        if let Some(usage) = &usage {
            self.usage = Usage::from(usage);
        }
        if let Some(own) = provider_metadata.and_then(|metadata| metadata.anthropic) {
            self.keep(&own);
        }
        // Servers send their first chunk without a choice, for remarks on the prompt.
        if let Some(choice) = choices.unwrap_or_default().into_iter().next() {
            self.start(out);
            self.choice(choice, out);
        }
    }

    /// Anthropic's own fields come once, just before the end.
    fn keep(&mut self, metadata: &OwnMetadata<'_>) {
        let json = json::to_string(&Kept {
            stop_reason: metadata.stop_reason.as_deref(),
            stop_sequence: metadata.stop_sequence,
            stop_details: metadata.stop_details,
            container: metadata.container,
            server_tool_use: metadata.server_tool_use,
        });
        self.metadata = RawValue::from_string(json).ok();
    }

    fn choice(&mut self, choice: ChatChoice<'_>, out: &mut Vec<u8>) {
        let ChatChoice {
            message: _, // only in whole replies
            delta,
            finish_reason,
            extra: _, // log probabilities
        } = choice;
        let mut delta = delta.unwrap_or_default();
        self.reasoning(&mut delta, out);
        self.text(&delta.text(), out);
        if self.open == Some(Open::Text) {
            for citation in delta.citations() {
                self.delta(Delta::Citations { citation }, out);
            }
        }
        self.refusal
            .push_str(delta.refusal.as_deref().unwrap_or_default());
        for fragment in delta.tool_calls.unwrap_or_default() {
            self.calls.take(&fragment);
            self.calls(out);
        }
        if let Some(reason) = finish_reason {
            self.finish_reason = Some(reason.to_string());
        }
    }

    fn reasoning(&mut self, delta: &mut ChatDelta<'_>, out: &mut Vec<u8>) {
        let text = delta.reasoning();
        self.think(&text, out);
        for detail in delta.reasoning_details.take().unwrap_or_default() {
            self.detail(detail, !text.is_empty(), out);
        }
    }

    fn think(&mut self, text: &str, out: &mut Vec<u8>) {
        if text.is_empty() {
            return;
        }
        if !matches!(self.open, Some(Open::Thinking { .. })) {
            self.open_thinking(out);
        }
        self.open = Some(Open::Thinking { has_text: true });
        self.delta(Delta::Thinking { thinking: text }, out);
    }

    fn open_thinking(&mut self, out: &mut Vec<u8>) {
        let block = ContentBlock::Thinking {
            thinking: Cow::Borrowed(""),
            signature: String::new(),
        };
        self.open_block(Open::Thinking { has_text: false }, block, out);
    }

    /// A detail repeats text that came before it, as a whole or piece by piece.
    fn detail(&mut self, detail: ReplyDetail<'_>, is_repeated: bool, out: &mut Vec<u8>) {
        let ReplyDetail {
            kind,
            text,
            signature,
            data,
            format,
            extra: _, // the position: the order says it
        } = detail;
        match kind.as_deref() {
            Some("reasoning.text") => {
                let is_known = is_repeated || self.open == Some(Open::Thinking { has_text: true });
                if !is_known {
                    self.think(text.as_deref().unwrap_or_default(), out);
                }
                let signature = signature.filter(|signature| !signature.is_empty());
                if let Some(signature) = signature {
                    self.sign(seal(format.as_deref(), &signature), out);
                }
            }
            Some("reasoning.encrypted") => {
                let data = seal(format.as_deref(), data.as_deref().unwrap_or_default());
                self.redacted(data, out);
            }
            _ => {}
        }
    }

    fn sign(&mut self, signature: String, out: &mut Vec<u8>) {
        if !matches!(self.open, Some(Open::Thinking { .. })) {
            self.open_thinking(out);
        }
        self.delta(Delta::Signature { signature }, out);
        self.close(out);
    }

    fn redacted(&mut self, data: String, out: &mut Vec<u8>) {
        self.close(out);
        self.start_block(ContentBlock::RedactedThinking { data }, out);
        self.stop_block(out);
    }

    fn text(&mut self, text: &str, out: &mut Vec<u8>) {
        if text.is_empty() {
            return;
        }
        if self.open != Some(Open::Text) {
            let block = ContentBlock::Text {
                text: Cow::Borrowed(""),
                citations: Vec::new(),
            };
            self.open_block(Open::Text, block, out);
        }
        self.delta(Delta::Text { text }, out);
    }

    /// Writes what can be written of the calls: one after the other, though some providers
    /// write several at a time.
    fn calls(&mut self, out: &mut Vec<u8>) {
        self.flush_open_call(out);
        // Only when a call waits: to look whether another is whole costs its length.
        while let Some(at) = self.calls.next()
            && self.may_start_call()
        {
            self.start_call(at, out);
        }
    }

    /// Whether no call is in the middle of its arguments.
    fn may_start_call(&self) -> bool {
        match self.open {
            Some(Open::ToolUse(at)) => self.calls.is_whole(at),
            _ => true,
        }
    }

    fn start_call(&mut self, at: usize, out: &mut Vec<u8>) {
        let Some(start) = self.calls.start(at) else {
            return;
        };
        if !start.signature.is_empty() {
            self.redacted(seal(Some(CALL_SIGNATURE), &start.signature), out);
        }
        let id = match start.id.is_empty() {
            true => tool_id(&self.exchange, at),
            false => start.id,
        };
        let block = ContentBlock::ToolUse {
            id: id.into(),
            name: start.name.into(),
            input: no_input(),
        };
        self.open_block(Open::ToolUse(at), block, out);
        self.flush_open_call(out);
    }

    fn flush_open_call(&mut self, out: &mut Vec<u8>) {
        let Some(Open::ToolUse(at)) = self.open else {
            return;
        };
        let arguments = self.calls.flush(at);
        if !arguments.is_empty() {
            let partial_json = &arguments;
            self.delta(Delta::InputJson { partial_json }, out);
        }
    }

    /// The calls that had to wait for another one's end.
    fn last_calls(&mut self, out: &mut Vec<u8>) {
        while let Some(at) = self.calls.next() {
            self.start_call(at, out);
        }
    }

    fn open_block(&mut self, open: Open, block: ContentBlock<'_>, out: &mut Vec<u8>) {
        self.close(out);
        self.start_block(block, out);
        self.open = Some(open);
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        if self.open.take().is_some() {
            self.stop_block(out);
        }
    }

    fn start_block(&mut self, content_block: ContentBlock<'_>, out: &mut Vec<u8>) {
        let index = self.blocks;
        self.blocks += 1;
        let event = StreamEvent::ContentBlockStart {
            index,
            content_block,
        };
        write(event, out);
    }

    fn stop_block(&mut self, out: &mut Vec<u8>) {
        let index = self.index();
        write(StreamEvent::ContentBlockStop { index }, out);
    }

    fn delta(&mut self, delta: Delta<'_>, out: &mut Vec<u8>) {
        let index = self.index();
        write(StreamEvent::ContentBlockDelta { index, delta }, out);
    }

    /// The index of the latest block.
    fn index(&self) -> usize {
        self.blocks.saturating_sub(1)
    }

    fn start(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.has_started, true) {
            return;
        }
        let message = Message {
            id: &message_id(self.id.as_deref(), &self.exchange),
            r#type: "message",
            role: "assistant",
            model: &self.model,
            content: Vec::new(),
            stop: Stop::default(),
            usage: MessageUsage::default(),
        };
        write(StreamEvent::MessageStart { message }, out);
    }

    fn ping(&self, out: &mut Vec<u8>) {
        if self.has_started && !self.is_over {
            write(StreamEvent::Ping {}, out);
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.start(out);
        let kept = self.metadata.take();
        let metadata: OwnMetadata<'_> = kept.as_deref().and_then(json::parse).unwrap_or_default();
        let refusal = std::mem::take(&mut self.refusal);
        if metadata.stop_details.is_none() {
            self.text(&refusal, out);
        }
        self.last_calls(out);
        self.close(out);
        let server_tool_use = metadata.server_tool_use.map(Cow::Borrowed);
        let usage = MessageUsage::new(self.usage, server_tool_use);
        let has_calls = !self.calls.is_empty();
        let delta = Stop::new(self.finish_reason.as_deref(), has_calls, &refusal, metadata);
        write(StreamEvent::MessageDelta { delta, usage }, out);
        write(StreamEvent::MessageStop {}, out);
        self.is_over = true;
    }

    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.is_over, true) {
            error::write_event(failure, out);
        }
    }
}

/// [`OwnMetadata`], kept until the end.
#[derive(Serialize)]
struct Kept<'a> {
    stop_reason: Option<&'a str>,
    stop_sequence: Option<Raw<'a>>,
    stop_details: Option<Raw<'a>>,
    container: Option<Raw<'a>>,
    server_tool_use: Option<Raw<'a>>,
}
