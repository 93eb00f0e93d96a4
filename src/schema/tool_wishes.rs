//! What a client says of tools in more than one way: today's fields and their older forms.

use std::borrow::Cow;

use crate::fidelity::Report;
use crate::json::{self, Json, Text, owned};
use crate::schema::TranslateError;
use crate::schema::openai::{ChatCompletionRequest, Function, ToolChoice};
use crate::wire;

/// `functions`.
pub(crate) fn legacy_functions<'a>(
    request: &ChatCompletionRequest<'a>,
) -> Result<Vec<Function<'a>>, TranslateError> {
    let Some(raw) = request.functions else {
        return Ok(Vec::new());
    };
    json::parse(raw).ok_or_else(|| TranslateError::new("functions", "an array of functions"))
}

wire! {
    /// The deprecated form of a named tool choice.
    pub struct LegacyChoice<'a> {
        /// Name of the function.
        name: Text<'a>,
    }
}

/// `function_call`.
pub(crate) fn legacy_choice<'a>(
    request: &ChatCompletionRequest<'a>,
) -> Result<Option<ToolChoice<'a>>, TranslateError> {
    let Some(raw) = request.function_call else {
        return Ok(None);
    };
    let name = || json::parse::<LegacyChoice<'a>>(raw).and_then(|choice| choice.name);
    match raw.get() {
        r#""none""# => Ok(Some(ToolChoice::None)),
        r#""auto""# => Ok(Some(ToolChoice::Auto)),
        _ => name()
            .map(|name| Some(ToolChoice::Function(name)))
            .ok_or_else(|| TranslateError::new("function_call", "none, auto or a function")),
    }
}

/// Whether `parallel_tool_calls` forbids several calls in one turn.
pub(crate) fn one_at_a_time(request: &ChatCompletionRequest<'_>) -> Result<bool, TranslateError> {
    let Some(raw) = request.parallel_tool_calls else {
        return Ok(false);
    };
    let error = || TranslateError::new("parallel_tool_calls", "a boolean");
    json::parse::<bool>(raw)
        .map(|is_parallel| !is_parallel)
        .ok_or_else(error)
}

/// The arguments of an earlier call as an object: what is none becomes the text of one, so
/// that a call which the model wrote wrongly does not fail the whole conversation.
pub(super) fn arguments<'a>(arguments: &'a str, param: &str, report: &mut Report) -> Json<'a> {
    if let Some(object) = json::object(arguments) {
        return Cow::Borrowed(object);
    }
    if arguments.trim().is_empty() {
        return owned("{}".to_owned());
    }
    let reason = "not a JSON object: sent as the text of one";
    report.rewritten(format!("{param}.arguments"), reason);
    owned(format!(r#"{{"arguments":{}}}"#, json::to_string(arguments)))
}
