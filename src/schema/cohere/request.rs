//! An OpenAI request to a Cohere request. What each field means is decided in the files beside
//! this one; here every field gets its verdict.

use serde::Serialize;

use super::wire::ChatRequest;
use super::{VENDOR, conversation, settings};
use crate::fidelity::Report;
use crate::json::{self, Json, Raw, owned};
use crate::schema::openai::ChatCompletionRequest;
use crate::schema::{Target, TranslateError, Translated, provider_options, unmapped};

use super::tools::Toolbox;

/// Translates; see [`crate::schema::Schema::translate_request`].
pub(super) fn translate(
    request: &ChatCompletionRequest<'_>,
    target: &Target<'_>,
    report: &mut Report,
) -> Result<Translated, TranslateError> {
    report_unknown(request, report);
    let overrides = provider_options::read(request.provider_options, target, is_ours, report)?;
    let toolbox = Toolbox::read(request, report)?;
    let has_documents = overrides.iter().any(|(name, _)| *name == "documents");
    let is_grounded = !toolbox.tools.is_empty() || has_documents;
    let format = settings::format(request, target.capabilities, is_grounded, report)?;
    let messages = conversation::read(request.messages(), format.instruction, report)?;
    let mut fields = Fields::default();
    fields.push("stream", Some(request.is_streamed()));
    fields.push("model", Some(target.model));
    fields.push("messages", Some(&messages));
    fields.push(
        "tools",
        Some(&toolbox.tools).filter(|tools| !tools.is_empty()),
    );
    fields.push("strict_tools", toolbox.strict.then_some(true));
    fields.push("tool_choice", toolbox.choice);
    fields.push("response_format", format.param);
    fields.push("thinking", settings::thinking(request, target, report));
    let stop = settings::stop_sequences(request)?;
    fields.push(
        "stop_sequences",
        Some(&stop).filter(|stop| !stop.is_empty()),
    );
    for (name, value) in settings::numbers(request, target, report)? {
        fields.0.push((name, value));
    }
    fields.push("seed", request.seed);
    let wants_logprobs = request.logprobs.filter(|raw| raw.get() == "true");
    fields.push("logprobs", wants_logprobs);
    let body = ChatRequest {
        fields: fields.0,
        overrides,
        defaults: defaults(target),
    };
    let mut translated = Translated::default();
    json::write(&mut translated.body, &body);
    Ok(translated)
}

/// Fields in the order they are written.
#[derive(Default)]
struct Fields<'a>(Vec<(&'static str, Json<'a>)>);

impl Fields<'_> {
    fn push<T: Serialize>(&mut self, name: &'static str, value: Option<T>) {
        if let Some(value) = value {
            self.0.push((name, owned(json::to_string(&value))));
        }
    }
}

/// The operator's fields; text that is not JSON is left out, the configuration checks it.
fn defaults<'a>(target: &Target<'a>) -> Vec<(&'a str, Raw<'a>)> {
    let parse = |json: &'a String| json::parse_text(json);
    let defaults = target.defaults.iter();
    defaults
        .filter_map(|(name, json)| Some((name.as_str(), parse(json)?)))
        .collect()
}

/// Notes every field that Cohere has nothing for.
fn report_unknown(request: &ChatCompletionRequest<'_>, report: &mut Report) {
    let ChatCompletionRequest {
        // carried, see `translate`
        messages: _,
        model: _,
        frequency_penalty: _,
        function_call: _,
        functions: _,
        logprobs: _,
        max_completion_tokens,
        max_tokens,
        presence_penalty: _,
        reasoning_effort: _,
        response_format: _,
        seed: _,
        stop: _,
        stream: _,
        temperature: _,
        tool_choice: _,
        tools: _,
        top_p: _,
        thinking: _,
        top_k: _,
        provider_options: _,
        // dropped; the second value is the one that asks for nothing
        audio,
        logit_bias,
        metadata,
        modalities,
        moderation,
        n,
        parallel_tool_calls,
        prediction,
        prompt_cache_key,
        prompt_cache_options,
        prompt_cache_retention,
        safety_identifier,
        service_tier,
        store,
        stream_options,
        top_logprobs,
        user,
        verbosity,
        web_search_options,
        extra,
    } = request;
    let unknown: [(&'static str, Option<Raw<'_>>, &[&str]); 18] = [
        ("audio", *audio, &[]),
        ("logit_bias", *logit_bias, &["{}"]),
        ("metadata", *metadata, &["{}"]),
        ("modalities", *modalities, &[r#"["text"]"#]),
        ("moderation", *moderation, &[]),
        ("n", *n, &["1"]),
        ("parallel_tool_calls", *parallel_tool_calls, &["true"]),
        ("prediction", *prediction, &[]),
        ("prompt_cache_key", *prompt_cache_key, &[]),
        ("prompt_cache_options", *prompt_cache_options, &[]),
        ("prompt_cache_retention", *prompt_cache_retention, &[]),
        ("safety_identifier", *safety_identifier, &[]),
        (
            "service_tier",
            *service_tier,
            &[r#""auto""#, r#""default""#],
        ),
        ("store", *store, &["false"]),
        ("top_logprobs", *top_logprobs, &["0"]),
        ("user", *user, &[]),
        ("verbosity", *verbosity, &[]),
        ("web_search_options", *web_search_options, &[]),
    ];
    unmapped::report(VENDOR, &unknown, report);
    unmapped::report_second_limit(*max_completion_tokens, *max_tokens, report);
    unmapped::report_stream_options(VENDOR, stream_options.as_ref(), report);
    unmapped::report_extra("", extra, report);
}

/// Whether the route or the reply's translation depends on the field.
fn is_ours(name: &str) -> bool {
    matches!(name, "model" | "stream" | "messages")
}
