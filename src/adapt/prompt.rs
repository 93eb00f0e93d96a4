//! The system prompt: templates, and what is added to it.

use super::Candidate;
use super::draft::{Draft, Item, escaped, inside, object};
use crate::catalog::Template;
use crate::json::{self, Kind, Raw};
use crate::schema::openai::Role;

/// What stands between two pieces of a prompt, inside a JSON string.
const BREAK: &str = "\\n\\n";

/// Rewrites the system prompt as a template says.
pub(super) fn apply(template: &Template, candidate: &Candidate<'_>, draft: &mut Draft<'_>) {
    let Template {
        name: _, // for the report
        prefix,
        suffix,
        replace,
    } = template;
    let fill = |text: &str| fill(text, candidate);
    if let Some(text) = replace {
        let leading = |item: &&Item<'_>| item.role == Role::System;
        let count = draft.items.iter().take_while(leading).count();
        draft.items.drain(1.min(count)..count);
        let words = format!("\"{}\"", escaped(&fill(text)));
        match draft.items.first_mut().filter(|_| count > 0) {
            Some(item) => *item = item.with_content(&words, &[]),
            None => draft.items.insert(0, Item::new(None, Role::System, &words)),
        }
    }
    surround(draft, &fill(prefix), &fill(suffix));
}

/// Adds words to the end of the system prompt.
pub(super) fn append(draft: &mut Draft<'_>, words: &str) {
    surround(draft, "", words);
}

fn fill(text: &str, candidate: &Candidate<'_>) -> String {
    if !text.contains('{') {
        return text.to_owned();
    }
    let backend = candidate.backend;
    text.replace("{model}", &backend.model)
        .replace("{provider}", &backend.provider)
        .replace("{alias}", candidate.alias)
}

/// Puts words before and after the first message if it is a system message, else into one of
/// their own.
fn surround(draft: &mut Draft<'_>, prefix: &str, suffix: &str) {
    if prefix.is_empty() && suffix.is_empty() {
        return;
    }
    let words = (escaped(prefix), escaped(suffix));
    let first = draft.items.first_mut();
    let Some(item) = first.filter(|item| item.role == Role::System) else {
        let content = joined([&words.0, "", &words.1]);
        let own = Item::new(None, Role::System, &content);
        return draft.items.insert(0, own);
    };
    let members = item.members();
    let content = members.iter().find(|(name, _)| *name == "content");
    let content = match content.map(|(_, value)| (json::kind(value), value)) {
        Some((Kind::String, text)) => joined([&words.0, inside(text.get()), &words.1]),
        Some((Kind::Array, parts)) => between(&words.0, parts, &words.1),
        _ => joined([&words.0, "", &words.1]),
    };
    *item = item.with_content(&content, &[]);
}

/// A JSON string of escaped pieces, with empty lines between them.
fn joined(pieces: [&str; 3]) -> String {
    let said = pieces.into_iter().filter(|piece| !piece.is_empty());
    let text = said.collect::<Vec<_>>().join(BREAK);
    format!("\"{text}\"")
}

/// The same for content in parts.
fn between(prefix: &str, parts: &Raw<'_>, suffix: &str) -> String {
    let part = |text: &str| {
        object(|writer| {
            writer.raw("type", "\"text\"");
            writer.raw("text", &format!("\"{text}\""));
        })
    };
    let inner = parts.get().trim();
    let inner = inner.strip_prefix('[').and_then(|s| s.strip_suffix(']'));
    let mut all = Vec::new();
    if !prefix.is_empty() {
        all.push(part(prefix));
    }
    all.extend(inner.filter(|s| !s.trim().is_empty()).map(str::to_owned));
    if !suffix.is_empty() {
        all.push(part(suffix));
    }
    format!("[{}]", all.join(","))
}
