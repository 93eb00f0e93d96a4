//! `functions`, their calls and their results in the words that took their place: most who speak
//! OpenAI's schema know only those.

use crate::json::{self, Raw, Text};
use crate::json::{Members, ObjectWriter};
use crate::schema::openai::dialect::{Dialect, contains};
use crate::schema::openai::request::{ChatCompletionRequest, Message};

/// The body in today's words; `None` when nothing has to change for this dialect.
pub(super) fn modern(
    request: &ChatCompletionRequest<'_>,
    source: &[u8],
    dialect: &Dialect,
) -> Option<Vec<u8>> {
    let is_legacy = request.functions.is_some()
        || request.function_call.is_some()
        || request.messages().iter().any(is_legacy);
    let drops = |field| contains(&dialect.drops_in_messages, field);
    let is_known = dialect.takes("functions") && !drops("name") && !drops("function_call");
    if !is_legacy || is_known {
        return None;
    }
    let Members(members) = json::read(source).ok()?;
    let mut out = Vec::with_capacity(source.len() + 256);
    let mut writer = ObjectWriter::begin(&mut out);
    for (name, value) in &members {
        match name.as_str() {
            "functions" | "function_call" | "tools" => {}
            "messages" => messages(value, request, writer.value(name)),
            _ => writer.raw(name, value.get()),
        }
    }
    let of = |wanted: &str| members.iter().find(|(name, _)| name == wanted);
    let items = |name| of(name).and_then(|(_, value)| json::parse::<Vec<Raw<'_>>>(value));
    let functions = items("functions").unwrap_or_default();
    let tools = items("tools").unwrap_or_default();
    if !(tools.is_empty() && functions.is_empty()) {
        let functions = functions.iter().map(|function| tool(function));
        let tools = tools.iter().map(|tool| tool.get().to_owned());
        let all: Vec<String> = tools.chain(functions).collect();
        writer.raw("tools", &format!("[{}]", all.join(",")));
    }
    if let (Some(choice), None) = (request.function_call, request.tool_choice) {
        let is_word = json::kind(choice) == json::Kind::String;
        let choice = choice.get();
        match is_word {
            true => writer.raw("tool_choice", choice),
            false => writer.raw("tool_choice", &tool_of(choice)),
        }
    }
    writer.end();
    Some(out)
}

fn is_legacy(message: &Message<'_>) -> bool {
    message.function_call.is_some() || message.role.as_deref() == Some("function")
}

fn tool(function: Raw<'_>) -> String {
    tool_of(function.get())
}

fn tool_of(function: &str) -> String {
    format!(r#"{{"type":"function","function":{function}}}"#)
}

/// Calls in the deprecated form have no id; their results follow them.
fn messages(value: Raw<'_>, request: &ChatCompletionRequest<'_>, out: &mut Vec<u8>) {
    let items: Vec<Raw<'_>> = json::parse(value).unwrap_or_default();
    let mut called = "function_call".to_owned();
    out.push(b'[');
    for (i, (item, message)) in items.into_iter().zip(request.messages()).enumerate() {
        if i > 0 {
            out.push(b',');
        }
        if message.function_call.is_some() {
            called = format!("function_call_{i}");
        }
        match is_legacy(message) {
            true => rewrite(item, &called, out),
            false => out.extend_from_slice(item.get().as_bytes()),
        }
    }
    out.push(b']');
}

fn rewrite(item: Raw<'_>, called: &str, out: &mut Vec<u8>) {
    let Members(members) = json::parse(item).unwrap_or_default();
    let is_result =
        |(name, value): &(Text<'_>, Raw<'_>)| *name == "role" && value.get() == "\"function\"";
    let is_result = members.iter().any(is_result);
    let id = json::to_string(called);
    let mut writer = ObjectWriter::begin(out);
    let mut calls: Vec<String> = Vec::new();
    for (name, value) in &members {
        match name.as_str() {
            "role" if is_result => writer.raw("role", "\"tool\""),
            "name" if is_result => {}
            "function_call" if value.get() == "null" => {}
            "function_call" => calls.push(format!(
                r#"{{"id":{id},"type":"function","function":{value}}}"#
            )),
            "tool_calls" => {
                let made: Vec<Raw<'_>> = json::parse(value).unwrap_or_default();
                calls.extend(made.iter().map(|call| call.get().to_owned()));
            }
            _ => writer.raw(name, value.get()),
        }
    }
    if !calls.is_empty() {
        writer.raw("tool_calls", &format!("[{}]", calls.join(",")));
    }
    if is_result {
        writer.raw("tool_call_id", &id);
    }
    writer.end();
}
