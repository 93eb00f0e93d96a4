//! A streamed reply to OpenAI's schema.

use super::NAME;
use super::citations::page;
use super::error;
use super::format::STRUCTURED_OUTPUT_TOOL;
use super::host::Host;
use super::metadata::{Metadata, Stop};
use super::response::{explanation, finish_reason, is_refusal};
use super::wire::{Delta, ErrorObject, MessageReply, ReplyBlock, StreamEvent, Tokens, WireUsage};
use crate::failure::{Class, Failure};
use crate::framing::sse::Event;
use crate::json::{self, Raw, RawValue};
use crate::schema::citations::{self, CitedText};
use crate::schema::openai::{ChunkWriter, ToolCallReply};
use crate::schema::reasoning_details::Thought;
use crate::schema::{Progress, Reply, ReplyContext, StreamTranslator};
use crate::usage::Usage;

mod block;
mod frames;

use block::{Block, ToolUse};
use frames::{Decoder, Stopped};

/// Translates one stream.
pub(super) struct Translator {
    decoder: Decoder,
    state: State,
}

struct State {
    writer: ChunkWriter,
    takes_answer_from_tool: bool,
    progress: Progress,
    /// Something was written, so that a comment may follow.
    has_written: bool,
    /// Blocks that are open, by their index.
    blocks: Vec<(u64, Block)>,
    thoughts: usize,
    calls: usize,
    answer: CitedText,
    tokens: Tokens,
    model: String,
    stop_reason: String,
    explanation: Option<String>,
    metadata: Metadata,
    is_over: bool,
}

// === impl Translator ===

impl Translator {
    pub(super) fn new(host: &Host, context: &ReplyContext) -> Translator {
        Translator {
            decoder: Decoder::of(host.frames),
            state: State {
                writer: ChunkWriter::new(context),
                takes_answer_from_tool: context.hints.structured_output_tool,
                progress: Progress::Waiting,
                has_written: false,
                blocks: Vec::new(),
                thoughts: 0,
                calls: 0,
                answer: CitedText::default(),
                tokens: Tokens::default(),
                model: String::new(),
                stop_reason: String::new(),
                explanation: None,
                metadata: Metadata::default(),
                is_over: false,
            },
        }
    }
}

impl StreamTranslator for Translator {
    fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<Progress, Failure> {
        let Translator { decoder, state } = self;
        decoder
            .push(chunk, &mut |event| state.event(event, out))
            .map_err(|Stopped(failure)| failure)?;
        Ok(state.progress)
    }

    fn finish(self: Box<Self>, out: &mut Vec<u8>) -> Result<Reply, Failure> {
        let Translator { decoder, state } = *self;
        let (mut decoder, mut state) = (decoder, state);
        decoder
            .finish(&mut |event| state.event(event, out))
            .map_err(|Stopped(failure)| failure)?;
        state.finish(out)
    }

    fn usage(&self) -> Usage {
        self.state.tokens.to_usage()
    }
}

// === impl State ===

