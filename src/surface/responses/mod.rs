//! OpenAI's Responses API, for clients. Nothing is stored: `store` is always false, and whatever
//! needs a server's memory or OpenAI's own tools is refused by name.
//!
//! Source: OpenAI API reference, "Responses" and "Streaming events", and the types of the
//! official SDK 3.52, read 2026-11-21.

mod assembler;
mod chat;
mod echo;
mod event;
mod expect;
mod input;
mod output;
mod reasoning;
mod reply;
mod request;
mod response;
mod tools;
mod wire;

use super::completion;
use super::{Surface, SurfaceContext, SurfaceReply};
use crate::failure::Failure;
use crate::fidelity::Report;
use crate::inspect::InvalidRequest;
use crate::schema::openai;

/// The surface.
pub struct Responses;

impl Surface for Responses {
    fn name(&self) -> &'static str {
        "responses"
    }

    fn path(&self) -> &'static str {
        "/responses"
    }

    fn open(
        &self,
        body: &[u8],
        context: &SurfaceContext,
        chat: &mut Vec<u8>,
        report: &mut Report,
    ) -> Result<Box<dyn SurfaceReply>, InvalidRequest> {
        let opened = request::open(body, chat, report)?;
        Ok(Box::new(reply::ResponsesReply::new(
            context,
            opened.echo,
            opened.is_streamed,
        )))
    }

    /// The error body is the same in all of OpenAI's APIs.
    fn write_error(&self, failure: &Failure, out: &mut Vec<u8>) {
        openai::write_error(failure, out);
    }
}

#[cfg(test)]
mod tests;
