//! Earlier tool calls and their results as text, for a model that has no tools.

use super::draft::{Draft, Item, escaped, inside, object};
use crate::fidelity::Report;
use crate::json::{self, RawValue};
use crate::schema::openai::{AssistantToolCall, Content, FunctionCall, Message, Part, Role};

const BREAK: &str = "\\n\\n";

/// Rewrites every message that holds a call or a result.
pub(super) fn write_as_text(draft: &mut Draft<'_>, report: &mut Report) {
    let messages = draft.request.messages();
    let mut items: Vec<Item<'_>> = Vec::with_capacity(draft.items.len());
    let mut results: Option<Results> = None;
    for item in std::mem::take(&mut draft.items) {
        let message = item.source.and_then(|i| messages.get(i));
        let Some(message) = message.filter(|m| has_trace(m)) else {
            items.extend(results.take().map(Results::into_item));
            items.push(item);
            continue;
        };
        if item.role == Role::Tool {
            let results = results.get_or_insert_with(|| Results::from(item.source));
            results.add(message, messages);
            report.rewritten("messages[].tool_call_id", "results are written as text");
        } else {
            items.extend(results.take().map(Results::into_item));
            let without = ["tool_calls", "function_call"];
            items.push(item.with_content(&called(message), &without));
            report.rewritten("messages[].tool_calls", "calls are written as text");
        }
    }
    items.extend(results.map(Results::into_item));
    draft.items = items;
}

fn has_trace(message: &Message<'_>) -> bool {
    let calls = !message.tool_calls().is_empty() || message.function_call.is_some();
    calls || message.role() == Some(Role::Tool)
}

/// What the assistant said and called, in the form that it is asked for; a JSON string.
fn called(message: &Message<'_>) -> String {
    let current = message.tool_calls().iter().map(read_call);
    let calls: Vec<String> = current
        .chain(message.function_call.iter().map(read_function))
        .collect();
    let calls = format!("{{\"tool_calls\":[{}]}}", calls.join(","));
    let mut pieces = texts(message.content());
    pieces.push(escaped(&calls));
    format!("\"{}\"", pieces.join(BREAK))
}

fn read_call(call: &AssistantToolCall<'_>) -> String {
    let AssistantToolCall {
        id: _,   // results are told by the function's name
        kind: _, // told by what it holds
        custom,
        extra_content: _, // a signature that only its own provider reads
        function,
        extra: _, // not a field of the request schema
    } = call;
    match (function, custom) {
        (Some(function), _) => read_function(function),
        (None, Some(custom)) => custom.get().to_owned(),
        (None, None) => "{}".to_owned(),
    }
}

fn read_function(function: &FunctionCall<'_>) -> String {
    let FunctionCall {
        name,
        arguments,
        extra: _, // not a field of the request schema
    } = function;
    object(|writer| {
        json::write(writer.value("name"), name.as_deref().unwrap_or_default());
        let text = arguments.as_deref().unwrap_or_default();
        match json::object(text) {
            Some(arguments) => writer.raw("arguments", arguments.get()),
            // What an earlier model wrote wrongly stays the text that it was.
            None => json::write(writer.value("arguments"), text),
        }
    })
}

/// Every text of a message's content, escaped.
fn texts(content: Option<Content<'_>>) -> Vec<String> {
    let said = |text: &RawValue| (!json::is_blank(text)).then(|| inside(text.get()).to_owned());
    match content {
        Some(Content::Text(text)) => said(text).into_iter().collect(),
        Some(Content::Parts(parts)) => parts
            .iter()
            .filter_map(|part| said(part.text.or(part.refusal)?))
            .collect(),
        Some(Content::Empty) | None => Vec::new(),
    }
}

/// Results in a row, as one message of the user's: many models want speakers to take turns.
struct Results {
    source: Option<usize>,
    /// Escaped.
    texts: Vec<String>,
    /// Parts that are no text, as JSON.
    others: Vec<String>,
}

impl Results {
    fn from(source: Option<usize>) -> Results {
        Results {
            source,
            texts: Vec::new(),
            others: Vec::new(),
        }
    }

    fn add(&mut self, message: &Message<'_>, messages: &[Message<'_>]) {
        let what = match message.is_error {
            Some(true) => "Error",
            _ => "Result",
        };
        let head = format!("{what} of {}:", escaped(&name_of(message, messages)));
        let texts = texts(message.content());
        self.texts.push(format!("{head}\\n{}", texts.join("\\n")));
        if let Some(content) = message.content {
            let parts: Vec<&RawValue> = json::parse(content).unwrap_or_default();
            let others = parts.into_iter().filter(|part| {
                let part: Option<Part<'_>> = json::parse(part);
                part.is_some_and(|part| part.text.is_none() && part.refusal.is_none())
            });
            self.others.extend(others.map(|part| part.get().to_owned()));
        }
    }

    fn into_item<'a>(self) -> Item<'a> {
        let text = format!("\"{}\"", self.texts.join(BREAK));
        let content = match self.others.is_empty() {
            true => text,
            false => {
                let others = self.others.join(",");
                format!("[{{\"type\":\"text\",\"text\":{text}}},{others}]")
            }
        };
        Item::new(self.source, Role::User, &content)
    }
}

/// The function whose result a message is.
fn name_of(message: &Message<'_>, messages: &[Message<'_>]) -> String {
    if let Some(name) = message.name.and_then(json::parse::<String>) {
        return name;
    }
    let id = message.tool_call_id.as_ref();
    let calls = messages.iter().rev().flat_map(Message::tool_calls);
    let mut named = calls.filter(|call| call.id.as_ref() == id);
    let function = named.find_map(|call| call.function.as_ref()?.name.as_deref());
    function.unwrap_or("a function").to_owned()
}
