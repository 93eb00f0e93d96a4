//! The digest of a Converse request.

use serde_json::Value;

use super::super::{given, list, text};
use super::turns::{all_blocks, has_cache_points};
use crate::ask::{Ask, Choice, Format, Thinking, Tool};
use crate::prompt_cache;

/// Digests a request that passed all checks.
pub fn digest(body: &Value, model: String, stream: bool) -> Ask {
    let messages = list(body, "messages");
    let last = messages.last().map(|turn| list(turn, "content"));
    let results = last.unwrap_or_default().iter();
    let settings = body.get("inferenceConfig").unwrap_or(&Value::Null);
    let users = messages.iter().filter(|turn| text(turn, "role") == "user");
    let mut speech = users
        .map(|turn| texts(list(turn, "content")))
        .filter(|words| !words.is_empty());
    Ask {
        on_azure: false,
        speaks_messages: false,
        model,
        stream,
        sse: true,
        stream_usage: true,
        user_text: speech.next_back().unwrap_or_default(),
        tool_results: results
            .filter_map(|block| given(block, "toolResult"))
            .map(|result| texts(list(result, "content")))
            .collect(),
        turns: messages.len(),
        tools: tools(body),
        choice: choice(body),
        one_call: false,
        format: format(body),
        thinking: thinking(body),
        count: 1,
        logprobs: false,
        max_tokens: settings.get("maxTokens").and_then(Value::as_u64),
        stops: list(settings, "stopSequences")
            .iter()
            .filter_map(|stop| stop.as_str().map(str::to_owned))
            .collect(),
        input_bytes: input_bytes(body),
        cache: has_cache_points(body),
        kept: prompt_cache::look_up("", all_blocks(body).map(prompt_cache::by_itself)),
        ..Ask::default()
    }
}

fn texts(blocks: &[Value]) -> String {
    blocks.iter().map(|block| text(block, "text")).collect()
}

fn input_bytes(body: &Value) -> usize {
    let turns = list(body, "messages").iter();
    let blocks = turns.flat_map(|turn| list(turn, "content"));
    let results = blocks
        .clone()
        .filter_map(|block| given(block, "toolResult"));
    let inner = results.flat_map(|result| list(result, "content"));
    let all = blocks.chain(inner).chain(list(body, "system"));
    all.map(|block| text(block, "text").len()).sum()
}

fn tools(body: &Value) -> Vec<Tool> {
    let config = body.get("toolConfig").unwrap_or(&Value::Null);
    let specs = list(config, "tools").iter();
    specs
        .filter_map(|tool| {
            let spec = given(tool, "toolSpec")?;
            let schema = spec.pointer("/inputSchema/json")?.clone();
            let name = text(spec, "name").to_owned();
            Some(Tool { name, schema })
        })
        .collect()
}

fn choice(body: &Value) -> Choice {
    let choice = body.pointer("/toolConfig/toolChoice");
    let choice = choice.unwrap_or(&Value::Null);
    if choice.get("any").is_some() {
        return Choice::Any;
    }
    match choice.get("tool") {
        Some(tool) => Choice::Named(text(tool, "name").to_owned()),
        None => Choice::Auto,
    }
}

fn format(body: &Value) -> Format {
    let schema = body.pointer("/outputConfig/textFormat/structure/jsonSchema/schema");
    let schema = schema.and_then(Value::as_str);
    match schema.and_then(|text| serde_json::from_str(text).ok()) {
        Some(schema) => Format::Schema(schema),
        None => Format::Text,
    }
}

fn thinking(body: &Value) -> Thinking {
    let fields = body.get("additionalModelRequestFields");
    let kind = fields.and_then(|fields| fields.pointer("/thinking/type"));
    match kind.and_then(Value::as_str) {
        None | Some("disabled") => Thinking::Off,
        Some("between_tools") => Thinking::Hidden,
        Some(_) => Thinking::Shown,
    }
}
