//! A streamed reply shaped back, behind any schema's translator.
//!
//! Reads the chunks that the inner translator writes for the client, and writes them again.

use super::draft::object;
use super::reply::{Reshape, TextReader, call_object, calls_finish, replace};
use crate::failure::Failure;
use crate::framing::sse::{Decoder, Event};
use crate::json::{self, Extra, Members, Raw, Text};
use crate::schema::{Progress, Reply, StreamTranslator};
use crate::usage::Usage;

/// Shapes back what another translator writes.
pub(super) struct Reshaped {
    inner: Box<dyn StreamTranslator>,
    rewriter: Rewriter,
}

/// Chunks in, chunks out.
struct Rewriter {
    decoder: Decoder,
    state: State,
}

struct State {
    reshape: Reshape,
    /// For the ids of calls.
    id: String,
    /// The text of each choice that has not ended, by its index.
    readers: Vec<(u64, TextReader)>,
    /// The last chunk without its choices, for chunks of our own.
    head: String,
}

impl Reshaped {
    pub(super) fn new(reshape: Reshape, id: &str, inner: Box<dyn StreamTranslator>) -> Reshaped {
        let state = State {
            reshape,
            id: id.to_owned(),
            readers: Vec::new(),
            head: String::new(),
        };
        Reshaped {
            inner,
            rewriter: Rewriter {
                decoder: Decoder::default(),
                state,
            },
        }
    }
}

impl Rewriter {
    /// Reads what the inner translator has written.
    fn read(&mut self, written: &[u8], out: &mut Vec<u8>) -> Result<(), Failure> {
        let before = out.len();
        let state = &mut self.state;
        self.decoder.push(written, |event| {
            state.event(event, out);
            Ok::<(), Failure>(())
        })?;
        if out.len() == before && written.starts_with(b":") {
            out.extend_from_slice(written);
        }
        Ok(())
    }
}

impl StreamTranslator for Reshaped {
    fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<Progress, Failure> {
        let mut written = Vec::with_capacity(chunk.len());
        let pushed = self.inner.push(chunk, &mut written);
        self.rewriter.read(&written, out)?;
        if pushed.is_err() {
            self.rewriter.state.give_back(out);
        }
        pushed
    }

    fn finish(self: Box<Self>, out: &mut Vec<u8>) -> Result<Reply, Failure> {
        let Reshaped {
            inner,
            mut rewriter,
        } = *self;
        let mut written = Vec::new();
        let finished = inner.finish(&mut written);
        rewriter.read(&written, out)?;
        rewriter.state.give_back(out);
        finished
    }

    fn usage(&self) -> Usage {
        self.inner.usage()
    }
}

impl State {
    fn event(&mut self, event: Event<'_>, out: &mut Vec<u8>) {
        let chunk: Option<Members<'_>> = json::read(event.data).ok();
        let Some(Members(chunk)) = chunk else {
            // The end of the stream.
            self.give_back(out);
            return write(event.data, out);
        };
        let choices = chunk.iter().find(|(name, _)| *name == "choices");
        let choices: Vec<Raw<'_>> = choices
            .and_then(|(_, c)| json::parse(c))
            .unwrap_or_default();
        if choices.is_empty() {
            return write(event.data, out);
        }
        self.head = head(&chunk);
        for choice in choices {
            self.choice(&chunk, choice, out);
        }
    }

    /// Writes one choice of a chunk, its text read.
    fn choice(&mut self, chunk: &Extra<'_>, choice: Raw<'_>, out: &mut Vec<u8>) {
        let Some(Members(fields)) = json::parse(choice) else {
            return write_chunk(chunk, choice.get(), out);
        };
        let field = |wanted: &str| {
            let found = fields.iter().find(|(name, _)| *name == wanted);
            found
                .map(|(_, value)| *value)
                .filter(|value| value.get() != "null")
        };
        let index: u64 = field("index").and_then(json::parse).unwrap_or(0);
        let delta: Members<'_> = field("delta").and_then(json::parse).unwrap_or_default();
        let delta = self.delta(index, &delta.0);
        if field("finish_reason").is_none() {
            let tells_usage = chunk
                .iter()
                .any(|(n, v)| *n == "usage" && v.get() != "null");
            if delta != "{}" || tells_usage {
                write_chunk(chunk, &replace(&fields, "delta", &delta), out);
            }
            return;
        }
        if delta != "{}" {
            self.write_own(index, &delta, out);
        }
        let last = replace(&fields, "delta", "{}");
        if !self.end(index, out) {
            return write_chunk(chunk, &last, out);
        }
        let Members(last) = json::parse_text(&last).unwrap_or_default();
        let last = replace(&last, "finish_reason", calls_finish(&last));
        write_chunk(chunk, &last, out);
    }

