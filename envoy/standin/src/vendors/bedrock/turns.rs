//! The rules of Converse beyond fields and types.

use serde_json::Value;

use super::super::{Objection, given, list, text};
use super::{bad, render};

/// Applies the rules.
pub fn check(body: &Value) -> Result<(), Objection> {
    check_settings(body)?;
    check_tools(body)?;
    for block in list(body, "system") {
        check_block(block, "system")?;
    }
    check_turns(list(body, "messages"))?;
    let has_tool_blocks = blocks(body).any(|b| is(b, "toolUse") || is(b, "toolResult"));
    if has_tool_blocks && given(body, "toolConfig").is_none() {
        return Err(bad(
            "The toolConfig field must be defined when using toolUse and toolResult content blocks.",
        ));
    }
    Ok(())
}

fn check_settings(body: &Value) -> Result<(), Objection> {
    for field in ["temperature", "topP"] {
        let value = body.pointer(&format!("/inferenceConfig/{field}"));
        let value = value.and_then(Value::as_f64);
        if value.is_some_and(|value| !(0.0..=1.0).contains(&value)) {
            return Err(bad(&format!("inferenceConfig.{field}: range: 0..1")));
        }
    }
    let limit = body.pointer("/inferenceConfig/maxTokens");
    if limit.and_then(Value::as_i64).is_some_and(|limit| limit < 1) {
        return Err(bad("inferenceConfig.maxTokens: at least 1"));
    }
    let thinks = body.pointer("/additionalModelRequestFields/thinking/type");
    let budget = body.pointer("/additionalModelRequestFields/thinking/budget_tokens");
    if thinks == Some(&Value::from("enabled"))
        && budget.and_then(Value::as_i64) >= limit.and_then(Value::as_i64)
    {
        return Err(bad(
            "max_tokens must be greater than thinking.budget_tokens",
        ));
    }
    let schema = body.pointer("/outputConfig/textFormat/structure/jsonSchema/schema");
    let is_json = |text: &str| serde_json::from_str::<Value>(text).is_ok_and(|v| v.is_object());
    match schema.and_then(Value::as_str) {
        Some(text) if !is_json(text) => Err(bad("jsonSchema.schema: not a JSON object")),
        _ => Ok(()),
    }
}

fn check_tools(body: &Value) -> Result<(), Objection> {
    let Some(config) = given(body, "toolConfig") else {
        return Ok(());
    };
    let tools = list(config, "tools");
    if tools.is_empty() {
        return Err(bad("toolConfig.tools: at least one"));
    }
    for tool in tools {
        check_union(tool, "toolConfig.tools")?;
        let Some(spec) = given(tool, "toolSpec") else {
            continue;
        };
        check_name(text(spec, "name"))?;
        if spec.pointer("/inputSchema/json/type") != Some(&Value::from("object")) {
            return Err(bad("toolSpec.inputSchema.json.type must be: object"));
        }
        if given(spec, "description").is_some() && text(spec, "description").is_empty() {
            return Err(bad("toolSpec.description: at least 1 character"));
        }
    }
    match given(config, "toolChoice") {
        Some(choice) => check_union(choice, "toolConfig.toolChoice"),
        None => Ok(()),
    }
}

fn check_turns(turns: &[Value]) -> Result<(), Objection> {
    let roles: Vec<&str> = turns.iter().map(|turn| text(turn, "role")).collect();
    if roles.first() != Some(&"user") {
        return Err(bad("A conversation must start with a user message."));
    }
    if roles.windows(2).any(|pair| pair.first() == pair.last()) {
        return Err(bad(
            "A conversation must alternate between user and assistant roles.",
        ));
    }
    let mut names = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    for turn in turns {
        let content = list(turn, "content");
        if content.is_empty() {
            return Err(bad("The content field in the Message object is empty."));
        }
        for block in content {
            check_block(block, "messages")?;
            names.extend(block.pointer("/document/name").and_then(Value::as_str));
        }
        check_media(turn)?;
        open = check_results(content, &open)?;
    }
    names.sort_unstable();
    match names.windows(2).any(|pair| pair.first() == pair.last()) {
        true => Err(bad("Document names must be unique.")),
        false => Ok(()),
    }
}

