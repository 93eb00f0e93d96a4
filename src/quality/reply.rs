//! What is read of a request and of its answer.

use super::Expected;
use super::fault::Fault;
use super::text::{faults_of_beginning, faults_of_whole};
use crate::json::{self, Members, Raw, Text};
use crate::schema::openai::ChatCompletionRequest;

/// Tokens that the model gave less than this on average are unlikely: an even chance.
const LIKELY: f64 = -0.693;

/// What an answer may hold besides text, of which nothing is checked: calls in their form of before,
/// and sound.
const UNCHECKED: [&str; 2] = ["function_call", "audio"];

/// What a stream has said so far.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub text: String,
    /// It calls tools, or is sound.
    pub is_more_than_text: bool,
}

pub(super) fn expected(request: &ChatCompletionRequest<'_>) -> Expected {
    let format = request.response_format.as_ref();
    let format = format.and_then(|format| format.kind.as_deref());
    let tools = request.tools();
    let functions = tools
        .iter()
        .map(|tool| Some(tool.function.as_ref()?.name.as_deref()?.into()));
    // Where one of them is of another kind, any name may be called.
    let functions: Option<Vec<String>> = functions.collect();
    Expected {
        json: matches!(format, Some("json_object" | "json_schema")),
        functions: functions
            .filter(|_| request.functions.is_none())
            .unwrap_or_default(),
    }
}

/// The faults of the first choice, and its text unless it is more than that; `None` when this is
/// no chat completion.
pub(super) fn faults(expected: &Expected, completion: &[u8]) -> Option<(Vec<Fault>, String)> {
    let completion: Members<'_> = json::read(completion).ok()?;
    let choice = first(member(&completion, "choices")?)?;
    let message: Members<'_> = json::parse(member(&choice, "message")?)?;
    let mut faults = Vec::new();
    if is_text(&choice, "finish_reason", "length") {
        faults.push(Fault::CutOff);
    }
    if choice_is_unlikely(&choice) {
        faults.push(Fault::Unlikely);
    }
    let mut text = text(&message, "content");
    match member(&message, "tool_calls").and_then(json::parse::<Vec<Members<'_>>>) {
        Some(calls) if !calls.is_empty() => {
            faults.extend(
                calls
                    .iter()
                    .filter_map(|call| fault_of_call(expected, call)),
            );
            text.clear();
        }
        _ if holds_any(&message, &UNCHECKED) => text.clear(),
        _ if text.is_empty() && !self::text(&message, "refusal").is_empty() => {
            faults.push(Fault::Refuses);
        }
        _ => {
            faults.extend(faults_of_beginning(&text));
            faults.extend(faults_of_whole(&text, expected.json));
        }
    }
    Some((faults, text))
}

/// The text of chat completion chunks.
pub(super) fn read_stream(events: &[u8]) -> Seen {
    let mut seen = Seen::default();
    for line in events.split(|byte| *byte == b'\n') {
        let Some(data) = line.strip_prefix(b"data:") else {
            continue;
        };
        read_chunk(data, &mut seen);
    }
    seen
}

fn read_chunk(data: &[u8], seen: &mut Seen) -> Option<()> {
    let chunk: Members<'_> = json::read(data).ok()?;
    let choice = first(member(&chunk, "choices")?)?;
    let delta: Members<'_> = json::parse(member(&choice, "delta")?)?;
    seen.text.push_str(&text(&delta, "content"));
    seen.text.push_str(&text(&delta, "refusal"));
    seen.is_more_than_text |= holds_any(&delta, &["tool_calls"]) || holds_any(&delta, &UNCHECKED);
    Some(())
}

fn fault_of_call(expected: &Expected, call: &Members<'_>) -> Option<Fault> {
    let function: Members<'_> = json::parse(member(call, "function")?)?;
    let name = text(&function, "name");
    if !expected.functions.is_empty() && !expected.functions.contains(&name) {
        return Some(Fault::UnknownFunction);
    }
    let arguments = text(&function, "arguments");
    let is_object = arguments.trim().is_empty() || json::object(&arguments).is_some();
    (!is_object).then_some(Fault::BrokenArguments)
}

fn choice_is_unlikely(choice: &Members<'_>) -> bool {
    mean_logprob(choice).is_some_and(|mean| mean < LIKELY)
}

fn mean_logprob(choice: &Members<'_>) -> Option<f64> {
    let logprobs: Members<'_> = json::parse(member(choice, "logprobs")?)?;
    let tokens: Vec<Members<'_>> = json::parse(member(&logprobs, "content")?)?;
    let read = |token: &Members<'_>| member(token, "logprob")?.get().parse::<f64>().ok();
    let values: Vec<f64> = tokens.iter().filter_map(read).collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn first<'a>(list: Raw<'a>) -> Option<Members<'a>> {
    json::parse::<Vec<Members<'a>>>(list)?.into_iter().next()
}

fn holds_any(object: &Members<'_>, names: &[&str]) -> bool {
    names.iter().any(|name| member(object, name).is_some())
}

/// A member that is there and not null.
fn member<'a>(object: &Members<'a>, name: &str) -> Option<Raw<'a>> {
    let Members(members) = object;
    let (_, value) = members.iter().find(|(known, _)| *known == name)?;
    (value.get() != "null").then_some(*value)
}

fn text(object: &Members<'_>, name: &str) -> String {
    let text = member(object, name).and_then(json::parse::<Text<'_>>);
    text.map(|text| text.into_inner().into_owned())
        .unwrap_or_default()
}

fn is_text(object: &Members<'_>, name: &str, value: &str) -> bool {
    member(object, name)
        .and_then(json::parse::<Text<'_>>)
        .is_some_and(|t| t.as_str() == value)
}
