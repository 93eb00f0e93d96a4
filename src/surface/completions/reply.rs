//! The way back, whole or streamed.

use super::logprobs;
use super::request::Opened;
use crate::failure::{Class, Failure};
use crate::framing::sse::{Decoder, Event, EventTooLarge};
use crate::json::{self, Text};
use crate::json::{ObjectWriter, write_list};
use crate::schema::openai::write_error;
use crate::surface::completion::{Choice, Completion, Said};
use crate::surface::{SurfaceContext, SurfaceReply};
use crate::usage::Usage;

pub(super) struct Reply {
    is_streamed: bool,
    decoder: Decoder,
    state: State,
}

struct State {
    id: String,
    created: u64,
    echo: Option<String>,
    /// The choices that have begun.
    begun: Vec<Begun>,
    is_over: bool,
}

/// A choice on its way.
struct Begun {
    index: u64,
    /// How far its text has come, in characters; counted when log probabilities are told.
    chars: usize,
}

enum Broken {
    TooLarge,
}

impl From<EventTooLarge> for Broken {
    fn from(EventTooLarge: EventTooLarge) -> Broken {
        Broken::TooLarge
    }
}

// === impl Reply ===

impl Reply {
    pub(super) fn new(context: &SurfaceContext, opened: Opened) -> Reply {
        let Opened { is_streamed, echo } = opened;
        Reply {
            is_streamed,
            decoder: Decoder::default(),
            state: State {
                id: format!("cmpl-{}", context.id),
                created: context.created,
                echo,
                begun: Vec::new(),
                is_over: false,
            },
        }
    }
}

impl SurfaceReply for Reply {
    fn is_streamed(&self) -> bool {
        self.is_streamed
    }

    fn whole(&mut self, chat: &[u8], out: &mut Vec<u8>) -> Result<(), Failure> {
        let message = "the reply is not a chat completion";
        let completion: Completion<'_> =
            json::read(chat).map_err(|_| Failure::malformed(message))?;
        self.state.write(completion, out);
        Ok(())
    }

    fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        let Reply { decoder, state, .. } = self;
        if let Err(Broken::TooLarge) = decoder.push(chunk, |event| state.event(event, out)) {
            state.fail("an event of the reply is too large", out);
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        let Reply { decoder, state, .. } = self;
        let _: Result<(), Broken> = decoder.finish(|event| state.event(event, out));
        state.fail("the stream stopped before its end", out);
    }
}

// === impl State ===

