//! A reply in chunks: server-sent events, or one JSON array when nobody asked for events.

mod frames;

use super::response::{End, ReplyState, Sink};
use super::wire::Response;
use crate::failure::{Class, Failure};
use crate::framing::sse::EventTooLarge;
use crate::json::{self, RawValue};
use crate::schema::openai::{ChunkWriter, ReasoningDetail, ToolCallReply};
use crate::schema::{Progress, Reply, ReplyContext, StreamTranslator};
use crate::usage::Usage;
use frames::Frames;

/// Translates one streamed reply.
///
/// Content goes out as it comes; ends are held until the reply is over, because signatures
/// and usage may follow the chunk that names the reason.
pub(super) struct GeminiStream {
    frames: Frames,
    chunks: Chunks,
}

struct Chunks {
    state: ReplyState,
    writer: ChunkWriter,
    /// An event that could not be read: the stream goes on without it.
    has_skipped: bool,
}

impl GeminiStream {
    pub(super) fn new(context: ReplyContext) -> GeminiStream {
        GeminiStream {
            frames: Frames::default(),
            chunks: Chunks {
                state: ReplyState::new(&context),
                writer: ChunkWriter::new(&context),
                has_skipped: false,
            },
        }
    }
}

impl StreamTranslator for GeminiStream {
    fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<Progress, Failure> {
        let chunks = &mut self.chunks;
        self.frames
            .push(chunk, |data| chunks.read(data, out))
            .map_err(|broken| broken.0)?;
        Ok(chunks.progress())
    }

    fn finish(mut self: Box<Self>, out: &mut Vec<u8>) -> Result<Reply, Failure> {
        let chunks = &mut self.chunks;
        self.frames
            .finish(|data| chunks.read(data, out))
            .map_err(|broken| broken.0)?;
        self.chunks.finish(out)
    }

    fn usage(&self) -> Usage {
        self.chunks.state.usage()
    }
}

impl Chunks {
    fn read(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<(), Broken> {
        let Ok(response) = json::read::<Response<'_>>(data) else {
            self.has_skipped = true;
            return Ok(());
        };
        let mut sink = Written {
            writer: &mut self.writer,
            out,
        };
        self.state.absorb(response, &mut sink).map_err(Broken)
    }

    fn progress(&self) -> Progress {
        if self.state.has_started() || self.state.is_cut() {
            Progress::Started
        } else if self.state.is_refused() {
            Progress::Refused
        } else {
            Progress::Waiting
        }
    }

    fn finish(mut self, out: &mut Vec<u8>) -> Result<Reply, Failure> {
        if !self.state.has_ended() {
            return Err(self.cut());
        }
        let End {
            choices,
            metadata,
            reply,
        } = self.state.end()?;
        for choice in choices {
            if !choice.details.is_empty() {
                self.writer
                    .reasoning(choice.index, None, &choice.details, out);
            }
            if let Some(annotations) = &choice.annotations {
                self.writer.annotations(choice.index, annotations, out);
            }
            self.writer.finish(choice.index, choice.reason, out);
        }
        self.writer.provider_metadata(&metadata, out);
        self.writer.usage(&reply.usage, out);
        self.writer.done(out);
        Ok(reply)
    }

    fn cut(&self) -> Failure {
        if self.state.has_started() {
            Failure::new(Class::Reset, "the stream ended before the reply did")
        } else if self.has_skipped {
            Failure::malformed("the stream is not one of Gemini's")
        } else {
            Failure::new(Class::EmptyReply, "the stream has no content")
        }
    }
}

/// A failure, on its way out of the framing.
struct Broken(Failure);

impl From<EventTooLarge> for Broken {
    fn from(EventTooLarge: EventTooLarge) -> Broken {
        let message = "an event of the stream is larger than the limit";
        Broken(Failure::new(Class::ReplyTooLarge, message))
    }
}

/// Writes the pieces as chunks.
struct Written<'a> {
    writer: &'a mut ChunkWriter,
    out: &'a mut Vec<u8>,
}

impl Sink for Written<'_> {
    fn named(&mut self, id: Option<&str>, model: Option<&str>) {
        if let Some(id) = id {
            self.writer.set_id(id);
        }
        if let Some(model) = model {
            self.writer.set_model(model);
        }
    }

    fn text(&mut self, choice: usize, text: &str) {
        self.writer.content(choice, text, self.out);
    }

    fn thought(&mut self, choice: usize, text: Option<&str>, details: &[ReasoningDetail<'_>]) {
        self.writer.reasoning(choice, text, details, self.out);
    }

    fn call(&mut self, choice: usize, index: usize, call: ToolCallReply<'_>) {
        self.writer.tool_call(choice, index, &call, self.out);
    }

    fn logprobs(&mut self, choice: usize, logprobs: Box<RawValue>) {
        self.writer.logprobs(choice, &logprobs, self.out);
    }
}

#[cfg(test)]
mod tests;
