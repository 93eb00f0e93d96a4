//! `reasoning_details` of earlier turns to the blocks that Converse wants back.

use super::FORMAT;
use super::family::Family;
use super::wire::{Block, Reasoning};
use crate::fidelity::Report;
use crate::schema::TranslateError;
use crate::schema::openai::Message;
use crate::schema::place::Place;
use crate::schema::reasoning_details::{self, Detail};

/// What the model signed, unchanged and in order; unsigned reasoning is refused.
pub(super) fn blocks<'a>(
    message: &'a Message<'a>,
    family: Family,
    place: Place,
    report: &mut Report,
) -> Result<Vec<Block<'a>>, TranslateError> {
    let reason = "Bedrock takes back only reasoning that its models have signed";
    let details = reasoning_details::read(message, place)?;
    let count = details.len();
    // Claude refuses a turn of which a part is missing: all of what it signed elsewhere, or none.
    let takes_claude = family == Family::Claude && !details.iter().any(is_bound_to_its_host);
    let blocks: Vec<_> = details
        .into_iter()
        .filter_map(|detail| block(detail, takes_claude))
        .collect();
    if blocks.len() < count {
        report.dropped(place.field("reasoning_details"), reason);
    }
    if message.reasoning_content.is_some() && blocks.is_empty() {
        report.dropped(place.field("reasoning_content"), reason);
    }
    Ok(blocks)
}

/// The `format` of a text that a model has signed: Claude's signatures hold at every host, so
/// Anthropic takes them too.
pub(super) fn signed_format(model: &str) -> &'static str {
    match Family::of(model) {
        Family::Claude => "anthropic",
        _ => FORMAT,
    }
}

/// Encrypted by Claude at another host.
fn is_bound_to_its_host(detail: &Detail<'_>) -> bool {
    detail.kind.as_deref() == Some("reasoning.encrypted")
        && detail.format.as_deref() == Some("anthropic")
}

/// Claude's signatures hold wherever the model is hosted; of its encrypted blocks nobody says
/// so.
///
/// Source: Anthropic, "Extended thinking", on compatibility of signatures across platforms, read
/// 2026-11-21.
fn block(detail: Detail<'_>, takes_claude: bool) -> Option<Block<'_>> {
    let Detail {
        kind,
        text,
        signature,
        data,
        format,
        extra: _, // the position: the order says it
    } = detail;
    let is_ours = format.as_deref() == Some(FORMAT);
    let is_claude = takes_claude && format.as_deref() == Some("anthropic");
    let reasoning = match kind.as_deref()? {
        "reasoning.text" if is_ours || is_claude => Reasoning::ReasoningText {
            text: text?,
            signature: signature.filter(|s| s.get() != r#""""#)?,
        },
        "reasoning.encrypted" if is_ours => Reasoning::RedactedContent(data?),
        _ => return None,
    };
    Some(Block::ReasoningContent(reasoning))
}