impl State {
    fn event(&mut self, event: Event<'_>, out: &mut Vec<u8>) -> Result<(), Broken> {
        if self.is_over {
            return Ok(());
        }
        let data = event.data.trim_ascii();
        if data == b"[DONE]" {
            self.is_over = true;
            tell(data, out);
            return Ok(());
        }
        // One broken event in a healthy stream is skipped: the rest is still of use.
        let Ok(completion) = json::read::<Completion<'_>>(data) else {
            return Ok(());
        };
        if completion.error.is_some() {
            // The error event is the same in both APIs.
            self.is_over = true;
            tell(data, out);
        } else if says_something(&completion) {
            out.extend_from_slice(b"data: ");
            self.write(completion, out);
            out.extend_from_slice(b"\n\n");
        }
        Ok(())
    }

    fn fail(&mut self, message: &'static str, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.is_over, true) {
            let mut body = Vec::new();
            write_error(&Failure::new(Class::Reset, message), &mut body);
            tell(&body, out);
        }
    }

    /// Appends a completion, or a chunk of one: they have the same shape.
    fn write(&mut self, completion: Completion<'_>, out: &mut Vec<u8>) {
        let Completion {
            model,
            choices,
            usage,
            service_tier: _, // The legacy API has none.
            provider_metadata,
            error: _, // Seen by the caller.
            extra,
        } = completion;
        let mut writer = ObjectWriter::begin(out);
        json::write(writer.value("id"), &self.id);
        writer.raw("object", r#""text_completion""#);
        json::write(writer.value("created"), &self.created);
        json::write(writer.value("model"), &model.unwrap_or_default());
        // Its id, object and time are those of a chat completion.
        if let Some((name, raw)) = extra.iter().find(|(name, _)| *name == "system_fingerprint") {
            writer.raw(name, raw.get());
        }
        let list = writer.value("choices");
        write_list(list, choices.unwrap_or_default(), |choice, out| {
            self.choice(choice, out);
        });
        if let Some(usage) = &usage {
            write_usage(usage.into(), writer.value("usage"));
        }
        if let Some(metadata) = provider_metadata {
            writer.raw("provider_metadata", metadata.get());
        }
        writer.end();
    }

    fn choice(&mut self, choice: Choice<'_>, out: &mut Vec<u8>) {
        let Choice {
            index,
            message,
            delta,
            finish_reason,
            logprobs,
            extra: _, // Nobody knows it.
        } = choice;
        let index = index.unwrap_or(0);
        let mut said = text(message.or(delta).unwrap_or_default());
        let tokens = logprobs.and_then(|logprobs| logprobs.content);
        let at = self.begun.iter().position(|begun| begun.index == index);
        if at.is_none() {
            self.begun.push(Begun { index, chars: 0 });
            if let Some(echo) = &self.echo {
                said.0.to_mut().insert_str(0, echo);
            }
        }
        let last = self.begun.len().saturating_sub(1);
        let begun = self.begun.get_mut(at.unwrap_or(last));
        let mut writer = ObjectWriter::begin(out);
        json::write(writer.value("text"), &said);
        json::write(writer.value("index"), &index);
        match (tokens, begun) {
            (Some(tokens), Some(begun)) => {
                logprobs::write(tokens, &mut begun.chars, writer.value("logprobs"));
            }
            _ => writer.raw("logprobs", "null"),
        }
        let reason = finish_reason.as_deref().map(|reason| match reason {
            "length" | "content_filter" => reason,
            _ => "stop",
        });
        json::write(writer.value("finish_reason"), &reason);
        writer.end();
    }
}

/// What was said; a refusal is told as text, which is all that there is.
fn text(said: Said<'_>) -> Text<'_> {
    let Said {
        content,
        refusal,
        reasoning_content: _, // No continuation of the prompt.
        reasoning_details: _, // No continuation of the prompt.
        annotations: _,       // Text only.
        tool_calls: _,        // None can be asked for.
        extra: _,             // The role.
    } = said;
    let content: Option<Text<'_>> = content.and_then(json::parse);
    content
        .filter(|text| !text.is_empty())
        .or(refusal)
        .unwrap_or_default()
}

/// A chunk that only names the role, or tells of reasoning, is none for a legacy client.
fn says_something(chunk: &Completion<'_>) -> bool {
    let mut choices = chunk.choices.iter().flatten();
    let has_text = |choice: &Choice<'_>| {
        let delta = choice.delta.as_ref();
        let content = delta.and_then(|delta| delta.content);
        content.is_some_and(|raw| raw.get() != r#""""#)
            || delta.is_some_and(|delta| delta.refusal.as_deref().is_some_and(|t| !t.is_empty()))
            || choice.finish_reason.is_some()
    };
    chunk.usage.is_some() || choices.any(has_text)
}

fn write_usage(usage: Usage, out: &mut Vec<u8>) {
    let mut writer = ObjectWriter::begin(out);
    json::write(writer.value("prompt_tokens"), &usage.input_tokens);
    json::write(writer.value("completion_tokens"), &usage.output_tokens);
    json::write(writer.value("total_tokens"), &usage.total_tokens());
    for (name, part, tokens) in [
        (
            "prompt_tokens_details",
            "cached_tokens",
            usage.cached_input_tokens,
        ),
        (
            "completion_tokens_details",
            "reasoning_tokens",
            usage.reasoning_tokens,
        ),
    ] {
        let mut details = ObjectWriter::begin(writer.value(name));
        json::write(details.value(part), &tokens);
        details.end();
    }
    writer.end();
}

fn tell(data: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(data);
    out.extend_from_slice(b"\n\n");
}
