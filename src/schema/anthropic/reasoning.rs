//! `reasoning_details` of earlier turns to the blocks that Anthropic wants back.

use super::NAME;
use super::wire::Block;
use crate::fidelity::Report;
use crate::schema::TranslateError;
use crate::schema::openai::Message;
use crate::schema::place::Place;
use crate::schema::reasoning_details::{self, Detail};

/// What Anthropic signed, unchanged and in order; it refuses all else.
pub(super) fn blocks<'a>(
    message: &'a Message<'a>,
    place: Place,
    report: &mut Report,
) -> Result<Vec<Block<'a>>, TranslateError> {
    let reason = "Anthropic takes back only reasoning that it has signed";
    let details = reasoning_details::read(message, place)?;
    let count = details.len();
    // Claude refuses a turn of which a part is missing: all of what it signed elsewhere, or none.
    let whole = !details.iter().any(is_bound_to_another_host);
    let details = details.into_iter().filter(|_| whole);
    let blocks: Vec<_> = details.filter_map(block).collect();
    if blocks.len() < count {
        report.dropped(place.field("reasoning_details"), reason);
    }
    if message.reasoning_content.is_some() && blocks.is_empty() {
        report.dropped(place.field("reasoning_content"), reason);
    }
    Ok(blocks)
}

/// Encrypted by Claude at Bedrock, by Converse.
fn is_bound_to_another_host(detail: &Detail<'_>) -> bool {
    detail.kind.as_deref() == Some("reasoning.encrypted")
        && detail.format.as_deref() == Some("bedrock")
}

/// Signatures hold wherever the model is hosted.
///
/// Source: Anthropic, "Extended thinking", on compatibility of signatures across platforms, read
/// 2026-11-21.
fn block(detail: Detail<'_>) -> Option<Block<'_>> {
    let Detail {
        kind,
        text,
        signature,
        data,
        format,
        extra: _, // the position: the order says it
    } = detail;
    if format.as_deref() != Some(NAME) {
        return None;
    }
    match kind.as_deref()? {
        "reasoning.text" => Some(Block::Thinking {
            thinking: text?,
            signature: signature.filter(|s| s.get() != r#""""#)?,
        }),
        "reasoning.encrypted" => Some(Block::RedactedThinking { data: data? }),
        _ => None,
    }
}
