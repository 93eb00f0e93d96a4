//! The rules of Messages beyond fields and types.

use serde_json::Value;

use super::super::{Objection, given, list, text};
use super::{bad, render};

/// Applies the rules.
pub fn check(body: &Value) -> Result<(), Objection> {
    for field in ["model", "max_tokens", "messages"] {
        if given(body, field).is_none() {
            return Err(bad(&format!("{field}: Field required")));
        }
    }
    check_options(body)?;
    check_thinking(body)?;
    check_tools(body)?;
    check_system(body)?;
    check_messages(list(body, "messages"))?;
    check_thinking_is_kept(body)?;
    Ok(())
}

fn check_options(body: &Value) -> Result<(), Objection> {
    let max_tokens = body.get("max_tokens").and_then(Value::as_i64);
    if max_tokens.is_some_and(|limit| limit < 0) {
        return Err(bad("max_tokens: Input should be at least 0"));
    }
    for field in ["temperature", "top_p"] {
        let value = body.get(field).and_then(Value::as_f64);
        if value.is_some_and(|value| !(0.0..=1.0).contains(&value)) {
            return Err(bad(&format!("{field}: range: 0..1")));
        }
    }
    let stops = list(body, "stop_sequences").iter();
    let blank = |stop: &Value| stop.as_str().is_none_or(|stop| stop.trim().is_empty());
    if stops.into_iter().any(blank) {
        return Err(bad("stop_sequences: each must contain non-whitespace"));
    }
    let cached = cache_marks(body);
    if cached > 4 {
        let message = format!("At most 4 blocks may have cache_control. Found {cached}.");
        return Err(bad(&message));
    }
    Ok(())
}

fn check_thinking(body: &Value) -> Result<(), Objection> {
    let kind = body.pointer("/thinking/type").and_then(Value::as_str);
    if kind.is_none_or(|kind| kind == "disabled") {
        return Ok(());
    }
    if body
        .get("temperature")
        .and_then(Value::as_f64)
        .is_some_and(|t| t != 1.0)
    {
        return Err(bad(
            "`temperature` may only be set to 1 when thinking is enabled",
        ));
    }
    if given(body, "top_k").is_some() {
        return Err(bad("`top_k` must be unset when thinking is enabled"));
    }
    if body
        .get("top_p")
        .and_then(Value::as_f64)
        .is_some_and(|p| p < 0.95)
    {
        return Err(bad(
            "`top_p` must be at least 0.95 when thinking is enabled",
        ));
    }
    let choice = body.pointer("/tool_choice/type").and_then(Value::as_str);
    if matches!(choice, Some("any" | "tool")) {
        return Err(bad(
            "Thinking may not be enabled when tool_choice forces tool use.",
        ));
    }
    if kind == Some("enabled") {
        check_budget(body)?;
    }
    Ok(())
}

fn check_budget(body: &Value) -> Result<(), Objection> {
    let budget = body
        .pointer("/thinking/budget_tokens")
        .and_then(Value::as_u64);
    let Some(budget) = budget else {
        return Err(bad("thinking.enabled.budget_tokens: Field required"));
    };
    if budget < 1024 {
        return Err(bad(
            "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
        ));
    }
    if body
        .get("max_tokens")
        .and_then(Value::as_u64)
        .is_some_and(|max| max <= budget)
    {
        return Err(bad(
            "`max_tokens` must be greater than `thinking.budget_tokens`.",
        ));
    }
    Ok(())
}

