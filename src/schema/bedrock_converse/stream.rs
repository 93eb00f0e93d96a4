//! A streamed reply to OpenAI's schema: binary frames, one event each.

use super::FORMAT;
use super::error;
use super::format::STRUCTURED_OUTPUT_TOOL;
use super::metadata::Metadata;
use super::reasoning::signed_format;
use super::response::{finish_reason, is_malformed, is_refusal, malformed_by_the_model, page};
use super::wire::{Delta, ReplyBlock, ReplyReasoning, ReplyToolUse, StreamEvent};
use crate::failure::{Class, Failure};
use crate::framing::event_stream::{Decoder, Frame, FrameError};
use crate::json::{self, Raw};
use crate::schema::citations::{self, CitedText};
use crate::schema::openai::{ChunkWriter, ReasoningDetail, ToolCallReply};
use crate::schema::reasoning_details::Thought;
use crate::schema::{Progress, Reply, ReplyContext, StreamTranslator, tool_id};
use crate::usage::{Tier, Usage};

/// Translates one stream.
pub(super) struct Translator {
    decoder: Decoder,
    state: State,
}

struct State {
    writer: ChunkWriter,
    takes_answer_from_tool: bool,
    progress: Progress,
    /// Blocks that are open, by their index. Only calls tell of their start.
    blocks: Vec<(u64, Block)>,
    thoughts: usize,
    calls: usize,
    answer: CitedText,
    usage: Usage,
    model: String,
    /// Empty until the message has stopped.
    stop_reason: String,
    metadata: Metadata,
    has_ended: bool,
}

/// One open block.
enum Block {
    /// Text, or nothing that we know.
    Text,
    /// Reasoning.
    Thought(Thought),
    /// A call.
    ToolUse(ToolUse),
    /// A call of a tool that Bedrock itself runs, and what comes of it.
    Other,
}

/// A call, or the answer in the form of one.
struct ToolUse {
    /// Its index among the client's calls; none when it is the answer.
    call: Option<usize>,
    has_arguments: bool,
}

/// What stops the decoder.
struct Stopped(Failure);

impl From<FrameError> for Stopped {
    fn from(error: FrameError) -> Stopped {
        Stopped(error::of_framing(error))
    }
}

// === impl Translator ===

impl Translator {
    pub(super) fn new(context: &ReplyContext) -> Translator {
        Translator {
            decoder: Decoder::default(),
            state: State {
                writer: ChunkWriter::new(context),
                takes_answer_from_tool: context.hints.structured_output_tool,
                progress: Progress::Waiting,
                blocks: Vec::new(),
                thoughts: 0,
                calls: 0,
                answer: CitedText::default(),
                usage: Usage::default(),
                model: context.model.clone(),
                stop_reason: String::new(),
                metadata: Metadata::default(),
                has_ended: false,
            },
        }
    }
}

impl StreamTranslator for Translator {
    fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<Progress, Failure> {
        let Translator { decoder, state } = self;
        decoder
            .push(chunk, |frame| state.frame(&frame, out))
            .map_err(|Stopped(failure)| failure)?;
        Ok(state.progress)
    }

    fn finish(self: Box<Self>, out: &mut Vec<u8>) -> Result<Reply, Failure> {
        let Translator { decoder, state } = *self;
        state.finish(decoder.is_inside_frame(), out)
    }

    fn usage(&self) -> Usage {
        self.state.usage
    }
}

// === impl State ===

