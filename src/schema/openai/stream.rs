//! A streamed reply of an OpenAI-compatible provider: events pass, the gateway reads along.

use std::sync::Arc;

use crate::failure::{Class, Failure};
use crate::framing::sse::{Decoder, Event, EventTooLarge};
use crate::json::{self, Text};
use crate::schema::{Progress, Reply, ReplyContext, StreamTranslator};
use crate::usage::Usage;

use super::chunk::ChunkWriter;
use super::normalize::{normalize, with_deltas};
use super::provider_error::{find_error, read_error_body};
use super::wire::{ReplyBody, read_usage, tier};

/// Passes events on as they are, but for a usage chunk that the client did not ask for.
pub(super) struct PassThrough {
    decoder: Decoder,
    state: State,
}

struct State {
    context: ReplyContext,
    reply: Reply,
    meaningful: bool,
    refusing: bool,
    finished: bool,
    done: bool,
    /// A chunk with nothing but usage has come.
    usage_written: bool,
    /// The context's id is the stream's own.
    id_noted: bool,
}

impl PassThrough {
    pub(super) fn new(context: ReplyContext) -> PassThrough {
        let reply = Reply {
            model: context.model.clone(),
            ..Reply::default()
        };
        let state = State {
            context,
            reply,
            meaningful: false,
            refusing: false,
            finished: false,
            done: false,
            usage_written: false,
            id_noted: false,
        };
        PassThrough {
            decoder: Decoder::default(),
            state,
        }
    }
}

impl StreamTranslator for PassThrough {
    fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<Progress, Failure> {
        let state = &mut self.state;
        self.decoder.push(chunk, |event| state.event(event, out))?;
        Ok(state.progress())
    }

    fn finish(mut self: Box<Self>, out: &mut Vec<u8>) -> Result<Reply, Failure> {
        let state = &mut self.state;
        self.decoder.finish(|event| state.event(event, out))?;
        state.end(out)?;
        Ok(self.state.reply)
    }

    fn usage(&self) -> Usage {
        self.state.reply.usage
    }
}

// === impl State ===

impl State {
    fn progress(&self) -> Progress {
        match (self.meaningful, self.refusing) {
            (true, _) => Progress::Started,
            (false, true) => Progress::Refused,
            (false, false) => Progress::Waiting,
        }
    }

    fn event(&mut self, event: Event<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
        if event.data.trim_ascii() == b"[DONE]" {
            self.done = true;
            self.write_missing_usage(out);
            write_event(event, out);
            return Ok(());
        }
        let dialect = Arc::clone(&self.context.dialect);
        if event.name == "error" {
            return Err(read_error_body(event.data, None, &dialect.errors));
        }
        let data = normalize(&dialect, event.data);
        // One broken event in a healthy stream is skipped: the rest is still of use.
        let Ok(body) = json::read::<ReplyBody<'_>>(&data) else {
            return Ok(());
        };
        if let Some(failure) = find_error(&body, &data, &dialect.errors) {
            return Err(failure);
        }
        let choices = body.choices.as_deref().unwrap_or_default();
        let lacks_delta = choices.iter().any(|choice| choice.delta.is_none());
        let completed = lacks_delta.then(|| with_deltas(&data)).flatten();
        let event = Event {
            name: event.name,
            data: completed.as_deref().unwrap_or(&data),
        };
        if self.read(&body) {
            write_event(event, out);
        }
        Ok(())
    }

    /// Takes note of a chunk; whether the client shall see it.
    fn read(&mut self, body: &ReplyBody<'_>) -> bool {
        if let Some(model) = body.model.as_ref().filter(|m| !m.is_empty()) {
            model.as_str().clone_into(&mut self.reply.model);
        }
        if let Some(usage) = body.usage.and_then(read_usage) {
            self.reply.usage = Usage {
                tier: body.service_tier.map_or(usage.tier, tier),
                ..usage
            };
        }
        let choices = body.choices.as_deref().unwrap_or_default();
        for choice in choices {
            self.refusing |= choice.is_refused();
            self.finished |= choice.finish_reason.is_some();
            self.meaningful |= choice.is_meaningful();
        }
        self.meaningful |= self.finished && !self.refusing;
        self.reply.refused = self.refusing && !self.meaningful;
        let only_usage = choices.is_empty() && body.usage.is_some();
        self.usage_written |= only_usage;
        self.note_identity(body);
        !only_usage || self.context.include_usage
    }

    /// Events of one reply share their id, and when it was made.
    fn note_identity(&mut self, body: &ReplyBody<'_>) {
        if self.id_noted {
            return;
        }
        let of = |wanted: &str| body.extra.iter().find(|(name, _)| *name == wanted);
        if let Some(id) = of("id").and_then(|(_, id)| json::parse::<Text<'_>>(id))
            && !id.is_empty()
        {
            id.as_str().clone_into(&mut self.context.id);
            self.id_noted = true;
            let created = of("created").and_then(|(_, created)| json::parse(created));
            self.context.created = created.unwrap_or(self.context.created);
        }
    }

    /// A speaker without `stream_options` tells its usage elsewhere; who asked for a usage
    /// chunk gets one.
    fn write_missing_usage(&mut self, out: &mut Vec<u8>) {
        let wanted = self.context.include_usage && !self.context.dialect.stream_options;
        if wanted && !self.usage_written && self.reply.usage.is_known() {
            let mut writer = ChunkWriter::new(&self.context);
            writer.set_model(&self.reply.model);
            writer.usage(&self.reply.usage, out);
            self.usage_written = true;
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) -> Result<(), Failure> {
        match (self.done || self.finished, self.meaningful || self.refusing) {
            (true, true) => {
                if !self.done {
                    self.write_missing_usage(out);
                    out.extend_from_slice(b"data: [DONE]\n\n");
                }
                Ok(())
            }
            (_, false) => Err(Failure::new(
                Class::EmptyReply,
                "the provider's stream was empty",
            )),
            (false, true) => Err(Failure::new(
                Class::Reset,
                "the provider's stream stopped before its end",
            )),
        }
    }
}

fn write_event(event: Event<'_>, out: &mut Vec<u8>) {
    if !event.name.is_empty() {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(event.name.as_bytes());
        out.push(b'\n');
    }
    for line in event.data.split(|&b| b == b'\n') {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    out.push(b'\n');
}

impl From<EventTooLarge> for Failure {
    fn from(_: EventTooLarge) -> Failure {
        Failure::new(
            Class::MalformedReply,
            "an event of the provider's stream is too large",
        )
    }
}
