//! Ids of tool calls for a provider that does not take every id.
//!
//! A conversation may come from another provider in the middle of a tool loop. Within one
//! request every foreign id gets an id of the wanted form: always the same one, never that of
//! another call, so that calls and results still find each other.

use std::collections::{BTreeMap, BTreeSet};

use crate::schema::openai::dialect::ToolCallIds;
use crate::schema::openai::request::ChatCompletionRequest;

const LENGTH: usize = 9;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The ids that must change, and what they become.
#[derive(Debug, Default)]
pub(super) struct ToolIds(BTreeMap<String, String>);

impl ToolIds {
    pub(super) fn of(request: &ChatCompletionRequest<'_>, form: ToolCallIds) -> ToolIds {
        match form {
            ToolCallIds::Any => ToolIds::default(),
            ToolCallIds::NineAlphanumerics => ToolIds::nine(ids(request)),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What `id` becomes; `None` when it stays.
    pub(super) fn replacement(&self, id: &str) -> Option<&str> {
        self.0.get(id).map(String::as_str)
    }

    fn nine<'r>(ids: impl Iterator<Item = &'r str> + Clone) -> ToolIds {
        let mut taken = BTreeSet::new();
        taken.extend(ids.clone().filter(|id| fits(id)).map(str::to_owned));
        let mut replacements = BTreeMap::new();
        for id in ids.filter(|id| !fits(id)) {
            if replacements.contains_key(id) {
                continue;
            }
            let fresh = (0_u32..).map(|round| nine_digits(id, round));
            if let Some(new) = fresh.take(1_000).find(|new| !taken.contains(new)) {
                taken.insert(new.clone());
                replacements.insert(id.to_owned(), new);
            }
        }
        ToolIds(replacements)
    }
}

fn ids<'r>(request: &'r ChatCompletionRequest<'_>) -> impl Iterator<Item = &'r str> + Clone {
    request.messages().iter().flat_map(|message| {
        let calls = message.tool_calls().iter();
        let called = calls.filter_map(|call| call.id.as_deref());
        called.chain(message.tool_call_id.as_deref())
    })
}

fn fits(id: &str) -> bool {
    id.len() == LENGTH && id.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// FNV-1a of the whole id, in base 62; another one for every round.
fn nine_digits(id: &str, round: u32) -> String {
    let bytes = id.bytes().chain(round.to_le_bytes());
    let mut hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut digits = String::with_capacity(LENGTH);
    for _ in 0..LENGTH {
        let digit = DIGITS.get((hash % 62) as usize).copied().unwrap_or(b'0');
        digits.push(char::from(digit));
        hash /= 62;
    }
    digits
}

#[cfg(test)]
mod tests;
