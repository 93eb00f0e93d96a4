//! A client's request to a `generateContent` body.
//!
//! Every field of the client's schema is decided on here or in a module below; does not
//! refuse what the model cannot do, which is for routing to know.

mod content;
mod generation;
mod media;
mod options;
mod output;
mod schema_subset;
mod signature;
mod thinking;
mod tool_turns;
mod tools;

use super::wire::Body;
use crate::catalog::Thinking;
use crate::fidelity::Report;
use crate::json::{self, Extra, Raw};
use crate::schema::openai::{ChatCompletionRequest, StreamOptions};
use crate::schema::{Target, TranslateError, Translated};

/// Writes the body.
///
/// Errors: the request is wrong in OpenAI's own terms, or asks for a kind of tool that
/// Gemini does not have and that may not be left out.
pub(super) fn translate(
    request: &ChatCompletionRequest<'_>,
    target: &Target<'_>,
    report: &mut Report,
) -> Result<Translated, TranslateError> {
    let mut written = Vec::new();
    json::write(&mut written, &body(request, target, report)?);
    Ok(Translated {
        body: written,
        ..Translated::default()
    })
}

/// Generation 3 and later: thought signatures are mandatory, and tools go together with
/// structured output.
///
/// Source: Gemini API docs, "Thought signatures" and "Structured output", read 2026-11-21.
fn is_third_generation(target: &Target<'_>) -> bool {
    let model = target.model.rsplit('/').next().unwrap_or_default();
    let older = ["gemini-1", "gemini-2"];
    model.starts_with("gemini-")
        && !older.iter().any(|prefix| model.starts_with(prefix))
        && target.capabilities.thinking != Thinking::Budget
}

fn body<'a>(
    request: &'a ChatCompletionRequest<'a>,
    target: &Target<'a>,
    report: &mut Report,
) -> Result<Body<'a>, TranslateError> {
    let mut body = Body::default();
    content::write(request.messages(), &mut body, report)?;
    if is_third_generation(target) {
        signature::fill_in(&mut body.contents, report);
    }
    fields(request, target, &mut body, report)?;
    options::apply(request.provider_options, target, &mut body, report)?;
    Ok(body)
}

/// Everything but the conversation and the options for one provider.
fn fields<'a>(
    request: &'a ChatCompletionRequest<'a>,
    target: &Target<'a>,
    body: &mut Body<'a>,
    report: &mut Report,
) -> Result<(), TranslateError> {
    let ChatCompletionRequest {
        messages: _, // The conversation, see `content`.
        model: _,    // Stands in the path.
        stream: _,   // Stands in the path.
        audio,
        frequency_penalty,
        function_call,
        functions,
        logit_bias,
        logprobs,
        max_completion_tokens: _, // Both in `output_limit`.
        max_tokens: _,
        metadata,
        modalities,
        moderation,
        n,
        parallel_tool_calls,
        prediction,
        presence_penalty,
        prompt_cache_key,
        prompt_cache_options,
        prompt_cache_retention,
        reasoning_effort,
        response_format,
        safety_identifier,
        seed,
        service_tier,
        stop: _, // In `stop_sequences`.
        store,
        stream_options,
        temperature,
        tool_choice: _, // In `tool_choice()`.
        tools: _,       // In `tools()`.
        top_logprobs,
        top_p,
        user,
        verbosity,
        web_search_options,
        thinking,
        top_k,
        provider_options: _, // Applied last, see `options`.
        extra,
    } = request;

    let tools = tools::Tools {
        tools: request.tools(),
        functions: *functions,
        choice: request.tool_choice()?,
        function_call: *function_call,
        parallel: *parallel_tool_calls,
        web_search: *web_search_options,
    };
    tools.write(body, report)?;

    let mut numbers = generation::Numbers {
        config: &mut body.generation_config,
        report,
    };
    numbers.sampling(target, [*temperature, *top_p, *top_k])?;
    numbers.number("presencePenalty", "presence_penalty", *presence_penalty)?;
    numbers.number("frequencyPenalty", "frequency_penalty", *frequency_penalty)?;
    numbers.seed(*seed)?;
    numbers.choices(*n)?;
    numbers.output_limit(request, target)?;
    numbers.stop(request)?;
    numbers.logprobs(*logprobs, *top_logprobs)?;

    thinking::write(reasoning_effort.as_deref(), *thinking, target, body, report)?;
    output::format(response_format.as_ref(), target, body, report)?;
    output::modalities(*modalities, body, report)?;
    output::service_tier(*service_tier, body, report);
    output::labels(*metadata, target, body, report);
    stream_options_findings(stream_options.as_ref(), report);

    let no_counterpart: [(&'static str, Option<Raw<'_>>, &'static str); 12] = [
        ("audio", *audio, "Gemini's chat models answer in text"),
        ("logit_bias", *logit_bias, "Gemini cannot bias tokens"),
        (
            "moderation",
            *moderation,
            "Gemini has safety settings instead",
        ),
        (
            "prediction",
            *prediction,
            "Gemini takes no predicted output",
        ),
        ("prompt_cache_key", *prompt_cache_key, CACHE),
        ("prompt_cache_options", *prompt_cache_options, CACHE),
        ("prompt_cache_retention", *prompt_cache_retention, CACHE),
        ("safety_identifier", *safety_identifier, END_USER),
        (
            "store",
            *store,
            "Gemini does not keep completions for the client",
        ),
        ("user", *user, END_USER),
        ("verbosity", *verbosity, "Gemini has no verbosity"),
        (
            "stream_options.include_obfuscation",
            obfuscation(stream_options.as_ref()),
            "Gemini does not pad chunks",
        ),
    ];
    for (name, value, reason) in no_counterpart {
        if value.is_some() {
            report.dropped(name, reason);
        }
    }
    drop_extra("", extra, report);
    Ok(())
}

const CACHE: &str = "Gemini caches prompts by itself";
const END_USER: &str = "Gemini takes no identifier of the end user";

fn obfuscation<'a>(options: Option<&StreamOptions<'a>>) -> Option<Raw<'a>> {
    options.and_then(|o| o.include_obfuscation)
}

fn stream_options_findings(options: Option<&StreamOptions<'_>>, report: &mut Report) {
    let Some(options) = options else { return };
    let StreamOptions {
        include_usage: _, // Gemini always reports usage; the reply's translator decides.
        include_obfuscation: _, // Reported with the fields that have no counterpart.
        extra,
    } = options;
    drop_extra("stream_options.", extra, report);
}

/// Reports fields that no schema of ours knows; `prefix` is their object's path and a dot.
fn drop_extra(prefix: &str, extra: &Extra<'_>, report: &mut Report) {
    for (name, _) in extra {
        report.dropped(format!("{prefix}{name}"), "not a field that Gemini knows");
    }
}

/// Reports Anthropic's cache marker: creating cached content is not its like, and cached
/// content refuses system instruction and tools beside it.
fn drop_cache_control(path: &str, marker: Option<Raw<'_>>, report: &mut Report) {
    if marker.is_some() {
        report.dropped(format!("{path}.cache_control"), CACHE);
    }
}

#[cfg(test)]
mod tests;
