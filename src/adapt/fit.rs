//! Conversations that are too large for a candidate's window, trimmed until they fit.
//!
//! A tool call is never parted from its result; the system prompt and the last user turn stay.

use super::draft::{Draft, Item, escaped};
use crate::catalog::{Backend, Fit};
use crate::fidelity::Report;
use crate::json::{self, Kind};
use crate::schema::TranslateError;
use crate::schema::openai::{ChatCompletionRequest, Role};
use crate::tokens::Family;

/// Less than this is not left of a system prompt, in tokens.
const LEAST_SYSTEM_TOKENS: u64 = 256;

/// Stands where the middle of a system prompt was.
const GAP: &str = "\n[...]\n";

/// How often a system prompt is cut shorter before we give up: estimates need not add up.
const CUTS: usize = 4;

/// Trims a conversation, and lowers the output limit to what is left of the window.
///
/// Errors: not even what must stay would fit.
pub(super) fn fit(
    draft: &mut Draft<'_>,
    backend: &Backend,
    report: &mut Report,
) -> Result<(), TranslateError> {
    let (Some(fit), Some(window)) = (backend.adaptation.fit, backend.capabilities.context_window)
    else {
        return Ok(());
    };
    let family = backend.tokenizer;
    let room = window.saturating_sub(reserve(draft.request, backend, &fit));
    if draft.tokens(family) > room && fit.trim.trims_turns() {
        trim_turns(draft, &fit, (room, family), report);
    }
    if draft.tokens(family) > room && fit.trim.trims_system() {
        trim_system(draft, (room, family), report);
    }
    let input = draft.tokens(family);
    if input > room {
        let expected = "a conversation that can be trimmed to fit into the context window";
        return Err(TranslateError::new("messages", expected));
    }
    lower_limit(draft, backend, window.saturating_sub(input), report);
    Ok(())
}

/// Output tokens for which room should be: what the client allows, or what the model may write.
pub(super) fn wanted_output(request: &ChatCompletionRequest<'_>, backend: &Backend) -> u64 {
    let reserve = backend.adaptation.fit.map_or(0, |fit| fit.reserve_output);
    asked(request).or(silent_limit(backend)).unwrap_or(reserve)
}

fn asked(request: &ChatCompletionRequest<'_>) -> Option<u64> {
    request.output_limit().and_then(json::parse)
}

/// The limit that a provider may assume when nobody says one.
fn silent_limit(backend: &Backend) -> Option<u64> {
    let can = &backend.capabilities;
    // A default of the configuration's own stands for itself.
    can.max_output_tokens
        .filter(|_| backend.defaults.is_empty())
}

/// Output tokens without which answering is not worth while.
fn reserve(request: &ChatCompletionRequest<'_>, backend: &Backend, fit: &Fit) -> u64 {
    fit.reserve_output.min(wanted_output(request, backend))
}

fn lower_limit(draft: &mut Draft<'_>, backend: &Backend, left: u64, report: &mut Report) {
    let request = draft.request;
    let reason = "lowered to what is left of the context window";
    match (asked(request), silent_limit(backend)) {
        (Some(asked), _) if asked > left => {
            for (name, said) in [
                ("max_completion_tokens", request.max_completion_tokens),
                ("max_tokens", request.max_tokens),
            ] {
                if said.is_some() {
                    draft.set(name, left.to_string());
                    report.rewritten(name, reason);
                }
            }
        }
        (None, Some(assumed)) if assumed > left => {
            draft.set("max_completion_tokens", left.to_string());
            let reason = "what is left of the context window";
            report.defaulted("max_completion_tokens", reason);
        }
        _ => {}
    }
}

// === turns ===

/// Messages that stay or go together, as places among the draft's items.
#[derive(Debug, Default)]
struct Turn {
    /// What the user said; empty for a conversation that begins with the assistant.
    head: Vec<usize>,
    /// Each a message of the assistant's with the results of its calls.
    steps: Vec<Vec<usize>>,
}