    /// A delta with only as much of its text as is surely text.
    fn delta(&mut self, index: u64, delta: &Extra<'_>) -> String {
        let content = delta.iter().find(|(name, _)| *name == "content");
        let text = content.and_then(|(_, raw)| json::parse::<Text<'_>>(raw));
        let free = text.and_then(|text| Some(self.reader(index)?.push(&text)));
        let alone = delta.len() == 1;
        object(|writer| {
            for (name, value) in delta {
                match (name.as_str(), &free) {
                    ("content", Some(free)) if free.is_empty() && alone => {}
                    ("content", Some(free)) => json::write(writer.value(name), free),
                    _ => writer.raw(name, value.get()),
                }
            }
        })
    }

    fn reader(&mut self, index: u64) -> Option<&mut TextReader> {
        if !self.readers.iter().any(|(i, _)| *i == index) {
            self.readers.push((index, self.reshape.reader()));
        }
        let mut readers = self.readers.iter_mut();
        readers.find(|(i, _)| *i == index).map(|(_, reader)| reader)
    }

    /// A choice is over: what was held back of it, as text or as calls. Whether there are calls.
    fn end(&mut self, index: u64, out: &mut Vec<u8>) -> bool {
        let Some(place) = self.readers.iter().position(|(i, _)| *i == index) else {
            return false;
        };
        let (_, reader) = self.readers.swap_remove(place);
        let tools = std::mem::take(&mut self.reshape.tools);
        let (text, calls) = reader.finish(&tools, &self.id);
        if !text.is_empty() {
            let delta = object(|writer| json::write(writer.value("content"), &text));
            self.write_own(index, &delta, out);
        }
        if !calls.is_empty() {
            let numbered = calls.iter().enumerate();
            let list: Vec<String> = numbered.map(|(i, c)| call_object(Some(i), c)).collect();
            let delta = format!("{{\"tool_calls\":[{}]}}", list.join(","));
            self.write_own(index, &delta, out);
        }
        let has_calls = !calls.is_empty();
        self.reshape.tools = tools;
        has_calls
    }

    /// Nothing more comes: what is still held back is told.
    fn give_back(&mut self, out: &mut Vec<u8>) {
        while let Some((index, _)) = self.readers.first() {
            let index = *index;
            self.end(index, out);
        }
    }

    fn write_own(&self, index: u64, delta: &str, out: &mut Vec<u8>) {
        let head = &self.head;
        let choice = format!("{{\"index\":{index},\"delta\":{delta},\"finish_reason\":null}}");
        write(format!("{{{head}\"choices\":[{choice}]}}").as_bytes(), out);
    }
}

/// What every chunk of a reply says, as members with a comma after each.
fn head(chunk: &Extra<'_>) -> String {
    let mut head = String::new();
    for (name, value) in chunk {
        if !matches!(name.as_str(), "choices" | "usage" | "provider_metadata") {
            head.push_str(&json::to_string(name.as_str()));
            head.push(':');
            head.push_str(value.get());
            head.push(',');
        }
    }
    head
}

fn write_chunk(chunk: &Extra<'_>, choice: &str, out: &mut Vec<u8>) {
    write(
        replace(chunk, "choices", &format!("[{choice}]")).as_bytes(),
        out,
    );
}

/// Values may be spread over lines, which would end the event.
fn write(data: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"data: ");
    let breaks = |b: &u8| if matches!(b, b'\n' | b'\r') { b' ' } else { *b };
    out.extend(data.iter().map(breaks));
    out.extend_from_slice(b"\n\n");
}
