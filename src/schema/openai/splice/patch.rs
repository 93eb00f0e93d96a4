//! The common case: nothing has to change but the model's name, so the body is copied in two
//! pieces and never taken apart.
//!
//! Errs on the safe side: whatever might have to change makes it give up.

use std::ops::Range;

use crate::catalog::Thinking;
use crate::json::{self, Kind};
use crate::schema::Target;
use crate::schema::openai::dialect::{
    Dialect, MESSAGE_EXTENSIONS, PLAIN, REQUEST_EXTENSIONS, Rename,
};
use crate::schema::openai::request::ChatCompletionRequest;

use super::SAMPLING;

/// The client's body with this target's model name; `None` when more than that may have to
/// change.
pub(super) fn patch(request: &ChatCompletionRequest<'_>, target: &Target<'_>) -> Option<Vec<u8>> {
    let lacks_usage = request.is_streamed() && !request.includes_usage();
    if lacks_usage
        || !target.defaults.is_empty()
        || !changes_by_name_only(target.dialect)
        || !is_within_limit(request, target)
    {
        return None;
    }
    let model = model(request, target.source)?;
    let gaps = gaps(request, target.source)?;
    // The only way to write one of our names so that it is not found.
    if gaps.iter().any(|gap| gap.windows(2).any(|w| w == b"\\u")) {
        return None;
    }
    let mut names = gaps.iter().flat_map(|gap| names(gap));
    let mut models = 0;
    if names.any(|name| {
        models += usize::from(name.starts_with(b"model\""));
        models > 1 || may_change(name, target)
    }) {
        return None;
    }
    let mut body = Vec::with_capacity(target.source.len() + target.model.len());
    body.extend_from_slice(target.source.get(..model.start)?);
    json::write(&mut body, target.model);
    body.extend_from_slice(target.source.get(model.end..)?);
    Some(body)
}

fn is_within_limit(request: &ChatCompletionRequest<'_>, target: &Target<'_>) -> bool {
    let most = target.capabilities.max_output_tokens.unwrap_or(u64::MAX);
    let limits = [request.max_tokens, request.max_completion_tokens];
    let mut limits = limits.into_iter().flatten();
    limits.all(|limit| json::parse::<u64>(limit).is_none_or(|asked| asked <= most))
}

/// Where the model's name stands, quotes included.
fn model(request: &ChatCompletionRequest<'_>, source: &[u8]) -> Option<Range<usize>> {
    let name = place(source, request.model.as_deref()?)?;
    let value = name.start.checked_sub(1)?..name.end.checked_add(1)?;
    let before = source.get(..value.start)?.trim_ascii_end();
    let before = before.strip_suffix(b":")?.trim_ascii_end();
    let is_member = before.ends_with(b"\"model\"") && source.get(value.clone())?.ends_with(b"\"");
    is_member.then_some(value)
}

/// The body without what its messages say, which is nearly all of it.
fn gaps<'s>(request: &ChatCompletionRequest<'_>, source: &'s [u8]) -> Option<Vec<&'s [u8]>> {
    let contents = request.messages().iter().filter_map(|m| m.content);
    let mut gaps = Vec::with_capacity(request.messages().len() + 1);
    let mut start = 0;
    for content in contents.filter(|content| json::kind(content) == Kind::String) {
        let text = place(source, content.get())?;
        gaps.push(source.get(start..text.start)?);
        start = text.end;
    }
    gaps.push(source.get(start..)?);
    Some(gaps)
}

/// What follows each quote: names of members, and values, which do no harm.
fn names(mut gap: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let quote = gap.iter().position(|byte| *byte == b'"')?;
        gap = gap.get(quote.checked_add(1)?..)?;
        Some(gap)
    })
}

/// Whether a member of this name may have to change for `target`.
fn may_change(name: &[u8], target: &Target<'_>) -> bool {
    let can = target.capabilities;
    let dialect = target.dialect;
    let is = |known: &str| {
        let rest = name.strip_prefix(known.as_bytes());
        rest.is_some_and(|rest| rest.first() == Some(&b'"'))
    };
    let is_extension = |names: &[&str]| names.iter().any(|n| is(n) && !dialect.knows(n));
    let limited = dialect.limits.iter().map(|limit| &limit.field);
    let renamed = dialect.renames.iter().map(|Rename { from, .. }| from);
    is("provider_options")
        || is_extension(&REQUEST_EXTENSIONS)
        || is_extension(&MESSAGE_EXTENSIONS)
        || (!can.sampling && SAMPLING.into_iter().any(is))
        || (can.thinking == Thinking::None && (is("reasoning_effort") || is("thinking")))
        || (!dialect.efforts.is_empty() && is("reasoning_effort"))
        || (!(can.json_schema && can.json_mode) && is("response_format"))
        || [
            &dialect.drops,
            &dialect.drops_if_thinking,
            &dialect.drops_in_messages,
        ]
        .into_iter()
        .flatten()
        .chain(limited)
        .chain(renamed)
        .any(|known| is(known))
}

/// Whether what a dialect has otherwise shows by a name in the request.
fn changes_by_name_only(dialect: &Dialect) -> bool {
    // Without `..`, so that no field is forgotten.
    let Dialect {
        accepts,
        roles,
        content_required,
        reasoning_field,
        reasoning_required,
        tool_call_ids,
        bare_media,
        parameters_required,
        strict_tools,
        tool_choices,
        response_formats,
        stream_options,
        thinking,
        // Told by names.
        drops: _,
        drops_if_thinking: _,
        renames: _,
        limits: _,
        drops_in_messages: _,
        extensions: _,
        efforts: _,
        // Of replies.
        cached_tokens_field: _,
        usage_parent: _,
        finish_reasons: _,
        content_parts_in_replies: _,
        errors: _,
    } = dialect;
    *accepts == PLAIN.accepts
        && *roles == PLAIN.roles
        && *content_required == PLAIN.content_required
        && *reasoning_field == PLAIN.reasoning_field
        && *reasoning_required == PLAIN.reasoning_required
        && *tool_call_ids == PLAIN.tool_call_ids
        && *bare_media == PLAIN.bare_media
        && *parameters_required == PLAIN.parameters_required
        && *strict_tools == PLAIN.strict_tools
        && *tool_choices == PLAIN.tool_choices
        && *response_formats == PLAIN.response_formats
        && *stream_options == PLAIN.stream_options
        && *thinking == PLAIN.thinking
}

/// Where `part` stands in `source`; `None` when it is not a part of it.
fn place(source: &[u8], part: &str) -> Option<Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(source.as_ptr().addr())?;
    let end = start.checked_add(part.len())?;
    (end <= source.len()).then_some(start..end)
}

#[cfg(test)]
mod tests;
