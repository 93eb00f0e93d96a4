//! The digest of a Chat request.

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
    let stops = list(body, "stop_sequences").iter();
    Ask {
        model: text(body, "model").to_owned(),
        stream: flag(body, "stream"),
        sse: true,
        user_text: last_user.map(content_text).unwrap_or_default(),
        tool_results,
        turns: messages.len(),
        tools: tools(body),
        choice: match text(body, "tool_choice") {
            "REQUIRED" => Choice::Any,
            "NONE" => Choice::Never,
            _ => Choice::Auto,
        },
        format: format(body).described(messages),
        thinking: match body.pointer("/thinking/type").and_then(Value::as_str) {
            Some("enabled") => Thinking::Shown,
            _ => Thinking::Off,
        },
        logprobs: flag(body, "logprobs"),
        max_tokens: given(body, "max_tokens").and_then(Value::as_u64),
        stops: stops
            .filter_map(|stop| stop.as_str().map(str::to_owned))
            .collect(),
        input_bytes: messages.iter().map(|m| content_text(m).len()).sum(),
        documents: list(body, "documents").to_vec(),
        ..Ask::default()
    }
}

fn content_text(message: &Value) -> String {
    match message.get("content") {
        Some(Value::String(content)) => content.clone(),
        Some(Value::Array(parts)) => parts.iter().map(part_text).collect(),
        _ => String::new(),
    }
}

fn part_text(part: &Value) -> String {
    match part.pointer("/document/data") {
        Some(data) => data.to_string(),
        None => text(part, "text").to_owned(),
    }
}

fn tools(body: &Value) -> Vec<Tool> {
    let functions = list(body, "tools")
        .iter()
        .filter_map(|tool| tool.get("function"));
    functions
        .map(|function| Tool {
            name: text(function, "name").to_owned(),
            schema: given(function, "parameters").cloned().unwrap_or_default(),
        })
        .collect()
}

fn format(body: &Value) -> Format {
    let Some(format) = given(body, "response_format") else {
        return Format::Text;
    };
    match (text(format, "type"), given(format, "json_schema")) {
        ("json_object", Some(schema)) => Format::Schema(schema.clone()),
        ("json_object", None) => Format::Json,
        _ => Format::Text,
    }
}
