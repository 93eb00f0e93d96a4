//! Markers for the provider's own cache: where the beginning of a prompt is long and has come before.
//!
//! Written into the chat completion request, as a client would write them, so each schema carries
//! them in its own way.

use crate::fidelity::Report;
use crate::inspect::LONG_ENOUGH;
use crate::json::Raw;
use crate::schema::openai::{ChatCompletionRequest, Message, Role};

/// Claude's models that keep no beginning of fewer than 4096 tokens.
const FROM_4096: [&str; 5] = ["opus-4-5", "opus-4-6", "opus-4-7", "haiku-4-5", "mythos"];

/// Those that keep none of fewer than 2048; where sources differ, the higher bound.
const FROM_2048: [&str; 4] = ["sonnet-4-6", "3-5-haiku", "3-haiku", "haiku-3"];

/// Claude's models that keep nothing on Bedrock.
const NOT_ON_BEDROCK: [&str; 6] = [
    "claude-v2",
    "claude-instant",
    "claude-3-haiku",
    "claude-3-sonnet",
    "claude-3-opus",
    "claude-3-5-sonnet",
];

/// The fewest tokens that a model keeps the beginning of a prompt of, where markers say which;
/// `None` where there are none, or it is not known that there are.
///
/// Source: Claude API guide "Prompt caching"; Amazon Bedrock user guide "Prompt caching for faster
/// model inference"; read 2026-11-21. What is shorter than the model's own bound is not kept, and
/// costs nothing more.
pub fn least_tokens(schema: &str, model: &str) -> Option<u64> {
    let has = |names: &[&str]| names.iter().any(|name| model.contains(name));
    let on_bedrock = schema == "bedrock_converse";
    if schema != "anthropic" && !on_bedrock {
        return None;
    }
    match model {
        _ if has(&FROM_4096) => Some(4096),
        _ if on_bedrock && has(&NOT_ON_BEDROCK) => None,
        _ if has(&FROM_2048) => Some(2048),
        _ if model.contains("claude") => Some(1024),
        _ if on_bedrock && model.contains("amazon.nova") => Some(1024),
        _ => None,
    }
}

/// Marks what is worth keeping of a prompt whose beginning has come before: tools and system
/// messages, or else all up to the first message of the user; and the end of a conversation, which
/// the next turn begins with. Two markers at most, of the four that are allowed; none when the
/// client has set its own, in `source`.
pub fn mark(
    request: &mut ChatCompletionRequest<'_>,
    source: &[u8],
    least_tokens: u64,
    report: &mut Report,
) {
    let is_marked = std::str::from_utf8(source).is_ok_and(|s| s.contains(r#""cache_control""#));
    let marker: Option<Raw<'static>> = crate::json::parse_text(r#"{"type":"ephemeral"}"#);
    // Four bytes to a token, as everywhere where a rough number does.
    let least = usize::try_from(least_tokens.saturating_mul(4)).unwrap_or(usize::MAX);
    let places = places(request, least);
    if is_marked || (places.messages.is_empty() && !places.tools) {
        return;
    }
    if places.tools
        && let Some(tool) = request.tools.as_mut().and_then(|tools| tools.last_mut())
    {
        tool.cache_control = marker;
    }
    for (i, message) in request.messages.iter_mut().flatten().enumerate() {
        if places.messages.contains(&i) {
            message.cache_control = marker;
        }
    }
    let reason = "the beginning of the prompt has come before";
    report.defaulted("cache_control", reason);
}

#[derive(Default)]
struct Places {
    /// Behind the last tool.
    tools: bool,
    /// Behind these messages.
    messages: Vec<usize>,
}

fn places(request: &ChatCompletionRequest<'_>, least: usize) -> Places {
    let messages = request.messages();
    let size = |message: &Message<'_>| message.content.map_or(0, |raw| raw.get().len());
    let is = |message: &Message<'_>, role| message.role() == Some(role);
    let of_tools: usize = request.tools().iter().map(size_of_tool).sum();
    let of_system = messages.iter().filter(|m| is(m, Role::System)).map(size);
    let beginning = of_tools + of_system.sum::<usize>();
    let first = messages.iter().position(|message| is(message, Role::User));
    let up_to_first = beginning + first.and_then(|i| messages.get(i)).map_or(0, size);
    let mut places = Places::default();
    if beginning >= least {
        let last = messages
            .iter()
            .rposition(|message| is(message, Role::System));
        places.messages.extend(last);
        places.tools = last.is_none();
    } else if beginning < LONG_ENOUGH && up_to_first >= least {
        // Else another message may follow the same beginning each time.
        places.messages.extend(first);
    }
    let whole = of_tools + messages.iter().map(size).sum::<usize>();
    let has_turns = messages.iter().any(|message| is(message, Role::Assistant));
    let waits = |message: &&Message<'_>| matches!(message.role(), Some(Role::User | Role::Tool));
    if has_turns && whole >= least && messages.last().filter(waits).is_some() {
        places.messages.push(messages.len() - 1);
    }
    places
}

fn size_of_tool(tool: &crate::schema::openai::Tool<'_>) -> usize {
    let Some(function) = &tool.function else {
        return 0;
    };
    let parts = [function.description, function.parameters];
    parts.into_iter().flatten().map(|raw| raw.get().len()).sum()
}

#[cfg(test)]
mod tests;
