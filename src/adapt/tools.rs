//! Function tools for a model that has none: they are told in words, and asked for as JSON.

use super::draft::{Draft, object};
use super::{prompt, turns};
use crate::fidelity::Report;
use crate::json;
use crate::schema::TranslateError;
use crate::schema::openai::{ChatCompletionRequest, Function, Tool, ToolChoice};
use crate::schema::tool_wishes::{legacy_choice, legacy_functions, one_at_a_time};

/// Rewrites tools, their choice and their traces in the conversation as text.
///
/// Gives the names of the functions that may be called. Errors: a tool that is no function, or
/// a choice of a function that there is not.
pub(super) fn degrade(
    draft: &mut Draft<'_>,
    report: &mut Report,
) -> Result<Vec<String>, TranslateError> {
    let request = draft.request;
    let functions = functions(request)?;
    let choice = match request.tool_choice()? {
        None => legacy_choice(request)?,
        said => said,
    };
    let offered = offered(functions, choice.as_ref())?;
    turns::write_as_text(draft, report);
    for name in [
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "functions",
        "function_call",
    ] {
        draft.remove(name);
    }
    tell(request, choice.as_ref(), &offered, report);
    if offered.is_empty() {
        return Ok(Vec::new());
    }
    let single = one_at_a_time(request)?;
    prompt::append(draft, &section(&offered, choice.as_ref(), single));
    let names = offered.iter().filter_map(|f| f.name.as_deref());
    Ok(names.map(str::to_owned).collect())
}

fn functions<'a>(request: &ChatCompletionRequest<'a>) -> Result<Vec<Function<'a>>, TranslateError> {
    let mut functions = Vec::new();
    for (i, tool) in request.tools().iter().enumerate() {
        let Tool {
            kind: _,          // told by what it holds
            custom: _,        // has no JSON arguments: refused below
            cache_control: _, // the system prompt is cached as its own marker says
            function,
            extra: _, // reported by the translation of other candidates; nothing reads it here
        } = tool;
        let function = function.as_ref().ok_or_else(|| {
            TranslateError::new(format!("tools[{i}].type"), "function, for this model")
        })?;
        functions.push(function.clone());
    }
    functions.extend(legacy_functions(request)?);
    Ok(functions)
}

/// What may be called at all.
fn offered<'a>(
    mut functions: Vec<Function<'a>>,
    choice: Option<&ToolChoice<'_>>,
) -> Result<Vec<Function<'a>>, TranslateError> {
    let is = |f: &Function<'_>, name: &str| f.name.as_deref() == Some(name);
    match choice {
        Some(ToolChoice::None) => functions.clear(),
        Some(ToolChoice::Function(name)) => functions.retain(|f| is(f, name)),
        Some(ToolChoice::Allowed { names, .. }) => {
            functions.retain(|f| names.iter().any(|name| is(f, name)));
        }
        Some(ToolChoice::Auto | ToolChoice::Required) | None => {}
    }
    if functions.is_empty() && must_call(choice) {
        return Err(TranslateError::new("tool_choice", "a function of `tools`"));
    }
    Ok(functions)
}

fn must_call(choice: Option<&ToolChoice<'_>>) -> bool {
    match choice {
        Some(ToolChoice::Required | ToolChoice::Function(_)) => true,
        Some(ToolChoice::Allowed { required, .. }) => *required,
        Some(ToolChoice::None | ToolChoice::Auto) | None => false,
    }
}

fn tell(
    request: &ChatCompletionRequest<'_>,
    choice: Option<&ToolChoice<'_>>,
    offered: &[Function<'_>],
    report: &mut Report,
) {
    let reason = "this model has no tools: it is asked for calls in words";
    if !request.tools().is_empty() {
        report.downgraded("tools", reason);
    }
    if request.functions.is_some() {
        report.downgraded("functions", reason);
    }
    if must_call(choice) {
        report.downgraded("tool_choice", reason);
    }
    if request
        .parallel_tool_calls
        .is_some_and(|raw| raw.get() == "false")
    {
        report.downgraded("parallel_tool_calls", reason);
    }
    if offered.iter().any(|f| f.strict == Some(true)) {
        let reason = "words do not hold arguments to their schema";
        report.dropped("tools[].function.strict", reason);
    }
}

/// What the model is told.
fn section(offered: &[Function<'_>], choice: Option<&ToolChoice<'_>>, single: bool) -> String {
    let mut text = "You can call the functions listed below. To call them, answer with one JSON \
                    object and nothing else, no prose and no code fence:\n\
                    {\"tool_calls\":[{\"name\":\"<function>\",\"arguments\":{<its arguments>}}]}\n\
                    `arguments` must follow the JSON Schema under `parameters`. "
        .to_owned();
    text.push_str(match single {
        true => "Call one function at a time. ",
        false => "Several functions may be called at once. ",
    });
    text.push_str("Results come in the next message. ");
    text.push_str(match must_call(choice) {
        true => "You must call a function now.\n",
        false => "When no function is needed, answer in plain words.\n",
    });
    text.push_str("Functions:");
    for function in offered {
        text.push('\n');
        text.push_str(&described(function));
    }
    text
}

fn described(function: &Function<'_>) -> String {
    let Function {
        name,
        description,
        parameters,
        strict: _, // reported
        extra: _,  // not a field of the request schema
    } = function;
    object(|writer| {
        let name = name.as_deref().unwrap_or_default();
        json::write(writer.value("name"), name);
        if let Some(text) = description {
            writer.raw("description", text.get());
        }
        if let Some(schema) = parameters {
            writer.raw("parameters", schema.get());
        }
    })
}
