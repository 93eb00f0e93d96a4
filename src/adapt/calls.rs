//! Tool calls that a model wrote as text, read as the text comes.
//!
//! What cannot be a call passes at once; from the line on at which one may begin, text is held
//! back until the reply ends. What turns out to be no call is text after all: nothing is lost.

use std::borrow::Cow;

use crate::json::{self, Kind, Members, Raw, Text};
use crate::schema::openai::ToolCallReply;

/// How a call may begin, without white space. The last is how many open models are trained to.
const OPENINGS: [&str; 5] = [
    "{\"tool_calls\"",
    "{\"name\"",
    "[{\"name\"",
    "{\"function\"",
    "<tool_call>",
];

const FENCE: &str = "```";

/// The most that is held back while it is open whether a call begins, in bytes.
const MAX_OPEN: usize = 256;

/// The largest text that may hold calls, in bytes.
const MAX_CALLS: usize = 1024 * 1024;

/// Takes text in pieces, gives what is no call.
#[derive(Debug, Default)]
pub(super) struct CallText {
    held: String,
    in_line: bool,
    is_call: bool,
}

#[derive(Debug, PartialEq)]
enum Opening {
    Call,
    Perhaps,
    No,
}

impl CallText {
    /// What of the text so far is surely no call.
    pub(super) fn push(&mut self, text: &str) -> String {
        self.held.push_str(text);
        let mut free = String::new();
        while !self.is_call && !self.held.is_empty() {
            match self.opening() {
                Opening::Call => self.is_call = true,
                Opening::Perhaps => return free,
                Opening::No => self.release_line(&mut free),
            }
        }
        if self.held.len() > MAX_CALLS {
            self.is_call = false;
            self.in_line = true;
            free.push_str(&std::mem::take(&mut self.held));
        }
        free
    }

    /// The reply is over: text that is no call after all, and the calls of known functions.
    pub(super) fn finish<'n>(
        self,
        names: &'n [String],
        id: &str,
    ) -> (String, Vec<ToolCallReply<'n>>) {
        let read = match self.is_call {
            true => read_calls(&self.held, names, id),
            false => None,
        };
        read.unwrap_or((self.held, Vec::new()))
    }

    fn opening(&self) -> Opening {
        match opening(&self.held) {
            _ if self.in_line => Opening::No,
            Opening::Perhaps if self.held.len() > MAX_OPEN => Opening::No,
            opening => opening,
        }
    }

    fn release_line(&mut self, free: &mut String) {
        let end = self.held.find('\n').map(|i| i + 1);
        self.in_line = end.is_none();
        let rest = self.held.split_off(end.unwrap_or(self.held.len()));
        free.push_str(&std::mem::replace(&mut self.held, rest));
    }
}

/// Whether a call begins here, after white space and a fence.
fn opening(text: &str) -> Opening {
    let text = text.trim_start();
    if FENCE.starts_with(text) {
        return Opening::Perhaps;
    }
    let Some(fenced) = text.strip_prefix(FENCE) else {
        return unfenced(text);
    };
    match fenced.split_once('\n') {
        Some((label, inner)) if is_label(label) => unfenced(inner),
        None if is_label(fenced) => Opening::Perhaps,
        _ => Opening::No,
    }
}

fn is_label(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ' ' | '\r');
    text.len() <= 20 && text.chars().all(plain)
}

fn unfenced(text: &str) -> Opening {
    let begins = |opening: &&str| {
        let mut said = text.chars().filter(|c| !c.is_whitespace());
        for expected in opening.chars() {
            match said.next() {
                None => return Some(Opening::Perhaps),
                Some(c) if c != expected => return None,
                Some(_) => {}
            }
        }
        Some(Opening::Call)
    };
    let found: Vec<Opening> = OPENINGS.iter().filter_map(begins).collect();
    match found.contains(&Opening::Call) {
        true => Opening::Call,
        false => found.into_iter().next().unwrap_or(Opening::No),
    }
}

/// The calls, and what is said after them; `None` when this is none.
fn read_calls<'n>(
    held: &str,
    names: &'n [String],
    id: &str,
) -> Option<(String, Vec<ToolCallReply<'n>>)> {
    let mut rest = after_fence(held);
    let mut calls = Vec::new();
    loop {
        rest = rest.trim_start();
        rest = rest.strip_prefix("<tool_call>").unwrap_or(rest);
        if !rest.trim_start().starts_with(['{', '[']) {
            break;
        }
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Raw<'_>>();
        let value = values.next()?.ok()?;
        rest = rest.get(values.byte_offset()..).unwrap_or_default();
        rest = rest.trim_start();
        rest = rest.strip_prefix("</tool_call>").unwrap_or(rest);
        read_value(value, names, id, &mut calls)?;
    }
    let said = rest.trim().trim_end_matches('`').trim_start_matches('`');
    (!calls.is_empty()).then(|| (said.trim().to_owned(), calls))
}

fn after_fence(held: &str) -> &str {
    let fenced = held.trim_start().strip_prefix(FENCE);
    let inner = fenced.and_then(|text| text.split_once('\n'));
    inner.map_or(held, |(_, inner)| inner)
}

fn read_value<'n>(
    value: Raw<'_>,
    names: &'n [String],
    id: &str,
    calls: &mut Vec<ToolCallReply<'n>>,
) -> Option<()> {
    if json::kind(value) == Kind::Array {
        let items: Vec<Raw<'_>> = json::parse(value)?;
        return items
            .into_iter()
            .try_for_each(|item| read_value(item, names, id, calls));
    }
    let Members(members) = json::parse(value)?;
    let field = |wanted: &str| {
        let found = members.iter().find(|(name, _)| *name == wanted);
        found.map(|(_, value)| *value)
    };
    if let Some(inner) = field("tool_calls") {
        return read_value(inner, names, id, calls);
    }
    if let Some(inner) = field("function").filter(|f| json::kind(f) == Kind::Object) {
        return read_value(inner, names, id, calls);
    }
    let name: Text<'_> = json::parse(field("name").or(field("function"))?)?;
    let name = names.iter().find(|known| *name == **known)?;
    let arguments = field("arguments").or(field("parameters"));
    calls.push(ToolCallReply {
        id: Cow::Owned(format!(
            "call_{}_{}",
            id.trim_start_matches("chatcmpl-"),
            calls.len()
        )),
        name: Cow::Borrowed(name),
        arguments: Cow::Owned(arguments.map_or(Some("{}".to_owned()), arguments_text)?),
        thought_signature: None,
    });
    Some(())
}

/// The arguments as the text of an object; some models write them as a string.
fn arguments_text(arguments: Raw<'_>) -> Option<String> {
    match json::kind(arguments) {
        Kind::Object => Some(arguments.get().to_owned()),
        Kind::String => {
            let text: Text<'_> = json::parse(arguments)?;
            json::object(&text).map(|object| object.get().to_owned())
        }
        Kind::Null => Some("{}".to_owned()),
        _ => None,
    }
}
