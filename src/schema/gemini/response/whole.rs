//! A reply that came whole.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{End, ReplyState, Sink};
use crate::failure::Failure;
use crate::json::{self, RawValue};
use crate::schema::openai::{Choice, Completion, ReasoningDetail, ToolCallReply};
use crate::schema::{Reply, ReplyContext};

/// Translates a 2xx reply.
pub(in super::super) fn translate(
    context: &ReplyContext,
    body: &[u8],
    out: &mut Vec<u8>,
) -> Result<Reply, Failure> {
    let response =
        json::read(body).map_err(|_| Failure::malformed("the reply is not one of Gemini's"))?;
    let mut state = ReplyState::new(context);
    let mut collected = Collected::default();
    state.absorb(response, &mut collected)?;
    let End {
        choices: ended,
        metadata,
        reply,
    } = state.end()?;
    let choices = ended.into_iter().map(|end| {
        let mut choice = collected.choices.remove(&end.index).unwrap_or_default();
        choice.finish_reason = Some(end.reason);
        choice.reasoning_details.extend(end.details);
        choice.annotations = end.annotations;
        choice
    });
    let completion = Completion {
        choices: choices.collect(),
        id: collected.id.map(Cow::Owned),
        model: Some(Cow::Borrowed(reply.model.as_str())),
        usage: reply.usage,
        provider_metadata: metadata,
    };
    completion.write(context, out);
    Ok(reply)
}

/// Collects the pieces by choice.
#[derive(Default)]
struct Collected {
    id: Option<String>,
    choices: BTreeMap<usize, Choice<'static>>,
}

impl Collected {
    fn choice(&mut self, index: usize) -> &mut Choice<'static> {
        self.choices.entry(index).or_default()
    }
}

impl Sink for Collected {
    fn named(&mut self, id: Option<&str>, _model: Option<&str>) {
        self.id = id.map(str::to_owned);
    }

    fn text(&mut self, choice: usize, text: &str) {
        append(&mut self.choice(choice).content, text);
    }

    fn thought(&mut self, choice: usize, text: Option<&str>, details: &[ReasoningDetail<'_>]) {
        let choice = self.choice(choice);
        if let Some(text) = text {
            append(&mut choice.reasoning, text);
        }
        choice.reasoning_details.extend(details.iter().map(owned));
    }

    fn call(&mut self, choice: usize, _index: usize, call: ToolCallReply<'_>) {
        let ToolCallReply {
            id,
            name,
            arguments,
            thought_signature,
        } = call;
        self.choice(choice).tool_calls.push(ToolCallReply {
            id: keep(id),
            name: keep(name),
            arguments: keep(arguments),
            thought_signature: thought_signature.map(keep),
        });
    }

    fn logprobs(&mut self, choice: usize, logprobs: Box<RawValue>) {
        self.choice(choice).logprobs = Some(logprobs);
    }
}

fn append(slot: &mut Option<Cow<'static, str>>, text: &str) {
    slot.get_or_insert_default().to_mut().push_str(text);
}

fn keep(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

fn owned(detail: &ReasoningDetail<'_>) -> ReasoningDetail<'static> {
    match detail {
        ReasoningDetail::Text {
            text,
            signature,
            format,
            index,
        } => ReasoningDetail::Text {
            text: keep(text.clone()),
            signature: signature.clone().map(keep),
            format,
            index: *index,
        },
        ReasoningDetail::Encrypted {
            data,
            format,
            index,
        } => ReasoningDetail::Encrypted {
            data: keep(data.clone()),
            format,
            index: *index,
        },
    }
}
