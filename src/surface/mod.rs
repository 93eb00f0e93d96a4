//! Surfaces: what clients may speak besides Chat Completions.
//!
//! A surface is the mirror of a schema: it maps a client's request to a chat completion request
//! once, before the plan is made, and the chat completion reply back to what the client expects.
//! Providers and failover never see it.

mod completion;
mod completions;
mod messages;
mod responses;

use crate::failure::Failure;
use crate::fidelity::Report;
use crate::inspect::InvalidRequest;

/// One API that clients speak. Implementations are stateless unit structs; the state of an
/// exchange lives in its [`SurfaceReply`].
pub trait Surface: Sync {
    /// The name in logs.
    fn name(&self) -> &'static str;

    /// The path after the configuration's base path, such as `/responses`.
    fn path(&self) -> &'static str;

    /// Writes the chat completion request that says the same, and starts the reply.
    ///
    /// What cannot be said in a chat completion is refused by name, or goes into `report`, whose
    /// parameters are this API's own; nothing is dropped silently.
    fn open(
        &self,
        body: &[u8],
        context: &SurfaceContext,
        chat: &mut Vec<u8>,
        report: &mut Report,
    ) -> Result<Box<dyn SurfaceReply>, InvalidRequest>;

    /// Appends the error body of this API.
    fn write_error(&self, failure: &Failure, out: &mut Vec<u8>);
}

/// The way back. One of [`SurfaceReply::whole`] or [`SurfaceReply::push`] and
/// [`SurfaceReply::finish`] is called, as the client asked for a stream or not.
pub trait SurfaceReply {
    /// Whether the client asked for a stream.
    fn is_streamed(&self) -> bool;

    /// Maps a whole chat completion; appends the client's body.
    fn whole(&mut self, chat: &[u8], out: &mut Vec<u8>) -> Result<(), Failure>;

    /// Takes bytes of a chat completion stream as they arrived, where a chunk ends means nothing.
    /// An error event of the stream becomes this API's own.
    fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>);

    /// The stream is over; without its `[DONE]` it broke, and this API's error event is written.
    fn finish(&mut self, out: &mut Vec<u8>);
}

/// What a reply needs but must not invent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SurfaceContext {
    /// Unique for the exchange.
    pub id: String,
    /// Unix seconds.
    pub created: u64,
}

/// Every surface; a new one is one folder and one line here.
pub const SURFACES: &[&dyn Surface] = &[
    &responses::Responses,
    &messages::Messages,
    &completions::Completions,
];
