//! OpenAI's legacy Completions API, for clients: one prompt in, a continuation out.
//!
//! Every provider answers it, because the prompt becomes a user's message. What a chat cannot
//! do (tokens, several prompts, text after the gap) is refused by name.
//!
//! Source: OpenAI API reference, "Completions", and the types of the official SDK 3.52, read
//! 2026-11-21.

mod logprobs;
mod reply;
mod request;

use super::{Surface, SurfaceContext, SurfaceReply};
use crate::failure::Failure;
use crate::fidelity::Report;
use crate::inspect::InvalidRequest;
use crate::schema::openai;

/// The surface.
pub struct Completions;

impl Surface for Completions {
    fn name(&self) -> &'static str {
        "completions"
    }

    fn path(&self) -> &'static str {
        "/completions"
    }

    fn open(
        &self,
        body: &[u8],
        context: &SurfaceContext,
        chat: &mut Vec<u8>,
        report: &mut Report,
    ) -> Result<Box<dyn SurfaceReply>, InvalidRequest> {
        let opened = request::open(body, chat, report)?;
        Ok(Box::new(reply::Reply::new(context, opened)))
    }

    /// The error body is the same in all of OpenAI's APIs.
    fn write_error(&self, failure: &Failure, out: &mut Vec<u8>) {
        openai::write_error(failure, out);
    }
}
