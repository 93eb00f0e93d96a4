//! What a speaker's replies say in its own way, said in OpenAI's: where reasoning, usage and the
//! reason to stop stand. Replies that need none of it are never taken apart.

use std::borrow::Cow;

use crate::json::{self, Extra, Kind, Raw, Text};
use crate::wire;

use super::dialect::{Dialect, REASONING};
use crate::json::{Members, ObjectWriter, write_list};

wire! {
    /// A part of a reply's content (Mistral's thinking models).
    pub struct ReplyPart<'a> {
        /// `text`, `thinking`, `reference`.
        kind = "type": Text<'a>,
        /// For `text`.
        text: Text<'a>,
        /// For `thinking`: parts.
        thinking: Vec<ReplyPart<'a>>,
    }
}

/// A reply, or a chunk of one, in OpenAI's words; `body` itself when it is so already.
pub(super) fn normalize<'b>(dialect: &Dialect, body: &'b [u8]) -> Cow<'b, [u8]> {
    if !may_differ(dialect, body) {
        return Cow::Borrowed(body);
    }
    let Ok(Members(members)) = json::read(body) else {
        return Cow::Borrowed(body);
    };
    let mut out = Vec::with_capacity(body.len() + 64);
    let mut writer = ObjectWriter::begin(&mut out);
    for (name, value) in &members {
        match name.as_str() {
            "choices" => choices(dialect, value, writer.value(name)),
            "usage" if json::kind(value) == Kind::Object => {
                usage(dialect, value, writer.value(name));
            }
            _ => writer.raw(name, value.get()),
        }
    }
    if let Some(value) = usage_elsewhere(dialect, &members) {
        usage(dialect, value, writer.value("usage"));
    }
    writer.end();
    Cow::Owned(out)
}

/// Told by names that stand in the text; a name inside a text costs time, nothing else.
fn may_differ(dialect: &Dialect, body: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(body) else {
        return false;
    };
    let quoted = |name: &str| text.contains(&format!("\"{name}\""));
    (dialect.reasoning_field != REASONING && quoted(&dialect.reasoning_field))
        || dialect.cached_tokens_field.as_deref().is_some_and(quoted)
        || dialect.usage_parent.as_deref().is_some_and(quoted)
        || dialect.finish_reasons.iter().any(|(word, _)| quoted(word))
        || dialect.content_parts_in_replies
}

fn usage_elsewhere<'a>(dialect: &Dialect, members: &Extra<'a>) -> Option<Raw<'a>> {
    let find = |members: &Extra<'a>, wanted: &str| {
        let found = members.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| *value)
    };
    if find(members, "usage").is_some() {
        return None;
    }
    let parent = find(members, dialect.usage_parent.as_deref()?)?;
    let Members(inner) = json::parse(parent)?;
    find(&inner, "usage").filter(|usage| json::kind(usage) == Kind::Object)
}

/// A chunk whose choices all have a delta: Azure's notes on content filters come without, and
/// clients reach into it unasked.
pub(super) fn with_deltas(chunk: &[u8]) -> Option<Vec<u8>> {
    let Members(members) = json::read(chunk).ok()?;
    let mut out = Vec::with_capacity(chunk.len() + 32);
    let mut writer = ObjectWriter::begin(&mut out);
    for (name, value) in &members {
        let is_list = *name == "choices";
        match is_list.then(|| json::parse(value)).flatten() {
            Some(choices) => give_deltas(choices, writer.value(name)),
            None => writer.raw(name, value.get()),
        }
    }
    writer.end();
    Some(out)
}

fn give_deltas(choices: Vec<Members<'_>>, out: &mut Vec<u8>) {
    write_list(out, choices, |Members(choice), out| {
        let mut writer = ObjectWriter::begin(out);
        for (name, value) in &choice {
            writer.raw(name, value.get());
        }
        if !choice.iter().any(|(name, _)| *name == "delta") {
            writer.raw("delta", "{}");
        }
        writer.end();
    });
}

fn choices(dialect: &Dialect, value: Raw<'_>, out: &mut Vec<u8>) {
    let Some(items) = json::parse::<Vec<Members<'_>>>(value) else {
        out.extend_from_slice(value.get().as_bytes());
        return;
    };
    write_list(out, items, |Members(choice), out| {
        let mut writer = ObjectWriter::begin(out);
        for (name, value) in &choice {
            match name.as_str() {
                "message" | "delta" => message(dialect, value, writer.value(name)),
                "finish_reason" => finish_reason(dialect, value, writer.value(name)),
                _ => writer.raw(name, value.get()),
            }
        }
        writer.end();
    });
}

fn message(dialect: &Dialect, value: Raw<'_>, out: &mut Vec<u8>) {
    let Some(Members(members)) = json::parse(value) else {
        out.extend_from_slice(value.get().as_bytes());
        return;
    };
    let has_reasoning = members.iter().any(|(name, _)| *name == REASONING);
    let mut writer = ObjectWriter::begin(out);
    for (name, value) in &members {
        if *name == *dialect.reasoning_field && !has_reasoning {
            writer.raw(REASONING, value.get());
        } else if *name == "content" && json::kind(value) == Kind::Array {
            content_parts(value, has_reasoning, &mut writer);
        } else {
            writer.raw(name, value.get());
        }
    }
    writer.end();
}

/// Texts joined under `content`, thoughts under `reasoning_content`.
fn content_parts(value: Raw<'_>, has_reasoning: bool, writer: &mut ObjectWriter<'_>) {
    let Some(parts) = json::parse::<Vec<ReplyPart<'_>>>(value) else {
        return writer.raw("content", value.get());
    };
    let (mut text, mut thoughts) = (String::new(), String::new());
    for part in &parts {
        text.push_str(part.text.as_deref().unwrap_or_default());
        for thought in part.thinking.iter().flatten() {
            thoughts.push_str(thought.text.as_deref().unwrap_or_default());
        }
    }
    if text.is_empty() && !thoughts.is_empty() {
        writer.raw("content", "null");
    } else {
        json::write(writer.value("content"), &text);
    }
    if !thoughts.is_empty() && !has_reasoning {
        json::write(writer.value(REASONING), &thoughts);
    }
}

fn finish_reason(dialect: &Dialect, value: Raw<'_>, out: &mut Vec<u8>) {
    let word = json::parse::<Text<'_>>(value);
    let stand_in = word
        .as_deref()
        .map(|word| Dialect::stand_in(&dialect.finish_reasons, word));
    match stand_in.flatten() {
        Some(word) => json::write(out, word),
        None => out.extend_from_slice(value.get().as_bytes()),
    }
}

/// `usage` with cached tokens where OpenAI counts them, besides where they stood.
fn usage(dialect: &Dialect, value: Raw<'_>, out: &mut Vec<u8>) {
    let Members(members) = json::parse(value).unwrap_or_default();
    let find = |wanted: &str| {
        let found = members.iter().find(|(name, _)| name == wanted);
        found
            .map(|(_, value)| *value)
            .filter(|value| json::kind(value) != Kind::Null)
    };
    let cached = dialect.cached_tokens_field.as_deref().and_then(find);
    let mut writer = ObjectWriter::begin(out);
    for (name, value) in &members {
        if *name != "prompt_tokens_details" || json::kind(value) != Kind::Null {
            writer.raw(name, value.get());
        }
    }
    if let Some(cached) = cached.filter(|_| find("prompt_tokens_details").is_none()) {
        let mut details = ObjectWriter::begin(writer.value("prompt_tokens_details"));
        details.raw("cached_tokens", cached.get());
        details.end();
    }
    writer.end();
}
