//! The digest of a Chat Completions request.

use serde_json::Value;

use super::super::{flag, given, list, text};
use crate::ask::{Ask, Choice, Format, Thinking, Tool};

/// Digests a request that passed all checks.
pub fn digest(body: &Value) -> Ask {
    let messages = list(body, "messages");
    let last_user = messages.iter().rfind(|m| text(m, "role") == "user");
    let results = messages
        .iter()
        .rev()
        .take_while(|message| text(message, "role") == "tool");
    let mut tool_results: Vec<_> = results.map(content_text).collect();
    tool_results.reverse();
    let effort = text(body, "reasoning_effort");
    let limit = given(body, "max_completion_tokens").or_else(|| given(body, "max_tokens"));
    Ask {
        on_azure: false,
        speaks_messages: false,
        model: text(body, "model").to_owned(),
        stream: flag(body, "stream"),
        sse: true,
        stream_usage: body
            .pointer("/stream_options/include_usage")
            .is_some_and(|usage| usage == true),
        user_text: last_user.map(content_text).unwrap_or_default(),
        tool_results,
        turns: messages.len(),
        tools: tools(body),
        choice: choice(body),
        one_call: body.get("parallel_tool_calls") == Some(&Value::Bool(false)),
        format: format(body),
        thinking: match effort {
            "" | "none" | "minimal" => Thinking::Off,
            _ => Thinking::Hidden,
        },
        count: body
            .get("n")
            .and_then(Value::as_u64)
            .map_or(1, |n| n as usize),
        logprobs: flag(body, "logprobs"),
        max_tokens: limit.and_then(Value::as_u64),
        stops: stops(body),
        input_bytes: messages
            .iter()
            .map(|message| content_text(message).len())
            .sum(),
        cache: given(body, "prompt_cache_key").is_some(),
        ..Ask::default()
    }
}

fn content_text(message: &Value) -> String {
    match message.get("content") {
        Some(Value::String(content)) => content.clone(),
        Some(Value::Array(parts)) => parts.iter().map(|part| text(part, "text")).collect(),
        _ => String::new(),
    }
}

fn tools(body: &Value) -> Vec<Tool> {
    let functions = list(body, "tools")
        .iter()
        .filter_map(|tool| tool.get("function"));
    functions
        .map(|function| Tool {
            name: text(function, "name").to_owned(),
            schema: given(function, "parameters")
                .cloned()
                .unwrap_or_else(|| serde_json::json!({"type": "object"})),
        })
        .collect()
}

fn choice(body: &Value) -> Choice {
    match given(body, "tool_choice") {
        Some(Value::String(word)) => match word.as_str() {
            "none" => Choice::Never,
            "required" => Choice::Any,
            _ => Choice::Auto,
        },
        Some(choice) => match choice.get("function") {
            Some(function) => Choice::Named(text(function, "name").to_owned()),
            None if choice.pointer("/allowed_tools/mode") == Some(&Value::from("required")) => {
                Choice::Any
            }
            None => Choice::Auto,
        },
        None => Choice::Auto,
    }
}

fn format(body: &Value) -> Format {
    let Some(format) = given(body, "response_format") else {
        return Format::Text;
    };
    match text(format, "type") {
        "json_object" => Format::Json,
        "json_schema" => {
            let schema = format.pointer("/json_schema/schema");
            Format::Schema(schema.cloned().unwrap_or_default())
        }
        _ => Format::Text,
    }
}

fn stops(body: &Value) -> Vec<String> {
    match body.get("stop") {
        Some(Value::String(stop)) => vec![stop.clone()],
        _ => list(body, "stop")
            .iter()
            .filter_map(|stop| stop.as_str().map(str::to_owned))
            .collect(),
    }
}
