//! Which answers are worth keeping.

use crate::json::{self, Kind, Members, Raw, Text};

/// Why an answer is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// It is no whole reply: an error, or a stream without its end.
    Broken,
    /// It is not all that the model had to say, or not what it was asked for: cut off, filtered,
    /// refused, empty.
    Poor,
    /// It calls tools, which do something.
    Calls,
}

/// Judges a whole reply. `chat` for chat completions, whose ends are known; `calls` where answers
/// that call tools may be kept.
pub fn judge(answer: &[u8], chat: bool, calls: bool) -> Result<(), Unfit> {
    let reply: Members<'_> = json::read(answer).map_err(|_| Unfit::Broken)?;
    if member(&reply, "error").is_some() {
        return Err(Unfit::Broken);
    }
    if !chat {
        return Ok(());
    }
    let choices = member(&reply, "choices").and_then(json::parse::<Vec<Members<'_>>>);
    let choices = choices
        .filter(|choices| !choices.is_empty())
        .ok_or(Unfit::Broken)?;
    choices
        .iter()
        .try_for_each(|choice| judge_choice(choice, calls))
}

fn judge_choice(choice: &Members<'_>, calls: bool) -> Result<(), Unfit> {
    let message: Members<'_> = member(choice, "message")
        .and_then(json::parse)
        .ok_or(Unfit::Broken)?;
    let is_calling = ["tool_calls", "function_call"]
        .iter()
        .any(|name| member(&message, name).is_some_and(|raw| raw.get() != "[]"));
    let reason: Option<Text<'_>> = member(choice, "finish_reason").and_then(json::parse);
    match reason.as_deref() {
        Some("tool_calls" | "function_call" | "stop") if is_calling && calls => Ok(()),
        _ if is_calling => Err(Unfit::Calls),
        Some("stop") if says_something(&message) => Ok(()),
        None => Err(Unfit::Broken),
        Some(_) => Err(Unfit::Poor),
    }
}

fn says_something(message: &Members<'_>) -> bool {
    let is_said = |raw: &Raw<'_>| match json::kind(raw) {
        Kind::String => !json::is_blank(raw),
        kind => kind == Kind::Array,
    };
    let refuses = member(message, "refusal").is_some_and(|raw| is_said(&raw));
    // Sound lies at the provider under an id that does not last.
    let sounds = member(message, "audio").is_some();
    !refuses && !sounds && member(message, "content").is_some_and(|raw| is_said(&raw))
}

/// A member that is there and not `null`.
pub(super) fn member<'a>(members: &Members<'a>, name: &str) -> Option<Raw<'a>> {
    let found = members.0.iter().find(|(known, _)| known == name);
    found
        .map(|(_, raw)| *raw)
        .filter(|raw| json::kind(raw) != Kind::Null)
}
