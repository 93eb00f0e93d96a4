//! Images and documents at an address, for hosts that fetch none.

use super::conversation::Conversation;
use super::host::Host;
use super::wire::{Block, Source, ToolResultContent};
use crate::fidelity::Report;

/// Hosts refuse an empty turn.
const PLACEHOLDER: &str = "(an attachment that was left out)";

/// Leaves out every block whose bytes are elsewhere; a turn that has nothing left says so.
pub(super) fn leave_out(host: &Host, conversation: &mut Conversation<'_>, report: &mut Report) {
    let mut found = false;
    for turn in &mut conversation.turns {
        keep_what_is_here(&mut turn.content, &mut found);
        if turn.content.is_empty() {
            turn.content.push(Block::of_words(PLACEHOLDER));
        }
    }
    if found {
        let reason = format!("{} takes no addresses of images and files", host.name);
        report.dropped("messages[].content[]", reason);
    }
}

fn keep_what_is_here(blocks: &mut Vec<Block<'_>>, found: &mut bool) {
    blocks.retain_mut(|block| {
        let is_elsewhere = match block {
            Block::Image { source, .. } | Block::Document { source, .. } => {
                matches!(source, Source::Url { .. })
            }
            Block::ToolResult {
                content: Some(ToolResultContent::Blocks(blocks)),
                ..
            } => {
                keep_what_is_here(blocks, found);
                false
            }
            _ => false,
        };
        *found |= is_elsewhere;
        !is_elsewhere
    });
}
