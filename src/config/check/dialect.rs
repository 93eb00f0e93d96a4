//! A dialect of the user's own: the kind's, with what the document says on top.

use std::borrow::Cow;
use std::sync::Arc;

use crate::config::names::{
    ClassWord, DialectWord, ErrorText, ExtensionWord, ParameterName, ResponseFormatWord,
    ThinkingFormWord, ToolCallIdWord, ToolChoiceWord,
};
use crate::config::path::Path;
use crate::config::problem::{At, Finding, Findings};
use crate::config::raw::{RawDialect, RawErrorRule, RawLimit};
use crate::config::shape::Given;
use crate::config::values::{List, Map, Number};
use crate::failure::Class;
use crate::provider::{Auth, Provider};
use crate::schema::openai::dialect::{
    Dialect, ErrorRule, Limit, Rename, ThinkingForm, ToolCallIds, Word,
};

/// What a dialect says of a provider, beyond its schema.
pub(super) struct Spoken {
    pub(super) path: Option<String>,
    pub(super) auth: Auth,
    pub(super) dialect: Arc<Dialect>,
}

pub(super) fn check_dialect(
    kind: &'static dyn Provider,
    raw: &Given<RawDialect>,
    path: &Path,
    findings: &mut Findings<'_>,
) -> Spoken {
    let mut spoken = Spoken {
        path: None,
        auth: kind.auth(),
        dialect: Arc::new(kind.dialect()),
    };
    let Some(raw) = raw.get() else {
        return spoken;
    };
    let here = path.key("dialect");
    if kind.path().is_none() {
        let found = format!("a dialect of {}", kind.kind());
        let finding = Finding::new(found, "a dialect only where OpenAI's API is spoken");
        findings.error(At::Key, &here, finding);
        return spoken;
    }
    spoken.path = raw.path.get().map(|path| path.0.clone());
    if let Some(header) = raw.auth.get().and_then(|auth| auth.header.get()) {
        spoken.auth = auth(&header.0);
    }
    spoken.dialect = Arc::new(merge(raw, kind.dialect(), &here, findings));
    spoken
}

fn auth(header: &str) -> Auth {
    match header.to_ascii_lowercase() {
        lower if lower == "authorization" => Auth::Bearer,
        lower => Auth::Header(Cow::Owned(lower)),
    }
}

fn merge(raw: &RawDialect, kind: Dialect, path: &Path, findings: &mut Findings<'_>) -> Dialect {
    let RawDialect {
        path: _, // the provider's
        auth: _, // the provider's
        accept,
        drop,
        drop_if_thinking,
        rename,
        limits,
        roles,
        drop_in_messages,
        extensions,
        content_required,
        reasoning_field,
        reasoning_required,
        tool_call_ids,
        parameters_required,
        strict_tools,
        tool_choices,
        response_formats,
        stream_options,
        thinking,
        efforts,
        cached_tokens_field,
        usage_parent,
        finish_reasons,
        content_parts_in_replies,
        errors,
    } = raw;
    Dialect {
        accepts: list(accept, |ParameterName(name)| name).or(kind.accepts),
        drops: more(kind.drops, drop, |ParameterName(name)| name),
        drops_if_thinking: more(kind.drops_if_thinking, drop_if_thinking, |p| &p.0),
        renames: [check_renames(rename), kind.renames].concat(),
        limits: [
            check_limits(limits, &path.key("limits"), findings),
            kind.limits,
        ]
        .concat(),
        roles: [pairs(roles), kind.roles].concat(),
        drops_in_messages: more(kind.drops_in_messages, drop_in_messages, |w| &w.0),
        extensions: list(extensions, |ExtensionWord(word)| word).or(kind.extensions),
        content_required: flag(content_required, kind.content_required),
        reasoning_field: word(reasoning_field).unwrap_or(kind.reasoning_field),
        reasoning_required: flag(reasoning_required, kind.reasoning_required),
        tool_call_ids: tool_call_ids.get().map_or(kind.tool_call_ids, ids),
        bare_media: kind.bare_media,
        parameters_required: flag(parameters_required, kind.parameters_required),
        strict_tools: flag(strict_tools, kind.strict_tools),
        tool_choices: list(tool_choices, |ToolChoiceWord(w)| w).unwrap_or(kind.tool_choices),
        response_formats: list(response_formats, |ResponseFormatWord(w)| w)
            .unwrap_or(kind.response_formats),
        stream_options: flag(stream_options, kind.stream_options),
        thinking: thinking.get().map_or(kind.thinking, form),
        efforts: [pairs(efforts), kind.efforts].concat(),
        cached_tokens_field: word(cached_tokens_field).or(kind.cached_tokens_field),
        usage_parent: word(usage_parent).or(kind.usage_parent),
        finish_reasons: [pairs(finish_reasons), kind.finish_reasons].concat(),
        content_parts_in_replies: flag(content_parts_in_replies, kind.content_parts_in_replies),
        errors: [
            check_errors(errors, &path.key("errors"), findings),
            kind.errors,
        ]
        .concat(),
    }
}

