//! `encrypted_content` of a reasoning item: whatever a provider needs to accept its own
//! reasoning back, in one opaque string that clients return unchanged.
//!
//! It is a JSON array: the entries of a chat message's `reasoning_details` as they were, and for
//! each signed call `{"type": "call", "id": ..., "extra_content": ...}`. It is as readable as
//! what the provider gave: the name is OpenAI's, the gateway keeps no key.

use serde::Serialize;

use crate::json::{self, Raw, RawValue, Text};
use crate::wire;

/// What an `encrypted_content` of ours holds.
#[derive(Default)]
pub(super) struct Sealed {
    /// Entries of `reasoning_details`.
    pub details: Vec<Box<RawValue>>,
    /// Call id and its `extra_content`.
    pub calls: Vec<(String, Box<RawValue>)>,
}

#[derive(Serialize)]
struct SignedCall<'a> {
    r#type: &'static str,
    id: &'a str,
    extra_content: &'a RawValue,
}

wire! {
    /// One entry.
    pub struct Entry<'a> {
        /// `call`, or a reasoning detail's own.
        kind = "type": Text<'a>,
        /// Of a call.
        id: Text<'a>,
        /// Of a call.
        extra_content: Raw<'a>,
    }
}

/// Reads what [`seal`] or [`seal_call`] wrote; `None` for anything else, such as OpenAI's own.
pub(super) fn open(text: &str) -> Option<Sealed> {
    let raw: Raw<'_> = json::parse_text(text)?;
    let entries: Vec<Raw<'_>> = json::parse(raw)?;
    let mut sealed = Sealed::default();
    for raw in entries {
        let entry: Entry<'_> = json::parse(raw)?;
        match (entry.kind.as_deref(), entry.id, entry.extra_content) {
            (Some("call"), Some(id), Some(content)) => {
                sealed.calls.push((id.to_string(), content.to_owned()));
            }
            _ => sealed.details.push(raw.to_owned()),
        }
    }
    Some(sealed)
}

/// Seals the entries of `reasoning_details`.
pub(super) fn seal(details: &[Box<RawValue>]) -> Option<String> {
    (!details.is_empty()).then(|| json::to_string(details))
}

/// Seals what came with a call.
pub(super) fn seal_call(id: &str, extra_content: &RawValue) -> String {
    json::to_string(&[SignedCall {
        r#type: "call",
        id,
        extra_content,
    }])
}
