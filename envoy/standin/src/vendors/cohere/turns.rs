//! The rules of Chat beyond fields and types: ranges, what excludes what, calls and results.
//!
//! Source: Cohere API reference, "Chat (v2)" and "Errors", read 2026-11-21.

use serde_json::Value;

use super::super::{Objection, given, list, text};
use super::bad;

/// Applies the rules.
pub fn check(body: &Value) -> Result<(), Objection> {
    if text(body, "model").is_empty() {
        return Err(bad("a model parameter is required for this endpoint."));
    }
    check_numbers(body)?;
    check_tools(body)?;
    check_format(body)?;
    if list(body, "stop_sequences").len() > 5 {
        return Err(bad("at most 5 stop_sequences are allowed."));
    }
    check_messages(list(body, "messages"))
}

fn check_numbers(body: &Value) -> Result<(), Objection> {
    let ranges = [
        ("temperature", 0.0, f64::INFINITY),
        ("p", 0.01, 0.99),
        ("k", 0.0, 500.0),
        ("frequency_penalty", 0.0, 1.0),
        ("presence_penalty", 0.0, 1.0),
        ("max_tokens", 0.0, f64::INFINITY),
    ];
    for (field, least, most) in ranges {
        let value = body.get(field).and_then(Value::as_f64);
        if !value.is_none_or(|value| (least..=most).contains(&value)) {
            let message = format!("{field} must be between {least} and {most} inclusive.");
            return Err(bad(&message));
        }
    }
    Ok(())
}

fn check_tools(body: &Value) -> Result<(), Objection> {
    for tool in list(body, "tools") {
        let function = tool.get("function").unwrap_or(&Value::Null);
        if text(function, "name").is_empty() {
            return Err(bad("all tools must have a name."));
        }
        if given(function, "parameters").is_none() {
            return Err(bad("all tools must have parameters."));
        }
    }
    if text(body, "tool_choice") == "REQUIRED" && list(body, "tools").is_empty() {
        return Err(bad("tool_choice REQUIRED needs tools."));
    }
    Ok(())
}

fn check_format(body: &Value) -> Result<(), Objection> {
    let wants_json = body
        .get("response_format")
        .is_some_and(|format| text(format, "type") == "json_object");
    let grounded = ["tools", "documents"].map(|field| !list(body, field).is_empty());
    match (wants_json, grounded) {
        (true, [true, _]) => Err(bad("response_format is not supported with tools.")),
        (true, [_, true]) => Err(bad("response_format is not supported with RAG.")),
        _ => Ok(()),
    }
}

fn check_messages(messages: &[Value]) -> Result<(), Objection> {
    if messages.is_empty() {
        return Err(bad("messages must not be empty."));
    }
    let mut open: Vec<&str> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        if text(message, "role") == "tool" {
            answer_call(message, &mut open)?;
            continue;
        }
        all_answered(&open)?;
        check_content(message, index)?;
        open = call_ids(message)?;
    }
    all_answered(&open)
}

fn answer_call(message: &Value, open: &mut Vec<&str>) -> Result<(), Objection> {
    let id = text(message, "tool_call_id");
    let Some(place) = open.iter().position(|call| *call == id) else {
        let message = format!("tool_call_id '{id}' is not among the open tool calls.");
        return Err(bad(&message));
    };
    open.remove(place);
    match given(message, "content") {
        Some(_) => Ok(()),
        None => Err(bad("a tool message must have content.")),
    }
}

fn all_answered(open: &[&str]) -> Result<(), Objection> {
    if open.is_empty() {
        return Ok(());
    }
    let message = format!("no tool result for the tool calls {}.", open.join(", "));
    Err(bad(&message))
}

fn check_content(message: &Value, index: usize) -> Result<(), Objection> {
    let calls = !list(message, "tool_calls").is_empty();
    let is_empty = match given(message, "content") {
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(parts)) => parts.is_empty(),
        _ => true,
    };
    if is_empty && !calls {
        let message = format!("messages[{index}]: message must not be empty in a turn.");
        return Err(bad(&message));
    }
    Ok(())
}

fn call_ids(message: &Value) -> Result<Vec<&str>, Objection> {
    let calls = list(message, "tool_calls");
    for call in calls {
        let function = call.get("function").unwrap_or(&Value::Null);
        if text(call, "id").is_empty() || text(function, "name").is_empty() {
            return Err(bad("all tool calls must have an id and a name."));
        }
        let arguments = serde_json::from_str::<Value>(text(function, "arguments"));
        if !arguments.is_ok_and(|arguments| arguments.is_object()) {
            return Err(bad("the arguments of a tool call must be a JSON object."));
        }
    }
    Ok(calls.iter().map(|call| text(call, "id")).collect())
}