impl State {
    fn event(&mut self, event: Event<'_>, out: &mut Vec<u8>) -> Result<(), Stopped> {
        if self.is_over {
            return Ok(());
        }
        let Ok(wire) = json::read::<StreamEvent<'_>>(event.data) else {
            // One broken event does not end a healthy stream; a broken error does.
            return match event.name {
                "error" => Err(stopped(&ErrorObject::default())),
                _ => Ok(()),
            };
        };
        let before = out.len();
        let outcome = self.typed_event(event.name, wire, out);
        self.has_written |= out.len() > before;
        outcome
    }

    fn typed_event(
        &mut self,
        name: &str,
        event: StreamEvent<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Stopped> {
        let StreamEvent {
            kind,
            message,
            index,
            content_block,
            delta,
            usage,
            error,
            extra: _, // none is documented
        } = event;
        let index = index.unwrap_or_default();
        match kind.as_deref().unwrap_or(name) {
            "message_start" => self.start(message.unwrap_or_default()),
            "content_block_start" => self.open(index, content_block, out),
            "content_block_delta" => self.extend(index, delta.unwrap_or_default(), out),
            "content_block_stop" => self.close(index, out),
            "message_delta" => self.update(delta.unwrap_or_default(), usage.as_ref()),
            "message_stop" => self.stop(out),
            "ping" if self.has_written => self.writer.keep_alive(out),
            "error" => return Err(stopped(&error.unwrap_or_default())),
            // A type that we do not know: Anthropic reserves the right to add some.
            _ => {}
        }
        Ok(())
    }

    fn start(&mut self, message: MessageReply<'_>) {
        if let Some(id) = message.id {
            self.writer.set_id(&id);
        }
        if let Some(model) = message.model {
            self.writer.set_model(&model);
            self.model = model.to_string();
        }
        self.count(message.usage.as_ref());
    }

    fn count(&mut self, usage: Option<&WireUsage<'_>>) {
        if let Some(usage) = usage {
            self.tokens.update(usage);
            self.metadata.server_tools(usage.server_tool_use);
        }
    }

    fn open(&mut self, index: u64, raw: Option<Raw<'_>>, out: &mut Vec<u8>) {
        let Some((raw, start)) = raw.and_then(|raw| Some((raw, json::parse(raw)?))) else {
            return;
        };
        let start: ReplyBlock<'_> = start;
        let block = match start.kind.as_deref() {
            Some("text") => self.open_text(&start, out),
            Some("thinking") => self.open_thought(&start, out),
            Some("redacted_thinking") => self.redacted(&start, out),
            Some("tool_use") => self.open_tool(&start, out),
            _ => Block::other(raw, &start),
        };
        self.blocks.retain(|(known, _)| *known != index);
        self.blocks.push((index, block));
    }

    fn open_text(&mut self, start: &ReplyBlock<'_>, out: &mut Vec<u8>) -> Block {
        self.answer.begin();
        for citation in start.citations.as_deref().unwrap_or_default() {
            self.cite(citation);
        }
        self.text(start.text.as_deref().unwrap_or_default(), out);
        Block::Text
    }

    fn cite(&mut self, citation: Raw<'_>) {
        match page(citation) {
            Some(page) => self.answer.cite(page),
            None => self.metadata.citation(citation),
        }
    }

    fn open_thought(&mut self, start: &ReplyBlock<'_>, out: &mut Vec<u8>) -> Block {
        let mut thought = Thought::default();
        thought.sign(start.signature.as_deref().unwrap_or_default());
        self.think(
            &mut thought,
            start.thinking.as_deref().unwrap_or_default(),
            out,
        );
        Block::Thought(thought)
    }

    fn redacted(&mut self, start: &ReplyBlock<'_>, out: &mut Vec<u8>) -> Block {
        let data = start.data.as_deref().unwrap_or_default();
        let detail = block::encrypted(data, self.thoughts);
        self.thoughts += 1;
        self.writer.reasoning(0, None, &[detail], out);
        self.progress = Progress::Started;
        Block::Done
    }

    fn open_tool(&mut self, start: &ReplyBlock<'_>, out: &mut Vec<u8>) -> Block {
        let name = start.name.as_deref().unwrap_or_default();
        let is_answer = self.takes_answer_from_tool && name == STRUCTURED_OUTPUT_TOOL;
        let mut tool = ToolUse::new((!is_answer).then_some(self.calls));
        if !is_answer {
            let call = ToolCallReply {
                id: start.id.as_deref().unwrap_or_default().into(),
                name: name.into(),
                ..ToolCallReply::default()
            };
            self.writer.tool_call(0, self.calls, &call, out);
            self.calls += 1;
        }
        self.progress = Progress::Started;
        // Anthropic starts with an empty object; others send the whole of it here.
        if let Some(input) = start.input.filter(|input| !is_empty_object(input)) {
            self.arguments(&mut tool, input.get(), out);
        }
        Block::ToolUse(tool)
    }

    fn extend(&mut self, index: u64, delta: Delta<'_>, out: &mut Vec<u8>) {
        let Some(at) = self.blocks.iter().position(|(known, _)| *known == index) else {
            return;
        };
        let (index, mut block) = self.blocks.swap_remove(at);
        match (&mut block, delta.kind.as_deref()) {
            (Block::Text, Some("text_delta")) => {
                self.text(delta.text.as_deref().unwrap_or_default(), out);
            }
            (Block::Text, Some("citations_delta")) => {
                if let Some(citation) = delta.citation {
                    self.cite(citation);
                }
            }
            (Block::Thought(thought), Some("thinking_delta")) => {
                self.think(thought, delta.thinking.as_deref().unwrap_or_default(), out);
            }
            (Block::Thought(thought), Some("signature_delta")) => {
                thought.sign(delta.signature.as_deref().unwrap_or_default());
            }
            (Block::ToolUse(tool), Some("input_json_delta")) => {
                self.arguments(tool, delta.partial_json.as_deref().unwrap_or_default(), out);
            }
            (Block::Other(other), Some("input_json_delta")) => {
                other.extend(delta.partial_json.as_deref().unwrap_or_default());
            }
            // A delta of a type that we do not know, or that does not belong to this block.
            _ => {}
        }
        self.blocks.push((index, block));
    }

    fn close(&mut self, index: u64, out: &mut Vec<u8>) {
        let Some(at) = self.blocks.iter().position(|(known, _)| *known == index) else {
            return;
        };
        match self.blocks.swap_remove(at).1 {
            Block::Text => {
                if let Some(annotations) = citations::to_array(&self.answer.end()) {
                    self.writer.annotations(0, &annotations, out);
                }
            }
            Block::Thought(thought) => self.close_thought(&thought, out),
            Block::ToolUse(mut tool) if tool.is_empty() => self.arguments(&mut tool, "{}", out),
            Block::Other(other) => self.metadata.block(&other.into_json()),
            Block::ToolUse(_) | Block::Done => {}
        }
    }

    fn close_thought(&mut self, thought: &Thought, out: &mut Vec<u8>) {
        if let Some(detail) = thought.to_detail(NAME, self.thoughts) {
            self.thoughts += 1;
            self.writer.reasoning(0, None, &[detail], out);
            self.progress = Progress::Started;
        }
    }

    fn text(&mut self, text: &str, out: &mut Vec<u8>) {
        if !text.is_empty() {
            self.answer.extend(text);
            self.writer.content(0, text, out);
            self.progress = Progress::Started;
        }
    }

    fn think(&mut self, thought: &mut Thought, text: &str, out: &mut Vec<u8>) {
        if !text.is_empty() {
            thought.extend(text);
            self.writer.reasoning(0, Some(text), &[], out);
            self.progress = Progress::Started;
        }
    }

    fn arguments(&mut self, tool: &mut ToolUse, fragment: &str, out: &mut Vec<u8>) {
        if fragment.is_empty() {
            return;
        }
        match tool.extend() {
            Some(call) => self.writer.tool_call_arguments(0, call, fragment, out),
            None => self.text(fragment, out),
        }
    }

    fn update(&mut self, delta: Delta<'_>, usage: Option<&WireUsage<'_>>) {
        self.count(usage);
        if let Some(reason) = &delta.stop_reason {
            self.stop_reason = reason.to_string();
        }
        if let Some(words) = explanation(delta.stop_details) {
            self.explanation = Some(words);
        }
        self.metadata.stop(&Stop {
            reason: delta.stop_reason,
            sequence: delta.stop_sequence,
            details: delta.stop_details,
            container: delta.container,
        });
        if is_refusal(&self.stop_reason) && self.progress == Progress::Waiting {
            self.progress = Progress::Refused;
        }
    }

    fn stop(&mut self, out: &mut Vec<u8>) {
        self.is_over = true;
        if self.progress != Progress::Refused {
            self.progress = Progress::Started;
        }
        if let Some(words) = &self.explanation {
            self.writer.refusal(0, words, out);
        }
        let metadata = std::mem::take(&mut self.metadata).into_object();
        self.writer.provider_metadata(&metadata, out);
        let reason = finish_reason(&self.stop_reason, self.calls > 0);
        self.writer.finish(0, reason, out);
    }

    fn finish(mut self, out: &mut Vec<u8>) -> Result<Reply, Failure> {
        if !self.is_over {
            return Err(self.broken());
        }
        let usage = self.tokens.to_usage();
        self.writer.usage(&usage, out);
        self.writer.done(out);
        Ok(Reply {
            usage,
            model: self.model,
            refused: is_refusal(&self.stop_reason),
        })
    }

    fn broken(&self) -> Failure {
        match self.progress {
            Progress::Waiting => Failure::new(Class::EmptyReply, "the provider's stream was empty"),
            Progress::Started | Progress::Refused => {
                let message = "the provider's stream ended before its end";
                Failure::new(Class::Reset, message)
            }
        }
    }
}

fn stopped(error: &ErrorObject<'_>) -> Stopped {
    Stopped(error::of_object(error, None))
}

fn is_empty_object(input: &RawValue) -> bool {
    input
        .get()
        .chars()
        .filter(|c| !c.is_whitespace())
        .eq("{}".chars())
}

#[cfg(test)]
mod tests;