impl State {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Vec<u8>) -> Result<(), Stopped> {
        if self.has_ended {
            return Ok(());
        }
        match frame.headers.text(":message-type") {
            Some("exception") => return Err(Stopped(error::of_exception(frame))),
            Some("error") => return Err(Stopped(error::of_error_frame(frame))),
            _ => {}
        }
        // One broken event does not end a healthy stream.
        let Ok(event) = json::read(frame.payload) else {
            return Ok(());
        };
        let name = frame.headers.text(":event-type").unwrap_or_default();
        self.event(name, event, out)
    }

    fn event(
        &mut self,
        name: &str,
        event: StreamEvent<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Stopped> {
        let StreamEvent {
            index,
            start,
            delta,
            stop_reason,
            additional,
            usage,
            trace,
            performance_config,
            service_tier,
            extra: _, // the role, how long it took, and padding
        } = event;
        let index = index.unwrap_or_default();
        match name {
            "contentBlockStart" => self.open(index, start, out),
            "contentBlockDelta" => self.extend(index, delta.unwrap_or_default(), out),
            "contentBlockStop" => self.close(index, out),
            "messageStop" => {
                let stop_reason = stop_reason.as_deref().unwrap_or("end_turn");
                self.metadata.stop(stop_reason, additional);
                self.stop(stop_reason)?;
            }
            "metadata" => {
                self.usage = usage.as_ref().map(Usage::from).unwrap_or(self.usage);
                if let Some(tier) = service_tier {
                    self.usage.tier = Tier::named(tier.get());
                }
                self.metadata.trace(trace);
                self.metadata.service(performance_config, service_tier);
                if !self.stop_reason.is_empty() {
                    self.end(out);
                }
            }
            // `messageStart` says nothing; AWS reserves the right to add events.
            _ => {}
        }
        Ok(())
    }

    fn open(&mut self, index: u64, start: Option<Raw<'_>>, out: &mut Vec<u8>) {
        let Some(raw) = start else { return };
        let ReplyBlock {
            text: _, // blocks of text and reasoning begin with their first delta
            tool_use,
            reasoning: _,
            cited: _,
            extra: _, // blocks that we do not know are kept whole
        } = json::parse(raw).unwrap_or_default();
        let block = match tool_use {
            Some(call) if call.kind.is_none() => self.open_tool(&call, out),
            _ => {
                self.metadata.block(raw);
                Block::Other
            }
        };
        self.blocks.retain(|(known, _)| *known != index);
        self.blocks.push((index, block));
    }

    fn open_tool(&mut self, start: &ReplyToolUse<'_>, out: &mut Vec<u8>) -> Block {
        let name = start.name.as_deref().unwrap_or_default();
        let is_answer = self.takes_answer_from_tool && name == STRUCTURED_OUTPUT_TOOL;
        self.progress = Progress::Started;
        let tool = ToolUse {
            call: (!is_answer).then_some(self.calls),
            has_arguments: false,
        };
        if !is_answer {
            let call = ToolCallReply {
                id: start.id.as_deref().unwrap_or_default().into(),
                name: tool_id::decode(name),
                ..ToolCallReply::default()
            };
            self.writer.tool_call(0, self.calls, &call, out);
            self.calls += 1;
        }
        Block::ToolUse(tool)
    }

    fn extend(&mut self, index: u64, delta: Delta<'_>, out: &mut Vec<u8>) {
        let Delta {
            text,
            tool_use,
            reasoning,
            citation,
            extra: _, // of blocks that we do not know
        } = delta;
        let mut block = self.take(index).unwrap_or_else(|| self.begin(&reasoning));
        match &mut block {
            Block::Text => {
                self.text(text.as_deref().unwrap_or_default(), out);
                if let Some(citation) = citation {
                    self.cite(citation);
                }
            }
            Block::Thought(thought) => {
                self.think(thought, reasoning.unwrap_or_default(), out);
            }
            Block::ToolUse(tool) => {
                let fragment = tool_use.and_then(|call| call.input).unwrap_or_default();
                self.arguments(tool, &fragment, out);
            }
            Block::Other => {}
        }
        self.blocks.push((index, block));
    }

    /// A block whose start was not told.
    fn begin(&mut self, reasoning: &Option<ReplyReasoning<'_>>) -> Block {
        if reasoning.is_some() {
            return Block::Thought(Thought::default());
        }
        self.answer.begin();
        Block::Text
    }

    fn close(&mut self, index: u64, out: &mut Vec<u8>) {
        match self.take(index) {
            Some(Block::Text) => {
                if let Some(annotations) = citations::to_array(&self.answer.end()) {
                    self.writer.annotations(0, &annotations, out);
                }
            }
            Some(Block::Thought(thought)) => self.close_thought(&thought, out),
            Some(Block::ToolUse(mut tool)) if !tool.has_arguments => {
                self.arguments(&mut tool, "{}", out);
            }
            Some(Block::ToolUse(_) | Block::Other) | None => {}
        }
    }

    fn take(&mut self, index: u64) -> Option<Block> {
        let at = self.blocks.iter().position(|(known, _)| *known == index)?;
        Some(self.blocks.swap_remove(at).1)
    }

    fn text(&mut self, text: &str, out: &mut Vec<u8>) {
        if !text.is_empty() {
            self.answer.extend(text);
            self.writer.content(0, text, out);
            self.progress = Progress::Started;
        }
    }

    fn cite(&mut self, citation: Raw<'_>) {
        match page(citation) {
            Some(page) => self.answer.cite(page),
            None => self.metadata.citation(citation),
        }
    }

    fn think(&mut self, thought: &mut Thought, delta: ReplyReasoning<'_>, out: &mut Vec<u8>) {
        let ReplyReasoning {
            whole: _, // of whole replies
            redacted,
            text,
            signature,
            extra: _, // none is documented
        } = delta;
        thought.sign(signature.as_deref().unwrap_or_default());
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            thought.extend(&text);
            self.writer.reasoning(0, Some(&text), &[], out);
            self.progress = Progress::Started;
        }
        if let Some(data) = redacted {
            let detail = ReasoningDetail::Encrypted {
                data: data.into_inner(),
                format: FORMAT,
                index: self.thoughts,
            };
            self.thoughts += 1;
            self.writer.reasoning(0, None, &[detail], out);
            self.progress = Progress::Started;
        }
    }

    fn close_thought(&mut self, thought: &Thought, out: &mut Vec<u8>) {
        let format = signed_format(&self.model);
        if let Some(detail) = thought.to_detail(format, self.thoughts) {
            self.thoughts += 1;
            self.writer.reasoning(0, None, &[detail], out);
            self.progress = Progress::Started;
        }
    }

    fn arguments(&mut self, tool: &mut ToolUse, fragment: &str, out: &mut Vec<u8>) {
        if fragment.is_empty() {
            return;
        }
        tool.has_arguments = true;
        match tool.call {
            Some(call) => self.writer.tool_call_arguments(0, call, fragment, out),
            None => self.text(fragment, out),
        }
    }

    fn stop(&mut self, stop_reason: &str) -> Result<(), Stopped> {
        let is_waiting = self.progress == Progress::Waiting;
        if is_waiting && is_malformed(stop_reason) {
            return Err(Stopped(malformed_by_the_model()));
        }
        stop_reason.clone_into(&mut self.stop_reason);
        self.progress = match is_waiting && is_refusal(stop_reason) {
            true => Progress::Refused,
            false => Progress::Started,
        };
        Ok(())
    }

    /// The message is over: its usage comes behind its stop, and may never come.
    fn end(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.has_ended, true) {
            return;
        }
        let metadata = std::mem::take(&mut self.metadata).into_object();
        self.writer.provider_metadata(&metadata, out);
        let reason = finish_reason(&self.stop_reason, self.calls > 0);
        self.writer.finish(0, reason, out);
    }

    fn finish(mut self, is_inside_frame: bool, out: &mut Vec<u8>) -> Result<Reply, Failure> {
        if self.stop_reason.is_empty() {
            return Err(self.broken(is_inside_frame));
        }
        self.end(out);
        self.writer.usage(&self.usage, out);
        self.writer.done(out);
        Ok(Reply {
            usage: self.usage,
            model: self.model,
            refused: is_refusal(&self.stop_reason),
        })
    }

    fn broken(&self, is_inside_frame: bool) -> Failure {
        match self.progress {
            Progress::Waiting if !is_inside_frame => {
                Failure::new(Class::EmptyReply, "the provider's stream was empty")
            }
            Progress::Waiting | Progress::Started | Progress::Refused => {
                let message = "the provider's stream ended before its end";
                Failure::new(Class::Reset, message)
            }
        }
    }
}
