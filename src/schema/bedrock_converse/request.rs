//! An OpenAI request to a Converse request. What each field means is decided in the files
//! beside this one; here every field gets its verdict.

use super::conversation::Conversation;
use super::family::Family;
use super::format::Format;
use super::settings::{self, Limit};
use super::thinking::{self, Place, Scene};
use super::tools::{Reader, Toolbox};
use super::wire::ConverseRequest;
use super::{VENDOR, history, options};
use crate::fidelity::Report;
use crate::json::{self, Raw};
use crate::schema::openai::ChatCompletionRequest;
use crate::schema::{Hints, Target, TranslateError, Translated, provider_options, unmapped};

/// Translates; see [`crate::schema::Schema::translate_request`].
pub(super) fn translate(
    request: &ChatCompletionRequest<'_>,
    target: &Target<'_>,
    report: &mut Report,
) -> Result<Translated, TranslateError> {
    report_unknown(request, report);
    let family = Family::of(target.model);
    let mut body = ConverseRequest::default();
    let mut hints = Hints::default();
    let mut conversation = Conversation::read(request.messages(), family, report)?;
    let toolbox = toolbox(
        request,
        target,
        &mut conversation,
        &mut body,
        &mut hints,
        report,
    )?;
    let mut limit = Limit::read(request, target, report)?;
    let scene = Scene {
        family,
        target,
        conversation: &conversation,
        toolbox: &toolbox,
    };
    let place = Place {
        limit: &mut limit,
        output_config: &mut body.output_config,
        additional: &mut body.additional,
    };
    let is_thinking = thinking::write(request, &scene, place, report)?;
    limit.write(&mut body.inference_config);
    let places = (&mut body.inference_config, &mut body.additional);
    settings::sampling(request, target, (family, is_thinking), places, report)?;
    if let Some(labels) = settings::labels(request.metadata, report)? {
        body.others.set("requestMetadata", labels);
    }
    if let Some(tier) = settings::service_tier(request.service_tier, report) {
        body.others.set("serviceTier", tier);
    }
    body.system = conversation.system;
    body.messages = conversation.turns;
    body.tool_config = toolbox.into_config();
    let wished =
        provider_options::read(request.provider_options, target, options::is_ours, report)?;
    options::apply(wished, target, &mut body, report)?;
    let mut translated = Translated {
        hints,
        ..Translated::default()
    };
    json::write(&mut translated.body, &body);
    Ok(translated)
}

/// The tools, and the form of the reply, for which a tool may stand in.
fn toolbox<'a>(
    request: &'a ChatCompletionRequest<'a>,
    target: &Target<'_>,
    conversation: &mut Conversation<'a>,
    body: &mut ConverseRequest<'a>,
    hints: &mut Hints,
    report: &mut Report,
) -> Result<Toolbox<'a>, TranslateError> {
    let family = Family::of(target.model);
    let capabilities = target.capabilities;
    let reader = Reader {
        family,
        capabilities,
    };
    let mut toolbox = Toolbox::read(request, reader, report)?;
    let format = request.response_format.as_ref();
    match Format::read(format, family, capabilities, report)? {
        Format::Free => {}
        Format::Enforced(format) => body.output_config.set("textFormat", format),
        Format::Asked(block) => conversation.system.push(block),
        Format::Tool(tool) => hints.structured_output_tool = toolbox.answer_with(tool),
    }
    if toolbox.is_empty() {
        history::write_as_text(&mut conversation.turns, report);
    }
    Ok(toolbox)
}

/// Notes every field that Converse has nothing for.
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
        service_tier: _,
        stop: _,
        stream: _,
        temperature: _,
        tool_choice: _,
        tools: _,
        top_p: _,
        thinking: _,
        top_k: _,
        provider_options: _,
        // dropped; the list of texts holds what asks for nothing
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
        safety_identifier,
        seed,
        store,
        stream_options,
        top_logprobs,
        user,
        verbosity,
        web_search_options,
        extra,
    } = request;
    let unknown: [(&'static str, Option<Raw<'_>>, &[&str]); 19] = [
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
        ("safety_identifier", *safety_identifier, &[]),
        ("seed", *seed, &[]),
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
