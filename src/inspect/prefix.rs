//! The beginning of a prompt, as a hash: requests that share it can share a provider's cache.

use crate::schema::openai::{ChatCompletionRequest, Role};

/// The beginning of a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    /// Of its bytes; never 0.
    pub hash: u64,
    /// Estimated tokens.
    pub tokens: u64,
}

/// A system prompt of so many bytes is a beginning of its own: what follows may differ.
pub const LONG_ENOUGH: usize = 4096;

/// The beginning of this prompt: its tools and system messages, and, when these are short, all
/// up to the first message of the user. So the turns of one conversation have the same, and so
/// have all conversations under one long system prompt.
pub fn prefix(request: &ChatCompletionRequest<'_>) -> Prefix {
    let mut hasher = Hasher::default();
    for tool in request.tools() {
        let Some(function) = &tool.function else {
            continue;
        };
        hasher.add(function.name.as_deref().unwrap_or_default());
        hasher.add(function.parameters.map_or("", |raw| raw.get()));
    }
    for message in request.messages() {
        let is_system = message.role() == Some(Role::System);
        if !is_system && hasher.bytes >= LONG_ENOUGH {
            break;
        }
        hasher.add(message.content.map_or("", |raw| raw.get()));
        if message.role() == Some(Role::User) {
            break;
        }
    }
    Prefix {
        hash: hasher.hash.max(1),
        tokens: (hasher.bytes / 4) as u64,
    }
}

/// Eight bytes at a time: prompts are long.
#[derive(Default)]
struct Hasher {
    hash: u64,
    bytes: usize,
}

impl Hasher {
    fn add(&mut self, text: &str) {
        let (words, rest) = text.as_bytes().as_chunks::<8>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        let tail = rest.iter().fold(0, |tail, b| (tail << 8) | u64::from(*b));
        // With its length, so that texts do not run into each other.
        self.mix(tail ^ (text.len() as u64).rotate_left(48));
        self.bytes = self.bytes.saturating_add(text.len());
    }

    fn mix(&mut self, word: u64) {
        let mixed = (self.hash ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.hash = mixed ^ (mixed >> 29);
    }
}

#[cfg(test)]
mod tests;