/// The results of a turn are those of the calls before it; gives the calls of this turn.
fn check_results<'a>(content: &'a [Value], open: &[&str]) -> Result<Vec<&'a str>, Objection> {
    let of = |kind: &'static str| {
        let blocks = content.iter().filter_map(move |block| given(block, kind));
        blocks.map(|block| text(block, "toolUseId"))
    };
    let mut results: Vec<&str> = of("toolResult").collect();
    let mut expected = open.to_vec();
    results.sort_unstable();
    expected.sort_unstable();
    if results != expected {
        return Err(bad(
            "Expected toolResult blocks for exactly the toolUse blocks of the turn before.",
        ));
    }
    Ok(of("toolUse").collect())
}

fn check_media(turn: &Value) -> Result<(), Objection> {
    let content = list(turn, "content");
    let has = |kind: &str| content.iter().any(|block| is(block, kind));
    let media = ["image", "document", "video", "audio"];
    if text(turn, "role") != "user" && media.iter().any(|kind| has(kind)) {
        return Err(bad(
            "Images and documents are only allowed in user messages.",
        ));
    }
    match has("document") && !has("text") {
        true => Err(bad("A text block is required when using documents.")),
        false => Ok(()),
    }
}

fn check_block(block: &Value, at: &str) -> Result<(), Objection> {
    check_union(block, at)?;
    if is(block, "text") && text(block, "text").trim().is_empty() {
        return Err(bad("The text field in the ContentBlock object is blank."));
    }
    if let Some(call) = given(block, "toolUse") {
        check_name(text(call, "name"))?;
        check_id(text(call, "toolUseId"))?;
        if !call["input"].is_object() {
            return Err(bad("The format of the value at toolUse.input is invalid."));
        }
    }
    if let Some(result) = given(block, "toolResult") {
        check_id(text(result, "toolUseId"))?;
        if list(result, "content").is_empty() {
            return Err(bad("The content field in the ToolResultBlock is empty."));
        }
        for inner in list(result, "content") {
            check_block(inner, at)?;
        }
    }
    let signature = block.pointer("/reasoningContent/reasoningText/signature");
    let is_signed = render::SIGNATURES
        .iter()
        .any(|known| signature.and_then(Value::as_str) == Some(known));
    match is(block, "reasoningContent") && !is_signed {
        true => Err(bad("Invalid signature in thinking block")),
        false => Ok(()),
    }
}

fn check_union(value: &Value, at: &str) -> Result<(), Objection> {
    let count = value.as_object().map_or(0, serde_json::Map::len);
    match count {
        1 => Ok(()),
        _ => Err(bad(&format!("{at}: a union with {count} members, not one"))),
    }
}

fn check_name(name: &str) -> Result<(), Objection> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    match (1..=64).contains(&name.len()) && name.bytes().all(plain) {
        true => Ok(()),
        false => Err(bad("a tool's name must match [a-zA-Z0-9_-]{1,64}")),
    }
}

fn check_id(id: &str) -> Result<(), Objection> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':' | b'-');
    match (1..=64).contains(&id.len()) && id.bytes().all(plain) {
        true => Ok(()),
        false => Err(bad("toolUseId must match [a-zA-Z0-9_.:-]{1,64}")),
    }
}

fn is(block: &Value, kind: &str) -> bool {
    given(block, kind).is_some()
}

fn blocks(body: &Value) -> impl Iterator<Item = &Value> {
    let turns = list(body, "messages").iter();
    turns.flat_map(|turn| list(turn, "content"))
}

/// Whether anything may be cached.
pub fn has_cache_points(body: &Value) -> bool {
    all_blocks(body).any(|block| is(block, "cachePoint"))
}

/// Tools, system and messages, block by block.
pub fn all_blocks(body: &Value) -> impl Iterator<Item = &Value> {
    let tools = body.get("toolConfig").map_or(&[][..], |c| list(c, "tools"));
    tools.iter().chain(list(body, "system")).chain(blocks(body))
}
