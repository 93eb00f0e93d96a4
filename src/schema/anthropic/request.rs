//! An OpenAI request to a Messages request. What each field means is decided in the files
//! beside this one; here every field gets its verdict.

use super::conversation::Conversation;
use super::format::Format;
use super::host::Host;
use super::settings::{self, Limit};
use super::tools::Toolbox;
use super::wire::{MessagesRequest, OutputConfig};
use super::{VENDOR, addresses, betas};
use crate::fidelity::Report;
use crate::json::{self, Raw};
use crate::schema::claude_thinking::{self, Circumstances};
use crate::schema::openai::ChatCompletionRequest;
use crate::schema::sampling::{Rules, Sampling};
use crate::schema::{Hints, Target, TranslateError, Translated, provider_options, stops, unmapped};

/// Translates; see [`crate::schema::Schema::translate_request`].
pub(super) fn translate(
    host: &Host,
    request: &ChatCompletionRequest<'_>,
    target: &Target<'_>,
    report: &mut Report,
) -> Result<Translated, TranslateError> {
    report_unknown(request, report);
    let mut overrides = provider_options::read(request.provider_options, target, is_ours, report)?;
    let betas = betas::read(host, target, &mut overrides, report)?;
    let mut conversation = Conversation::read(request.messages(), report)?;
    if !host.takes_addresses {
        addresses::leave_out(host, &mut conversation, report);
    }
    let mut toolbox = Toolbox::read(request, target.capabilities, report)?;
    let mut output_config = OutputConfig::default();
    let mut hints = Hints::default();
    match Format::read(
        request.response_format.as_ref(),
        target.capabilities,
        report,
    )? {
        Format::Free => {}
        Format::Enforced(format) => output_config.format = Some(format),
        Format::Asked(block) => conversation.system.push(block),
        Format::Tool(tool) => hints.structured_output_tool = toolbox.answer_with(tool),
    }
    toolbox.remember(&conversation, report);
    let mut limit = Limit::read(request, &overrides, target, report)?;
    let circumstances = Circumstances {
        thinking: target.capabilities.thinking,
        is_tool_forced: toolbox.is_forced(),
        has_unreasoned_calls: conversation.has_unreasoned_calls(),
    };
    let effort = request.reasoning_effort.as_deref();
    let thoughts = claude_thinking::decide(
        effort,
        request.thinking,
        circumstances,
        |budget| limit.make_room(budget),
        report,
    )?;
    output_config.effort = thoughts.effort;
    let rules = Rules {
        vendor: VENDOR,
        is_thinking: thoughts.is_on(),
        is_exclusive: true,
    };
    let sampling = Sampling::read(request, target, rules, report)?;
    let body = MessagesRequest {
        version: host.version,
        betas: if host.betas.in_body { &betas } else { &[] },
        model: host.version.is_none().then_some(target.model),
        max_tokens: limit.tokens(),
        system: conversation.system,
        messages: conversation.turns,
        tools: toolbox.tools,
        tool_choice: toolbox.choice,
        thinking: thoughts.thinking,
        output_config,
        temperature: sampling.temperature,
        top_p: sampling.top_p,
        top_k: sampling.top_k,
        stop_sequences: stops::stop_sequences(VENDOR, request, report)?,
        metadata: settings::metadata(request, report)?,
        service_tier: settings::service_tier(host, request.service_tier, report),
        stream: host.says_stream && request.is_streamed(),
        overrides,
        defaults: defaults(target, thoughts.is_on()),
    };
    let mut translated = Translated {
        hints,
        ..Translated::default()
    };
    if !host.betas.in_body && !betas.is_empty() {
        translated.headers.push((betas::HEADER, betas.join(",")));
    }
    json::write(&mut translated.body, &body);
    Ok(translated)
}

/// The operator's fields, less those that a model refuses while it thinks; text that is not
/// JSON is left out, the configuration checks it.
fn defaults<'a>(target: &Target<'a>, is_thinking: bool) -> Vec<(&'a str, Raw<'a>)> {
    let is_sampling = |name: &str| matches!(name, "temperature" | "top_p" | "top_k");
    target
        .defaults
        .iter()
        .filter(|(name, _)| *name != betas::FIELD && !(is_thinking && is_sampling(name)))
        .filter_map(|(name, json)| Some((name.as_str(), json::parse_text(json)?)))
        .collect()
}

/// Notes every field that Anthropic has nothing for.
fn report_unknown(request: &ChatCompletionRequest<'_>, report: &mut Report) {
    let ChatCompletionRequest {
        // carried, see `translate`
        messages: _,
        model: _,
        function_call: _,
        functions: _,
        max_completion_tokens,
        max_tokens,
        metadata: _,
        parallel_tool_calls: _,
        reasoning_effort: _,
        response_format: _,
        safety_identifier: _,
        service_tier: _,
        stop: _,
        stream: _,
        temperature: _,
        tool_choice: _,
        tools: _,
        top_p: _,
        user: _,
        thinking: _,
        top_k: _,
        provider_options: _,
        // dropped; the second value is the one that asks for nothing
        audio,
        frequency_penalty,
        logit_bias,
        logprobs,
        modalities,
        moderation,
        n,
        prediction,
        presence_penalty,
        prompt_cache_key,
        prompt_cache_options,
        prompt_cache_retention,
        seed,
        store,
        stream_options,
        top_logprobs,
        verbosity,
        web_search_options,
        extra,
    } = request;
    let unknown: [(&'static str, Option<Raw<'_>>, &[&str]); 17] = [
        ("audio", *audio, &[]),
        ("frequency_penalty", *frequency_penalty, &["0", "0.0"]),
        ("logit_bias", *logit_bias, &["{}"]),
        ("logprobs", *logprobs, &["false"]),
        ("modalities", *modalities, &[r#"["text"]"#]),
        ("moderation", *moderation, &[]),
        ("n", *n, &["1"]),
        ("prediction", *prediction, &[]),
        ("presence_penalty", *presence_penalty, &["0", "0.0"]),
        ("prompt_cache_key", *prompt_cache_key, &[]),
        ("prompt_cache_options", *prompt_cache_options, &[]),
        ("prompt_cache_retention", *prompt_cache_retention, &[]),
        ("seed", *seed, &[]),
        ("store", *store, &["false"]),
        ("top_logprobs", *top_logprobs, &["0"]),
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
    matches!(name, "model" | "stream" | "messages" | "anthropic_version")
}
