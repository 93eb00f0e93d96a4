//! A reply shaped back: calls that were asked for in words, JSON without chatter.

use super::calls::CallText;
use super::draft::object;
use super::json_text::JsonText;
use super::stream::Reshaped;
use crate::json::{self, Extra, Kind, Members, ObjectWriter, Raw, Text};
use crate::schema::StreamTranslator;
use crate::schema::openai::ToolCallReply;

/// What must be done to a reply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reshape {
    /// Functions whose calls are to be read; may be empty.
    pub(super) tools: Vec<String>,
    /// The text shall be JSON.
    pub(super) json: bool,
}

/// A whole reply, shaped back.
#[derive(Debug, PartialEq, Eq)]
pub struct Whole {
    /// The chat completion.
    pub body: Vec<u8>,
    /// Whether the text is the JSON that it should be, as far as that was asked for.
    pub is_json: bool,
}

/// One choice's text on its way.
#[derive(Debug)]
pub(super) struct TextReader {
    calls: Option<CallText>,
    json: Option<JsonText>,
}

impl Reshape {
    /// Shapes a whole chat completion back. `id` is the exchange's.
    pub fn whole(&self, id: &str, body: Vec<u8>) -> Whole {
        self.read(id, &body).unwrap_or(Whole {
            is_json: !self.json,
            body,
        })
    }

    /// A translator that shapes back what `inner` writes.
    pub fn stream(self, id: &str, inner: Box<dyn StreamTranslator>) -> Box<dyn StreamTranslator> {
        Box::new(Reshaped::new(self, id, inner))
    }

    fn read(&self, id: &str, body: &[u8]) -> Option<Whole> {
        let Members(members) = json::read(body).ok()?;
        let (_, choices) = members.iter().find(|(name, _)| *name == "choices")?;
        let choices: Vec<Raw<'_>> = json::parse(choices)?;
        let mut is_json = true;
        let choices: Option<Vec<String>> = choices
            .into_iter()
            .map(|choice| self.choice(id, choice, &mut is_json))
            .collect();
        let choices = format!("[{}]", choices?.join(","));
        Some(Whole {
            body: replace(&members, "choices", &choices).into_bytes(),
            is_json,
        })
    }

    fn choice(&self, id: &str, choice: Raw<'_>, is_json: &mut bool) -> Option<String> {
        let Members(members) = json::parse(choice)?;
        let (_, message) = members.iter().find(|(name, _)| *name == "message")?;
        let Members(fields) = json::parse(message)?;
        let said = |name: &str| fields.iter().find(|(n, v)| n == name && is_said(v));
        let content = said("content").and_then(|(_, raw)| json::parse::<Text<'_>>(raw));
        let Some(text) = content.filter(|_| said("tool_calls").is_none()) else {
            return Some(choice.get().to_owned());
        };
        let mut reader = self.reader();
        let mut free = reader.push(&text);
        let (rest, calls) = reader.finish(&self.tools, id);
        free.push_str(&rest);
        let end = members.iter().find(|(name, _)| *name == "finish_reason");
        let is_cut = end.is_some_and(|(_, raw)| raw.get() == "\"length\"");
        if self.json && calls.is_empty() && !is_cut && said("refusal").is_none() {
            *is_json &= json::object(&free).is_some();
        }
        let message = with_text(&fields, free.trim(), &calls);
        let members = replace(&members, "message", &message);
        Some(match calls.is_empty() {
            true => members,
            false => finished_by_calls(&members).unwrap_or(members),
        })
    }

    pub(super) fn reader(&self) -> TextReader {
        TextReader {
            calls: (!self.tools.is_empty()).then(CallText::default),
            json: self.json.then(JsonText::default),
        }
    }
}

fn is_said(value: Raw<'_>) -> bool {
    !matches!(json::kind(value), Kind::Null) && value.get() != "[]"
}

/// The members as an object, one of them with another value.
pub(super) fn replace(members: &Extra<'_>, name: &str, value: &str) -> String {
    object(|writer| {
        for (n, v) in members {
            writer.raw(n, if *n == *name { value } else { v.get() });
        }
    })
}

fn with_text(fields: &Extra<'_>, text: &str, calls: &[ToolCallReply<'_>]) -> String {
    object(|writer| {
        for (name, value) in fields {
            match name.as_str() {
                "content" if text.is_empty() && !calls.is_empty() => writer.raw(name, "null"),
                "content" => json::write(writer.value(name), text),
                "tool_calls" => {}
                _ => writer.raw(name, value.get()),
            }
        }
        if !calls.is_empty() {
            let calls: Vec<String> = calls.iter().map(|call| call_object(None, call)).collect();
            writer.raw("tool_calls", &format!("[{}]", calls.join(",")));
        }
    })
}

/// A call in OpenAI's shape; streams number theirs.
pub(super) fn call_object(index: Option<usize>, call: &ToolCallReply<'_>) -> String {
    object(|writer: &mut ObjectWriter<'_>| {
        if let Some(index) = index {
            writer.raw("index", &index.to_string());
        }
        json::write(writer.value("id"), &*call.id);
        writer.raw("type", "\"function\"");
        let function = object(|writer| {
            json::write(writer.value("name"), &*call.name);
            json::write(writer.value("arguments"), &*call.arguments);
        });
        writer.raw("function", &function);
    })
}

fn finished_by_calls(choice: &str) -> Option<String> {
    let Members(members) = json::parse_text(choice)?;
    Some(replace(&members, "finish_reason", calls_finish(&members)))
}

/// A policy's veto stands; any other end is that of the calls.
pub(super) fn calls_finish(choice: &Extra<'_>) -> &'static str {
    let end = choice.iter().find(|(name, _)| *name == "finish_reason");
    match end.map(|(_, raw)| raw.get()) {
        Some("\"content_filter\"") => "\"content_filter\"",
        _ => "\"tool_calls\"",
    }
}

impl TextReader {
    /// What of the text so far the client shall see as text.
    pub(super) fn push(&mut self, text: &str) -> String {
        let free = match &mut self.calls {
            Some(calls) => calls.push(text),
            None => text.to_owned(),
        };
        match &mut self.json {
            Some(json) => json.push(&free),
            None => free,
        }
    }

    /// The text is over: what is left of it, and the calls in it.
    pub(super) fn finish<'n>(
        mut self,
        names: &'n [String],
        id: &str,
    ) -> (String, Vec<ToolCallReply<'n>>) {
        let (rest, calls) = match self.calls.take() {
            Some(calls) => calls.finish(names, id),
            None => (String::new(), Vec::new()),
        };
        let rest = match &mut self.json {
            Some(json) => json.push(&rest) + &json.finish(),
            None => rest,
        };
        (rest, calls)
    }
}
