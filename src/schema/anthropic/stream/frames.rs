//! What a stream is made of: events, bare or each in a chunk of an AWS event stream.

use super::super::host::Frames;
use crate::failure::{Class, Failure};
use crate::framing::base64;
use crate::framing::event_stream::{self, Frame, FrameError};
use crate::framing::sse::{self, Event, EventTooLarge};
use crate::json::{self, Text};
use crate::schema::bedrock_converse;
use crate::wire;

wire! {
    /// The payload of a chunk.
    pub struct Chunk<'a> {
        /// One event of Anthropic's, in base64.
        bytes: Text<'a>,
    }
}

/// Takes bytes as they arrive.
pub(super) enum Decoder {
    Events(sse::Decoder),
    Chunks(event_stream::Decoder),
}

/// What stops the decoder.
pub(super) struct Stopped(pub Failure);

impl From<EventTooLarge> for Stopped {
    fn from(_: EventTooLarge) -> Stopped {
        let message = "the provider sent an event larger than the limit";
        Stopped(Failure::new(Class::ReplyTooLarge, message))
    }
}

impl From<FrameError> for Stopped {
    fn from(error: FrameError) -> Stopped {
        Stopped(bedrock_converse::of_framing(error))
    }
}

impl Decoder {
    pub fn of(frames: Frames) -> Decoder {
        match frames {
            Frames::Events => Decoder::Events(sse::Decoder::default()),
            Frames::Chunks => Decoder::Chunks(event_stream::Decoder::default()),
        }
    }

    /// Calls `each` for every event that the bytes complete.
    pub fn push(
        &mut self,
        bytes: &[u8],
        each: &mut dyn FnMut(Event<'_>) -> Result<(), Stopped>,
    ) -> Result<(), Stopped> {
        match self {
            Decoder::Events(decoder) => decoder.push(bytes, each),
            Decoder::Chunks(decoder) => decoder.push(bytes, |frame| chunk(&frame, each)),
        }
    }

    /// The stream is over.
    pub fn finish(
        &mut self,
        each: &mut dyn FnMut(Event<'_>) -> Result<(), Stopped>,
    ) -> Result<(), Stopped> {
        match self {
            Decoder::Events(decoder) => decoder.finish(each),
            Decoder::Chunks(decoder) if decoder.is_inside_frame() => {
                let message = "the provider's stream ended within a frame";
                Err(Stopped(Failure::new(Class::Reset, message)))
            }
            Decoder::Chunks(_) => Ok(()),
        }
    }
}

fn chunk(
    frame: &Frame<'_>,
    each: &mut dyn FnMut(Event<'_>) -> Result<(), Stopped>,
) -> Result<(), Stopped> {
    match frame.headers.text(":message-type") {
        Some("exception") => return Err(Stopped(bedrock_converse::of_exception(frame))),
        Some("error") => return Err(Stopped(bedrock_converse::of_error_frame(frame))),
        _ => {}
    }
    let Chunk { bytes, extra: _ } = json::read(frame.payload).unwrap_or_default(); // padding
    // One broken chunk does not end a healthy stream; AWS reserves the right to add events.
    let Some(data) = bytes.and_then(|text| base64::decode(text.as_bytes())) else {
        return Ok(());
    };
    let name = "";
    each(Event { name, data: &data })
}
