//! The reply to a client that speaks another API than Chat Completions, on its way back.
//!
//! What comes here is a chat completion that an attempt has committed, never a failed attempt.

use super::final_error;
use super::mutation::{ImmediateResponse, Mutation};
use crate::failure::{Class, Failure};
use crate::schema::openai::OpenAi;
use crate::schema::{ErrorReply, Schema};
use crate::surface::{Surface, SurfaceReply};

/// One reply.
pub(super) struct Answer {
    surface: &'static dyn Surface,
    reply: Box<dyn SurfaceReply>,
    limit_bytes: u64,
    phase: Phase,
}

#[derive(Clone, Copy)]
enum Phase {
    /// Read as it comes.
    Streamed,
    /// A chat completion, held until it is whole.
    Whole,
    /// An upstream filter's own error, held until it is whole.
    Refused { status: u16 },
    /// Nothing more is to be told.
    Over,
}

impl Answer {
    /// `limit_bytes` bounds what is written into a held reply: Envoy cannot take more than it
    /// may buffer.
    pub(super) fn new(
        surface: &'static dyn Surface,
        reply: Box<dyn SurfaceReply>,
        limit_bytes: u64,
    ) -> Answer {
        Answer {
            surface,
            reply,
            limit_bytes,
            phase: Phase::Over,
        }
    }

    pub(super) fn on_headers(&mut self, status: u16, local: bool) -> Mutation {
        self.phase = match local {
            true => Phase::Refused { status },
            false if self.reply.is_streamed() => Phase::Streamed,
            false => Phase::Whole,
        };
        if !matches!(self.phase, Phase::Streamed) {
            return Mutation::pause();
        }
        let mut mutation = Mutation::default();
        mutation.remove("content-length");
        mutation
    }

    pub(super) fn reads(&self, end_of_stream: bool) -> bool {
        end_of_stream || matches!(self.phase, Phase::Streamed | Phase::Over)
    }

    pub(super) fn on_body(&mut self, bytes: &[u8], end_of_stream: bool) -> Mutation {
        let mut out = Vec::with_capacity(bytes.len());
        match self.phase {
            Phase::Streamed => {
                self.reply.push(bytes, &mut out);
                if end_of_stream {
                    self.phase = Phase::Over;
                    self.reply.finish(&mut out);
                }
                with_body(out)
            }
            Phase::Whole => {
                self.phase = Phase::Over;
                match self.whole(bytes, &mut out) {
                    Ok(()) => with_length(out),
                    Err(failure) => self.failed(failure),
                }
            }
            Phase::Refused { status } => {
                self.phase = Phase::Over;
                self.failed(OpenAi.read_error(&ErrorReply {
                    status,
                    retry_after: None,
                    body: bytes,
                    rules: &[],
                }))
            }
            Phase::Over => with_body(out),
        }
    }

    /// Translates a whole answer of our own.
    pub(super) fn translate(&mut self, response: &mut ImmediateResponse) -> Result<(), Failure> {
        let mut out = Vec::with_capacity(response.body.len());
        if self.reply.is_streamed() {
            self.reply.push(&response.body, &mut out);
            self.reply.finish(&mut out);
        } else {
            self.whole(&response.body, &mut out)?;
        }
        response.body = out;
        Ok(())
    }

    fn whole(&mut self, chat: &[u8], out: &mut Vec<u8>) -> Result<(), Failure> {
        self.reply.whole(chat, out)?;
        if out.len() as u64 > self.limit_bytes {
            let message = "the reply exceeds limits.reply";
            return Err(Failure::new(Class::ReplyTooLarge, message));
        }
        Ok(())
    }

    fn failed(&self, mut failure: Failure) -> Mutation {
        failure.status = final_error::status(&failure);
        let ImmediateResponse {
            status,
            headers,
            body,
        } = ImmediateResponse::error_of(Some(self.surface), &failure);
        let mut mutation = with_length(body);
        mutation.set(":status", status.to_string());
        for (name, value) in headers {
            mutation.set(name, value);
        }
        mutation
    }
}

fn with_body(body: Vec<u8>) -> Mutation {
    Mutation {
        body: Some(body),
        ..Mutation::default()
    }
}

fn with_length(body: Vec<u8>) -> Mutation {
    let length = body.len().to_string();
    let mut mutation = with_body(body);
    mutation.set("content-type", "application/json");
    mutation.set("content-length", length);
    mutation
}

#[cfg(test)]
mod tests;