fn owned(text: &str) -> Word {
    Cow::Owned(text.to_owned())
}

fn flag(given: &Given<bool>, kind: bool) -> bool {
    given.get().copied().unwrap_or(kind)
}

fn word(given: &Given<DialectWord>) -> Option<Word> {
    given.get().map(|DialectWord(word)| owned(word))
}

fn list<T, const MIN: usize, const MAX: usize>(
    given: &Given<List<T, MIN, MAX>>,
    text: fn(&T) -> &String,
) -> Option<Vec<Word>> {
    let items = given.get()?.0.iter().flatten();
    Some(items.map(|item| owned(text(item))).collect())
}

fn more<T, const MIN: usize, const MAX: usize>(
    kind: Vec<Word>,
    given: &Given<List<T, MIN, MAX>>,
    text: fn(&T) -> &String,
) -> Vec<Word> {
    [kind, list(given, text).unwrap_or_default()].concat()
}

fn pairs(given: &Given<Map<DialectWord, DialectWord, 1>>) -> Vec<(Word, Word)> {
    let entries = given.get().into_iter().flat_map(|map| &map.entries);
    entries
        .filter_map(|(from, to)| Some((owned(from), owned(&to.as_ref()?.0))))
        .collect()
}

fn check_renames(given: &Given<Map<ParameterName, ParameterName, 1>>) -> Vec<Rename> {
    let entries = given.get().into_iter().flat_map(|map| &map.entries);
    let rename = |(from, to): &(String, Option<ParameterName>)| {
        Some(Rename {
            from: owned(from),
            to: owned(&to.as_ref()?.0),
            changes: None,
            if_thinking: false,
        })
    };
    entries.filter_map(rename).collect()
}

fn check_limits(
    given: &Given<Map<ParameterName, RawLimit, 1>>,
    path: &Path,
    findings: &mut Findings<'_>,
) -> Vec<Limit> {
    let mut limits = Vec::new();
    for (field, raw) in given.get().into_iter().flat_map(|map| &map.entries) {
        let Some(RawLimit { min, max }) = raw else {
            continue;
        };
        let end = |given: &Given<Number>| given.get().map(|number| number.0);
        let (min, max) = (end(min), end(max));
        if let (Some(min), Some(max)) = (min, max)
            && min > max
        {
            let finding = Finding::new(min.to_string(), format!("at most max, which is {max}"));
            findings.error(At::Value, &path.key(field).key("min"), finding);
        }
        let field = owned(field);
        limits.push(Limit { field, min, max });
    }
    limits
}

fn check_errors<const MAX: usize>(
    given: &Given<List<RawErrorRule, 1, MAX>>,
    path: &Path,
    findings: &mut Findings<'_>,
) -> Vec<ErrorRule> {
    let mut rules = Vec::new();
    let items = given.get().into_iter().flat_map(|list| &list.0).enumerate();
    for (i, raw) in items {
        let Some(RawErrorRule {
            status,
            says,
            class,
        }) = raw
        else {
            continue;
        };
        if status.is_absent() && says.is_absent() {
            let finding = Finding::new("neither", "status, says or both");
            findings.error(At::Value, &path.index(i), finding);
        }
        let Some(class) = class.get().and_then(|ClassWord(word)| Class::parse(word)) else {
            continue;
        };
        rules.push(ErrorRule {
            status: status.get().and_then(|status| u16::try_from(status.0).ok()),
            says: says
                .get()
                .map(|ErrorText(t)| owned(&t.to_ascii_lowercase())),
            class,
        });
    }
    rules
}

fn ids(word: &ToolCallIdWord) -> ToolCallIds {
    match word.0.as_str() {
        "nine_alphanumerics" => ToolCallIds::NineAlphanumerics,
        _ => ToolCallIds::Any,
    }
}

fn form(word: &ThinkingFormWord) -> ThinkingForm {
    match word.0.as_str() {
        "toggle" => ThinkingForm::Toggle,
        "switch" => ThinkingForm::Switch,
        _ => ThinkingForm::Effort,
    }
}
