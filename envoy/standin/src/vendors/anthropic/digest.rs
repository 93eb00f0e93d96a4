//! The digest of a Messages request.

use serde_json::Value;

use super::super::{flag, given, list, text};
use super::turns::cache_marks;
use crate::ask::{Ask, Choice, Format, Thinking, Tool};
use crate::prompt_cache;

/// Digests a request that passed all checks.
pub fn digest(body: &Value) -> Ask {
    let messages = list(body, "messages");
    let last = messages.last().map(|message| list(message, "content"));
    let results = last.unwrap_or_default().iter();
    let mut speech = messages
        .iter()
        .filter(|message| text(message, "role") == "user")
        .map(own_text)
        .filter(|words| !words.is_empty());
    Ask {
        on_azure: false,
        model: text(body, "model").to_owned(),
        stream: flag(body, "stream"),
        speaks_messages: true,
        sse: true,
        stream_usage: true,
        user_text: speech.next_back().unwrap_or_default(),
        tool_results: results
            .filter(|block| text(block, "type") == "tool_result")
            .map(content_text)
            .collect(),
        turns: messages.len(),
        tools: tools(body),
        choice: choice(body),
        one_call: body.pointer("/tool_choice/disable_parallel_tool_use")
            == Some(&Value::Bool(true)),
        format: match body.pointer("/output_config/format/schema") {
            Some(schema) => Format::Schema(schema.clone()),
            None => Format::Text,
        },
        thinking: thinking(body),
        count: 1,
        logprobs: false,
        max_tokens: body.get("max_tokens").and_then(Value::as_u64),
        stops: list(body, "stop_sequences")
            .iter()
            .filter_map(|stop| stop.as_str().map(str::to_owned))
            .collect(),
        input_bytes: input_bytes(body),
        cache: cache_marks(body) > 0,
        kept: prompt_cache::look_up(text(body, "model"), blocks(body)),
        ..Ask::default()
    }
}

/// Tools, system and messages, block by block.
fn blocks(body: &Value) -> impl Iterator<Item = (Option<String>, bool)> {
    let head = list(body, "tools").iter().chain(list(body, "system"));
    let turns = list(body, "messages").iter();
    let turns = turns.flat_map(|turn| list(turn, "content"));
    head.chain(turns).map(prompt_cache::with_field)
}

fn thinking(body: &Value) -> Thinking {
    match body.pointer("/thinking/type").and_then(Value::as_str) {
        None | Some("disabled") => Thinking::Off,
        Some("between_tools") => Thinking::Hidden,
        _ => Thinking::Shown,
    }
}

fn input_bytes(body: &Value) -> usize {
    let system = match body.get("system") {
        Some(Value::String(system)) => system.len(),
        _ => list(body, "system")
            .iter()
            .map(|block| text(block, "text").len())
            .sum(),
    };
    let messages = list(body, "messages").iter();
    system
        + messages
            .map(|message| content_text(message).len())
            .sum::<usize>()
}

/// The text of a message or of a tool result, with that of inner results.
fn content_text(value: &Value) -> String {
    match value.get("content") {
        Some(Value::String(content)) => content.clone(),
        Some(Value::Array(blocks)) => blocks
            .iter()
            .map(|block| text(block, "text").to_owned() + &content_text(block))
            .collect(),
        _ => String::new(),
    }
}

/// The text of a message without its tool results.
fn own_text(message: &Value) -> String {
    match message.get("content") {
        Some(Value::String(content)) => content.clone(),
        _ => list(message, "content")
            .iter()
            .map(|block| text(block, "text"))
            .collect(),
    }
}

fn tools(body: &Value) -> Vec<Tool> {
    let tools = list(body, "tools").iter();
    tools
        .filter_map(|tool| {
            let schema = tool.get("input_schema")?.clone();
            let name = text(tool, "name").to_owned();
            Some(Tool { name, schema })
        })
        .collect()
}

fn choice(body: &Value) -> Choice {
    let Some(choice) = given(body, "tool_choice") else {
        return Choice::Auto;
    };
    match text(choice, "type") {
        "any" => Choice::Any,
        "tool" => Choice::Named(text(choice, "name").to_owned()),
        "none" => Choice::Never,
        _ => Choice::Auto,
    }
}
