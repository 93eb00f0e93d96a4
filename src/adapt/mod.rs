//! A client's request reshaped for one candidate, and the reply shaped back: what a model lacks
//! is asked for in words, what does not fit is trimmed, the system prompt follows a template.
//!
//! Works on the chat completion request before any translation, so it serves every schema. Most
//! requests need nothing of this and pay for nothing.

mod calls;
mod complexity;
mod draft;
mod fit;
mod json_text;
mod prompt;
pub mod prompt_cache;
mod reply;
mod schema_prompt;
mod stream;
mod tools;
mod turns;

pub use complexity::is_complex;
pub use reply::{Reshape, Whole};

use crate::catalog::{Adaptation, Backend, Capabilities, Lack, Template};
use crate::fidelity::Report;
use crate::inspect::tally;
use crate::schema::openai::dialect::Dialect;
use crate::schema::openai::{ChatCompletionRequest, Role};
use crate::schema::{Schema, TranslateError};
use crate::tokens::MOST_SCANNED;
use draft::Draft;

/// Who shall serve a request.
#[derive(Clone, Copy)]
pub struct Candidate<'a> {
    /// The model, with what is done for it.
    pub backend: &'a Backend,
    /// What its provider speaks.
    pub schema: &'static dyn Schema,
    /// How its provider differs from OpenAI, if it speaks OpenAI's schema.
    pub dialect: &'a Dialect,
    /// What the client asked for.
    pub alias: &'a str,
    /// Whether another one was to serve first.
    pub is_fallback: bool,
}

/// A request that was reshaped.
pub struct Adapted {
    /// The chat completion request to translate.
    pub body: Vec<u8>,
    /// What must be done to the reply.
    pub reshape: Option<Reshape>,
    /// Name of the template that was applied. It is the operator's own wish and no loss.
    pub template: Option<String>,
}

/// What has to be done to one request.
#[derive(Debug, Clone, Copy)]
struct Work<'a> {
    template: Option<&'a Template>,
    tools: bool,
    json_schema: bool,
    fit: bool,
}

/// Reshapes a request for a candidate; `None` when nothing is to be done. `body` is what
/// `request` was read from.
///
/// Errors: the request cannot be made to fit, or has a tool that no words stand for.
pub fn adapt(
    request: &ChatCompletionRequest<'_>,
    body: &[u8],
    candidate: &Candidate<'_>,
    report: &mut Report,
) -> Result<Option<Adapted>, TranslateError> {
    let Some(work) = Work::of(request, body, candidate) else {
        return Ok(None);
    };
    let mut draft =
        Draft::read(request, body).ok_or_else(|| TranslateError::new("body", "a JSON object"))?;
    if let Some(template) = work.template {
        prompt::apply(template, candidate, &mut draft);
    }
    let mut reshape = Reshape::default();
    if work.tools {
        reshape.tools = tools::degrade(&mut draft, report)?;
    }
    if work.json_schema {
        schema_prompt::degrade(&mut draft, candidate, report);
        reshape.json = true;
    }
    if work.fit {
        fit::fit(&mut draft, candidate.backend, report)?;
    }
    Ok(Some(Adapted {
        body: draft.write(),
        reshape: (work.tools || work.json_schema).then_some(reshape),
        template: work.template.map(|template| template.name.clone()),
    }))
}

/// Whether anything but a template has to be applied: what may fail, or loses something.
pub fn is_demanding(
    request: &ChatCompletionRequest<'_>,
    body: &[u8],
    candidate: &Candidate<'_>,
) -> bool {
    Work::of(request, body, candidate).is_some_and(|w| w.tools || w.json_schema || w.fit)
}

/// Whether the candidate's provider, or its model, leaves a JSON schema to words alone.
pub fn lacks_json_schema(candidate: &Candidate<'_>) -> bool {
    let can: &Capabilities = &candidate.backend.capabilities;
    let enforces = can.json_schema && candidate.dialect.takes_format("json_schema");
    // A forced tool is stronger than words.
    let forced = candidate.schema.forces_json_by_tool() && can.tools;
    !(enforces || forced)
}

impl<'a> Work<'a> {
    fn of(
        request: &ChatCompletionRequest<'_>,
        body: &[u8],
        candidate: &Candidate<'a>,
    ) -> Option<Work<'a>> {
        let Adaptation {
            tools,
            json_schema,
            fit,
            template,
            template_on_fallback,
            complex_tools: _, // decides who serves, changes nothing
        } = &candidate.backend.adaptation;
        let on_fallback = template_on_fallback
            .as_deref()
            .filter(|_| candidate.is_fallback);
        let can = &candidate.backend.capabilities;
        let work = Work {
            template: on_fallback.or(template.as_deref()),
            tools: *tools == Lack::Prompt && !can.tools && speaks_of_tools(request),
            json_schema: *json_schema == Lack::Prompt
                && wants_schema(request)
                && lacks_json_schema(candidate),
            fit: fit.is_some() && is_tight(request, body, candidate.backend),
        };
        let idle = work.template.is_none() && !work.tools && !work.json_schema && !work.fit;
        (!idle).then_some(work)
    }
}

fn speaks_of_tools(request: &ChatCompletionRequest<'_>) -> bool {
    let in_turns = request.messages().iter().any(|message| {
        let calls = !message.tool_calls().is_empty() || message.function_call.is_some();
        calls || message.role() == Some(Role::Tool)
    });
    in_turns || !request.tools().is_empty() || request.functions.is_some()
}

/// Whether the client wants a reply that follows a JSON schema.
pub fn wants_schema(request: &ChatCompletionRequest<'_>) -> bool {
    let format = request.response_format.as_ref();
    format.and_then(|f| f.kind.as_deref()) == Some("json_schema")
}

/// Whether prompt and answer may be too large together. Counts what templates and prompts add,
/// roughly, so that a body at the edge is looked at.
fn is_tight(request: &ChatCompletionRequest<'_>, body: &[u8], backend: &Backend) -> bool {
    let Some(window) = backend.capabilities.context_window else {
        return false;
    };
    let added = match &backend.adaptation.template {
        None => 0,
        Some(t) => t.prefix.len() + t.suffix.len() + t.replace.as_ref().map_or(0, String::len),
    };
    let output = fit::wanted_output(request, backend);
    let added = (added as u64).saturating_add(PROMPTS_BYTES);
    // No text has more tokens than bytes.
    let most = (body.len() as u64).saturating_add(added);
    most.saturating_add(output) > window && {
        let input = tally(request, body.len(), MOST_SCANNED).tokens(backend.tokenizer);
        input.saturating_add(added / 4).saturating_add(output) > window
    }
}

/// Bytes of the words that ask for tools or a schema, without what is quoted in them, at most.
const PROMPTS_BYTES: u64 = 1200;

#[cfg(test)]
mod tests;
