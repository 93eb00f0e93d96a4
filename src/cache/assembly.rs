//! A streamed chat completion put together again, as it passes.

use super::worth::{Unfit, member};
use crate::framing::sse::{Decoder, Event, EventTooLarge};
use crate::json::{self, Kind, Members, ObjectWriter, Raw, write_list};
use crate::sorted::sort_by_key;

/// Texts of a message that come in pieces.
const TEXTS: [&str; 4] = ["content", "refusal", "reasoning_content", "reasoning"];

/// Lists of a message that come in pieces.
const LISTS: [&str; 2] = ["reasoning_details", "annotations"];

/// Members of a chunk that a whole completion does not have.
const OF_CHUNKS: [&str; 3] = ["object", "choices", "obfuscation"];

/// The most choices, and the most calls of one.
const MOST: usize = 128;

/// One streamed reply, as far as it has come.
#[derive(Default)]
pub struct Assembly {
    decoder: Decoder,
    parts: Parts,
}

#[derive(Default)]
struct Parts {
    /// Members of the whole, the last value of each.
    head: Vec<(String, String)>,
    choices: Vec<Choice>,
    /// Bytes of text so far.
    bytes: usize,
    is_done: bool,
    is_lost: bool,
}

#[derive(Default)]
struct Choice {
    index: u64,
    /// Pieces of texts and lists by name: what stands between quotes or brackets.
    pieces: Vec<(String, String)>,
    /// Log probabilities, by the name of their list.
    logprobs: Vec<(String, String)>,
    calls: Vec<Call>,
    finish_reason: String,
}

#[derive(Default)]
struct Call {
    index: u64,
    members: Vec<(String, String)>,
    name: String,
    arguments: String,
}

/// A chunk that cannot be put together with the others: nothing is kept then.
struct Lost;

impl From<EventTooLarge> for Lost {
    fn from(_: EventTooLarge) -> Lost {
        Lost
    }
}

impl Assembly {
    /// Takes more of the stream; no more than `most` bytes of text are held.
    pub fn push(&mut self, bytes: &[u8], most: u64) {
        let Assembly { decoder, parts } = self;
        if parts.is_lost {
            return;
        }
        let read = decoder.push(bytes, |event| parts.event(&event).ok_or(Lost));
        if read.is_err() || parts.bytes as u64 > most {
            *self = Assembly::default();
            self.parts.is_lost = true;
        }
    }

    /// The whole completion. `usage` is what it cost, for a stream that does not say it.
    pub fn finish(self, usage: &str) -> Result<Vec<u8>, Unfit> {
        match self.parts {
            parts if parts.is_done && !parts.is_lost => Ok(parts.write(usage)),
            _ => Err(Unfit::Broken),
        }
    }
}

impl Parts {
    fn event(&mut self, event: &Event<'_>) -> Option<()> {
        if event.data == b"[DONE]" {
            self.is_done = true;
            return Some(());
        }
        let chunk: Members<'_> = json::read(event.data).ok()?;
        if member(&chunk, "error").is_some() {
            return None;
        }
        for (name, raw) in &chunk.0 {
            if json::kind(raw) != Kind::Null && !OF_CHUNKS.contains(&name.as_str()) {
                set(&mut self.head, name, raw.get());
            }
        }
        let choices = member(&chunk, "choices").and_then(json::parse::<Vec<Members<'_>>>);
        choices
            .unwrap_or_default()
            .iter()
            .try_for_each(|choice| self.choice(choice))
    }

    fn choice(&mut self, read: &Members<'_>) -> Option<()> {
        let index = member(read, "index").and_then(json::parse).unwrap_or(0);
        let at = self.choices.iter().position(|choice| choice.index == index);
        let at = at.unwrap_or(self.choices.len());
        if at == self.choices.len() {
            self.choices.push(Choice {
                index,
                ..Choice::default()
            });
        }
        let choice = self.choices.get_mut(at).filter(|_| at < MOST)?;
        for (name, raw) in read
            .0
            .iter()
            .filter(|(_, raw)| json::kind(raw) != Kind::Null)
        {
            match name.as_str() {
                "index" => {}
                "delta" => self.bytes += choice.delta(json::parse(raw)?)?,
                "finish_reason" => raw.get().clone_into(&mut choice.finish_reason),
                "logprobs" => {
                    self.bytes = self.bytes.checked_add(raw.get().len())?;
                    let lists: Members<'_> = json::parse(raw)?;
                    let mut lists = lists
                        .0
                        .iter()
                        .filter(|(_, raw)| json::kind(raw) != Kind::Null);
                    lists.try_for_each(|(name, raw)| add(&mut choice.logprobs, name, raw))?;
                }
                _ => return None,
            }
        }
        Some(())
    }

    fn write(self, usage: &str) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.bytes);
        let mut object = ObjectWriter::begin(&mut out);
        object.raw("object", r#""chat.completion""#);
        for (name, value) in &self.head {
            object.raw(name, value);
        }
        if !self.head.iter().any(|(name, _)| name == "usage") && !usage.is_empty() {
            object.raw("usage", usage);
        }
        let mut choices = self.choices;
        sort_by_key(&mut choices, |choice| choice.index);
        write_list(object.value("choices"), &choices, Choice::write);
        object.end();
        out
    }
}

