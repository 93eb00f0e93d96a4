//! The provider's cache of prompts: what was marked before is read, what is new is written.
//!
//! Short prompts have no memory, so that their usage is the same each time.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;

use serde_json::Value;

/// The shortest text that is kept, in bytes.
const LEAST: usize = 4096;

static SEEN: Mutex<Option<HashSet<u64>>> = Mutex::new(None);

/// Tokens that are read and tokens that are written, for blocks in the order in which the provider
/// reads them; `None` when all that is marked is short. A block tells its text, if it has any, and
/// whether a mark stands behind it.
pub fn look_up(
    model: &str,
    blocks: impl Iterator<Item = (Option<String>, bool)>,
) -> Option<(u64, u64)> {
    let mut seen = SEEN.lock().ok()?;
    let seen = seen.get_or_insert_default();
    let mut hasher = DefaultHasher::new();
    model.hash(&mut hasher);
    let (mut bytes, mut read, mut marked) = (0, 0, 0);
    for (text, is_marked) in blocks {
        if let Some(text) = text {
            text.hash(&mut hasher);
            bytes += text.len();
        }
        if is_marked && bytes >= LEAST {
            marked = bytes;
            if !seen.insert(hasher.finish()) {
                read = bytes;
            }
        }
    }
    (marked > 0).then_some((read as u64 / 4, (marked - read) as u64 / 4))
}

/// A block whose mark is one of its fields.
pub fn with_field(block: &Value) -> (Option<String>, bool) {
    let mut block = block.clone();
    let fields = block.as_object_mut();
    let mark = fields.and_then(|fields| fields.remove("cache_control"));
    (
        Some(text_of(&block)),
        mark.is_some_and(|mark| !mark.is_null()),
    )
}

/// A block that is a mark itself, or is none.
pub fn by_itself(block: &Value) -> (Option<String>, bool) {
    match block.get("cachePoint") {
        Some(_) => (None, true),
        None => (Some(text_of(block)), false),
    }
}

/// What a block says; of one that is no text, all that it is.
fn text_of(block: &Value) -> String {
    let text = block.get("text").and_then(Value::as_str);
    text.map_or_else(|| block.to_string(), str::to_owned)
}
