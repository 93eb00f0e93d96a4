//! A whole chat completion as the stream that it could have been.

use super::worth::member;
use crate::json::{self, Kind, Members, ObjectWriter, Raw};

/// Texts that are told in pieces, in the order in which models tell them.
const TEXTS: [&str; 3] = ["reasoning_content", "reasoning", "content"];

/// A piece of a text, in bytes: clients have limits on the length of a line.
const PIECE: usize = 512;

/// Appends the events of a whole chat completion, with its usage when the client asks for it.
/// `None` when it is no chat completion.
pub fn replay(completion: &[u8], include_usage: bool, out: &mut Vec<u8>) -> Option<()> {
    let completion: Members<'_> = json::read(completion).ok()?;
    let choices: Vec<Members<'_>> = json::parse(member(&completion, "choices")?)?;
    let mut head = Vec::with_capacity(256);
    for (name, raw) in &completion.0 {
        if !matches!(name.as_str(), "object" | "choices" | "usage") {
            json::write(&mut head, name);
            head.push(b':');
            // Raw values may be spread over lines, which would end the event.
            head.extend(raw.get().bytes().map(in_line));
            head.push(b',');
        }
    }
    let mut writer = Writer {
        head,
        usage: include_usage.then_some("null"),
        out,
    };
    choices
        .iter()
        .try_for_each(|choice| writer.choice(choice))?;
    if let Some(usage) = member(&completion, "usage").filter(|_| include_usage) {
        writer.usage = Some(usage.get());
        writer.event("");
    }
    writer.out.extend_from_slice(b"data: [DONE]\n\n");
    Some(())
}

struct Writer<'o> {
    /// Members that every chunk has, each with a comma behind it.
    head: Vec<u8>,
    usage: Option<&'o str>,
    out: &'o mut Vec<u8>,
}

impl Writer<'_> {
    fn choice(&mut self, choice: &Members<'_>) -> Option<()> {
        let index = member(choice, "index").map_or("0", |raw| raw.get());
        let message: Members<'_> = json::parse(member(choice, "message")?)?;
        let reason = member(choice, "finish_reason").map_or("null", |raw| raw.get());
        let logprobs = member(choice, "logprobs");
        let mut first = Vec::new();
        let mut delta = ObjectWriter::begin(&mut first);
        delta.raw("role", r#""assistant""#);
        for (name, raw) in message
            .0
            .iter()
            .filter(|(_, raw)| json::kind(raw) != Kind::Null)
        {
            match name.as_str() {
                "role" => {}
                "tool_calls" => calls(raw, delta.value("tool_calls"))?,
                name if TEXTS.contains(&name) => {}
                name => delta.raw(name, raw.get()),
            }
        }
        delta.end();
        self.delta(index, &String::from_utf8(first).ok()?, None, "null");
        let mut logprobs = logprobs;
        for name in TEXTS {
            let text = member(&message, name).filter(|raw| json::kind(raw) == Kind::String);
            let is_content = name == "content";
            for piece in text.into_iter().flat_map(pieces) {
                let delta = format!(r#"{{"{name}":"{piece}"}}"#);
                // They are of the whole text, and stand beside its first piece.
                let beside = if is_content { logprobs.take() } else { None };
                self.delta(index, &delta, beside, "null");
            }
        }
        self.delta(index, "{}", logprobs, reason);
        Some(())
    }

    fn delta(&mut self, index: &str, delta: &str, logprobs: Option<Raw<'_>>, reason: &str) {
        let logprobs = logprobs.map_or("null", |raw| raw.get());
        self.event(&format!(
            r#"{{"index":{index},"delta":{delta},"logprobs":{logprobs},"finish_reason":{reason}}}"#
        ));
    }

    fn event(&mut self, choice: &str) {
        let out = &mut *self.out;
        out.extend_from_slice(br#"data: {"object":"chat.completion.chunk","#);
        out.extend_from_slice(&self.head);
        out.extend_from_slice(br#""choices":["#);
        out.extend(choice.bytes().map(in_line));
        out.push(b']');
        if let Some(usage) = self.usage {
            out.extend_from_slice(br#","usage":"#);
            out.extend(usage.bytes().map(in_line));
        }
        out.extend_from_slice(b"}\n\n");
    }
}

/// In JSON a line break is always white space.
fn in_line(byte: u8) -> u8 {
    if matches!(byte, b'\n' | b'\r') {
        b' '
    } else {
        byte
    }
}

/// Calls with the numbers that they have in streams.
fn calls(raw: Raw<'_>, out: &mut Vec<u8>) -> Option<()> {
    let calls: Vec<Members<'_>> = json::parse(raw)?;
    for (i, call) in calls.iter().enumerate() {
        out.push(if i == 0 { b'[' } else { b',' });
        let mut object = ObjectWriter::begin(out);
        json::write(object.value("index"), &i);
        let members = call.0.iter().filter(|(name, _)| name != "index");
        members.for_each(|(name, raw)| object.raw(name, raw.get()));
        object.end();
    }
    out.extend_from_slice(if calls.is_empty() { b"[]" } else { b"]" });
    Some(())
}

/// A JSON string in pieces, still escaped; no escape is cut, nor a pair of them that is one
/// character.
fn pieces(text: Raw<'_>) -> impl Iterator<Item = &str> {
    let text = text.get();
    let text = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    let mut rest = text.unwrap_or_default();
    std::iter::from_fn(move || {
        let (piece, after) = rest.split_at_checked(end_of_piece(rest))?;
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

fn end_of_piece(text: &str) -> usize {
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        // Words stay whole, unless they are endless.
        if at >= PIECE && (c == ' ' || (at >= 2 * PIECE && c != '\\')) {
            return at;
        }
        if c == '\\' && chars.next().is_some_and(|(_, kind)| kind == 'u') {
            chars.nth(3);
        }
    }
    text.len()
}