/// The first is what stands before the user's first word, and mostly empty.
fn turns(items: &[Item<'_>]) -> Vec<Turn> {
    let mut turns = vec![Turn::default()];
    let mut before = None;
    for (i, item) in items.iter().enumerate() {
        if item.role == Role::System {
            continue;
        }
        if item.role == Role::User && before != Some(Role::User) {
            turns.push(Turn::default());
        }
        before = Some(item.role);
        let Some(turn) = turns.last_mut() else {
            continue;
        };
        match (item.role, turn.steps.last_mut()) {
            (Role::User, _) => turn.head.push(i),
            (Role::Tool, Some(step)) => step.push(i),
            _ => turn.steps.push(vec![i]),
        }
    }
    turns
}

/// Leaves out the oldest turns, then the oldest tool steps of the last turn, until enough is
/// gone or nothing more may go.
fn trim_turns(
    draft: &mut Draft<'_>,
    fit: &Fit,
    (room, family): (u64, Family),
    report: &mut Report,
) {
    let mut excess = draft.tokens(family).saturating_sub(room);
    let mut gone: Vec<usize> = Vec::new();
    let mut turns = turns(&draft.items);
    let kept = turns.split_off(turns.len().saturating_sub(fit.keep_last.max(1)));
    let whole = turns.into_iter().map(|turn| {
        let Turn { head, steps } = turn;
        head.into_iter()
            .chain(steps.into_iter().flatten())
            .collect()
    });
    let mut steps = kept.into_iter().last().unwrap_or_default().steps;
    steps.pop();
    for unit in whole.chain(steps) {
        if excess == 0 {
            break;
        }
        let unit: Vec<usize> = unit;
        let size = unit.iter().filter_map(|i| draft.items.get(*i));
        let size: u64 = size.map(|item| item.tokens(family)).sum();
        excess = excess.saturating_sub(size);
        gone.extend(unit);
    }
    tell_gone(draft, &gone, report);
    let mut place = 0..;
    draft
        .items
        .retain(|_| place.next().is_none_or(|i| !gone.contains(&i)));
}

fn tell_gone(draft: &Draft<'_>, gone: &[usize], report: &mut Report) {
    let places = gone.iter().filter_map(|i| draft.items.get(*i)?.source);
    let (first, last) = (places.clone().min(), places.max());
    if let (Some(first), Some(last)) = (first, last) {
        let (count, all) = (gone.len(), draft.items.len());
        let reason = format!("the oldest {count} of {all} are left out to fit into the window");
        report.dropped(format!("messages[{first}..{last}]"), reason);
    }
}

// === the system prompt ===

/// Cuts the middle out of the longest system message, if it is text alone.
fn trim_system(draft: &mut Draft<'_>, (room, family): (u64, Family), report: &mut Report) {
    let systems = draft.items.iter().enumerate();
    let longest = systems
        .filter(|(_, item)| item.role == Role::System)
        .max_by_key(|(_, item)| item.json.len());
    let Some((place, whole)) = longest.map(|(i, item)| (i, item.clone())) else {
        return;
    };
    let Some(text) = text_of(&whole) else {
        return;
    };
    let all = whole.tokens(family);
    let mut keep = all;
    for _ in 0..CUTS {
        let excess = draft.tokens(family).saturating_sub(room);
        keep = keep.saturating_sub(excess);
        if excess == 0 || keep < LEAST_SYSTEM_TOKENS {
            break;
        }
        let bytes = (text.len() as u64).saturating_mul(keep) / all.max(1);
        let short = without_middle(&text, usize::try_from(bytes).unwrap_or(0));
        let short = whole.with_content(&format!("\"{}\"", escaped(&short)), &[]);
        if let Some(item) = draft.items.get_mut(place) {
            *item = short;
        }
        keep = keep.saturating_sub(1);
    }
    let param = match whole.source {
        Some(i) => format!("messages[{i}].content"),
        None => "messages".to_owned(),
    };
    report.rewritten(param, "the middle is left out to fit into the window");
}

/// The content, if it is a text.
fn text_of(item: &Item<'_>) -> Option<String> {
    let members = item.members();
    let (_, content) = members.iter().find(|(name, _)| *name == "content")?;
    (json::kind(content) == Kind::String).then(|| json::parse(content))?
}

/// Two thirds of what is kept are its beginning, one third its end.
fn without_middle(text: &str, keep: usize) -> String {
    let keep = keep.saturating_sub(GAP.len());
    let head = floor(text, keep / 3 * 2);
    let tail = floor(text, text.len().saturating_sub(keep / 3));
    let head = text.get(..head).unwrap_or_default();
    let tail = text.get(tail.max(head.len())..).unwrap_or_default();
    format!("{head}{GAP}{tail}")
}

/// The nearest boundary of a character at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|i| text.is_char_boundary(*i))
        .unwrap_or(0)
}
