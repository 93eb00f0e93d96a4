//! The way back, whole or streamed.

use super::assembler::Assembler;
use super::completion::{Completion, StreamError};
use super::echo::Echo;
use crate::failure::Failure;
use crate::framing::sse::{Decoder, Event};
use crate::json;
use crate::surface::{SurfaceContext, SurfaceReply};

pub(super) struct ResponsesReply {
    is_streamed: bool,
    decoder: Decoder,
    stream: Stream,
}

struct Stream {
    assembler: Assembler,
    is_over: bool,
}

impl ResponsesReply {
    pub(super) fn new(context: &SurfaceContext, echo: Echo, is_streamed: bool) -> ResponsesReply {
        ResponsesReply {
            is_streamed,
            decoder: Decoder::default(),
            stream: Stream {
                assembler: Assembler::new(context, echo, is_streamed),
                is_over: false,
            },
        }
    }
}

impl SurfaceReply for ResponsesReply {
    fn is_streamed(&self) -> bool {
        self.is_streamed
    }

    fn whole(&mut self, chat: &[u8], out: &mut Vec<u8>) -> Result<(), Failure> {
        let malformed = |_| Failure::malformed("the reply is not a chat completion");
        let completion: Completion<'_> = json::read(chat).map_err(malformed)?;
        let assembler = &mut self.stream.assembler;
        assembler.read(completion, out);
        json::write(out, &assembler.whole());
        Ok(())
    }

    fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        let stream = &mut self.stream;
        let pushed: Result<(), Failure> = self.decoder.push(chunk, |event| {
            stream.event(event, out);
            Ok(())
        });
        stream.settle(pushed, out);
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        let stream = &mut self.stream;
        let finished: Result<(), Failure> = self.decoder.finish(|event| {
            stream.event(event, out);
            Ok(())
        });
        stream.settle(finished, out);
        stream.fail("server_error", "the stream stopped before its end", out);
    }
}

// === impl Stream ===

impl Stream {
    fn event(&mut self, event: Event<'_>, out: &mut Vec<u8>) {
        if self.is_over {
            return;
        }
        if event.data.trim_ascii() == b"[DONE]" {
            self.is_over = true;
            return self.assembler.end(out);
        }
        // One broken event in a healthy stream is skipped: the rest is still of use.
        let Ok(mut completion) = json::read::<Completion<'_>>(event.data) else {
            return;
        };
        match completion.error.take() {
            Some(error) => {
                let message = error.message.as_deref().unwrap_or("the provider failed");
                self.fail(code(&error), message, out);
            }
            None => self.assembler.read(completion, out),
        }
    }

    fn settle(&mut self, outcome: Result<(), Failure>, out: &mut Vec<u8>) {
        if let Err(failure) = outcome {
            self.fail("server_error", &failure.message, out);
        }
    }

    fn fail(&mut self, code: &'static str, message: &str, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.is_over, true) {
            self.assembler.fail(code, message, out);
        }
    }
}

/// A response knows few codes.
fn code(error: &StreamError<'_>) -> &'static str {
    match error.kind.as_deref() {
        Some("rate_limit_error" | "insufficient_quota") => "rate_limit_exceeded",
        Some("invalid_request_error") => "invalid_prompt",
        _ => "server_error",
    }
}