fn check_tools(body: &Value) -> Result<(), Objection> {
    let tools = list(body, "tools");
    let mut names = Vec::new();
    for (index, tool) in tools.iter().enumerate() {
        let custom = matches!(text(tool, "type"), "" | "custom");
        let name = text(tool, "name");
        if custom && !is_tool_name(name) {
            return Err(bad(&format!("tools.{index}.custom.name: Field required")));
        }
        if custom {
            check_schema(tool, index)?;
        }
        if !name.is_empty() && names.contains(&name) {
            return Err(bad("tools: Tool names must be unique."));
        }
        names.push(name);
    }
    let Some(choice) = given(body, "tool_choice") else {
        return Ok(());
    };
    if tools.is_empty() {
        return Err(bad(
            "tool_choice may only be specified while providing tools",
        ));
    }
    if text(choice, "type") == "tool" && !names.contains(&text(choice, "name")) {
        let message = format!(
            "Tool '{}' not found in provided tools",
            text(choice, "name")
        );
        return Err(bad(&message));
    }
    Ok(())
}

fn check_schema(tool: &Value, index: usize) -> Result<(), Objection> {
    let at = format!("tools.{index}.custom");
    match tool.get("input_schema") {
        Some(Value::Object(schema)) if schema.get("type") == Some(&Value::from("object")) => Ok(()),
        Some(Value::Object(_)) => Err(bad(&format!(
            "{at}.input_schema.type: Input should be 'object'"
        ))),
        _ => Err(bad(&format!("{at}.input_schema: Field required"))),
    }
}

fn check_system(body: &Value) -> Result<(), Objection> {
    for (index, block) in list(body, "system").iter().enumerate() {
        check_block(block, &format!("system.{index}"))?;
    }
    Ok(())
}

fn check_messages(messages: &[Value]) -> Result<(), Objection> {
    if messages.is_empty() {
        return Err(bad("messages: at least one message is required"));
    }
    let mut calls: Vec<&str> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let at = format!("messages.{index}");
        check_content(message, &at, index + 1 == messages.len())?;
        check_results(message, &calls, &at)?;
        calls = tool_uses(message);
        for call in &calls {
            if seen.contains(call) {
                return Err(bad(&format!("{at}: `tool_use` ids must be unique")));
            }
            seen.push(call);
        }
    }
    match calls.as_slice() {
        [] => Ok(()),
        open => Err(unanswered("messages", open)),
    }
}

fn check_content(message: &Value, at: &str, last: bool) -> Result<(), Objection> {
    let assistant = text(message, "role") == "assistant";
    match message.get("content") {
        Some(Value::String(content)) if content.trim().is_empty() && !(assistant && last) => {
            Err(bad(&format!("{at}: messages must have non-empty content")))
        }
        Some(Value::Array(blocks)) if blocks.is_empty() && !(assistant && last) => {
            Err(bad(&format!("{at}: messages must have non-empty content")))
        }
        Some(Value::Array(blocks)) => {
            for (index, block) in blocks.iter().enumerate() {
                check_block(block, &format!("{at}.content.{index}"))?;
                check_side(block, assistant, at)?;
            }
            Ok(())
        }
        Some(Value::String(content))
            if assistant && last && content.ends_with(char::is_whitespace) =>
        {
            Err(bad(
                "messages: final assistant content cannot end with trailing whitespace",
            ))
        }
        Some(Value::String(_)) => Ok(()),
        _ => Err(bad(&format!("{at}.content: Field required"))),
    }
}

fn check_block(block: &Value, at: &str) -> Result<(), Objection> {
    match text(block, "type") {
        "text" if text(block, "text").is_empty() => {
            return Err(bad(&format!("{at}: text content blocks must be non-empty")));
        }
        "text" if text(block, "text").trim().is_empty() => {
            let message = format!("{at}: text content blocks must contain non-whitespace text");
            return Err(bad(&message));
        }
        "tool_use" if block.get("input").is_none_or(|input| !input.is_object()) => {
            return Err(bad(&format!("{at}.tool_use.input: Field required")));
        }
        "tool_use" if !is_call_id(text(block, "id")) => {
            let message = format!("{at}.tool_use.id: should match '^[a-zA-Z0-9_-]+$'");
            return Err(bad(&message));
        }
        "tool_use" if !is_tool_name(text(block, "name")) => {
            return Err(bad(&format!("{at}.tool_use.name: Field required")));
        }
        "thinking" if !render::SIGNATURES.contains(&text(block, "signature")) => {
            return Err(bad(&format!(
                "{at}: Invalid `signature` in `thinking` block"
            )));
        }
        _ => {}
    }
    for (index, inner) in list(block, "content").iter().enumerate() {
        check_block(inner, &format!("{at}.content.{index}"))?;
    }
    Ok(())
}

