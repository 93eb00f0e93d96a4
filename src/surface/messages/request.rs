//! A Messages request to a chat completion request. What each field means is decided in the
//! files beside this one; here every field gets its verdict.

use super::NAME;
use super::chat::{ChatRequest, StreamOptions};
use super::path::Path;
use super::settings::{self, OnlyAnthropic};
use super::tools::{self, Toolbox};
use super::turns::Conversation;
use super::wire::MessagesRequest;
use crate::fidelity::Report;
use crate::inspect::InvalidRequest;
use crate::json::{self, Raw};

/// Translates; whether the client wants a stream.
pub(super) fn translate(
    body: &[u8],
    out: &mut Vec<u8>,
    report: &mut Report,
) -> Result<bool, InvalidRequest> {
    let request: MessagesRequest<'_> =
        json::read(body).map_err(|_| InvalidRequest::new("", "the body must be a JSON object"))?;
    let MessagesRequest {
        model,
        max_tokens,
        messages,
        system,
        tools,
        tool_choice,
        thinking,
        output_config,
        temperature,
        top_p,
        top_k,
        stop_sequences,
        metadata,
        service_tier,
        stream,
        mcp_servers,
        container,
        extra,
    } = request;
    refuse("mcp_servers", mcp_servers)?;
    refuse("container", container)?;
    let mut only = OnlyAnthropic::default();
    for (name, value) in extra {
        let reason = "only Anthropic knows it";
        report.dropped_unless(NAME, name.to_string(), reason);
        only.set(name, value);
    }
    let conversation = Conversation::read(system, messages, report)?;
    let output = settings::output(output_config, report)?;
    let toolbox = Toolbox::read(tools, output.format.is_none(), &mut only, report)?;
    let choice = tools::choice(tool_choice, toolbox.tools.is_empty(), report)?;
    if output.reasoning_effort.is_some() && thinking.is_none() {
        // Otherwise an effort alone would turn thinking on.
        only.leave_out("thinking");
    }
    let stream = settings::flag("stream", stream)?;
    let chat = ChatRequest {
        model: settings::model(model)?,
        messages: conversation.into_messages(),
        max_completion_tokens: settings::number("max_tokens", max_tokens)?,
        tools: toolbox.tools,
        tool_choice: choice.tool_choice,
        parallel_tool_calls: choice.parallel_tool_calls,
        response_format: output.format,
        reasoning_effort: output.reasoning_effort,
        thinking: settings::thinking(thinking)?,
        temperature: settings::number("temperature", temperature)?,
        top_p: settings::number("top_p", top_p)?,
        top_k: settings::number("top_k", top_k)?,
        stop: settings::stop(stop_sequences)?,
        user: settings::user(metadata, &mut only, report)?,
        service_tier: settings::service_tier(service_tier)?,
        stream,
        stream_options: (stream == Some(true)).then_some(StreamOptions {
            include_usage: true,
        }),
        provider_options: only.into_options(),
    };
    json::write(out, &chat);
    Ok(stream == Some(true))
}

/// What runs at Anthropic alone: without it the request would not be the same.
fn refuse(name: &'static str, value: Option<Raw<'_>>) -> Result<(), InvalidRequest> {
    let is_empty =
        |raw: Raw<'_>| matches!(json::parse::<Vec<Raw<'_>>>(raw), Some(list) if list.is_empty());
    match value {
        Some(raw) if !is_empty(raw) => {
            let message = "runs at Anthropic and cannot be served through this API";
            Err(Path::root(name).wrong(message))
        }
        _ => Ok(()),
    }
}