impl Choice {
    /// Takes a delta in; gives its bytes.
    fn delta(&mut self, delta: Members<'_>) -> Option<usize> {
        let mut bytes = 0_usize;
        for (name, raw) in delta
            .0
            .iter()
            .filter(|(_, raw)| json::kind(raw) != Kind::Null)
        {
            bytes = bytes.checked_add(raw.get().len())?;
            match name.as_str() {
                "role" => {}
                "tool_calls" => {
                    let calls: Vec<Members<'_>> = json::parse(raw)?;
                    calls.iter().try_for_each(|call| self.call(call))?;
                }
                name if TEXTS.contains(&name) || LISTS.contains(&name) => {
                    add(&mut self.pieces, name, raw)?;
                }
                // What is not known cannot be put together.
                _ => return None,
            }
        }
        Some(bytes)
    }

    fn call(&mut self, read: &Members<'_>) -> Option<()> {
        let index = member(read, "index").and_then(json::parse)?;
        let at = self.calls.iter().position(|call| call.index == index);
        let at = at.unwrap_or(self.calls.len());
        if at == self.calls.len() {
            self.calls.push(Call {
                index,
                ..Call::default()
            });
        }
        let call = self.calls.get_mut(at).filter(|_| at < MOST)?;
        for (name, raw) in read
            .0
            .iter()
            .filter(|(_, raw)| json::kind(raw) != Kind::Null)
        {
            match name.as_str() {
                "index" => {}
                "function" => {
                    let function: Members<'_> = json::parse(raw)?;
                    if let Some(name) = member(&function, "name") {
                        call.name.push_str(inside(name)?);
                    }
                    if let Some(arguments) = member(&function, "arguments") {
                        call.arguments.push_str(inside(arguments)?);
                    }
                }
                name => set(&mut call.members, name, raw.get()),
            }
        }
        Some(())
    }

    fn write(&self, out: &mut Vec<u8>) {
        let mut object = ObjectWriter::begin(out);
        json::write(object.value("index"), &self.index);
        self.write_message(object.value("message"));
        if !self.logprobs.is_empty() {
            let mut lists = ObjectWriter::begin(object.value("logprobs"));
            self.logprobs
                .iter()
                .for_each(|(name, items)| lists.raw(name, &enclosed(items, true)));
            lists.end();
        }
        if !self.finish_reason.is_empty() {
            object.raw("finish_reason", &self.finish_reason);
        }
        object.end();
    }

    fn write_message(&self, out: &mut Vec<u8>) {
        let mut message = ObjectWriter::begin(out);
        message.raw("role", r#""assistant""#);
        if !self.pieces.iter().any(|(name, _)| name == "content") {
            message.raw("content", "null");
        }
        for (name, piece) in &self.pieces {
            message.raw(name, &enclosed(piece, LISTS.contains(&name.as_str())));
        }
        if !self.calls.is_empty() {
            write_list(message.value("tool_calls"), &self.calls, Call::write);
        }
        message.end();
    }
}

impl Call {
    fn write(&self, out: &mut Vec<u8>) {
        let mut call = ObjectWriter::begin(out);
        self.members
            .iter()
            .for_each(|(name, value)| call.raw(name, value));
        let mut function = ObjectWriter::begin(call.value("function"));
        function.raw("name", &enclosed(&self.name, false));
        function.raw("arguments", &enclosed(&self.arguments, false));
        function.end();
        call.end();
    }
}

/// Sets a text, new or not.
fn set(texts: &mut Vec<(String, String)>, name: &str, value: &str) {
    texts.retain(|(known, _)| known != name);
    texts.push((name.to_owned(), value.to_owned()));
}

/// Adds a piece to a text or a list.
fn add(pieces: &mut Vec<(String, String)>, name: &str, raw: Raw<'_>) -> Option<()> {
    let piece = inside(raw)?;
    let Some((_, text)) = pieces.iter_mut().find(|(known, _)| known == name) else {
        pieces.push((name.to_owned(), piece.to_owned()));
        return Some(());
    };
    if json::kind(raw) == Kind::Array && !text.is_empty() && !piece.is_empty() {
        text.push(',');
    }
    text.push_str(piece);
    Some(())
}

/// What stands between the quotes of a string or the brackets of a list.
fn inside(raw: Raw<'_>) -> Option<&str> {
    let text = raw.get();
    match text.strip_prefix('[') {
        Some(items) => items.strip_suffix(']').map(str::trim_ascii),
        None => text.strip_prefix('"')?.strip_suffix('"'),
    }
}

fn enclosed(piece: &str, is_list: bool) -> String {
    match is_list {
        true => format!("[{piece}]"),
        false => format!("\"{piece}\""),
    }
}