fn check_side(block: &Value, assistant: bool, at: &str) -> Result<(), Objection> {
    let kind = text(block, "type");
    let misplaced = match kind {
        "tool_use" | "thinking" | "redacted_thinking" => !assistant,
        "tool_result" | "image" | "document" => assistant,
        _ => false,
    };
    if misplaced {
        return Err(bad(&format!(
            "{at}: `{kind}` blocks are not allowed in this role"
        )));
    }
    Ok(())
}

fn check_results(message: &Value, calls: &[&str], at: &str) -> Result<(), Objection> {
    let mut answered: Vec<&str> = Vec::new();
    let mut other_came_first = false;
    for block in list(message, "content") {
        if text(block, "type") != "tool_result" {
            other_came_first = true;
            continue;
        }
        let id = text(block, "tool_use_id");
        if !calls.contains(&id) {
            return Err(bad(&format!(
                "{at}: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each must \
                 have a `tool_use` block in the previous message."
            )));
        }
        if other_came_first {
            return Err(bad(&format!(
                "{at}: `tool_result` blocks must come first in the turn"
            )));
        }
        if answered.contains(&id) {
            return Err(bad(&format!("{at}: more than one `tool_result` for {id}")));
        }
        answered.push(id);
    }
    let open: Vec<_> = calls
        .iter()
        .filter(|call| !answered.contains(call))
        .copied()
        .collect();
    if open.is_empty() {
        return Ok(());
    }
    Err(unanswered(at, &open))
}

fn unanswered(at: &str, ids: &[&str]) -> Objection {
    bad(&format!(
        "{at}: `tool_use` ids were found without `tool_result` blocks immediately after: {}",
        ids.join(", ")
    ))
}

/// With a thinking budget, the assistant turn of a running tool loop has to
/// start with its thoughts.
fn check_thinking_is_kept(body: &Value) -> Result<(), Objection> {
    if body.pointer("/thinking/type") != Some(&Value::from("enabled")) {
        return Ok(());
    }
    let messages = list(body, "messages");
    let [.., turn, last] = messages else {
        return Ok(());
    };
    let in_loop = list(last, "content")
        .iter()
        .any(|b| text(b, "type") == "tool_result");
    let first = list(turn, "content")
        .first()
        .map(|block| text(block, "type"));
    if in_loop && !matches!(first, Some("thinking" | "redacted_thinking")) {
        return Err(bad(
            "messages: Expected `thinking` or `redacted_thinking`, but found something else. \
             When thinking is enabled, an assistant turn with tool use must start with a thinking block.",
        ));
    }
    Ok(())
}

fn tool_uses(message: &Value) -> Vec<&str> {
    let blocks = list(message, "content").iter();
    blocks
        .filter(|block| text(block, "type") == "tool_use")
        .map(|block| text(block, "id"))
        .collect()
}

fn is_tool_name(name: &str) -> bool {
    (1..=128).contains(&name.len()) && is_call_id(name)
}

fn is_call_id(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    !id.is_empty() && id.bytes().all(allowed)
}

/// How many cache marks a value holds, at any depth. Schemas are not looked into.
pub fn cache_marks(value: &Value) -> usize {
    match value {
        Value::Object(fields) => {
            let own = usize::from(
                fields
                    .get("cache_control")
                    .is_some_and(|mark| !mark.is_null()),
            );
            let inner = fields.iter().filter(|(name, _)| *name != "input_schema");
            own + inner.map(|(_, value)| cache_marks(value)).sum::<usize>()
        }
        Value::Array(values) => values.iter().map(cache_marks).sum(),
        _ => 0,
    }
}
